"""What a provider's answer means. A sum type: whoever handles an outcome must handle all of them.

The line that matters runs between `NotSent`/`Rejected` (proven: nothing happened) and `Unknown` (nobody can say).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from payflowx.domain.shared.statuses import DeclineKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAction:
    """What the payer has to do.

    `redirect`: open `url`. `form_post`: post `fields` to `url`. `upi_intent`: hand `url` (upi://) to a UPI app.
    """

    kind: Literal["redirect", "form_post", "upi_intent"]
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """The provider says the money was taken: this much, for this reference of ours."""

    reference: str
    amount: int
    currency: str
    merchant_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """The provider holds the money until it is captured or voided."""

    reference: str
    amount: int
    currency: str
    merchant_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """No byte of the request reached the provider: no connection could be opened, or we never tried."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The provider refused before processing: rate limit, credentials, or a documented "not processed"."""

    code: str
    message: str = ""
    retry_after_seconds: int = 0
    misconfigured: bool = False
    """401 or 403: retrying cannot help until someone mends the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The provider's final no for this attempt."""

    kind: DeclineKind
    code: str
    message: str = ""
    reference: str | None = None
    reopens_for_seconds: int = 0
    """How long this provider may still turn this very decline into a charge; 0 means irrevocable."""
    cancel_required: bool = False
    """The object that was declined can be paid again: it must be cancelled before anything else is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequired:
    """The payer must approve: 3-D Secure, a redirect, a UPI request."""

    reference: str | None
    action: NextAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider works on it and will know later."""

    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The request may have taken effect: timeout, reset, 5xx, garbage, a word we do not know."""

    code: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A charge exists that is not the one we asked for: amount, currency or reference differ."""

    code: str
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """A capture, void or refund took effect: this much, under this reference of ours."""

    reference: str
    amount: int
    currency: str
    merchant_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider's final no to a capture, void or refund: no money moved, and this very request never will."""

    code: str
    message: str = ""
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedCancelled:
    """Proven cancelled at the provider before it could charge: read back in a terminal state, without payment."""

    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """An inquiry found nothing. However often it is repeated, it proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step of a charge is done, and these facts must be stored before the next step is sent."""

    facts: Mapping[str, str] = field(default_factory=dict)


Outcome = (
    Charged
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
StepResult = Outcome | Progress

OperationOutcome = Succeeded | Refused | Accepted | NotSent | Rejected | Unknown | NotFound | Mismatch
OperationStepResult = OperationOutcome | Progress
"""What a step of a capture, void or refund gives."""
