"""The API's types. They decode requests, encode answers, and are the schemas of the OpenAPI document."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from payflowx.domain.payments.checkout import (
    DEFAULT_LIFETIME_SECONDS,
    MAX_LIFETIME_SECONDS,
    MIN_LIFETIME_SECONDS,
)
from payflowx.domain.shared import limits
from payflowx.domain.shared.identifiers import PROVIDER_NAME_PATTERN, TRANSACTION_ID_PATTERN

Amount = Annotated[
    int,
    Meta(ge=1, le=limits.MAX_AMOUNT, description="In the currency's minor unit: 1999 is 19.99 USD or 1999 JPY."),
]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217, in capitals.")]
TransactionId = Annotated[str, Meta(pattern=f"^{TRANSACTION_ID_PATTERN.pattern}$")]
OperationId = Annotated[str, Meta(pattern="^(cap|void|ref)_[a-z2-7]{16}$")]
IdempotencyKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=limits.MAX_IDEMPOTENCY_KEY_CHARS,
        pattern="^[!-~]+$",
        description="Instead of the Idempotency-Key header.",
    ),
]
Token = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=limits.MAX_TOKEN_CHARS,
        pattern="^[!-~]+$",
        description="From the provider's vault. Never a card number.",
    ),
]
ProviderName = Annotated[str, Meta(pattern=f"^{PROVIDER_NAME_PATTERN.pattern}$")]
_VISIBLE = r"[^@\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
r"""Spelled out: what \s stands for differs between Python and the clients' dialects of regular expressions."""
EmailAddress = Annotated[
    str, Meta(max_length=limits.MAX_EMAIL_CHARS, pattern=rf"^{_VISIBLE}+@{_VISIBLE}+\.{_VISIBLE}+$")
]
CountryCode = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")]
StatementDescriptorSuffix = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=limits.MAX_STATEMENT_DESCRIPTOR_SUFFIX_CHARS,
        pattern=r"""^[ !#-&(-)+-;=?-\[\]-~]*[A-Za-z][ !#-&(-)+-;=?-\[\]-~]*$""",
        description="Shown on the payer's statement: printable ASCII without < > \\ ' \" *, and at least one letter.",
    ),
]
OrderId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=limits.MAX_ORDER_ID_CHARS,
        description="The merchant's own reference of what is paid, such as an order's number: printable characters.",
    ),
]
Timestamp = Annotated[str, Meta(description="RFC 3339, UTC.", extra_json_schema={"format": "date-time"})]
Status = Literal["PENDING", "SUCCESS", "FAILED", "REQUIRES_ACTION", "AUTHORIZED", "CANCELLED", "IN_REVIEW"]


