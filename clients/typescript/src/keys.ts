/**
 * Idempotency keys that a restarted process finds again.
 *
 * A list names the caller's purpose: `["order", 4711, "refund", 1]`. Its key is derived, so that it needs no storage, or
 * taken from a store, which keeps the first key before the first byte leaves. A text is sent as it is.
 */

import { hexOf, randomBytes, sha256 } from "./crypto.js";

export type Purpose = readonly (string | number | bigint)[];
export type Key = string | Purpose;

const VALID = /^[!-~]{1,255}$/;
const MAX_PARTS = 16;
const MAX_PART_BYTES = 1024;

/** Keeps one key for each purpose, for ever. */
export interface KeyStore {
  /**
   * Returns the stored key, or stores the proposed one durably and returns it.
   *
   * Of two callers at once, both receive the key of the first.
   */
  keyFor(purpose: string, proposed: string): Promise<string>;
}

/**
 * The same purpose has the same key, in every process, release and language; another purpose has another.
 *
 * The key has letters only: a part that looks like a card number would be refused by the API.
 *
 * Throws `TypeError` for parts that are neither text nor exact integers, `RangeError` for an empty or too long purpose.
 */
export async function derived(purpose: Purpose): Promise<string> {
  return `key-${letters(await sha256(new TextEncoder().encode(canonical(purpose))))}`;
}

/** A spelling that no other purpose has: each part with its type and length. */
export function canonical(purpose: Purpose): string {
  if (purpose.length < 1 || purpose.length > MAX_PARTS) {
    throw new RangeError(`a purpose has 1 to ${MAX_PARTS} parts`);
  }
  return purpose.map(part).join("");
}

function part(value: unknown): string {
  const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
  if (!isInteger && typeof value !== "string") {
    throw new TypeError(`a part of a purpose is text or an exact integer, not ${typeof value}`);
  }
  const spelled = Object.is(value, -0) ? "0" : String(value);
  if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(spelled)) {
    throw new TypeError("a part of a purpose is valid Unicode");
  }
  const size = new TextEncoder().encode(spelled).length;
  if (size < 1 || size > MAX_PART_BYTES) {
    throw new RangeError(`a part of a purpose has 1 to ${MAX_PART_BYTES} bytes`);
  }
  return `${isInteger ? "i" : "s"}${size}:${spelled}`;
}

/** The key to send. The operation is part of what is stored: the API counts keys for each kind of operation. */
export async function resolved(key: Key, store: KeyStore | undefined, operation: string): Promise<string> {
  if (typeof key === "string") {
    if (!VALID.test(key)) {
      throw new RangeError("an idempotency key has 1 to 255 printable ASCII characters and no space");
    }
    return key;
  }
  if (!Array.isArray(key)) {
    throw new TypeError(`a key is text or a list such as ["order", 4711], not ${typeof key}`);
  }
  const purpose = key as Purpose;
  if (store === undefined) {
    return derived(purpose);
  }
  canonical(purpose);
  return store.keyFor(canonical([operation, ...purpose]), `key-${letters(randomBytes(24))}`);
}

function letters(bytes: Uint8Array): string {
  return hexOf(bytes).replace(/[0-9a-f]/g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)));
}
