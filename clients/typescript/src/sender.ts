/** Sends a call: encodes it once, repeats it where that is safe, and turns answers into values or errors. */

import type { Call, QueryValue, Repeat } from "./calls.js";
import { apiError, PayFlowXError, type ProblemDetails, UnansweredError, UnexpectedAnswerError } from "./errors.js";
import * as json from "./json.js";
import { decodeOrderHolder } from "./models.js";
import { mayRepeatStatus, NO_RETRIES, type Retries, retryAfterSeconds, waitSeconds } from "./retries.js";
import { type Answer, NoAnswerError, NotSentError, type Request, type Transport } from "./transport.js";

export const VERSION = "0.2.0";

/** These come before the API looks a key up: an earlier request whose answer was lost may have been executed. */
const SAYS_NOTHING_OF_EARLIER: ReadonlySet<number> = new Set([401, 403, 429]);

/** What a client may have differently for some calls. */
export interface Options {
  readonly timeoutSeconds: number;
  readonly retries: Retries;
  readonly correlationId: string | undefined;
}

/** Real time; tests hand in their own. */
export interface Clock {
  monotonicSeconds(): number;
  sleep(seconds: number): Promise<void>;
}

export const REAL_CLOCK: Clock = {
  monotonicSeconds: () => performance.now() / 1000,
  sleep: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
};

/** What became of one request. */
type Tried =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "not sent" | "lost"; readonly error: UnansweredError };

/** Holds the API key, and shows it to nobody. */
export class Sender {
  readonly #apiKey: string;
  readonly #transport: Transport;

  constructor(
    apiKey: string,
    transport: Transport,
    readonly options: Options,
    readonly clock: Clock,
  ) {
    this.#apiKey = apiKey;
    this.#transport = transport;
  }

  /** Another sender over the same transport. */
  withOptions(options: Options): Sender {
    return new Sender(this.#apiKey, this.#transport, options, this.clock);
  }

  /** A sender without retries, and with at most this timeout. */
  once(timeoutSeconds: number): Sender {
    const timeout = Math.min(this.options.timeoutSeconds, timeoutSeconds);
    return this.withOptions({ ...this.options, retries: NO_RETRIES, timeoutSeconds: timeout });
  }

  /** Returns the parsed answer. Throws `PayFlowXError`. */
  readonly send = async (call: Call): Promise<unknown> => {
    const request = this.#request(call); // encoded once: a repeat has the same bytes and the same key
    const repeat = repeatOf(call);
    const { retries } = this.options;
    const started = this.clock.monotonicSeconds();
    let wasLost = false;
    for (let number = 1; ; number += 1) {
      const tried = await this.#try(request, call);
      if (tried.kind === "answered" && isDone(tried.answer, call, wasLost)) {
        return valueOf(tried.answer);
      }
      const [error, mayRepeat] = failureOf(tried, call, repeat, wasLost);
      const asked = tried.kind === "answered" ? askedSeconds(tried.answer) : undefined;
      wasLost ||= tried.kind === "lost" || (tried.kind === "answered" && tried.answer.status >= 500);
      const wait = waitSeconds(retries, number, asked);
      const isInTime = this.clock.monotonicSeconds() - started + wait <= retries.maxSeconds;
      if (!mayRepeat || number >= retries.attempts || !isInTime) {
        throw error;
      }
      await this.clock.sleep(wait);
    }
  };

  async #try(request: Request, call: Call): Promise<Tried> {
    try {
      return { kind: "answered", answer: await this.#transport(request, this.options.timeoutSeconds) };
    } catch (cause) {
      if (cause instanceof NotSentError) {
        const error = new UnansweredError(`not connected: ${cause.message}`, call.idempotencyKey, { cause });
        return { kind: "not sent", error };
      }
      if (cause instanceof NoAnswerError) {
        return { kind: "lost", error: new UnansweredError(cause.message, call.idempotencyKey, { cause }) };
      }
      throw cause;
    }
  }

  #request(call: Call): Request {
    const { operation } = call;
    let target = operation.path;
    for (const [name, value] of Object.entries(call.path ?? {})) {
      target = target.replace(`{${name}}`, () => segment(name, value));
    }
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) {
        query.set(name, queryValue(value));
      }
    }
    const headers: Record<string, string> = {
      Accept: "application/json",
      "User-Agent": `payflowx-client-typescript/${VERSION}`,
    };
    if (operation.authenticated) {
      headers["Authorization"] = `Bearer ${this.#apiKey}`;
    }
    if (call.idempotencyKey !== undefined) {
      headers["Idempotency-Key"] = call.idempotencyKey;
    }
    if (this.options.correlationId !== undefined) {
      headers["X-Correlation-Id"] = this.options.correlationId;
    }
    const body = bodyOf(call);
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    return { method: operation.method, target: target + (query.size > 0 ? `?${query}` : ""), headers, body };
  }
}

