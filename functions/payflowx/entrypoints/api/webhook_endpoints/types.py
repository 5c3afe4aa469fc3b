"""The types of webhooks to merchants: requests, answers, and the message itself."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from payflowx.domain.payments.event_types import EVENT_TYPES
from payflowx.domain.shared import limits
from payflowx.entrypoints.api.payments.types import OperationAnswer, PaymentAnswer, Status, Timestamp, TransactionId

EndpointId = Annotated[str, Meta(pattern="^we_[a-z2-7]{16}$")]
EventId = Annotated[str, Meta(pattern="^evt_[a-z2-7]{16}_[1-9][0-9]{0,5}$")]
EventType = Annotated[str, Meta(extra_json_schema={"enum": sorted(EVENT_TYPES)})]
Secret = Annotated[str, Meta(pattern="^whsec_[A-Za-z0-9+/=]+$", description="Shown this once. Keep it secret.")]


class CreateEndpointRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Where to be told. Without event types: of everything."""

    url: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=limits.MAX_URL_CHARS,
            description="Public https URL on port 443.",
            extra_json_schema={"format": "uri"},
        ),
    ]
    event_types: Annotated[list[EventType], Meta(max_length=limits.MAX_EVENT_TYPES)] = []


class EmptyRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """The address says it all."""


class EndpointAnswer(msgspec.Struct, rename="camel", kw_only=True):
    """A webhook endpoint. `failingSince`: it has taken nothing since then; three days of it disable the endpoint."""

    id: EndpointId
    url: str
    event_types: list[EventType]
    status: Literal["ENABLED", "DISABLED"]
    disabled_reason: Literal["gone", "failing"] | None
    failing_since: Timestamp | None
    previous_secret_until: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp


class EndpointSecretAnswer(EndpointAnswer, kw_only=True):
    """With its secret, which is shown when it is made and never again."""

    secret: Secret


class EndpointListAnswer(msgspec.Struct, rename="camel", kw_only=True):
    """All of a merchant's endpoints, the oldest first."""

    items: list[EndpointAnswer]


class DeliveryAnswer(msgspec.Struct, rename="camel", kw_only=True):
    """How far one endpoint is with an event. `lastStatus`: what it answered; `lastError`: why it did not."""

    endpoint_id: EndpointId
    state: Literal["PENDING", "DELIVERED", "FAILED", "SKIPPED"]
    attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: Timestamp | None


class ForgottenTime(msgspec.Struct, rename="camel", kw_only=True):
    """After a restore of the deployment: what happened from then until then may be forgotten."""

    from_: Timestamp = msgspec.field(name="from")
    until: Timestamp


class MerchantEventAnswer(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """An event that merchants are told of. `sequence` counts those of its payment, from 1 and without a gap.

    `merchant.restored` belongs to no payment: it has `forgotten`, and neither `transactionId` nor statuses.
    """

    id: EventId
    type: EventType
    sequence: int
    transaction_id: TransactionId | None
    operation_id: str | None
    from_: Status | None = msgspec.field(name="from")
    to: Status | None
    created_at: Timestamp
    deliveries: list[DeliveryAnswer]
    forgotten: ForgottenTime | None = None


class MerchantEventListAnswer(msgspec.Struct, rename="camel", kw_only=True):
    """Newest first. A page may be empty and still have a cursor: go on until it is null.

    `unreadable`: ids of events of the page that a newer version of the service stored and this one cannot show now.
    """

    items: list[MerchantEventAnswer]
    next_cursor: str | None
    unreadable: list[str] = []


class MessageChange(msgspec.Struct, rename="camel", kw_only=True):
    """What the event changed of the payment; both are the same when it changed an operation only."""

    from_: Status = msgspec.field(name="from")
    to: Status


class MessageData(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """The change, and payment and operation as they are when the message is sent: possibly newer than the change.

    `merchant.restored` has `forgotten` alone: it belongs to no payment.
    """

    change: MessageChange | None
    payment: PaymentAnswer | None
    operation: OperationAnswer | None
    forgotten: ForgottenTime | None = None


class WebhookMessage(msgspec.Struct, rename="camel", kw_only=True):
    """What is posted, by Standard Webhooks. `timestamp`: when it happened. Equal ids mean the same event."""

    id: EventId
    type: EventType
    timestamp: Timestamp
    sequence: int
    data: MessageData
