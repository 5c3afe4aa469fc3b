/**
 * The webhook kit: verifies a message (Standard Webhooks), and says whether it is new and in order.
 *
 *     const webhook = new Webhook(secret, { store });
 *     const status = await webhook.receive(rawBody, headers, handle);
 *
 * `receive` verifies, hands a new event to `handle`, and returns the status to answer. `parse` leaves that to the caller.
 */

import { fromBase64, hmacKey, isSignature } from "./crypto.js";
import { PayFlowXError } from "./errors.js";
import type { EventStore } from "./event_stores.js";
import { DecodeError } from "./json.js";
import { decodeWebhookMessage, type WebhookMessage } from "./models.js";

export const MAX_BODY_BYTES = 1024 * 1024;
const MAX_SIGNATURES = 16;
const MAX_MISSING = 1000;
const MIN_KEY_BYTES = 24;
const PREFIX = "whsec_";
const RAW_BODY =
  'the signature covers the raw body: pass its bytes (Express: express.raw({ type: "application/json" }) and' +
  " request.body; Next, Hono and workers: await request.arrayBuffer(); AWS Lambda: Buffer.from(event.body," +
  ' event.isBase64Encoded ? "base64" : "utf8"))';

/** The message is not accepted. Answer 400; do not handle it. */
export class WebhookError extends PayFlowXError {
  override name = "WebhookError";
}

/** No signature of the message is of a known secret. */
export class WebhookSignatureError extends WebhookError {
  override name = "WebhookSignatureError";
}

/** The message was signed too long ago, or by a clock that is ahead. */
export class WebhookTimeError extends WebhookError {
  override name = "WebhookTimeError";
}

/** The signature is right, and the content is not what this release can read. */
export class WebhookContentError extends WebhookError {
  override name = "WebhookContentError";
}

/** The headers of any framework: a `Headers` object, or Node's and Lambda's plain object. */
export type WebhookHeaders =
  | { get(name: string): string | null | undefined }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** An authentic message. */
export interface Received {
  readonly event: WebhookMessage;
  readonly isNew: boolean;
  /**
   * Lower sequence numbers of its payment that were not handled yet, at most a thousand. They may be on their way, or
   * of types that the endpoint does not receive.
   */
  readonly missing: readonly number[];
  /** A higher number was handled already. */
  readonly isLate: boolean;
  /** Remembers that the event was handled. Without a store, nothing is remembered. */
  done(): Promise<void>;
}

export interface WebhookOptions {
  /** Without a store, every message is new. */
  readonly store?: EventStore | undefined;
  readonly toleranceSeconds?: number | undefined;
  readonly nowSeconds?: (() => number) | undefined;
}

/** `secret` is that of the endpoint; several during a rotation. */
export class Webhook {
  readonly #secrets: readonly Uint8Array<ArrayBuffer>[];
  readonly #store: EventStore | undefined;
  readonly #toleranceSeconds: number;
  readonly #nowSeconds: () => number;

  constructor(secret: string | readonly string[], options: WebhookOptions = {}) {
    const secrets = typeof secret === "string" ? [secret] : [...secret];
    if (secrets.length === 0) {
      throw new TypeError("a secret is needed: whsec_... from the answer that created the endpoint");
    }
    this.#secrets = secrets.map(secretBytes);
    this.#store = options.store;
    this.#toleranceSeconds = options.toleranceSeconds ?? 300;
    this.#nowSeconds = options.nowSeconds ?? (() => Date.now() / 1000);
  }

  /**
   * Returns the HTTP status to answer: 204, or 400 for a message that is not accepted.
   *
   * A repeat is not handed on. The event is remembered after `handle` returned: if that throws, or the process dies, the
   * event comes again. Throws what `handle` throws; `TypeError` for a body that is not raw.
   */
  async receive(
    rawBody: Uint8Array | ArrayBuffer,
    headers: WebhookHeaders,
    handle: (received: Received) => unknown,
  ): Promise<204 | 400> {
    let received: Received;
    try {
      received = await this.parse(rawBody, headers);
    } catch (error) {
      if (error instanceof WebhookError) {
        return 400;
      }
      throw error;
    }
    if (received.isNew) {
      await handle(received);
      await received.done();
    }
    return 204;
  }

