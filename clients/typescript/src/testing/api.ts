/** The double itself: a `fetch` for `Client`, and time that is moved by hand. */

import { Client, type ClientOptions } from "../client.js";
import type { Clock } from "../sender.js";
import { VERSION } from "../sender.js";
import type { FetchAnswer, FetchInit } from "../transport.js";
import { Book, type PaymentRecord } from "./book.js";
import { DATA } from "./data.js";
import { type Delivery, Endpoints } from "./endpoints.js";
import { type Json, RefusedError } from "./refusals.js";
import { checkCancellation, checkedOperation, checkedPayment, checkQuery, keyOf } from "./requests.js";

export const API_KEY = "pfx_test_sk_double";
const START_SECONDS = 1_790_000_000;
const MAX_LIMIT = 100;
const FILTERS = ["status", "orderId", "providerRef"];
const PUBLIC: ReadonlySet<string> = new Set(["/health", "/openapi.json"]);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

interface Answered {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface WholeAnswer extends FetchAnswer {
  readonly headers: FetchAnswer["headers"] & Iterable<[string, string]>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

interface Asked {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly key: string | undefined;
  readonly body: Json;
}

/** The API in the process. Its time starts at `startSeconds`, and stands still. */
export class FakeApi {
  readonly clock: Clock;
  readonly #book: Book;
  readonly #endpoints: Endpoints;
  readonly #keys = new Map<string, { readonly wanted: string; readonly id: string }>();
  #requests = 0;
  #lost = 0;
  #refusals: ("unavailable" | "rate_limited")[] = [];

  constructor({ startSeconds = START_SECONDS }: { readonly startSeconds?: number } = {}) {
    this.#book = new Book(Math.round(startSeconds * 1000));
    this.#endpoints = new Endpoints(this.#book);
    this.clock = {
      monotonicSeconds: () => this.nowSeconds(),
      sleep: async (seconds) => this.advance(seconds),
    };
  }

  /** A client of this API, whose waits move its time. */
  client(options: Partial<ClientOptions> = {}): Client {
    const given = { baseUrl: "https://api.test", apiKey: API_KEY, clock: this.clock, fetch: this.fetch };
    return new Client({ ...given, ...options });
  }

  /** The double's time, for `new Webhook(secret, { nowSeconds: () => api.nowSeconds() })`. */
  nowSeconds(): number {
    return this.#book.nowMs / 1000;
  }

  /** Lets time pass: what is due happens. */
  advance(seconds: number): void {
    this.#book.advance(seconds);
  }

  /** Executes the next requests, and answers nothing. */
  loseAnswers(count = 1): void {
    this.#lost += count;
  }

  /** Refuses the next requests, before anything is executed. */
  refuseNext(name: "unavailable" | "rate_limited", count = 1): void {
    this.#refusals.push(...Array.from({ length: count }, () => name));
  }

  /** What was not delivered yet, signed now, in the order of its scenario. It counts as accepted. */
  async deliveries(): Promise<Delivery[]> {
    return this.#endpoints.deliveries();
  }

  /** Executes one request, as the `fetch` of a client. */
  readonly fetch = (url: string, init: FetchInit): Promise<FetchAnswer> => this.answer(url, init);

  /** As `fetch`, with the whole answer. */
  async answer(url: string, init: FetchInit): Promise<WholeAnswer> {
    this.#requests += 1;
    const requestId = `req-${this.#requests}`;
    const headers = new Map(Object.entries(init.headers).map(([name, value]) => [name.toLowerCase(), value]));
    let answered: Answered;
    try {
      answered = this.#answered(new URL(url), init, headers);
    } catch (error) {
      if (!(error instanceof RefusedError)) {
        throw error;
      }
      answered = { status: error.status, body: error.body(requestId), headers: error.headers() };
    }
    if (this.#lost > 0) {
      this.#lost -= 1;
      throw new TypeError("lost on purpose");
    }
    const common = { "content-type": "application/json", "x-correlation-id": headers.get("x-correlation-id") ?? requestId };
    const body = answered.body === undefined ? null : JSON.stringify(answered.body);
    return new Response(body, { status: answered.status, headers: { ...common, ...answered.headers } });
  }

