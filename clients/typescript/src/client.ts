/** The one object that a merchant's program makes. */

import type { KeyStore } from "./keys.js";
import * as operations from "./operations.js";
import { Events, Operations, Payments, Refunds, WebhookEndpoints } from "./resources.js";
import { completeRetries, type Retries } from "./retries.js";
import { type Clock, REAL_CLOCK, Sender } from "./sender.js";
import { type Fetch, httpTransport } from "./transport.js";

const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,64}$/;
const API_KEY = /^[!-~]+$/;
const TIMEOUT_SECONDS = 30;

export interface ClientOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Where idempotency keys of lists are kept; without it they are derived. */
  readonly keys?: KeyStore | undefined;
  /** Of each request, the answer's body included. */
  readonly timeoutSeconds?: number | undefined;
  readonly retries?: Partial<Retries> | undefined;
  /** Instead of the platform's. */
  readonly fetch?: Fetch | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
}

/** What a client may have differently for some calls. */
export interface ChangedOptions {
  /** Stands in the service's logs of each request. */
  readonly correlationId?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly retries?: Partial<Retries> | undefined;
}

/** `new Client({ baseUrl: "https://api.example.com", apiKey })`. For servers: a browser would show the API key. */
export class Client {
  readonly baseUrl: string;
  readonly payments: Payments;
  readonly refunds: Refunds;
  readonly operations: Operations;
  readonly webhookEndpoints: WebhookEndpoints;
  readonly events: Events;
  readonly #sender: Sender;
  readonly #keys: KeyStore | undefined;

  constructor(options: ClientOptions | Client, sender?: Sender) {
    this.baseUrl = options.baseUrl;
    this.#sender = options instanceof Client ? (sender ?? options.#sender) : newSender(options);
    this.#keys = options instanceof Client ? options.#keys : options.keys;
    const context = { sender: this.#sender, keys: this.#keys };
    this.payments = new Payments(context);
    this.refunds = new Refunds(context);
    this.operations = new Operations(context);
    this.webhookEndpoints = new WebhookEndpoints(context);
    this.events = new Events(context);
  }

  /** A client that shares all but these. */
  withOptions(changed: ChangedOptions): Client {
    const own = this.#sender.options;
    if (changed.correlationId !== undefined && !CORRELATION_ID.test(changed.correlationId)) {
      throw new RangeError("a correlation id has 1 to 64 letters, digits, and . _ : -");
    }
    const options = {
      timeoutSeconds: positive(changed.timeoutSeconds ?? own.timeoutSeconds),
      retries: changed.retries === undefined ? own.retries : completeRetries(changed.retries),
      correlationId: changed.correlationId ?? own.correlationId,
    };
    return new Client(this, this.#sender.withOptions(options));
  }

  /** Whether the API function runs. It says nothing of what lies behind it. */
  async isHealthy(): Promise<boolean> {
    return (await operations.getHealth(this.#sender.send)).status === "ok";
  }

  /** The API's own description. */
  async openapi(): Promise<Readonly<Record<string, unknown>>> {
    return operations.getOpenApi(this.#sender.send);
  }
}

function newSender(options: ClientOptions): Sender {
  if (typeof options.apiKey !== "string" || !API_KEY.test(options.apiKey)) {
    throw new TypeError("apiKey is not an API key");
  }
  return new Sender(
    options.apiKey,
    httpTransport(options.baseUrl, options.fetch),
    {
      timeoutSeconds: positive(options.timeoutSeconds ?? TIMEOUT_SECONDS),
      retries: completeRetries(options.retries),
      correlationId: undefined,
    },
    options.clock ?? REAL_CLOCK,
  );
}

function positive(timeoutSeconds: number): number {
  if (!(timeoutSeconds > 0 && timeoutSeconds <= 2_000_000)) {
    throw new RangeError("timeoutSeconds must be positive, and below 2,000,000");
  }
  return timeoutSeconds;
}
