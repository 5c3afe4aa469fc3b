/**
 * What is sent to the API and what it answers.
 *
 * Generated from `docs/openapi.json` by `python -m clients.generator`. Do not edit.
 */

import * as json from "./json.js";
import type { Open } from "./json.js";

/** Values of the API that this release knows. */
export const AttemptState = {
  ACCEPTED: "ACCEPTED",
  AUTHORIZED: "AUTHORIZED",
  DECLINED: "DECLINED",
  FENCED: "FENCED",
  MISMATCH: "MISMATCH",
  NOT_SENT: "NOT_SENT",
  REJECTED: "REJECTED",
  REQUIRES_ACTION: "REQUIRES_ACTION",
  STARTED: "STARTED",
  SUCCEEDED: "SUCCEEDED",
  UNKNOWN: "UNKNOWN",
} as const;
export type AttemptState = (typeof AttemptState)[keyof typeof AttemptState];

/** Values of the API that this release knows. */
export const CaptureMode = {
  AUTOMATIC: "automatic",
  MANUAL: "manual",
} as const;
export type CaptureMode = (typeof CaptureMode)[keyof typeof CaptureMode];

/** Values of the API that this release knows. */
export const CheckoutMethod = {
  CARD: "card",
  NETBANKING: "netbanking",
  UPI: "upi",
  WALLET: "wallet",
} as const;
export type CheckoutMethod = (typeof CheckoutMethod)[keyof typeof CheckoutMethod];

/** Values of the API that this release knows. */
export const CheckoutPresentation = {
  DIRECT: "direct",
  PAGE: "page",
} as const;
export type CheckoutPresentation = (typeof CheckoutPresentation)[keyof typeof CheckoutPresentation];

/** Values of the API that this release knows. */
export const DeliveryState = {
  DELIVERED: "DELIVERED",
  FAILED: "FAILED",
  PENDING: "PENDING",
  SKIPPED: "SKIPPED",
} as const;
export type DeliveryState = (typeof DeliveryState)[keyof typeof DeliveryState];

/** Values of the API that this release knows. */
export const DisabledReason = {
  FAILING: "failing",
  GONE: "gone",
} as const;
export type DisabledReason = (typeof DisabledReason)[keyof typeof DisabledReason];

/** Values of the API that this release knows. */
export const DisputeState = {
  CLOSED: "CLOSED",
  LOST: "LOST",
  OPEN: "OPEN",
  UNDER_REVIEW: "UNDER_REVIEW",
  WON: "WON",
} as const;
export type DisputeState = (typeof DisputeState)[keyof typeof DisputeState];

/** Values of the API that this release knows. */
export const EndpointStatus = {
  DISABLED: "DISABLED",
  ENABLED: "ENABLED",
} as const;
export type EndpointStatus = (typeof EndpointStatus)[keyof typeof EndpointStatus];

/** Values of the API that this release knows. */
export const EventType = {
  CAPTURE_FAILED: "capture.failed",
  CAPTURE_IN_REVIEW: "capture.in_review",
  CAPTURE_PENDING: "capture.pending",
  CAPTURE_SUCCEEDED: "capture.succeeded",
  MERCHANT_RESTORED: "merchant.restored",
  PAYMENT_AUTHORIZED: "payment.authorized",
  PAYMENT_CANCELLED: "payment.cancelled",
  PAYMENT_CHARGED_TWICE: "payment.charged_twice",
  PAYMENT_DISPUTE_CLOSED: "payment.dispute.closed",
  PAYMENT_DISPUTE_LOST: "payment.dispute.lost",
  PAYMENT_DISPUTE_OPENED: "payment.dispute.opened",
  PAYMENT_DISPUTE_UPDATED: "payment.dispute.updated",
  PAYMENT_DISPUTE_WON: "payment.dispute.won",
  PAYMENT_FAILED: "payment.failed",
  PAYMENT_IN_REVIEW: "payment.in_review",
  PAYMENT_PENDING: "payment.pending",
  PAYMENT_REQUIRES_ACTION: "payment.requires_action",
  PAYMENT_SUCCEEDED: "payment.succeeded",
  REFUND_FAILED: "refund.failed",
  REFUND_IN_REVIEW: "refund.in_review",
  REFUND_PENDING: "refund.pending",
  REFUND_SUCCEEDED: "refund.succeeded",
  VOID_FAILED: "void.failed",
  VOID_IN_REVIEW: "void.in_review",
  VOID_PENDING: "void.pending",
  VOID_SUCCEEDED: "void.succeeded",
} as const;
export type EventType = (typeof EventType)[keyof typeof EventType];