  /** Verifies and decodes. Throws `WebhookError`; `TypeError` for a body that is not raw. */
  async parse(rawBody: Uint8Array | ArrayBuffer, headers: WebhookHeaders): Promise<Received> {
    const body = raw(rawBody);
    const { eventId, atSeconds, signatures } = signedHeaders(headers);
    await this.#checkSignature(joined(new TextEncoder().encode(`${eventId}.${atSeconds}.`), body), signatures);
    if (Math.abs(this.#nowSeconds() - Number(atSeconds)) > this.#toleranceSeconds) {
      throw new WebhookTimeError(`signed more than ${this.#toleranceSeconds} seconds from now; check the clock`);
    }
    const event = messageOf(body);
    if (event.id !== eventId) {
      throw new WebhookContentError("the id in the header is not that of the body");
    }
    return this.#received(event);
  }

  async #checkSignature(content: Uint8Array<ArrayBuffer>, signatures: string): Promise<void> {
    const keys = await Promise.all(this.#secrets.map(hmacKey));
    for (const each of signatures.split(" ").filter(Boolean).slice(0, MAX_SIGNATURES)) {
      const given = each.startsWith("v1,") ? fromBase64(each.slice("v1,".length)) : undefined;
      for (const key of given === undefined ? [] : keys) {
        if (given !== undefined && (await isSignature(key, given, content))) {
          return;
        }
      }
    }
    throw new WebhookSignatureError(`no signature is right: check the endpoint's secret, and that ${RAW_BODY}`);
  }

  async #received(event: WebhookMessage): Promise<Received> {
    const subject = event.data.payment?.transactionId ?? event.id; // an event of no payment stands alone
    const handled = new Set((await this.#store?.handled(subject)) ?? []);
    return {
      event,
      isNew: !handled.has(event.sequence),
      missing: this.#store === undefined ? [] : missing(event.sequence, handled),
      isLate: [...handled].some((number) => number > event.sequence),
      done: async () => this.#store?.record(event.id, subject, event.sequence),
    };
  }
}

function missing(sequence: number, handled: ReadonlySet<number>): number[] {
  const found: number[] = [];
  for (let number = 1; number < sequence && found.length < MAX_MISSING; number += 1) {
    if (!handled.has(number)) {
      found.push(number);
    }
  }
  return found;
}

function secretBytes(secret: string): Uint8Array<ArrayBuffer> {
  const isText = typeof secret === "string" && secret.startsWith(PREFIX);
  const bytes = isText ? fromBase64(secret.slice(PREFIX.length)) : undefined;
  if (bytes === undefined || bytes.length < MIN_KEY_BYTES) {
    throw new TypeError("the secret is not of the form whsec_... of an endpoint");
  }
  return bytes;
}

function raw(body: unknown): Uint8Array<ArrayBuffer> {
  if (!(body instanceof ArrayBuffer) && !ArrayBuffer.isView(body)) {
    throw new TypeError(`the body is ${typeof body === "string" ? "text" : "a parsed value"}; ${RAW_BODY}`);
  }
  if (body.byteLength > MAX_BODY_BYTES) {
    throw new WebhookContentError(`the body has more than ${MAX_BODY_BYTES} bytes`);
  }
  const bytes = body instanceof ArrayBuffer ? new Uint8Array(body) : new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  return new Uint8Array(bytes); // a copy: nobody can change it between the check and the decoding
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function signedHeaders(headers: WebhookHeaders): { eventId: string; atSeconds: string; signatures: string } {
  const eventId = header(headers, "webhook-id");
  const atSeconds = header(headers, "webhook-timestamp");
  const signatures = header(headers, "webhook-signature");
  if (!/^\d{1,12}$/.test(atSeconds)) {
    throw new WebhookSignatureError("the header webhook-timestamp is no time in seconds");
  }
  return { eventId, atSeconds, signatures };
}

function header(headers: WebhookHeaders, name: string): string {
  const found =
    typeof headers.get === "function"
      ? headers.get(name)
      : Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
  if (typeof found !== "string" || found === "") {
    throw new WebhookSignatureError(`the header ${name} is missing`);
  }
  return found;
}

function messageOf(body: Uint8Array): WebhookMessage {
  try {
    return decodeWebhookMessage(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)));
  } catch (error) {
    const reason = error instanceof DecodeError ? error.message : "no JSON";
    throw new WebhookContentError(`the content cannot be read: ${reason}`, { cause: error });
  }
}
