"""Webhooks of providers: what came in, and what it is worth once its signature was checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payflowx.domain.payments.outcome import OperationOutcome, Outcome
from payflowx.domain.shared.errors import PayFlowXError


class InvalidSignatureError(PayFlowXError):
    """The signature is missing, wrong or too old. Nobody may learn which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """As it arrived. Header names are lower case, the body is the raw bytes that were signed."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """What an authentic webhook says.

    It is found by `charge_reference` or by one of our keys. `outcome` is set only where the vendor's message alone
    proves a final answer; otherwise the notice is a reason to inquire, and nothing more.
    """

    event_id: str
    """The vendor's id of the event, or a hash of the bytes where it has none: deliveries repeat."""
    type: str
    charge_reference: str | None = None
    charge_key: str | None = None
    operation_reference: str | None = None
    operation_key: str | None = None
    outcome: Outcome | None = None
    operation_outcome: OperationOutcome | None = None