/** Values of the API that this release knows. */
export const Initiator = {
  CUSTOMER: "customer",
  MERCHANT: "merchant",
} as const;
export type Initiator = (typeof Initiator)[keyof typeof Initiator];

/** Values of the API that this release knows. */
export const NextActionType = {
  FORM_POST: "form_post",
  REDIRECT: "redirect",
  UPI_INTENT: "upi_intent",
} as const;
export type NextActionType = (typeof NextActionType)[keyof typeof NextActionType];

/** Values of the API that this release knows. */
export const OperationKind = {
  CAPTURE: "capture",
  REFUND: "refund",
  VOID: "void",
} as const;
export type OperationKind = (typeof OperationKind)[keyof typeof OperationKind];

/** Values of the API that this release knows. */
export const OperationOrigin = {
  MERCHANT: "merchant",
  PROVIDER: "provider",
} as const;
export type OperationOrigin = (typeof OperationOrigin)[keyof typeof OperationOrigin];

/** Values of the API that this release knows. */
export const OperationStatus = {
  FAILED: "FAILED",
  IN_REVIEW: "IN_REVIEW",
  PENDING: "PENDING",
  SUCCEEDED: "SUCCEEDED",
} as const;
export type OperationStatus = (typeof OperationStatus)[keyof typeof OperationStatus];

/** Values of the API that this release knows. */
export const PaymentStatus = {
  AUTHORIZED: "AUTHORIZED",
  CANCELLED: "CANCELLED",
  FAILED: "FAILED",
  IN_REVIEW: "IN_REVIEW",
  PENDING: "PENDING",
  REQUIRES_ACTION: "REQUIRES_ACTION",
  SUCCESS: "SUCCESS",
} as const;
export type PaymentStatus = (typeof PaymentStatus)[keyof typeof PaymentStatus];

/** Where the payer lives. Some providers require it of some accounts. */
export interface Address {
  readonly line1?: string | null | undefined;
  readonly line2?: string | null | undefined;
  readonly city?: string | null | undefined;
  readonly state?: string | null | undefined;
  readonly postalCode?: string | null | undefined;
  readonly country?: string | null | undefined;
}

/** Who pays. Kept encrypted with the payment, never returned, and can be erased. */
export interface Customer {
  readonly id?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly phone?: string | null | undefined;
  readonly country?: string | null | undefined;
  readonly address?: Address | null | undefined;
}

/**
 * One token for whichever provider is chosen, or one a provider; routing passes over providers without one.
 *
 * With the type `checkout` there is no token: the payer chooses on our page, and pays on a provider's page.
 */
export interface PaymentMethod {
  readonly type: string;
  readonly token?: string | null | undefined;
  readonly tokens?: Readonly<Record<string, string>> | null | undefined;
  readonly methods?: readonly CheckoutMethod[] | null | undefined;
  /** For a checkout. direct: nextAction is the provider's own page, without ours before it. */
  readonly presentation?: CheckoutPresentation | undefined;
}

