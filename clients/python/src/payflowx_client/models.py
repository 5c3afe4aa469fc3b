"""What is sent to the API and what it answers.

Generated from `docs/openapi.json` by `python -m clients.generator`. Do not edit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Required, TypedDict

from payflowx_client import _json
from payflowx_client._enums import OpenEnum


class AttemptState(OpenEnum):
    """Values of the API that this release knows."""

    ACCEPTED = "ACCEPTED"
    AUTHORIZED = "AUTHORIZED"
    DECLINED = "DECLINED"
    FENCED = "FENCED"
    MISMATCH = "MISMATCH"
    NOT_SENT = "NOT_SENT"
    REJECTED = "REJECTED"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    STARTED = "STARTED"
    SUCCEEDED = "SUCCEEDED"
    UNKNOWN = "UNKNOWN"


class CaptureMode(OpenEnum):
    """Values of the API that this release knows."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class CheckoutMethod(OpenEnum):
    """Values of the API that this release knows."""

    CARD = "card"
    NETBANKING = "netbanking"
    UPI = "upi"
    WALLET = "wallet"


class CheckoutPresentation(OpenEnum):
    """Values of the API that this release knows."""

    DIRECT = "direct"
    PAGE = "page"


class DeliveryState(OpenEnum):
    """Values of the API that this release knows."""

    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    PENDING = "PENDING"
    SKIPPED = "SKIPPED"


class DisabledReason(OpenEnum):
    """Values of the API that this release knows."""

    FAILING = "failing"
    GONE = "gone"


class DisputeState(OpenEnum):
    """Values of the API that this release knows."""

    CLOSED = "CLOSED"
    LOST = "LOST"
    OPEN = "OPEN"
    UNDER_REVIEW = "UNDER_REVIEW"
    WON = "WON"


class EndpointStatus(OpenEnum):
    """Values of the API that this release knows."""

    DISABLED = "DISABLED"
    ENABLED = "ENABLED"


class EventType(OpenEnum):
    """Values of the API that this release knows."""

    CAPTURE_FAILED = "capture.failed"
    CAPTURE_IN_REVIEW = "capture.in_review"
    CAPTURE_PENDING = "capture.pending"
    CAPTURE_SUCCEEDED = "capture.succeeded"
    MERCHANT_RESTORED = "merchant.restored"
    PAYMENT_AUTHORIZED = "payment.authorized"
    PAYMENT_CANCELLED = "payment.cancelled"
    PAYMENT_CHARGED_TWICE = "payment.charged_twice"
    PAYMENT_DISPUTE_CLOSED = "payment.dispute.closed"
    PAYMENT_DISPUTE_LOST = "payment.dispute.lost"
    PAYMENT_DISPUTE_OPENED = "payment.dispute.opened"
    PAYMENT_DISPUTE_UPDATED = "payment.dispute.updated"
    PAYMENT_DISPUTE_WON = "payment.dispute.won"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_IN_REVIEW = "payment.in_review"
    PAYMENT_PENDING = "payment.pending"
    PAYMENT_REQUIRES_ACTION = "payment.requires_action"
    PAYMENT_SUCCEEDED = "payment.succeeded"
    REFUND_FAILED = "refund.failed"
    REFUND_IN_REVIEW = "refund.in_review"
    REFUND_PENDING = "refund.pending"
    REFUND_SUCCEEDED = "refund.succeeded"
    VOID_FAILED = "void.failed"
    VOID_IN_REVIEW = "void.in_review"
    VOID_PENDING = "void.pending"
    VOID_SUCCEEDED = "void.succeeded"


