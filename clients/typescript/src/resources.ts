/** What a client can do, by resource. Each method is one operation of the API, or a list over one. */

import type { Send } from "./calls.js";
import { type Key, type KeyStore, resolved } from "./keys.js";
import type * as models from "./models.js";
import { checkMinor } from "./money.js";
import * as operations from "./operations.js";
import { Listing } from "./pages.js";
import type { Sender } from "./sender.js";
import { wait } from "./waiting.js";

/** All that is left to capture or refund. Undefined is refused: an amount missing by mistake would move everything. */
export const REMAINING = "remaining";
export type Amount = number | bigint | typeof REMAINING;

export const PAYMENT_ENDS: readonly models.PaymentStatus[] = ["SUCCESS", "FAILED", "CANCELLED"];
export const PAYMENT_ANSWERS: readonly models.PaymentStatus[] = [
  ...PAYMENT_ENDS,
  "AUTHORIZED",
  "REQUIRES_ACTION",
  "IN_REVIEW",
];
export const OPERATION_ENDS: readonly models.OperationStatus[] = ["SUCCEEDED", "FAILED"];
export const OPERATION_ANSWERS: readonly models.OperationStatus[] = [...OPERATION_ENDS, "IN_REVIEW"];
const WAIT_SECONDS = 60;

/** All fields of the API, with the purpose's key instead of an idempotency key. */
export interface NewPayment extends Omit<models.CreatePaymentRequest, "idempotencyKey" | "amount"> {
  readonly amount: number | bigint;
  readonly key: Key;
}

export interface NewOperation {
  readonly amount: Amount;
  readonly key: Key;
}

export interface WaitOptions<Status> {
  readonly until?: readonly Status[] | undefined;
  readonly timeoutSeconds?: number | undefined;
}

type Filters<Options> = Omit<Options, "limit" | "cursor"> & { readonly pageSize?: number | undefined };

export interface Context {
  readonly sender: Sender;
  readonly keys: KeyStore | undefined;
}

class Resource {
  readonly #context: Context;
  protected readonly sending: Send;

  constructor(context: Context) {
    this.#context = context;
    this.sending = context.sender.send;
  }

  protected get sender(): Sender {
    return this.#context.sender;
  }

  protected key(key: Key, operation: string): Promise<string> {
    return resolved(key, this.#context.keys, operation);
  }
}

/** `/payments`. */
export class Payments extends Resource {
  /**
   * Accepts a payment; its status is usually `PENDING` at first, see `waitFor`.
   *
   * The same key with the same arguments returns the same payment, however often and from whichever process.
   */
  async create({ key, amount, ...others }: NewPayment): Promise<models.Payment> {
    const request = { ...others, amount: checkMinor(amount) };
    return operations.createPayment(this.sending, request, { idempotencyKey: await this.key(key, "payment") });
  }

  /** The payment as it is now. */
  async get(transactionId: string): Promise<models.Payment> {
    return operations.getPayment(this.sending, transactionId);
  }

  /** Newest first; of the last 31 days, unless times say otherwise (`from` inclusive, `to` exclusive). */
  list({ pageSize, ...filters }: Filters<operations.ListPaymentsOptions> = {}): Listing<models.Payment> {
    return new Listing((cursor) => operations.listPayments(this.sending, { ...filters, limit: pageSize, cursor }));
  }

  /** The audit log, oldest first. */
  auditEvents(
    transactionId: string,
    { pageSize }: Filters<operations.ListPaymentEventsOptions> = {},
  ): Listing<models.AuditEvent> {
    return new Listing((cursor) =>
      operations.listPaymentEvents(this.sending, transactionId, { limit: pageSize, cursor }),
    );
  }

  /** Idempotent without a key. A payment with `cancelRequested` is not cancelled yet: wait for it. */
  async cancel(transactionId: string): Promise<models.Payment> {
    return operations.cancelPayment(this.sending, transactionId);
  }

  /** Captures what an authorized payment holds, or a part of it. */
  async capture(transactionId: string, { amount, key }: NewOperation): Promise<models.Operation> {
    const body = moveMoneyRequest(amount);
    const idempotencyKey = await this.key(key, "capture");
    return operations.capturePayment(this.sending, transactionId, body, { idempotencyKey });
  }

