"""The meanings of a provider's answer. A sum type: every `match` must handle all of them.

`NotSent` and `Rejected` prove that nothing happened; `Unknown` proves nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from payflowx.domain.payments.hosted import ExtraCharge, FailedTries
from payflowx.domain.payments.refused_send import RefusedSend
from payflowx.domain.shared.statuses import DeclineKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """The action that the payer must take.

    `redirect`: open `url`. `form_post`: post `fields` to `url`. `upi_intent`: hand `url` (upi://) to a UPI app.
    """

    kind: Literal["redirect", "form_post", "upi_intent"]
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The charge, capture, void or refund took effect: this amount, under this provider key of ours."""

    reference: str
    amount: int
    currency: str
    merchant_reference: str
    extra_charges: tuple[ExtraCharge, ...] = ()
    """Further charges inside the same hosted object. The first one that took money is the payment's."""
    payer_paid: int | None = None
    """The amount that the payer paid, where a declared fee or an offer of the provider makes it differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """The provider holds the money until it is captured or voided."""

    reference: str
    amount: int
    currency: str
    merchant_reference: str
    lapses_at_ms: int | None = None
    """The time at which the authorization expires, where the provider states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """No byte of the request reached the provider: no connection was opened, or none was tried."""

    code: str


RATE_LIMITED: Final = "rate_limited"
UNAUTHORIZED: Final = "unauthorized"
RETRYABLE_REJECTIONS: Final = frozenset({RATE_LIMITED, UNAUTHORIZED})
"""The codes that connectors give to 429, and to 401 and 403. Every other rejection repeats with the same request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The provider rejected before processing: rate limit, credentials, or documented as such."""

    code: str
    message: str = ""
    retry_after_seconds: int = 0
    misconfigured: bool = False
    """A retry cannot succeed until the account's credentials or permissions are corrected."""
    claims_done: bool = False
    """The provider says that the whole amount was captured, voided or refunded before, perhaps by a request of ours."""

    @property
    def may_pass_later(self) -> bool:
        """The same request may be accepted later: it was refused for its time or for the account's credentials."""
        return self.code in RETRYABLE_REJECTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The provider declined this attempt finally: no money moved.

    `kind` None: a capture, void or refund, which no other provider can execute.
    """

    kind: DeclineKind | None = None
    code: str
    message: str = ""
    reference: str | None = None
    reopens_for_seconds: int = 0
    """How long this provider may still turn this decline into a charge; 0 means irrevocable."""
    cancel_required: bool = False
    """The declined object can be paid again: it must be cancelled before another attempt starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequired:
    """The payer must approve: 3-D Secure, a redirect, a UPI request."""

    reference: str | None
    action: NextAction
    failed_tries: FailedTries | None = None
    """The payer's failed tries inside an open hosted object, as far as an inquiry shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider accepted the request and will report the result later."""

    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The request may have taken effect: timeout, reset, 5xx, or an answer that cannot be parsed."""

    code: str
    message: str = ""
    stored: bool = False
    """The provider stored this answer under our key and returns it to every re-send: only reads learn more."""
    refused: RefusedSend | None = None
    """The provider refused the operation, but complete reads must prove that nothing happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A charge exists that differs from the request in amount, currency or reference."""

    code: str
    reference: str | None = None
    amount: int | None = None
    """The amount that the provider reports, where it is known."""
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedCancelled:
    """The provider cancelled before it could charge, and a read-back confirmed it.

    The read-back showed a terminal state without a payment.
    """

    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """An inquiry found nothing. However often it is repeated, it proves nothing by itself."""

    complete: bool = False
    """The answer was the complete list of the charge's operations of this kind, and ours is not in it.

    Together with a documented refusal it ends a capture, void or refund.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step of a charge is done; these facts must be stored before the next step is sent."""

    facts: Mapping[str, str] = field(default_factory=dict)


Outcome = (
    Succeeded
    | Authorized
    | NotSent
    | Rejected
    | Declined
    | ActionRequired
    | Accepted
    | Unknown
    | Mismatch
    | ConfirmedCancelled
    | NotFound
)
"""The outcomes of a request about an attempt. A capture, void or refund has no `Authorized` and no `ActionRequired`."""
StepResult = Outcome | Progress
