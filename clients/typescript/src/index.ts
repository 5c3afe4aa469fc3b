/** The TypeScript client of PayFlowX: `Client` calls the API, `Webhook` verifies what it sends. */

export { type ChangedOptions, Client, type ClientOptions } from "./client.js";
export {
  AmountExceededError,
  ApiError,
  AuthenticationError,
  CardDataRefusedError,
  ConflictError,
  EndpointConflictError,
  ForbiddenError,
  IdempotencyKeyError,
  IdempotencyKeyReusedError,
  InvalidRequestError,
  InvalidStateError,
  NoRouteError,
  NotFoundError,
  NotReadableError,
  NotSupportedError,
  OrderNotFreeError,
  OutcomeUnknownError,
  PayFlowXError,
  type ProblemDetails,
  RateLimitedError,
  UnansweredError,
  UnavailableError,
  UnexpectedAnswerError,
} from "./errors.js";
export { type EventStore, MemoryEventStore } from "./event_stores.js";
export type { Open } from "./json.js";
export { type Key, type KeyStore, type Purpose } from "./keys.js";
export * from "./models.js";
export { fromMinor, toMinor } from "./money.js";
export { OPERATIONS } from "./operations.js";
export { IncompleteListError, Listing, type Page } from "./pages.js";
export { type Amount, type NewOperation, type NewPayment, REMAINING, type WaitOptions } from "./resources.js";
export { NO_RETRIES, type Retries } from "./retries.js";
export { type Clock, VERSION } from "./sender.js";
export type { Fetch, FetchAnswer, FetchInit, FetchReader } from "./transport.js";
export { OtherEndError, StillWaitingError } from "./waiting.js";
export {
  type Received,
  Webhook,
  WebhookContentError,
  WebhookError,
  type WebhookHeaders,
  type WebhookOptions,
  WebhookSignatureError,
  WebhookTimeError,
} from "./webhooks.js";