/** A DELETE that finds nothing after a lost answer was executed by the request whose answer was lost. */
function isDone(answer: Answer, call: Call, wasLost: boolean): boolean {
  return answer.status < 400 || (answer.status === 404 && wasLost && call.operation.method === "DELETE");
}

function failureOf(tried: Tried, call: Call, repeat: Repeat, wasLost: boolean): [PayFlowXError, boolean] {
  if (tried.kind !== "answered") {
    return [tried.error, tried.kind === "not sent" || repeat !== "never"];
  }
  const { answer } = tried;
  const error = errorOf(answer, call);
  const mayRepeat = mayRepeatStatus(repeat, answer.status);
  if (wasLost && SAYS_NOTHING_OF_EARLIER.has(answer.status)) {
    const reason = `an earlier answer was lost, the last was: ${error.message}`;
    return [new UnansweredError(reason, call.idempotencyKey, { cause: error }), mayRepeat];
  }
  return [error, mayRepeat];
}

/** A keyed operation without its key: cancel, which is idempotent by itself. Any other is never repeated. */
function repeatOf(call: Call): Repeat {
  if (call.operation.repeat === "with_key" && call.idempotencyKey === undefined) {
    return call.operation.id === "cancelPayment" ? "safe" : "never";
  }
  return call.operation.repeat;
}

function segment(name: string, value: string): string {
  if (typeof value !== "string" || value === "" || value === "." || value === "..") {
    throw new TypeError(`${name} must be an id`);
  }
  return encodeURIComponent(value);
}

function queryValue(value: NonNullable<QueryValue>): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

function bodyOf(call: Call): Uint8Array<ArrayBuffer> | undefined {
  if (call.body === undefined) {
    return undefined;
  }
  return call.body instanceof Uint8Array ? new Uint8Array(call.body) : json.encode(call.body);
}

function askedSeconds(answer: Answer): number | undefined {
  return retryAfterSeconds(answer.headers.get("retry-after"));
}

function valueOf(answer: Answer): unknown {
  if (answer.status === 204 || answer.status === 404) {
    return undefined;
  }
  if (answer.status < 200 || answer.status >= 300) {
    throw new UnexpectedAnswerError(`status ${answer.status}; redirects are not followed, check baseUrl`);
  }
  return parsed(answer);
}

function parsed(answer: Answer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer.body));
  } catch {
    throw new UnexpectedAnswerError(`status ${answer.status} with a body that is no JSON`);
  }
}

function errorOf(answer: Answer, call: Call): PayFlowXError {
  try {
    return apiError(problemOf(answer, call));
  } catch (error) {
    if (!(error instanceof UnexpectedAnswerError)) {
      throw error;
    }
    const reason = `status ${answer.status} without a problem document`;
    return answer.status >= 500 ? new UnansweredError(reason, call.idempotencyKey) : new UnexpectedAnswerError(reason);
  }
}

const decodeProblem = json.object<Pick<ProblemDetails, "code" | "title" | "detail" | "requestId" | "field" | "order">>(
  "problem",
  {
    code: json.required(json.text),
    title: json.optional(json.text, ""),
    detail: json.optional(json.text, ""),
    requestId: json.optional(json.text, ""),
    field: json.optional(present(json.text), undefined),
    order: json.optional(present(decodeOrderHolder), undefined),
  },
);

function problemOf(answer: Answer, call: Call): ProblemDetails {
  return {
    ...decodeProblem(parsed(answer)),
    status: answer.status,
    retryAfterSeconds: askedSeconds(answer),
    correlationId: answer.headers.get("x-correlation-id") ?? undefined,
    idempotencyKey: call.idempotencyKey,
  };
}

function present<T>(decode: json.Decoder<T>): json.Decoder<T | undefined> {
  return (value) => (value === null ? undefined : decode(value));
}