  #answered(url: URL, init: FetchInit, headers: ReadonlyMap<string, string>): Answered {
    const refusal = this.#refusals.shift();
    if (refusal !== undefined) {
      throw new RefusedError(refusal);
    }
    for (const [method, pattern, answer] of this.#routes) {
      const match = method === init.method ? pattern.exec(url.pathname) : null;
      if (match !== null) {
        if (!PUBLIC.has(url.pathname) && headers.get("authorization") !== `Bearer ${API_KEY}`) {
          throw new RefusedError("unauthenticated");
        }
        if (!PUBLIC.has(url.pathname)) {
          checkQuery(url.searchParams, parametersOf(pattern), method);
        }
        const path = match.slice(1).map(decodeURIComponent);
        return answer({ path, query: url.searchParams, key: headers.get("idempotency-key"), body: bodyOf(init.body) });
      }
    }
    throw new RefusedError("no_address");
  }

  readonly #routes: readonly [string, RegExp, (asked: Asked) => Answered][] = [
    ["POST", /^\/payments$/, (asked) => this.#create(asked)],
    ["GET", /^\/payments$/, (asked) => this.#list(asked)],
    ["GET", /^\/payments\/([^/]+)$/, (asked) => ({ status: 200, body: this.#record(asked).answer })],
    ["GET", /^\/payments\/([^/]+)\/events$/, (asked) => ({ status: 200, body: page(asked, this.#record(asked).audit) })],
    ["POST", /^\/payments\/([^/]+)\/cancel$/, (asked) => this.#cancel(asked)],
    ["POST", /^\/payments\/([^/]+)\/capture$/, (asked) => this.#move(asked, "capture")],
    ["POST", /^\/payments\/([^/]+)\/refunds$/, (asked) => this.#move(asked, "refund")],
    ["GET", /^\/payments\/([^/]+)\/operations$/, (asked) => this.#operations(asked)],
    ["GET", /^\/payments\/([^/]+)\/operations\/([^/]+)$/, (asked) => this.#operation(asked)],
    ["POST", /^\/webhook-endpoints$/, ({ body }) => ({ status: 201, body: this.#endpoints.create(body) })],
    ["GET", /^\/webhook-endpoints$/, () => ({ status: 200, body: { items: this.#endpoints.shown() } })],
    ["DELETE", /^\/webhook-endpoints\/([^/]+)$/, (asked) => this.#deleteEndpoint(asked)],
    ["POST", /^\/webhook-endpoints\/([^/]+)\/rotate-secret$/, (asked) => this.#rotateSecret(asked)],
    ["GET", /^\/events$/, (asked) => this.#listEvents(asked)],
    ["POST", /^\/events\/([^/]+)\/redeliver$/, (asked) => this.#redeliver(asked)],
    ["POST", /^\/webhooks\/([^/]+)\/([^/]+)$/, () => refuse("webhook")],
    ["GET", /^\/health$/, () => ({ status: 200, body: { status: "ok" } })],
    ["GET", /^\/openapi\.json$/, () => ({ status: 200, body: DESCRIPTION })],
  ];

  #record({ path }: Asked): PaymentRecord {
    return this.#book.payment(path[0] ?? "");
  }

  #create({ key: header, body }: Asked): Answered {
    const key = `payment ${keyOf(header, body)}`;
    const wanted = checkedPayment(body);
    const known = this.#known(key, wanted);
    const record = known === undefined ? this.#book.create(wanted) : this.#book.payment(known);
    const { transactionId } = record.answer;
    if (known === undefined) {
      this.#keys.set(key, { wanted: canonical(wanted), id: transactionId });
      this.#lost += record.scenario.losesAnswers ?? 0;
    }
    return { status: 202, body: record.answer, headers: { location: `/payments/${transactionId}`, ...replayed(known) } };
  }

  #known(key: string, wanted: Json): string | undefined {
    const found = this.#keys.get(key);
    if (found !== undefined && found.wanted !== canonical(wanted)) {
      throw new RefusedError("key_reused");
    }
    return found?.id;
  }

  #list(asked: Asked): Answered {
    const status = asked.query.get("status");
    if (status !== null && !(DATA.paymentStatuses as readonly string[]).includes(status)) {
      throw new RefusedError("status");
    }
    if (asked.query.has("provider") && !asked.query.has("providerRef")) {
      throw new RefusedError("provider");
    }
    const answers = [...this.#book.records.values()].map((each) => each.answer);
    const rows = answers.filter((each) => FILTERS.every((name) => [null, each[name]].includes(asked.query.get(name))));
    return { status: 200, body: { ...page(asked, inTime(asked, rows).reverse()), unreadable: [] } };
  }

  #cancel(asked: Asked): Answered {
    checkCancellation(asked.key, asked.body);
    const record = this.#record(asked);
    return { status: this.#book.cancel(record), body: record.answer };
  }

  #move(asked: Asked, kind: "capture" | "refund"): Answered {
    const record = this.#record(asked);
    const { transactionId } = record.answer;
    const key = `${kind} ${keyOf(asked.key, asked.body)}`;
    const amount = checkedOperation(asked.body);
    const wanted = { transactionId, amount: amount ?? null };
    const known = this.#known(key, wanted);
    const operation =
      record.operations.find((each) => each.operationId === known) ?? this.#book.operate(record, kind, amount);
    this.#keys.set(key, { wanted: canonical(wanted), id: operation.operationId });
    const location = `/payments/${transactionId}/operations/${operation.operationId}`;
    return { status: 202, body: operation, headers: { location, ...replayed(known) } };
  }

  #operations(asked: Asked): Answered {
    return { status: 200, body: { ...page(asked, this.#record(asked).operations, MAX_LIMIT), unreadable: [] } };
  }

  #operation(asked: Asked): Answered {
    const found = this.#record(asked).operations.find((each) => each.operationId === asked.path[1]);
    return found === undefined ? refuse("no_operation") : { status: 200, body: found };
  }

  #deleteEndpoint({ path }: Asked): Answered {
    this.#endpoints.delete(path[0] ?? "");
    return { status: 204 };
  }

  #rotateSecret({ path }: Asked): Answered {
    return { status: 200, body: this.#endpoints.rotateSecret(path[0] ?? "") };
  }

  #listEvents(asked: Asked): Answered {
    this.#endpoints.plan();
    return { status: 200, body: { ...page(asked, inTime(asked, this.#book.events).reverse()), unreadable: [] } };
  }

  #redeliver({ path }: Asked): Answered {
    const event = this.#book.events.find((each) => each.id === path[0]);
    if (event === undefined) {
      throw new RefusedError("no_event");
    }
    this.#endpoints.plan(event);
    return { status: 202, body: event };
  }
}

const DESCRIPTION = { openapi: "3.1.0", info: { title: "PayFlowX", version: VERSION }, paths: {} };

function parametersOf(pattern: RegExp): readonly string[] {
  const path = pattern.source.replaceAll("([^/]+)", "{}").replaceAll(/[\\^$]/g, "");
  return (DATA.parameters as Record<string, readonly string[]>)[path] ?? [];
}

function refuse(name: "webhook" | "no_operation"): never {
  throw new RefusedError(name);
}

function bodyOf(content: Uint8Array | undefined): Json {
  let found: unknown = {};
  try {
    found = content === undefined || content.length === 0 ? {} : JSON.parse(new TextDecoder().decode(content));
  } catch {
    throw new RefusedError("malformed_json");
  }
  if (typeof found !== "object" || found === null || Array.isArray(found)) {
    throw new RefusedError("malformed_json");
  }
  return found as Json;
}

/** The same text for the same members in any order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}

function replayed(known: string | undefined): Record<string, string> {
  return known === undefined ? {} : { "idempotency-replayed": "true" };
}

function inTime<T extends { createdAt: string }>({ query }: Asked, rows: readonly T[]): T[] {
  const [from, to] = [timeOf(query.get("from")), timeOf(query.get("to"))];
  return rows.filter(({ createdAt }) => {
    const at = Date.parse(createdAt);
    return (from === undefined || at >= from) && (to === undefined || at < to);
  });
}

function timeOf(given: string | null): number | undefined {
  if (given === null) {
    return undefined;
  }
  if (!TIME.test(given) || Number.isNaN(Date.parse(given))) {
    throw new RefusedError("time");
  }
  return Date.parse(given);
}

function page({ query }: Asked, rows: readonly unknown[], otherwise = 20): Json {
  const limit = query.get("limit") ?? String(otherwise);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MAX_LIMIT) {
    throw new RefusedError("limit");
  }
  const start = /^after_(\d{1,9})$/.exec(query.get("cursor") ?? "after_0")?.[1];
  if (start === undefined) {
    throw new RefusedError("cursor");
  }
  const end = Number(start) + Number(limit);
  return { items: rows.slice(Number(start), end), nextCursor: end < rows.length ? `after_${end}` : null };
}