  /**
   * Asks until the payment has a status of `until`; by default any other than `PENDING`.
   *
   * Throws `StillWaitingError`, `OtherEndError` for an end that was not waited for.
   */
  async waitFor(
    payment: models.Payment | string,
    options: WaitOptions<models.PaymentStatus> = {},
  ): Promise<models.Payment> {
    const transactionId = typeof payment === "string" ? payment : payment.transactionId;
    const { sender } = this;
    return wait((leftSeconds) => operations.getPayment(sender.once(leftSeconds).send, transactionId), {
      until: options.until ?? PAYMENT_ANSWERS,
      ends: PAYMENT_ENDS,
      timeoutSeconds: options.timeoutSeconds ?? WAIT_SECONDS,
      clock: sender.clock,
    });
  }
}

/** `/payments/{transactionId}/refunds`; a refund is an operation. */
export class Refunds extends Resource {
  /** Refunds a part of what was captured, or `REMAINING`. */
  async create(transactionId: string, { amount, key }: NewOperation): Promise<models.Operation> {
    const body = moveMoneyRequest(amount);
    const idempotencyKey = await this.key(key, "refund");
    return operations.refundPayment(this.sending, transactionId, body, { idempotencyKey });
  }
}

/** `/payments/{transactionId}/operations`: captures, voids and refunds. */
export class Operations extends Resource {
  /** The operation as it is now. */
  async get(transactionId: string, operationId: string): Promise<models.Operation> {
    return operations.getOperation(this.sending, transactionId, operationId);
  }

  /** Oldest first. */
  list(
    transactionId: string,
    { pageSize }: Filters<operations.ListOperationsOptions> = {},
  ): Listing<models.Operation> {
    return new Listing((cursor) => operations.listOperations(this.sending, transactionId, { limit: pageSize, cursor }));
  }

  /** As `Payments.waitFor`. */
  async waitFor(
    operation: Pick<models.Operation, "transactionId" | "operationId">,
    options: WaitOptions<models.OperationStatus> = {},
  ): Promise<models.Operation> {
    const { sender } = this;
    const { transactionId, operationId } = operation;
    return wait((leftSeconds) => operations.getOperation(sender.once(leftSeconds).send, transactionId, operationId), {
      until: options.until ?? OPERATION_ANSWERS,
      ends: OPERATION_ENDS,
      timeoutSeconds: options.timeoutSeconds ?? WAIT_SECONDS,
      clock: sender.clock,
    });
  }
}

/** `/webhook-endpoints`. A lost answer of `create` or `rotateSecret` is not repeated: the secret is shown once. */
export class WebhookEndpoints extends Resource {
  /** Without event types, the endpoint receives every type. Store `secret`: it is shown only now. */
  async create(request: models.CreateEndpointRequest): Promise<models.EndpointSecret> {
    return operations.createEndpoint(this.sending, request);
  }

  /** All endpoints, the oldest first, without secrets. */
  async list(): Promise<readonly models.Endpoint[]> {
    return (await operations.listEndpoints(this.sending)).items;
  }

  /** Stops deliveries to it. */
  async delete(endpointId: string): Promise<void> {
    await operations.deleteEndpoint(this.sending, endpointId);
  }

  /** For a day, the old secret signs as well. A second rotation ends that. */
  async rotateSecret(endpointId: string): Promise<models.EndpointSecret> {
    return operations.rotateEndpointSecret(this.sending, endpointId);
  }
}

/** `/events`: what was sent to webhook endpoints. */
export class Events extends Resource {
  /** Newest first, with the state of each delivery. */
  list({ pageSize, ...filters }: Filters<operations.ListEventsOptions> = {}): Listing<models.MerchantEvent> {
    return new Listing((cursor) => operations.listEvents(this.sending, { ...filters, limit: pageSize, cursor }));
  }

  /** Delivers the event again to every endpoint that is enabled and subscribed now. */
  async redeliver(eventId: string): Promise<models.MerchantEvent> {
    return operations.redeliverEvent(this.sending, eventId);
  }
}

function moveMoneyRequest(amount: Amount): models.MoveMoneyRequest {
  return amount === REMAINING ? {} : { amount: checkMinor(amount) };
}
