"""Provider events: an inbound webhook before and after its signature is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payflowx.domain.payments.dispute import DisputeReport
from payflowx.domain.payments.outcome import Outcome
from payflowx.domain.shared.errors import PayFlowXError


class InvalidSignatureError(PayFlowXError):
    """The signature is missing, wrong or too old. The response never says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An HTTP request as received. Header names are lower case; the body is the signed bytes."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """The content of an authentic webhook.

    It is matched by `charge_reference` or by one of our keys. `outcome` is set only where the provider's message alone
    proves a final result; otherwise the event only brings the next inquiry forward.
    """

    event_id: str
    """The provider's id of the event, or a hash of the bytes where it has none: deliveries repeat."""
    type: str
    charge_reference: str | None = None
    charge_key: str | None = None
    operation_reference: str | None = None
    operation_key: str | None = None
    outcome: Outcome | None = None
    operation_outcome: Outcome | None = None
    dispute: DisputeReport | None = None
    """The webhook is about a dispute of the charge, and about nothing else."""
