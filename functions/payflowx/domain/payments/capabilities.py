"""The capabilities that a provider declares.

Routing and recovery rely on them, so each value must be the cautious one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from payflowx.domain.payments.hosted import HostedCapability
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode

DEFAULT_AUTHORIZATION_LIFETIME_MS: Final = 5 * DAY_MS
DEFAULT_REFUND_REVERSAL_MS: Final = 30 * DAY_MS
"""The longest time that banks take to return a refund which cannot be credited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCapability:
    """The provider's report of charges and refunds."""

    lag_ms: int = HOUR_MS
    """How long a charge may be missing from the list, and how far its time may differ from ours."""
    span_ms: int = DAY_MS
    """The longest time range of one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """The capabilities and guarantees of one provider."""

    provider: str
    simulated: bool
    """The connector calls a simulator; production refuses it."""
    currencies: frozenset[str] | None = None
    """None means every currency of ISO 4217."""
    capture_modes: frozenset[CaptureMode] = frozenset({CaptureMode.AUTOMATIC})
    payment_method_types: frozenset[str] = frozenset({"card"})
    needs: frozenset[str] = frozenset()
    """Facts about the payer without which the provider refuses a charge, such as `customer.email`.

    Named as in the request (`customer_facts`). Routing passes over the provider when one is missing.
    """
    saves_payment_methods: bool = False
    """The provider can be asked to keep the payment method of a charge for later ones."""
    idempotency_window_ms: int = 0
    """How long the same key is guaranteed to return the same charge; 0: a re-send is never safe."""
    can_cancel_and_confirm: bool = False
    """The provider can cancel an object and read it back, so that a late charge is impossible."""
    visibility_lag_ms: int = 0
    """How long a new charge may stay invisible to an inquiry."""
    absence_is_proof: bool = False
    """Once a charge or operation must be visible, an inquiry by our key that finds none proves that none was sent.

    Only relied on after a restore, for keys of which nothing is stored. The provider refuses a second request under a
    used key, or answers it with the first one's result. False where our key is a mere label there.
    """
    inquiry_horizon_ms: int = DAY_MS
    """How long inquiries without an answer are repeated before the attempt requires manual review."""
    first_inquiry_after_ms: Mapping[AttemptState, int] = field(default_factory=dict)
    """How long the first inquiry in a state waits for the provider's webhook, where its limit of reads requires that.

    A state that is not listed is inquired about after 5 seconds. A webhook brings the inquiry forward.
    """
    pending_horizon_ms: int = 30 * DAY_MS
    """How long the provider may report a charge or operation as pending before it requires manual review."""
    action_lifetime_ms: int = DAY_MS
    authorization_lifetime_ms: int = DEFAULT_AUTHORIZATION_LIFETIME_MS
    refund_reversal_ms: int = DEFAULT_REFUND_REVERSAL_MS
    """How long after its success a refund may still come back from the payer's bank. It is read once more then."""
    operation_window_ms: Mapping[OperationKind, int] = field(default_factory=dict)
    """How long a re-send of the same capture, void or refund is guaranteed to move money once.

    0 where the provider does not document it.
    """
    operations_read_from_charge: frozenset[OperationKind] = frozenset()
    """The kinds whose inquiry answers from the state of the charge, whatever the key: it names no request of ours.

    The charge can be captured or voided once, so the answer decides the only open attempt. It is no sign that a key
    was used.
    """
    reports: ReportCapability | None = None
    """None: the provider offers no list to reconcile with."""
    hosted: HostedCapability | None = None
    """None: the provider has no page on which a payer can choose and pay."""

    def why_not(
        self, *, currency: str, capture: CaptureMode, payment_method_type: str, save_payment_method: bool = False
    ) -> str | None:
        """Return the reason why this provider cannot take such a payment; None when it can."""
        if self.currencies is not None and currency not in self.currencies:
            return f"{self.provider} does not support the currency {currency}"
        if capture not in self.capture_modes:
            return f"{self.provider} does not support {capture} capture"
        if payment_method_type not in self.payment_method_types:
            return f"{self.provider} does not support this type of payment method"
        if save_payment_method and not self.saves_payment_methods:
            return f"{self.provider} does not save payment methods"
        return None

    def why_no_page(self, *, method: str, currency: str, capture: CaptureMode) -> str | None:
        """Return the reason why no hosted object can be created for such a payment; None when one can."""
        if self.hosted is None:
            return f"{self.provider} has no hosted pages"
        if self.currencies is not None and currency not in self.currencies:
            return f"{self.provider} does not support the currency {currency}"
        reason = self.hosted.why_not(method=method, currency=currency, capture=capture)
        return f"{self.provider}: {reason}" if reason else None