/** A payment to be made once. */
export interface CreatePaymentRequest {
  /** In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY. */
  readonly amount: number;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  readonly paymentMethod: PaymentMethod;
  readonly capture?: CaptureMode | undefined;
  readonly customer?: Customer | null | undefined;
  readonly description?: string | null | undefined;
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
  readonly statementDescriptorSuffix?: string | null | undefined;
  readonly receiptEmail?: string | null | undefined;
  /** merchant: the payer is absent, and a saved payment method is charged. */
  readonly initiator?: Initiator | undefined;
  /** Ask the provider to keep the payment method for later charges by the merchant. */
  readonly savePaymentMethod?: boolean | undefined;
  readonly returnUrl?: string | null | undefined;
  readonly expiresInSeconds?: number | null | undefined;
  readonly orderId?: string | null | undefined;
  /**
   * With orderId: refuse this payment while another one holds the order. false: the order is paid in several
   * payments.
   */
  readonly oncePerOrder?: boolean | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

/** A capture or a refund. Without an amount: all that is left. An amount of null is refused. */
export interface MoveMoneyRequest {
  /** In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY. */
  readonly amount?: number | undefined;
  readonly idempotencyKey?: string | null | undefined;
}

/** Nothing has to be said; a key is taken. */
export interface CancelPaymentRequest {
  readonly idempotencyKey?: string | null | undefined;
}

/** One try at one provider. */
export interface Attempt {
  readonly number: number;
  readonly provider: string;
  readonly accountId: string;
  readonly state: Open<AttemptState>;
  readonly providerKey: string;
  readonly providerRef: string | null;
  readonly providerCode: string | null;
  /** RFC 3339, UTC. */
  readonly startedAt: Date;
  readonly settledAt: Date | null;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeAttempt: json.Decoder<Attempt> = json.object<Attempt>(
  "Attempt",
  {
    number: json.required(json.integer),
    provider: json.required(json.text),
    accountId: json.required(json.text),
    state: json.required(json.open<AttemptState>),
    providerKey: json.required(json.text),
    providerRef: json.required(json.nullable(json.text)),
    providerCode: json.required(json.nullable(json.text)),
    startedAt: json.required(json.time),
    settledAt: json.required(json.nullable(json.time)),
  },
);

/**
 * A dispute of the charge, as the provider reported it last. Evidence is submitted in the provider's dashboard.
 *
 * `providerRef` is the provider's id of the dispute. `isSigned` false: the provider does not sign its reports
 * of disputes, so verify it in the dashboard.
 */
export interface Dispute {
  readonly provider: string;
  readonly providerRef: string;
  readonly state: Open<DisputeState>;
  readonly amount: number;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  readonly reason: string;
  readonly evidenceDueAt: Date | null;
  /** RFC 3339, UTC. */
  readonly openedAt: Date;
  /** RFC 3339, UTC. */
  readonly updatedAt: Date;
  readonly isSigned: boolean;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeDispute: json.Decoder<Dispute> = json.object<Dispute>(
  "Dispute",
  {
    provider: json.required(json.text),
    providerRef: json.required(json.text),
    state: json.required(json.open<DisputeState>),
    amount: json.required(json.integer),
    currency: json.required(json.text),
    reason: json.required(json.text),
    evidenceDueAt: json.required(json.nullable(json.time)),
    openedAt: json.required(json.time),
    updatedAt: json.required(json.time),
    isSigned: json.required(json.boolean),
  },
);

/**
 * A further charge inside the page of a checkout: the payer paid twice. No amount of the payment has it.
 *
 * `providerRef` is the provider's id of the charge. It is refunded in the provider's dashboard. `refundRef` is
 * the provider's id of that refund, once an operator has recorded it.
 */
export interface ExtraCharge {
  readonly provider: string;
  readonly providerRef: string;
  readonly amount: number;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  /** RFC 3339, UTC. */
  readonly foundAt: Date;
  readonly refundRef: string | null;
  readonly refundedAt: Date | null;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeExtraCharge: json.Decoder<ExtraCharge> = json.object<ExtraCharge>(
  "ExtraCharge",
  {
    provider: json.required(json.text),
    providerRef: json.required(json.text),
    amount: json.required(json.integer),
    currency: json.required(json.text),
    foundAt: json.required(json.time),
    refundRef: json.required(json.nullable(json.text)),
    refundedAt: json.required(json.nullable(json.time)),
  },
);

/**
 * Why the last attempt did not succeed. `code` is ours and stable, `providerCode` the provider's own.
 *
 * `providerMessage` is the provider's own sentence, without personal data and ids.
 */
export interface LastError {
  readonly code: string;
  readonly message: string;
  readonly provider: string | null;
  readonly providerCode: string | null;
  readonly providerMessage: string | null;
  readonly attempt: number | null;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeLastError: json.Decoder<LastError> = json.object<LastError>(
  "LastError",
  {
    code: json.required(json.text),
    message: json.required(json.text),
    provider: json.required(json.nullable(json.text)),
    providerCode: json.required(json.nullable(json.text)),
    providerMessage: json.required(json.nullable(json.text)),
    attempt: json.required(json.nullable(json.integer)),
  },
);

/** What the payer has to do: open `url`, post `fields` to it, or hand it to a UPI app. */
export interface NextAction {
  readonly type: Open<NextActionType>;
  readonly url: string;
  readonly fields: Readonly<Record<string, string>> | null;
  readonly expiresAt: Date | null;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeNextAction: json.Decoder<NextAction> = json.object<NextAction>(
  "NextAction",
  {
    type: json.required(json.open<NextActionType>),
    url: json.required(json.text),
    fields: json.optional(json.nullable(json.mapOf(json.text)), null),
    expiresAt: json.optional(json.nullable(json.time), null),
  },
  ["url", "fields"],
);

/** Why these providers, in this order. */
export interface Routing {
  readonly document: string;
  readonly rule: string;
  readonly reasons: readonly string[];
  readonly providers: readonly string[];
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeRouting: json.Decoder<Routing> = json.object<Routing>(
  "Routing",
  {
    document: json.required(json.text),
    rule: json.required(json.text),
    reasons: json.required(json.listOf(json.text)),
    providers: json.required(json.listOf(json.text)),
  },
);

/** A payment as it is now. */
export interface Payment {
  readonly transactionId: string;
  readonly status: Open<PaymentStatus>;
  /** In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY. */
  readonly amount: number;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  readonly capture: Open<CaptureMode>;
  /** Held by the provider and free to be captured. */
  readonly capturable: number;
  readonly captured: number;
  /** Captured, and neither refunded nor reserved for a refund. */
  readonly refundable: number;
  readonly refunded: number;
  readonly provider: string | null;
  readonly providerRef: string | null;
  readonly paymentMethodType: string;
  readonly attempts: readonly Attempt[];
  readonly retryCount: number;
  readonly lastError: LastError | null;
  readonly nextAction: NextAction | null;
  readonly cancelRequested: boolean;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly orderId: string | null;
  readonly oncePerOrder: boolean;
  /** The payment of the same order that was charged as well, or may be. */
  readonly contendsWith: string | null;
  readonly statementDescriptorSuffix: string | null;
  readonly initiator: Open<Initiator>;
  readonly savePaymentMethod: boolean;
  readonly disputes: readonly Dispute[];
  readonly extraCharges: readonly ExtraCharge[];
  /** What the payer paid, where a fee or an offer of the provider makes it differ from amount. */
  readonly payerPaid: number | null;
  readonly routing: Routing;
  /** RFC 3339, UTC. */
  readonly createdAt: Date;
  /** RFC 3339, UTC. */
  readonly updatedAt: Date;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodePayment: json.Decoder<Payment> = json.object<Payment>(
  "Payment",
  {
    transactionId: json.required(json.text),
    status: json.required(json.open<PaymentStatus>),
    amount: json.required(json.integer),
    currency: json.required(json.text),
    capture: json.required(json.open<CaptureMode>),
    capturable: json.required(json.integer),
    captured: json.required(json.integer),
    refundable: json.required(json.integer),
    refunded: json.required(json.integer),
    provider: json.required(json.nullable(json.text)),
    providerRef: json.required(json.nullable(json.text)),
    paymentMethodType: json.required(json.text),
    attempts: json.required(json.listOf(decodeAttempt)),
    retryCount: json.required(json.integer),
    lastError: json.required(json.nullable(decodeLastError)),
    nextAction: json.required(json.nullable(decodeNextAction)),
    cancelRequested: json.required(json.boolean),
    description: json.required(json.nullable(json.text)),
    metadata: json.required(json.mapOf(json.text)),
    orderId: json.required(json.nullable(json.text)),
    oncePerOrder: json.required(json.boolean),
    contendsWith: json.required(json.nullable(json.text)),
    statementDescriptorSuffix: json.required(json.nullable(json.text)),
    initiator: json.required(json.open<Initiator>),
    savePaymentMethod: json.required(json.boolean),
    disputes: json.required(json.listOf(decodeDispute)),
    extraCharges: json.required(json.listOf(decodeExtraCharge)),
    payerPaid: json.required(json.nullable(json.integer)),
    routing: json.required(decodeRouting),
    createdAt: json.required(json.time),
    updatedAt: json.required(json.time),
  },
);

/**
 * Newest first. A page may be empty and still have a cursor: go on until it is null.
 *
 * `unreadable`: payments of the page, of any status, that a newer version of the service stored and this one
 * cannot show now. They are processed as usual; read them again later.
 */
export interface PaymentPage {
  readonly items: readonly Payment[];
  readonly nextCursor: string | null;
  readonly unreadable: readonly string[];
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodePaymentPage: json.Decoder<PaymentPage> = json.object<PaymentPage>(
  "PaymentPage",
  {
    items: json.required(json.listOf(decodePayment)),
    nextCursor: json.required(json.nullable(json.text)),
    unreadable: json.optional(json.listOf(json.text), []),
  },
);

/** A capture, void or refund as it is now. */
export interface Operation {
  readonly operationId: string;
  readonly transactionId: string;
  readonly kind: Open<OperationKind>;
  /** provider: it was made at the provider, such as a refund in its dashboard. */
  readonly origin: Open<OperationOrigin>;
  readonly status: Open<OperationStatus>;
  /** In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY. */
  readonly amount: number;
  /** ISO 4217, in capitals. */
  readonly currency: string;
  readonly provider: string | null;
  readonly providerRef: string | null;
  readonly attempts: readonly Attempt[];
  readonly lastError: LastError | null;
  /** RFC 3339, UTC. */
  readonly createdAt: Date;
  /** RFC 3339, UTC. */
  readonly updatedAt: Date;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeOperation: json.Decoder<Operation> = json.object<Operation>(
  "Operation",
  {
    operationId: json.required(json.text),
    transactionId: json.required(json.text),
    kind: json.required(json.open<OperationKind>),
    origin: json.required(json.open<OperationOrigin>),
    status: json.required(json.open<OperationStatus>),
    amount: json.required(json.integer),
    currency: json.required(json.text),
    provider: json.required(json.nullable(json.text)),
    providerRef: json.required(json.nullable(json.text)),
    attempts: json.required(json.listOf(decodeAttempt)),
    lastError: json.required(json.nullable(decodeLastError)),
    createdAt: json.required(json.time),
    updatedAt: json.required(json.time),
  },
);

/** Oldest first. */
export interface OperationPage {
  readonly items: readonly Operation[];
  readonly nextCursor: string | null;
  readonly unreadable: readonly string[];
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeOperationPage: json.Decoder<OperationPage> = json.object<OperationPage>(
  "OperationPage",
  {
    items: json.required(json.listOf(decodeOperation)),
    nextCursor: json.required(json.nullable(json.text)),
    unreadable: json.optional(json.listOf(json.text), []),
  },
);

/** An entry of the audit log. `hash` covers the entry and `previousHash`. */
export interface AuditEvent {
  readonly seq: number;
  readonly type: string;
  readonly from: Open<PaymentStatus> | null;
  readonly to: Open<PaymentStatus>;
  readonly actor: string;
  /** RFC 3339, UTC. */
  readonly at: Date;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly previousHash: string;
  readonly hash: string;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeAuditEvent: json.Decoder<AuditEvent> = json.object<AuditEvent>(
  "AuditEvent",
  {
    seq: json.required(json.integer),
    type: json.required(json.text),
    from: json.required(json.nullable(json.open<PaymentStatus>)),
    to: json.required(json.open<PaymentStatus>),
    actor: json.required(json.text),
    at: json.required(json.time),
    facts: json.required(json.mapOf(json.scalar)),
    previousHash: json.required(json.text),
    hash: json.required(json.text),
  },
);

/** Oldest first. */
export interface AuditEventPage {
  readonly items: readonly AuditEvent[];
  readonly nextCursor: string | null;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeAuditEventPage: json.Decoder<AuditEventPage> = json.object<AuditEventPage>(
  "AuditEventPage",
  {
    items: json.required(json.listOf(decodeAuditEvent)),
    nextCursor: json.required(json.nullable(json.text)),
  },
);

/** Enough for a provider not to come again. */
export interface WebhookReceived {
  readonly received: boolean;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeWebhookReceived: json.Decoder<WebhookReceived> = json.object<WebhookReceived>(
  "WebhookReceived",
  {
    received: json.required(json.boolean),
  },
);

/** The API function runs. It says nothing of what lies behind it. */
export interface Health {
  readonly status: string;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeHealth: json.Decoder<Health> = json.object<Health>(
  "Health",
  {
    status: json.required(json.text),
  },
);

/**
 * The reason why the order is not free.
 *
 * `transactionId`: the payment that holds it; null if payments that said `oncePerOrder` false are counted
 * instead. `freeAt`: the provider may turn a decline into a charge until then; null if no time is known.
 */
export interface OrderHolder {
  readonly transactionId: string | null;
  readonly status: Open<PaymentStatus> | null;
  readonly nextAction: NextAction | null;
  readonly freeAt: Date | null;
  readonly beside: number;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeOrderHolder: json.Decoder<OrderHolder> = json.object<OrderHolder>(
  "OrderHolder",
  {
    transactionId: json.required(json.nullable(json.text)),
    status: json.required(json.nullable(json.open<PaymentStatus>)),
    nextAction: json.required(json.nullable(decodeNextAction)),
    freeAt: json.required(json.nullable(json.time)),
    beside: json.required(json.integer),
  },
);

/** RFC 9457. `code` is stable and meant for programs, `detail` for people. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly field: string | null;
  readonly order: OrderHolder | null;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeProblem: json.Decoder<Problem> = json.object<Problem>(
  "Problem",
  {
    type: json.required(json.text),
    title: json.required(json.text),
    status: json.required(json.integer),
    detail: json.required(json.text),
    code: json.required(json.text),
    requestId: json.required(json.text),
    field: json.optional(json.nullable(json.text), null),
    order: json.optional(json.nullable(decodeOrderHolder), null),
  },
);

/** Where to be told. Without event types: of everything. */
export interface CreateEndpointRequest {
  /** Public https URL on port 443. */
  readonly url: string;
  readonly eventTypes?: readonly EventType[] | undefined;
}

/**
 * A webhook endpoint. `failingSince`: it has taken nothing since then; three days of it disable the endpoint.
 */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly eventTypes: readonly Open<EventType>[];
  readonly status: Open<EndpointStatus>;
  readonly disabledReason: Open<DisabledReason> | null;
  readonly failingSince: Date | null;
  readonly previousSecretUntil: Date | null;
  /** RFC 3339, UTC. */
  readonly createdAt: Date;
  /** RFC 3339, UTC. */
  readonly updatedAt: Date;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeEndpoint: json.Decoder<Endpoint> = json.object<Endpoint>(
  "Endpoint",
  {
    id: json.required(json.text),
    url: json.required(json.text),
    eventTypes: json.required(json.listOf(json.open<EventType>)),
    status: json.required(json.open<EndpointStatus>),
    disabledReason: json.required(json.nullable(json.open<DisabledReason>)),
    failingSince: json.required(json.nullable(json.time)),
    previousSecretUntil: json.required(json.nullable(json.time)),
    createdAt: json.required(json.time),
    updatedAt: json.required(json.time),
  },
);

/** With its secret, which is shown when it is made and never again. */
export interface EndpointSecret {
  readonly id: string;
  readonly url: string;
  readonly eventTypes: readonly Open<EventType>[];
  readonly status: Open<EndpointStatus>;
  readonly disabledReason: Open<DisabledReason> | null;
  readonly failingSince: Date | null;
  readonly previousSecretUntil: Date | null;
  /** RFC 3339, UTC. */
  readonly createdAt: Date;
  /** RFC 3339, UTC. */
  readonly updatedAt: Date;
  /** Shown this once. Keep it secret. */
  readonly secret: string;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeEndpointSecret: json.Decoder<EndpointSecret> = json.object<EndpointSecret>(
  "EndpointSecret",
  {
    id: json.required(json.text),
    url: json.required(json.text),
    eventTypes: json.required(json.listOf(json.open<EventType>)),
    status: json.required(json.open<EndpointStatus>),
    disabledReason: json.required(json.nullable(json.open<DisabledReason>)),
    failingSince: json.required(json.nullable(json.time)),
    previousSecretUntil: json.required(json.nullable(json.time)),
    createdAt: json.required(json.time),
    updatedAt: json.required(json.time),
    secret: json.required(json.text),
  },
  ["secret"],
);

/** All of a merchant's endpoints, the oldest first. */
export interface EndpointPage {
  readonly items: readonly Endpoint[];
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeEndpointPage: json.Decoder<EndpointPage> = json.object<EndpointPage>(
  "EndpointPage",
  {
    items: json.required(json.listOf(decodeEndpoint)),
  },
);

/** How far one endpoint is with an event. `lastStatus`: what it answered; `lastError`: why it did not. */
export interface Delivery {
  readonly endpointId: string;
  readonly state: Open<DeliveryState>;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly nextAttemptAt: Date | null;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeDelivery: json.Decoder<Delivery> = json.object<Delivery>(
  "Delivery",
  {
    endpointId: json.required(json.text),
    state: json.required(json.open<DeliveryState>),
    attempts: json.required(json.integer),
    lastStatus: json.required(json.nullable(json.integer)),
    lastError: json.required(json.nullable(json.text)),
    nextAttemptAt: json.required(json.nullable(json.time)),
  },
);

/** After a restore of the deployment: what happened from then until then may be forgotten. */
export interface ForgottenTime {
  /** RFC 3339, UTC. */
  readonly from: Date;
  /** RFC 3339, UTC. */
  readonly until: Date;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeForgottenTime: json.Decoder<ForgottenTime> = json.object<ForgottenTime>(
  "ForgottenTime",
  {
    from: json.required(json.time),
    until: json.required(json.time),
  },
);

/**
 * An event that merchants are told of. `sequence` counts those of its payment, from 1 and without a gap.
 *
 * `merchant.restored` belongs to no payment: it has `forgotten`, and neither `transactionId` nor statuses.
 */
export interface MerchantEvent {
  readonly id: string;
  readonly type: Open<EventType>;
  readonly sequence: number;
  readonly transactionId: string | null;
  readonly operationId: string | null;
  readonly from: Open<PaymentStatus> | null;
  readonly to: Open<PaymentStatus> | null;
  /** RFC 3339, UTC. */
  readonly createdAt: Date;
  readonly deliveries: readonly Delivery[];
  readonly forgotten: ForgottenTime | null;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeMerchantEvent: json.Decoder<MerchantEvent> = json.object<MerchantEvent>(
  "MerchantEvent",
  {
    id: json.required(json.text),
    type: json.required(json.open<EventType>),
    sequence: json.required(json.integer),
    transactionId: json.required(json.nullable(json.text)),
    operationId: json.required(json.nullable(json.text)),
    from: json.required(json.nullable(json.open<PaymentStatus>)),
    to: json.required(json.nullable(json.open<PaymentStatus>)),
    createdAt: json.required(json.time),
    deliveries: json.required(json.listOf(decodeDelivery)),
    forgotten: json.optional(json.nullable(decodeForgottenTime), null),
  },
);

/**
 * Newest first. A page may be empty and still have a cursor: go on until it is null.
 *
 * `unreadable`: ids of events of the page that a newer version of the service stored and this one cannot show
 * now.
 */
export interface MerchantEventPage {
  readonly items: readonly MerchantEvent[];
  readonly nextCursor: string | null;
  readonly unreadable: readonly string[];
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeMerchantEventPage: json.Decoder<MerchantEventPage> = json.object<MerchantEventPage>(
  "MerchantEventPage",
  {
    items: json.required(json.listOf(decodeMerchantEvent)),
    nextCursor: json.required(json.nullable(json.text)),
    unreadable: json.optional(json.listOf(json.text), []),
  },
);

/** What the event changed of the payment; both are the same when it changed an operation only. */
export interface MessageChange {
  readonly from: Open<PaymentStatus>;
  readonly to: Open<PaymentStatus>;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeMessageChange: json.Decoder<MessageChange> = json.object<MessageChange>(
  "MessageChange",
  {
    from: json.required(json.open<PaymentStatus>),
    to: json.required(json.open<PaymentStatus>),
  },
);

/**
 * The change, and payment and operation as they are when the message is sent: possibly newer than the change.
 *
 * `merchant.restored` has `forgotten` alone: it belongs to no payment.
 */
export interface MessageData {
  readonly change: MessageChange | null;
  readonly payment: Payment | null;
  readonly operation: Operation | null;
  readonly forgotten: ForgottenTime | null;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeMessageData: json.Decoder<MessageData> = json.object<MessageData>(
  "MessageData",
  {
    change: json.required(json.nullable(decodeMessageChange)),
    payment: json.required(json.nullable(decodePayment)),
    operation: json.required(json.nullable(decodeOperation)),
    forgotten: json.optional(json.nullable(decodeForgottenTime), null),
  },
);

/** What is posted, by Standard Webhooks. `timestamp`: when it happened. Equal ids mean the same event. */
export interface WebhookMessage {
  readonly id: string;
  readonly type: Open<EventType>;
  /** RFC 3339, UTC. */
  readonly timestamp: Date;
  readonly sequence: number;
  readonly data: MessageData;
}

/** Members that this release does not know are left out. Throws `DecodeError`. */
export const decodeWebhookMessage: json.Decoder<WebhookMessage> = json.object<WebhookMessage>(
  "WebhookMessage",
  {
    id: json.required(json.text),
    type: json.required(json.open<EventType>),
    timestamp: json.required(json.time),
    sequence: json.required(json.integer),
    data: json.required(decodeMessageData),
  },
);