class _Request(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Strict: a field that is not known is refused, never ignored."""


class _Answer(msgspec.Struct, rename="camel", kw_only=True):
    """Members may be added in later versions; clients ignore what they do not know."""


class PaymentMethodRequest(_Request):
    """One token for whichever provider is chosen, or one a provider; routing passes over providers without one.

    With the type `checkout` there is no token: the payer chooses on our page, and pays on a provider's page.
    """

    type: Annotated[str, Meta(pattern="^[a-z][a-z_]{1,29}$")]
    token: Token | None = None
    tokens: Annotated[dict[ProviderName, Token], Meta(max_length=10)] | None = None
    methods: (
        Annotated[
            list[Literal["card", "upi", "netbanking", "wallet"]],
            Meta(min_length=1, max_length=4, description="For a checkout: what the payer may choose. All, without it."),
        ]
        | None
    ) = None
    presentation: Annotated[
        Literal["page", "direct"],
        Meta(description="For a checkout. direct: nextAction is the provider's own page, without ours before it."),
    ] = "page"


class AddressRequest(_Request):
    """Where the payer lives. Some providers require it of some accounts."""

    line1: Annotated[str, Meta(min_length=1, max_length=limits.MAX_ADDRESS_LINE_CHARS)] | None = None
    line2: Annotated[str, Meta(min_length=1, max_length=limits.MAX_ADDRESS_LINE_CHARS)] | None = None
    city: Annotated[str, Meta(min_length=1, max_length=limits.MAX_CITY_CHARS)] | None = None
    state: Annotated[str, Meta(min_length=1, max_length=limits.MAX_CITY_CHARS)] | None = None
    postal_code: Annotated[str, Meta(min_length=1, max_length=limits.MAX_POSTAL_CODE_CHARS)] | None = None
    country: CountryCode | None = None


class CustomerRequest(_Request):
    """Who pays. Kept encrypted with the payment, never returned, and can be erased."""

    id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    email: EmailAddress | None = None
    phone: Annotated[str, Meta(pattern=r"^\+[0-9]{7,15}$", description="E.164, with a plus.")] | None = None
    country: CountryCode | None = None
    address: AddressRequest | None = None


class CreatePaymentRequest(_Request):
    """A payment to be made once."""

    amount: Amount
    currency: CurrencyCode
    payment_method: PaymentMethodRequest
    capture: Literal["automatic", "manual"] = "automatic"
    customer: CustomerRequest | None = None
    description: Annotated[str, Meta(max_length=limits.MAX_DESCRIPTION_CHARS)] | None = None
    metadata: (
        Annotated[
            dict[
                Annotated[str, Meta(min_length=1, max_length=limits.MAX_METADATA_KEY_CHARS)],
                Annotated[str, Meta(max_length=limits.MAX_METADATA_VALUE_CHARS)],
            ],
            Meta(max_length=limits.MAX_METADATA_KEYS),
        ]
        | None
    ) = None
    statement_descriptor_suffix: StatementDescriptorSuffix | None = None
    receipt_email: (
        Annotated[EmailAddress, Meta(description="The provider sends its receipt there. Never returned.")] | None
    ) = None
    initiator: Annotated[
        Literal["customer", "merchant"],
        Meta(description="merchant: the payer is absent, and a saved payment method is charged."),
    ] = "customer"
    save_payment_method: Annotated[
        bool, Meta(description="Ask the provider to keep the payment method for later charges by the merchant.")
    ] = False
    return_url: (
        Annotated[
            str,
            Meta(
                max_length=limits.MAX_URL_CHARS,
                description="Public https URL.",
                extra_json_schema={"format": "uri"},
            ),
        ]
        | None
    ) = None
    expires_in_seconds: (
        Annotated[
            int,
            Meta(
                ge=MIN_LIFETIME_SECONDS,
                le=MAX_LIFETIME_SECONDS,
                description=f"For a checkout: how long it can be paid. {DEFAULT_LIFETIME_SECONDS} without it.",
            ),
        ]
        | None
    ) = None
    order_id: OrderId | None = None
    once_per_order: Annotated[
        bool,
        Meta(
            description="With orderId: refuse this payment while another one holds the order. "
            "false: the order is paid in several payments."
        ),
    ] = True
    idempotency_key: IdempotencyKey | None = None


class MoveMoneyRequest(_Request):
    """A capture or a refund. Without an amount: all that is left. An amount of null is refused."""

    amount: Amount | msgspec.UnsetType = msgspec.UNSET
    idempotency_key: IdempotencyKey | None = None


class CancelPaymentRequest(_Request):
    """Nothing has to be said; a key is taken."""

    idempotency_key: IdempotencyKey | None = None


class RoutingAnswer(_Answer):
    """Why these providers, in this order."""

    document: str
    rule: str
    reasons: list[str]
    providers: list[str]


class NextActionAnswer(_Answer):
    """What the payer has to do: open `url`, post `fields` to it, or hand it to a UPI app."""

    type: Literal["redirect", "form_post", "upi_intent"]
    url: str
    fields: dict[str, str] | None = None
    expires_at: Timestamp | None = None
    """The end of a checkout. Its payer has to begin earlier, by the shortest life of a provider's page."""


class AttemptAnswer(_Answer):
    """One try at one provider."""

    number: int
    provider: str
    account_id: str
    state: Literal[
        "STARTED",
        "SUCCEEDED",
        "AUTHORIZED",
        "REQUIRES_ACTION",
        "ACCEPTED",
        "DECLINED",
        "NOT_SENT",
        "REJECTED",
        "UNKNOWN",
        "MISMATCH",
        "FENCED",
    ]
    provider_key: str
    provider_ref: str | None
    provider_code: str | None
    started_at: Timestamp
    settled_at: Timestamp | None


class LastErrorAnswer(_Answer):
    """Why the last attempt did not succeed. `code` is ours and stable, `providerCode` the provider's own.

    `providerMessage` is the provider's own sentence, without personal data and ids.
    """

    code: str
    message: str
    provider: str | None
    provider_code: str | None
    provider_message: str | None
    attempt: int | None


class DisputeAnswer(_Answer):
    """A dispute of the charge, as the provider reported it last. Evidence is submitted in the provider's dashboard.

    `providerRef` is the provider's id of the dispute. `isSigned` false: the provider does not sign its reports of
    disputes, so verify it in the dashboard.
    """

    provider: str
    provider_ref: str
    state: Literal["OPEN", "UNDER_REVIEW", "WON", "LOST", "CLOSED"]
    amount: int
    currency: CurrencyCode
    reason: str
    evidence_due_at: Timestamp | None
    opened_at: Timestamp
    updated_at: Timestamp
    is_signed: bool


class ExtraChargeAnswer(_Answer):
    """A further charge inside the page of a checkout: the payer paid twice. No amount of the payment has it.

    `providerRef` is the provider's id of the charge. It is refunded in the provider's dashboard. `refundRef` is the
    provider's id of that refund, once an operator has recorded it.
    """

    provider: str
    provider_ref: str
    amount: int
    currency: CurrencyCode
    found_at: Timestamp
    refund_ref: str | None
    refunded_at: Timestamp | None


class PaymentAnswer(_Answer):
    """A payment as it is now."""

    transaction_id: TransactionId
    status: Status
    amount: Amount
    currency: CurrencyCode
    capture: Literal["automatic", "manual"]
    capturable: Annotated[int, Meta(description="Held by the provider and free to be captured.")]
    captured: int
    refundable: Annotated[int, Meta(description="Captured, and neither refunded nor reserved for a refund.")]
    refunded: int
    provider: str | None
    provider_ref: str | None
    payment_method_type: str
    attempts: list[AttemptAnswer]
    retry_count: int
    last_error: LastErrorAnswer | None
    next_action: NextActionAnswer | None
    cancel_requested: bool
    description: str | None
    metadata: dict[str, str]
    order_id: str | None
    once_per_order: bool
    contends_with: Annotated[
        TransactionId | None, Meta(description="The payment of the same order that was charged as well, or may be.")
    ]
    statement_descriptor_suffix: str | None
    initiator: Literal["customer", "merchant"]
    save_payment_method: bool
    disputes: list[DisputeAnswer]
    extra_charges: list[ExtraChargeAnswer]
    payer_paid: Annotated[
        int | None,
        Meta(description="What the payer paid, where a fee or an offer of the provider makes it differ from amount."),
    ]
    routing: RoutingAnswer
    created_at: Timestamp
    updated_at: Timestamp


class PaymentListAnswer(_Answer):
    """Newest first. A page may be empty and still have a cursor: go on until it is null.

    `unreadable`: payments of the page, of any status, that a newer version of the service stored and this one cannot
    show now. They are processed as usual; read them again later.
    """

    items: list[PaymentAnswer]
    next_cursor: str | None
    unreadable: list[TransactionId] = []


class OperationAnswer(_Answer):
    """A capture, void or refund as it is now."""

    operation_id: OperationId
    transaction_id: TransactionId
    kind: Literal["capture", "void", "refund"]
    origin: Annotated[
        Literal["merchant", "provider"],
        Meta(description="provider: it was made at the provider, such as a refund in its dashboard."),
    ]
    status: Literal["PENDING", "SUCCEEDED", "FAILED", "IN_REVIEW"]
    amount: Amount
    currency: CurrencyCode
    provider: str | None
    provider_ref: str | None
    attempts: list[AttemptAnswer]
    last_error: LastErrorAnswer | None
    created_at: Timestamp
    updated_at: Timestamp


class OperationListAnswer(_Answer):
    """Oldest first."""

    items: list[OperationAnswer]
    next_cursor: str | None
    unreadable: list[OperationId] = []
    """Ids of operations of the page that a newer version of the service stored and this one cannot show now."""


class EventAnswer(_Answer):
    """An entry of the audit log. `hash` covers the entry and `previousHash`."""

    seq: int
    type: str
    from_: Status | None = msgspec.field(name="from")
    to: Status
    actor: str
    at: Timestamp
    facts: dict[str, str | int | bool]
    previous_hash: str
    hash: str


class EventListAnswer(_Answer):
    """Oldest first."""

    items: list[EventAnswer]
    next_cursor: str | None


class WebhookAnswer(_Answer):
    """Enough for a provider not to come again."""

    received: Literal[True]


class HealthAnswer(_Answer):
    """The API function runs. It says nothing of what lies behind it."""

    status: Literal["ok"]


class OrderHolderAnswer(_Answer):
    """The reason why the order is not free.

    `transactionId`: the payment that holds it; null if payments that said `oncePerOrder` false are counted instead.
    `freeAt`: the provider may turn a decline into a charge until then; null if no time is known.
    """

    transaction_id: TransactionId | None
    status: Status | None
    next_action: NextActionAnswer | None
    free_at: Timestamp | None
    beside: int


class ProblemAnswer(_Answer):
    """RFC 9457. `code` is stable and meant for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    field: str | None = None
    order: OrderHolderAnswer | None = None
