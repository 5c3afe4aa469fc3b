/** Checks of requests, in the order of the API's own. */

import { EXPONENTS, MAX_AMOUNT } from "../money.js";
import { DATA } from "./data.js";
import { type Json, RefusedError } from "./refusals.js";
import { isAllowed } from "./spellings.js";

export const MAX_ENDPOINTS = 5;
const KEY = /^[!-~]{1,255}$/;

/** The request without what says nothing: two requests with the same result ask for the same. */
export function checkedPayment(body: Json): Json {
  checkFields(body, DATA.requestFields, DATA.requiredFields);
  checkAmount(body["amount"]);
  const currency = body["currency"] as string;
  if (!EXPONENTS.has(currency) || DATA.withdrawnCurrencies.includes(currency)) {
    throw new RefusedError("currency");
  }
  checkMethod(body["paymentMethod"]);
  if (![undefined, "automatic", "manual"].includes(body["capture"] as undefined)) {
    throw new RefusedError("capture");
  }
  if (!String(body["returnUrl"] ?? "https://").startsWith("https://")) {
    throw new RefusedError("return_url");
  }
  checkExpiry(body);
  for (const [field, usual] of Object.entries(DATA.requestFields)) {
    if (usual !== null && body[field] === null) {
      throw new RefusedError("null", { field });
    }
  }
  return said(inOneSpelling(body), DATA.requestFields);
}

/** A change takes no parameters, and no address one that it does not know. */
export function checkQuery(given: URLSearchParams, known: readonly string[], method: string): void {
  const names = [...given.keys()];
  if (names.length > 0 && (method !== "GET" || known.length === 0)) {
    throw new RefusedError("no_query");
  }
  for (const field of names) {
    if (!known.includes(field)) {
      throw new RefusedError("unknown_parameter");
    }
    if (given.getAll(field).length > 1) {
      throw new RefusedError("parameter_twice", { field });
    }
  }
}

/** A key is checked and not used. */
export function checkCancellation(header: string | undefined, body: Json): void {
  checkFields(body, { idempotencyKey: null }, []);
  if (header !== undefined || (body["idempotencyKey"] ?? null) !== null) {
    keyOf(header, body);
  }
}

/** The amount of a capture or refund; undefined for all that is left. */
export function checkedOperation(body: Json): number | undefined {
  checkFields(body, { amount: null, idempotencyKey: null }, []);
  if (!("amount" in body)) {
    return undefined;
  }
  checkAmount(body["amount"]);
  return body["amount"] as number;
}

/** The address and the types of events. */
export function checkedEndpoint(body: Json): { url: string; eventTypes: readonly string[] } {
  checkFields(body, { url: null, eventTypes: [] }, ["url"]);
  const { url } = body;
  if (typeof url !== "string" || !isAllowed(url)) {
    throw new RefusedError("url");
  }
  const types = body["eventTypes"] ?? [];
  const known = DATA.eventTypes as readonly unknown[];
  if (!Array.isArray(types) || new Set(types).size < types.length || !types.every((each) => known.includes(each))) {
    throw new RefusedError("event_types");
  }
  return { url, eventTypes: types as string[] };
}

/** The idempotency key, from the header or the body. */
export function keyOf(header: string | undefined, body: Json): string {
  const found = new Set([header, body["idempotencyKey"]].filter((each) => each !== undefined && each !== null));
  if (found.size === 0) {
    throw new RefusedError("key_required");
  }
  if (found.size > 1) {
    throw new RefusedError("key_conflict");
  }
  const [key] = found;
  if (typeof key !== "string" || !KEY.test(key)) {
    throw new RefusedError("key_invalid");
  }
  return key;
}

/** The order of a checkout's methods says nothing, and neither does the time that it has anyway. */
function inOneSpelling(body: Json): Json {
  const { methods, ...others } = said(body["paymentMethod"] as Json, { presentation: "page" });
  const paymentMethod = methods === undefined ? others : { ...others, methods: [...(methods as string[])].sort() };
  const isUsual = body["expiresInSeconds"] === DATA.checkout.defaultSeconds;
  return { ...body, paymentMethod, ...(isUsual ? { expiresInSeconds: null } : {}) };
}

function said(body: Json, defaults: Json): Json {
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => {
      const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
      return name !== "idempotencyKey" && value !== null && !isEmpty && value !== defaults[name];
    }),
  );
}

function checkFields(body: Json, known: Json, required: readonly string[]): void {
  for (const field of Object.keys(body)) {
    if (!Object.hasOwn(known, field)) {
      throw new RefusedError("unknown_field", { field });
    }
  }
  for (const field of required) {
    if (!Object.hasOwn(body, field)) {
      throw new RefusedError("field_missing", { field });
    }
  }
}

function checkAmount(amount: unknown): void {
  if (typeof amount !== "number" || !Number.isInteger(amount) || amount < 1 || amount > MAX_AMOUNT) {
    throw new RefusedError("amount");
  }
}

function checkMethod(method: unknown): void {
  if (typeof method !== "object" || method === null || typeof (method as Json)["type"] !== "string") {
    throw new RefusedError("payment_method");
  }
  const { type, token, tokens, ...more } = method as { type: string; token?: unknown; tokens?: unknown } & Json;
  const given = [token, tokens].filter((each) => (each ?? null) !== null).length;
  if (type === "checkout") {
    checkCheckout(more, given > 0);
    return;
  }
  for (const [name, standard] of [["methods", null], ["presentation", "page"]] as const) {
    if (more[name] !== undefined && more[name] !== standard) {
      throw new RefusedError("only_checkout_method", { field: `paymentMethod.${name}` });
    }
  }
  if (given !== 1) {
    throw new RefusedError("payment_method");
  }
}

function checkCheckout({ methods = null, presentation = "page" }: Json, hasTokens: boolean): void {
  if (hasTokens) {
    throw new RefusedError("checkout_token");
  }
  if (methods !== null && !isChoice(methods, DATA.checkout.methods)) {
    throw new RefusedError("checkout_methods");
  }
  if (!DATA.checkout.presentations.includes(presentation as string)) {
    throw new RefusedError("checkout_presentation");
  }
}

/** Some of the known ones, each at most once. */
function isChoice(found: unknown, known: readonly unknown[]): boolean {
  return Array.isArray(found) && found.length > 0 && new Set(found).size === found.length && found.every((each) => known.includes(each));
}

function checkExpiry(body: Json): void {
  const { expiresInSeconds: seconds = null, initiator = null, savePaymentMethod = false } = body;
  if ((body["paymentMethod"] as Json)["type"] !== "checkout") {
    if (seconds !== null) {
      throw new RefusedError("only_checkout_expiry");
    }
    return;
  }
  if (initiator !== null && initiator !== "customer") {
    throw new RefusedError("checkout_initiator");
  }
  if (savePaymentMethod) {
    throw new RefusedError("checkout_saves");
  }
  const { minSeconds, maxSeconds } = DATA.checkout;
  if (seconds !== null && !(Number.isInteger(seconds) && minSeconds <= (seconds as number) && (seconds as number) <= maxSeconds)) {
    throw new RefusedError("checkout_expiry");
  }
}
