"""What a provider declares about itself. Routing and recovery rely on it, so it must err on the careful side."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payflowx.domain.shared.limits import DAY_MS, HOUR_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnList:
    """The provider's own list of charges and refunds."""

    lag_ms: int = HOUR_MS
    """How long a charge may be missing from it, and how far its time may lie from ours."""
    span_ms: int = DAY_MS
    """The longest span to ask for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """One provider's abilities and promises."""

    provider: str
    simulated: bool
    """Talks to a simulator: refused in production."""
    currencies: frozenset[str] | None = None
    """None: every currency of ISO 4217."""
    capture_modes: frozenset[CaptureMode] = frozenset({CaptureMode.AUTOMATIC})
    payment_method_types: frozenset[str] = frozenset({"card"})
    idempotency_window_ms: int = 0
    """How long the same key surely returns the same charge; 0: a re-send is never safe."""
    can_cancel_and_confirm: bool = False
    """Holds an object that can be cancelled and read back, so that a late charge becomes impossible."""
    visibility_lag_ms: int = 0
    """How long a new charge may stay invisible to an inquiry."""
    inquiry_horizon_ms: int = DAY_MS
    """How long inquiries are worth repeating before a person has to look."""
    action_lifetime_ms: int = DAY_MS
    authorization_lifetime_ms: int = 5 * DAY_MS
    operation_window_ms: Mapping[OperationKind, int] = field(default_factory=dict)
    """For how long a re-send of the same capture, void or refund surely moves money once; 0 where it is not said."""
    reports: OwnList | None = None
    """None: it offers no list that could be reconciled with."""

    def why_not(self, *, currency: str, capture: CaptureMode, payment_method_type: str) -> str | None:
        """Why this provider cannot take such a payment, in words; None when it can."""
        if self.currencies is not None and currency not in self.currencies:
            return f"{self.provider} does not take {currency}"
        if capture not in self.capture_modes:
            return f"{self.provider} does not do {capture} capture"
        if payment_method_type not in self.payment_method_types:
            return f"{self.provider} does not take this type of payment method"
        return None