class Initiator(OpenEnum):
    """Values of the API that this release knows."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"


class NextActionType(OpenEnum):
    """Values of the API that this release knows."""

    FORM_POST = "form_post"
    REDIRECT = "redirect"
    UPI_INTENT = "upi_intent"


class OperationKind(OpenEnum):
    """Values of the API that this release knows."""

    CAPTURE = "capture"
    REFUND = "refund"
    VOID = "void"


class OperationOrigin(OpenEnum):
    """Values of the API that this release knows."""

    MERCHANT = "merchant"
    PROVIDER = "provider"


class OperationStatus(OpenEnum):
    """Values of the API that this release knows."""

    FAILED = "FAILED"
    IN_REVIEW = "IN_REVIEW"
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"


class PaymentStatus(OpenEnum):
    """Values of the API that this release knows."""

    AUTHORIZED = "AUTHORIZED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    IN_REVIEW = "IN_REVIEW"
    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    SUCCESS = "SUCCESS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the payer lives. Some providers require it of some accounts."""

    line1: str | None = field(default=None, repr=False)
    line2: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    country: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, object]:
        """The members to send; what is None is left out."""
        return _json.encoded(
            {
                "line1": self.line1,
                "line2": self.line2,
                "city": self.city,
                "state": self.state,
                "postalCode": self.postal_code,
                "country": self.country,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who pays. Kept encrypted with the payment, never returned, and can be erased."""

    id: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    country: str | None = field(default=None, repr=False)
    address: Address | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, object]:
        """The members to send; what is None is left out."""
        return _json.encoded(
            {
                "id": self.id,
                "name": self.name,
                "email": self.email,
                "phone": self.phone,
                "country": self.country,
                "address": self.address,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """One token for whichever provider is chosen, or one a provider; routing passes over providers without one.

    With the type `checkout` there is no token: the payer chooses on our page, and pays on a provider's page.
    """

    type: str
    token: str | None = field(default=None, repr=False)
    tokens: Mapping[str, str] | None = field(default=None, repr=False)
    methods: tuple[CheckoutMethod, ...] | None = None
    presentation: CheckoutPresentation = CheckoutPresentation.PAGE
    """For a checkout. direct: nextAction is the provider's own page, without ours before it."""

    def to_json(self) -> dict[str, object]:
        """The members to send; what is None is left out."""
        return _json.encoded(
            {
                "type": self.type,
                "token": self.token,
                "tokens": self.tokens,
                "methods": self.methods,
                "presentation": self.presentation,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePaymentRequest:
    """A payment to be made once."""

    amount: int
    """In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY."""
    currency: str
    """ISO 4217, in capitals."""
    payment_method: PaymentMethod
    capture: CaptureMode = CaptureMode.AUTOMATIC
    customer: Customer | None = None
    description: str | None = None
    metadata: Mapping[str, str] | None = None
    statement_descriptor_suffix: str | None = None
    receipt_email: str | None = field(default=None, repr=False)
    initiator: Initiator = Initiator.CUSTOMER
    """merchant: the payer is absent, and a saved payment method is charged."""
    save_payment_method: bool = False
    """Ask the provider to keep the payment method for later charges by the merchant."""
    return_url: str | None = None
    expires_in_seconds: int | None = None
    order_id: str | None = None
    once_per_order: bool = True
    """With orderId: refuse this payment while another one holds the order. false: the order is paid in several
    payments.
    """
    idempotency_key: str | None = None

    def to_json(self) -> dict[str, object]:
        """The members to send; what is None is left out."""
        return _json.encoded(
            {
                "amount": self.amount,
                "currency": self.currency,
                "paymentMethod": self.payment_method,
                "capture": self.capture,
                "customer": self.customer,
                "description": self.description,
                "metadata": self.metadata,
                "statementDescriptorSuffix": self.statement_descriptor_suffix,
                "receiptEmail": self.receipt_email,
                "initiator": self.initiator,
                "savePaymentMethod": self.save_payment_method,
                "returnUrl": self.return_url,
                "expiresInSeconds": self.expires_in_seconds,
                "orderId": self.order_id,
                "oncePerOrder": self.once_per_order,
                "idempotencyKey": self.idempotency_key,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveMoneyRequest:
    """A capture or a refund. Without an amount: all that is left. An amount of null is refused."""

    amount: int | None = None
    """In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY."""
    idempotency_key: str | None = None

    def to_json(self) -> dict[str, object]:
        """The members to send; what is None is left out."""
        return _json.encoded(
            {
                "amount": self.amount,
                "idempotencyKey": self.idempotency_key,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPaymentRequest:
    """Nothing has to be said; a key is taken."""

    idempotency_key: str | None = None

    def to_json(self) -> dict[str, object]:
        """The members to send; what is None is left out."""
        return _json.encoded(
            {
                "idempotencyKey": self.idempotency_key,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at one provider."""

    number: int
    provider: str
    account_id: str
    state: AttemptState
    provider_key: str
    provider_ref: str | None
    provider_code: str | None
    started_at: datetime
    """RFC 3339, UTC."""
    settled_at: datetime | None

    @classmethod
    def from_json(cls, value: object) -> "Attempt":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "Attempt")
        return cls(
            number=_json.required(members, "number", _json.integer),
            provider=_json.required(members, "provider", _json.text),
            account_id=_json.required(members, "accountId", _json.text),
            state=_json.required(members, "state", AttemptState.from_json),
            provider_key=_json.required(members, "providerKey", _json.text),
            provider_ref=_json.required(members, "providerRef", _json.nullable(_json.text)),
            provider_code=_json.required(members, "providerCode", _json.nullable(_json.text)),
            started_at=_json.required(members, "startedAt", _json.time),
            settled_at=_json.required(members, "settledAt", _json.nullable(_json.time)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute of the charge, as the provider reported it last. Evidence is submitted in the provider's dashboard.

    `providerRef` is the provider's id of the dispute. `isSigned` false: the provider does not sign its reports of
    disputes, so verify it in the dashboard.
    """

    provider: str
    provider_ref: str
    state: DisputeState
    amount: int
    currency: str
    """ISO 4217, in capitals."""
    reason: str
    evidence_due_at: datetime | None
    opened_at: datetime
    """RFC 3339, UTC."""
    updated_at: datetime
    """RFC 3339, UTC."""
    is_signed: bool

    @classmethod
    def from_json(cls, value: object) -> "Dispute":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "Dispute")
        return cls(
            provider=_json.required(members, "provider", _json.text),
            provider_ref=_json.required(members, "providerRef", _json.text),
            state=_json.required(members, "state", DisputeState.from_json),
            amount=_json.required(members, "amount", _json.integer),
            currency=_json.required(members, "currency", _json.text),
            reason=_json.required(members, "reason", _json.text),
            evidence_due_at=_json.required(members, "evidenceDueAt", _json.nullable(_json.time)),
            opened_at=_json.required(members, "openedAt", _json.time),
            updated_at=_json.required(members, "updatedAt", _json.time),
            is_signed=_json.required(members, "isSigned", _json.boolean),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraCharge:
    """A further charge inside the page of a checkout: the payer paid twice. No amount of the payment has it.

    `providerRef` is the provider's id of the charge. It is refunded in the provider's dashboard. `refundRef` is the
    provider's id of that refund, once an operator has recorded it.
    """

    provider: str
    provider_ref: str
    amount: int
    currency: str
    """ISO 4217, in capitals."""
    found_at: datetime
    """RFC 3339, UTC."""
    refund_ref: str | None
    refunded_at: datetime | None

    @classmethod
    def from_json(cls, value: object) -> "ExtraCharge":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "ExtraCharge")
        return cls(
            provider=_json.required(members, "provider", _json.text),
            provider_ref=_json.required(members, "providerRef", _json.text),
            amount=_json.required(members, "amount", _json.integer),
            currency=_json.required(members, "currency", _json.text),
            found_at=_json.required(members, "foundAt", _json.time),
            refund_ref=_json.required(members, "refundRef", _json.nullable(_json.text)),
            refunded_at=_json.required(members, "refundedAt", _json.nullable(_json.time)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """Why the last attempt did not succeed. `code` is ours and stable, `providerCode` the provider's own.

    `providerMessage` is the provider's own sentence, without personal data and ids.
    """

    code: str
    message: str
    provider: str | None
    provider_code: str | None
    provider_message: str | None
    attempt: int | None

    @classmethod
    def from_json(cls, value: object) -> "LastError":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "LastError")
        return cls(
            code=_json.required(members, "code", _json.text),
            message=_json.required(members, "message", _json.text),
            provider=_json.required(members, "provider", _json.nullable(_json.text)),
            provider_code=_json.required(members, "providerCode", _json.nullable(_json.text)),
            provider_message=_json.required(members, "providerMessage", _json.nullable(_json.text)),
            attempt=_json.required(members, "attempt", _json.nullable(_json.integer)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """What the payer has to do: open `url`, post `fields` to it, or hand it to a UPI app."""

    type: NextActionType
    url: str = field(repr=False)
    fields: Mapping[str, str] | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    @classmethod
    def from_json(cls, value: object) -> "NextAction":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "NextAction")
        return cls(
            type=_json.required(members, "type", NextActionType.from_json),
            url=_json.required(members, "url", _json.text),
            fields=_json.optional(members, "fields", _json.nullable(_json.map_of(_json.text)), None),
            expires_at=_json.optional(members, "expiresAt", _json.nullable(_json.time), None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Why these providers, in this order."""

    document: str
    rule: str
    reasons: tuple[str, ...]
    providers: tuple[str, ...]

    @classmethod
    def from_json(cls, value: object) -> "Routing":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "Routing")
        return cls(
            document=_json.required(members, "document", _json.text),
            rule=_json.required(members, "rule", _json.text),
            reasons=_json.required(members, "reasons", _json.list_of(_json.text)),
            providers=_json.required(members, "providers", _json.list_of(_json.text)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment as it is now."""

    transaction_id: str
    status: PaymentStatus
    amount: int
    """In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY."""
    currency: str
    """ISO 4217, in capitals."""
    capture: CaptureMode
    capturable: int
    """Held by the provider and free to be captured."""
    captured: int
    refundable: int
    """Captured, and neither refunded nor reserved for a refund."""
    refunded: int
    provider: str | None
    provider_ref: str | None
    payment_method_type: str
    attempts: tuple[Attempt, ...]
    retry_count: int
    last_error: LastError | None
    next_action: NextAction | None
    cancel_requested: bool
    description: str | None
    metadata: Mapping[str, str]
    order_id: str | None
    once_per_order: bool
    contends_with: str | None
    """The payment of the same order that was charged as well, or may be."""
    statement_descriptor_suffix: str | None
    initiator: Initiator
    save_payment_method: bool
    disputes: tuple[Dispute, ...]
    extra_charges: tuple[ExtraCharge, ...]
    payer_paid: int | None
    """What the payer paid, where a fee or an offer of the provider makes it differ from amount."""
    routing: Routing
    created_at: datetime
    """RFC 3339, UTC."""
    updated_at: datetime
    """RFC 3339, UTC."""

    @classmethod
    def from_json(cls, value: object) -> "Payment":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "Payment")
        return cls(
            transaction_id=_json.required(members, "transactionId", _json.text),
            status=_json.required(members, "status", PaymentStatus.from_json),
            amount=_json.required(members, "amount", _json.integer),
            currency=_json.required(members, "currency", _json.text),
            capture=_json.required(members, "capture", CaptureMode.from_json),
            capturable=_json.required(members, "capturable", _json.integer),
            captured=_json.required(members, "captured", _json.integer),
            refundable=_json.required(members, "refundable", _json.integer),
            refunded=_json.required(members, "refunded", _json.integer),
            provider=_json.required(members, "provider", _json.nullable(_json.text)),
            provider_ref=_json.required(members, "providerRef", _json.nullable(_json.text)),
            payment_method_type=_json.required(members, "paymentMethodType", _json.text),
            attempts=_json.required(members, "attempts", _json.list_of(Attempt.from_json)),
            retry_count=_json.required(members, "retryCount", _json.integer),
            last_error=_json.required(members, "lastError", _json.nullable(LastError.from_json)),
            next_action=_json.required(members, "nextAction", _json.nullable(NextAction.from_json)),
            cancel_requested=_json.required(members, "cancelRequested", _json.boolean),
            description=_json.required(members, "description", _json.nullable(_json.text)),
            metadata=_json.required(members, "metadata", _json.map_of(_json.text)),
            order_id=_json.required(members, "orderId", _json.nullable(_json.text)),
            once_per_order=_json.required(members, "oncePerOrder", _json.boolean),
            contends_with=_json.required(members, "contendsWith", _json.nullable(_json.text)),
            statement_descriptor_suffix=_json.required(
                members, "statementDescriptorSuffix", _json.nullable(_json.text)
            ),
            initiator=_json.required(members, "initiator", Initiator.from_json),
            save_payment_method=_json.required(members, "savePaymentMethod", _json.boolean),
            disputes=_json.required(members, "disputes", _json.list_of(Dispute.from_json)),
            extra_charges=_json.required(members, "extraCharges", _json.list_of(ExtraCharge.from_json)),
            payer_paid=_json.required(members, "payerPaid", _json.nullable(_json.integer)),
            routing=_json.required(members, "routing", Routing.from_json),
            created_at=_json.required(members, "createdAt", _json.time),
            updated_at=_json.required(members, "updatedAt", _json.time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPage:
    """Newest first. A page may be empty and still have a cursor: go on until it is null.

    `unreadable`: payments of the page, of any status, that a newer version of the service stored and this one
    cannot show now. They are processed as usual; read them again later.
    """

    items: tuple[Payment, ...]
    next_cursor: str | None
    unreadable: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> "PaymentPage":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "PaymentPage")
        return cls(
            items=_json.required(members, "items", _json.list_of(Payment.from_json)),
            next_cursor=_json.required(members, "nextCursor", _json.nullable(_json.text)),
            unreadable=_json.optional(members, "unreadable", _json.list_of(_json.text), ()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A capture, void or refund as it is now."""

    operation_id: str
    transaction_id: str
    kind: OperationKind
    origin: OperationOrigin
    """provider: it was made at the provider, such as a refund in its dashboard."""
    status: OperationStatus
    amount: int
    """In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY."""
    currency: str
    """ISO 4217, in capitals."""
    provider: str | None
    provider_ref: str | None
    attempts: tuple[Attempt, ...]
    last_error: LastError | None
    created_at: datetime
    """RFC 3339, UTC."""
    updated_at: datetime
    """RFC 3339, UTC."""

    @classmethod
    def from_json(cls, value: object) -> "Operation":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "Operation")
        return cls(
            operation_id=_json.required(members, "operationId", _json.text),
            transaction_id=_json.required(members, "transactionId", _json.text),
            kind=_json.required(members, "kind", OperationKind.from_json),
            origin=_json.required(members, "origin", OperationOrigin.from_json),
            status=_json.required(members, "status", OperationStatus.from_json),
            amount=_json.required(members, "amount", _json.integer),
            currency=_json.required(members, "currency", _json.text),
            provider=_json.required(members, "provider", _json.nullable(_json.text)),
            provider_ref=_json.required(members, "providerRef", _json.nullable(_json.text)),
            attempts=_json.required(members, "attempts", _json.list_of(Attempt.from_json)),
            last_error=_json.required(members, "lastError", _json.nullable(LastError.from_json)),
            created_at=_json.required(members, "createdAt", _json.time),
            updated_at=_json.required(members, "updatedAt", _json.time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPage:
    """Oldest first."""

    items: tuple[Operation, ...]
    next_cursor: str | None
    unreadable: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> "OperationPage":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "OperationPage")
        return cls(
            items=_json.required(members, "items", _json.list_of(Operation.from_json)),
            next_cursor=_json.required(members, "nextCursor", _json.nullable(_json.text)),
            unreadable=_json.optional(members, "unreadable", _json.list_of(_json.text), ()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """An entry of the audit log. `hash` covers the entry and `previousHash`."""

    seq: int
    type: str
    from_: PaymentStatus | None
    to: PaymentStatus
    actor: str
    at: datetime
    """RFC 3339, UTC."""
    facts: Mapping[str, str | int | bool]
    previous_hash: str
    hash: str

    @classmethod
    def from_json(cls, value: object) -> "AuditEvent":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "AuditEvent")
        return cls(
            seq=_json.required(members, "seq", _json.integer),
            type=_json.required(members, "type", _json.text),
            from_=_json.required(members, "from", _json.nullable(PaymentStatus.from_json)),
            to=_json.required(members, "to", PaymentStatus.from_json),
            actor=_json.required(members, "actor", _json.text),
            at=_json.required(members, "at", _json.time),
            facts=_json.required(members, "facts", _json.map_of(_json.scalar)),
            previous_hash=_json.required(members, "previousHash", _json.text),
            hash=_json.required(members, "hash", _json.text),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEventPage:
    """Oldest first."""

    items: tuple[AuditEvent, ...]
    next_cursor: str | None

    @classmethod
    def from_json(cls, value: object) -> "AuditEventPage":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "AuditEventPage")
        return cls(
            items=_json.required(members, "items", _json.list_of(AuditEvent.from_json)),
            next_cursor=_json.required(members, "nextCursor", _json.nullable(_json.text)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceived:
    """Enough for a provider not to come again."""

    received: bool

    @classmethod
    def from_json(cls, value: object) -> "WebhookReceived":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "WebhookReceived")
        return cls(
            received=_json.required(members, "received", _json.boolean),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The API function runs. It says nothing of what lies behind it."""

    status: str

    @classmethod
    def from_json(cls, value: object) -> "Health":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "Health")
        return cls(
            status=_json.required(members, "status", _json.text),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHolder:
    """The reason why the order is not free.

    `transactionId`: the payment that holds it; null if payments that said `oncePerOrder` false are counted instead.
    `freeAt`: the provider may turn a decline into a charge until then; null if no time is known.
    """

    transaction_id: str | None
    status: PaymentStatus | None
    next_action: NextAction | None
    free_at: datetime | None
    beside: int

    @classmethod
    def from_json(cls, value: object) -> "OrderHolder":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "OrderHolder")
        return cls(
            transaction_id=_json.required(members, "transactionId", _json.nullable(_json.text)),
            status=_json.required(members, "status", _json.nullable(PaymentStatus.from_json)),
            next_action=_json.required(members, "nextAction", _json.nullable(NextAction.from_json)),
            free_at=_json.required(members, "freeAt", _json.nullable(_json.time)),
            beside=_json.required(members, "beside", _json.integer),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """RFC 9457. `code` is stable and meant for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    field: str | None = None
    order: OrderHolder | None = None

    @classmethod
    def from_json(cls, value: object) -> "Problem":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "Problem")
        return cls(
            type=_json.required(members, "type", _json.text),
            title=_json.required(members, "title", _json.text),
            status=_json.required(members, "status", _json.integer),
            detail=_json.required(members, "detail", _json.text),
            code=_json.required(members, "code", _json.text),
            request_id=_json.required(members, "requestId", _json.text),
            field=_json.optional(members, "field", _json.nullable(_json.text), None),
            order=_json.optional(members, "order", _json.nullable(OrderHolder.from_json), None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEndpointRequest:
    """Where to be told. Without event types: of everything."""

    url: str
    """Public https URL on port 443."""
    event_types: tuple[EventType, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The members to send; what is None is left out."""
        return _json.encoded(
            {
                "url": self.url,
                "eventTypes": self.event_types,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A webhook endpoint. `failingSince`: it has taken nothing since then; three days of it disable the endpoint."""

    id: str
    url: str
    event_types: tuple[EventType, ...]
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    previous_secret_until: datetime | None
    created_at: datetime
    """RFC 3339, UTC."""
    updated_at: datetime
    """RFC 3339, UTC."""

    @classmethod
    def from_json(cls, value: object) -> "Endpoint":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "Endpoint")
        return cls(
            id=_json.required(members, "id", _json.text),
            url=_json.required(members, "url", _json.text),
            event_types=_json.required(members, "eventTypes", _json.list_of(EventType.from_json)),
            status=_json.required(members, "status", EndpointStatus.from_json),
            disabled_reason=_json.required(members, "disabledReason", _json.nullable(DisabledReason.from_json)),
            failing_since=_json.required(members, "failingSince", _json.nullable(_json.time)),
            previous_secret_until=_json.required(members, "previousSecretUntil", _json.nullable(_json.time)),
            created_at=_json.required(members, "createdAt", _json.time),
            updated_at=_json.required(members, "updatedAt", _json.time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSecret:
    """With its secret, which is shown when it is made and never again."""

    id: str
    url: str
    event_types: tuple[EventType, ...]
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    previous_secret_until: datetime | None
    created_at: datetime
    """RFC 3339, UTC."""
    updated_at: datetime
    """RFC 3339, UTC."""
    secret: str = field(repr=False)
    """Shown this once. Keep it secret."""

    @classmethod
    def from_json(cls, value: object) -> "EndpointSecret":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "EndpointSecret")
        return cls(
            id=_json.required(members, "id", _json.text),
            url=_json.required(members, "url", _json.text),
            event_types=_json.required(members, "eventTypes", _json.list_of(EventType.from_json)),
            status=_json.required(members, "status", EndpointStatus.from_json),
            disabled_reason=_json.required(members, "disabledReason", _json.nullable(DisabledReason.from_json)),
            failing_since=_json.required(members, "failingSince", _json.nullable(_json.time)),
            previous_secret_until=_json.required(members, "previousSecretUntil", _json.nullable(_json.time)),
            created_at=_json.required(members, "createdAt", _json.time),
            updated_at=_json.required(members, "updatedAt", _json.time),
            secret=_json.required(members, "secret", _json.text),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPage:
    """All of a merchant's endpoints, the oldest first."""

    items: tuple[Endpoint, ...]

    @classmethod
    def from_json(cls, value: object) -> "EndpointPage":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "EndpointPage")
        return cls(
            items=_json.required(members, "items", _json.list_of(Endpoint.from_json)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How far one endpoint is with an event. `lastStatus`: what it answered; `lastError`: why it did not."""

    endpoint_id: str
    state: DeliveryState
    attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: datetime | None

    @classmethod
    def from_json(cls, value: object) -> "Delivery":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "Delivery")
        return cls(
            endpoint_id=_json.required(members, "endpointId", _json.text),
            state=_json.required(members, "state", DeliveryState.from_json),
            attempts=_json.required(members, "attempts", _json.integer),
            last_status=_json.required(members, "lastStatus", _json.nullable(_json.integer)),
            last_error=_json.required(members, "lastError", _json.nullable(_json.text)),
            next_attempt_at=_json.required(members, "nextAttemptAt", _json.nullable(_json.time)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgottenTime:
    """After a restore of the deployment: what happened from then until then may be forgotten."""

    from_: datetime
    """RFC 3339, UTC."""
    until: datetime
    """RFC 3339, UTC."""

    @classmethod
    def from_json(cls, value: object) -> "ForgottenTime":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "ForgottenTime")
        return cls(
            from_=_json.required(members, "from", _json.time),
            until=_json.required(members, "until", _json.time),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantEvent:
    """An event that merchants are told of. `sequence` counts those of its payment, from 1 and without a gap.

    `merchant.restored` belongs to no payment: it has `forgotten`, and neither `transactionId` nor statuses.
    """

    id: str
    type: EventType
    sequence: int
    transaction_id: str | None
    operation_id: str | None
    from_: PaymentStatus | None
    to: PaymentStatus | None
    created_at: datetime
    """RFC 3339, UTC."""
    deliveries: tuple[Delivery, ...]
    forgotten: ForgottenTime | None = None

    @classmethod
    def from_json(cls, value: object) -> "MerchantEvent":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "MerchantEvent")
        return cls(
            id=_json.required(members, "id", _json.text),
            type=_json.required(members, "type", EventType.from_json),
            sequence=_json.required(members, "sequence", _json.integer),
            transaction_id=_json.required(members, "transactionId", _json.nullable(_json.text)),
            operation_id=_json.required(members, "operationId", _json.nullable(_json.text)),
            from_=_json.required(members, "from", _json.nullable(PaymentStatus.from_json)),
            to=_json.required(members, "to", _json.nullable(PaymentStatus.from_json)),
            created_at=_json.required(members, "createdAt", _json.time),
            deliveries=_json.required(members, "deliveries", _json.list_of(Delivery.from_json)),
            forgotten=_json.optional(members, "forgotten", _json.nullable(ForgottenTime.from_json), None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantEventPage:
    """Newest first. A page may be empty and still have a cursor: go on until it is null.

    `unreadable`: ids of events of the page that a newer version of the service stored and this one cannot show now.
    """

    items: tuple[MerchantEvent, ...]
    next_cursor: str | None
    unreadable: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> "MerchantEventPage":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "MerchantEventPage")
        return cls(
            items=_json.required(members, "items", _json.list_of(MerchantEvent.from_json)),
            next_cursor=_json.required(members, "nextCursor", _json.nullable(_json.text)),
            unreadable=_json.optional(members, "unreadable", _json.list_of(_json.text), ()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChange:
    """What the event changed of the payment; both are the same when it changed an operation only."""

    from_: PaymentStatus
    to: PaymentStatus

    @classmethod
    def from_json(cls, value: object) -> "MessageChange":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "MessageChange")
        return cls(
            from_=_json.required(members, "from", PaymentStatus.from_json),
            to=_json.required(members, "to", PaymentStatus.from_json),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageData:
    """The change, and payment and operation as they are when the message is sent: possibly newer than the change.

    `merchant.restored` has `forgotten` alone: it belongs to no payment.
    """

    change: MessageChange | None
    payment: Payment | None
    operation: Operation | None
    forgotten: ForgottenTime | None = None

    @classmethod
    def from_json(cls, value: object) -> "MessageData":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "MessageData")
        return cls(
            change=_json.required(members, "change", _json.nullable(MessageChange.from_json)),
            payment=_json.required(members, "payment", _json.nullable(Payment.from_json)),
            operation=_json.required(members, "operation", _json.nullable(Operation.from_json)),
            forgotten=_json.optional(members, "forgotten", _json.nullable(ForgottenTime.from_json), None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """What is posted, by Standard Webhooks. `timestamp`: when it happened. Equal ids mean the same event."""

    id: str
    type: EventType
    timestamp: datetime
    """RFC 3339, UTC."""
    sequence: int
    data: MessageData

    @classmethod
    def from_json(cls, value: object) -> "WebhookMessage":
        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""
        members = _json.members(value, "WebhookMessage")
        return cls(
            id=_json.required(members, "id", _json.text),
            type=_json.required(members, "type", EventType.from_json),
            timestamp=_json.required(members, "timestamp", _json.time),
            sequence=_json.required(members, "sequence", _json.integer),
            data=_json.required(members, "data", MessageData.from_json),
        )


class CreatePaymentArguments(TypedDict, total=False):
    """Arguments that become a `CreatePaymentRequest`."""

    amount: Required[int]
    """In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY."""
    currency: Required[str]
    """ISO 4217, in capitals."""
    payment_method: Required[PaymentMethod]
    capture: CaptureMode
    customer: Customer | None
    description: str | None
    metadata: Mapping[str, str] | None
    statement_descriptor_suffix: str | None
    receipt_email: str | None
    initiator: Initiator
    """merchant: the payer is absent, and a saved payment method is charged."""
    save_payment_method: bool
    """Ask the provider to keep the payment method for later charges by the merchant."""
    return_url: str | None
    expires_in_seconds: int | None
    order_id: str | None
    once_per_order: bool
    """With orderId: refuse this payment while another one holds the order. false: the order is paid in several
    payments.
    """
