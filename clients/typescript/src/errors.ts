/** One tree of errors. Catch a class for a kind of problem, or read `code`, which is stable. */

import type { OrderHolder } from "./models.js";

const MAX_DETAIL_CHARS = 500;

/** Everything that this library throws, other than `TypeError` and `RangeError` for wrong arguments. */
export class PayFlowXError extends Error {
  override name = "PayFlowXError";
}

/**
 * No answer came: the request may have been executed.
 *
 * It is no refusal. Repeat it with the same key, or read the payment; never charge anew with another key.
 */
export class UnansweredError extends PayFlowXError {
  override name = "UnansweredError";

  constructor(
    reason: string,
    readonly idempotencyKey: string | undefined,
    options?: { readonly cause?: unknown },
  ) {
    const then = idempotencyKey === undefined ? "read the state before you repeat it" : "repeat it with the same key";
    super(`no answer (${reason}); the request may have been executed, ${then}`, options);
  }
}

/** An answer came that is not of the API: a proxy's page, or a newer API that this release cannot read. */
export class UnexpectedAnswerError extends PayFlowXError {
  override name = "UnexpectedAnswerError";
}

/** The members of a problem document (RFC 9457), with the ids that support asks for. */
export interface ProblemDetails {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string;
  readonly field: string | undefined;
  /** The payment that holds the order, where another one is refused because of it. */
  readonly order: OrderHolder | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly correlationId: string | undefined;
  readonly idempotencyKey: string | undefined;
}

/** The API refused the request. */
export class ApiError extends PayFlowXError {
  override name = "ApiError";

  constructor(readonly problem: ProblemDetails) {
    const where = problem.field === undefined ? "" : ` (${problem.field})`;
    const detail = problem.detail.slice(0, MAX_DETAIL_CHARS);
    super(`${problem.status} ${problem.code}${where}: ${detail} [request ${problem.requestId}]`);
    // The holder of an order has the address of the payer's page.
    Object.defineProperty(this, "problem", { enumerable: false });
  }

  /** Stable, and meant for programs. */
  get code(): string {
    return this.problem.code;
  }

  /** The HTTP status. */
  get status(): number {
    return this.problem.status;
  }

  /** Name it when you ask for help. */
  get requestId(): string {
    return this.problem.requestId;
  }

  /** The member or parameter that the problem is about. */
  get field(): string | undefined {
    return this.problem.field;
  }
}

/** The request has to be changed: 400, 413, 415 and 422. */
export class InvalidRequestError extends ApiError {
  override name = "InvalidRequestError";
}

/** The key is missing, not valid, or belongs to another request. */
export class IdempotencyKeyError extends InvalidRequestError {
  override name = "IdempotencyKeyError";
}

/** The key belongs to a request that asked for something else. */
export class IdempotencyKeyReusedError extends IdempotencyKeyError {
  override name = "IdempotencyKeyReusedError";
}

/** The request contains a card number or a verification value. Send a token. */
export class CardDataRefusedError extends InvalidRequestError {
  override name = "CardDataRefusedError";
}

/** More than is left to capture or refund. */
export class AmountExceededError extends InvalidRequestError {
  override name = "AmountExceededError";
}

/** No provider can take this payment. */
export class NoRouteError extends InvalidRequestError {
  override name = "NoRouteError";
}

/** The provider that holds the charge cannot do that. */
export class NotSupportedError extends InvalidRequestError {
  override name = "NotSupportedError";
}

/** The API key is missing or not valid. */
export class AuthenticationError extends ApiError {
  override name = "AuthenticationError";
}

/** A firewall in front of the API refused the request. */
export class ForbiddenError extends ApiError {
  override name = "ForbiddenError";
}

/** There is no such thing, or it belongs to another merchant. */
export class NotFoundError extends ApiError {
  override name = "NotFoundError";
}

/** Not possible now: 409. */
export class ConflictError extends ApiError {
  override name = "ConflictError";
}

/** Not possible in the payment's status. */
export class InvalidStateError extends ConflictError {
  override name = "InvalidStateError";
}

/** The payment's own outcome is not known yet. Ask again after `problem.retryAfterSeconds`. */
export class OutcomeUnknownError extends ConflictError {
  override name = "OutcomeUnknownError";
}

/** Another payment holds the order: `problem.order` says which. Wait for it, or cancel it; do not charge anew. */
export class OrderNotFreeError extends ConflictError {
  override name = "OrderNotFreeError";
}

/** The URL is registered already, or the limit of endpoints is reached. */
export class EndpointConflictError extends ConflictError {
  override name = "EndpointConflictError";
}

/** Too many requests; nothing was executed. */
export class RateLimitedError extends ApiError {
  override name = "RateLimitedError";
}

/** 500, 503 and 504: the request may have been executed. Repeat it with the same key. */
export class UnavailableError extends ApiError {
  override name = "UnavailableError";
}

/** A newer version of the service stored it, and the one that answered cannot show it now. */
export class NotReadableError extends UnavailableError {
  override name = "NotReadableError";
}

type ApiErrorClass = new (problem: ProblemDetails) => ApiError;

export const BY_CODE: ReadonlyMap<string, ApiErrorClass> = new Map<string, ApiErrorClass>([
  ["idempotency_key_required", IdempotencyKeyError],
  ["idempotency_key_invalid", IdempotencyKeyError],
  ["idempotency_key_conflict", IdempotencyKeyError],
  ["idempotency_key_reused", IdempotencyKeyReusedError],
  ["card_data_refused", CardDataRefusedError],
  ["amount_exceeded", AmountExceededError],
  ["no_route", NoRouteError],
  ["no_provider_available", NoRouteError],
  ["not_supported", NotSupportedError],
  ["invalid_state", InvalidStateError],
  ["outcome_unknown", OutcomeUnknownError],
  ["order_not_free", OrderNotFreeError],
  ["endpoint_exists", EndpointConflictError],
  ["endpoint_limit", EndpointConflictError],
  ["not_readable", NotReadableError],
]);

const BY_STATUS: ReadonlyMap<number, ApiErrorClass> = new Map<number, ApiErrorClass>([
  [401, AuthenticationError],
  [403, ForbiddenError],
  [404, NotFoundError],
  [409, ConflictError],
  [429, RateLimitedError],
]);

/** The error of a problem; by its status where this release does not know the code. */
export function apiError(problem: ProblemDetails): ApiError {
  const ofStatus = BY_STATUS.get(problem.status) ?? (problem.status >= 500 ? UnavailableError : InvalidRequestError);
  return new (BY_CODE.get(problem.code) ?? ofStatus)(problem);
}
