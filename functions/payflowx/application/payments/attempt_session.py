"""One worker's turn at one attempt."""

from dataclasses import dataclass, replace

from payflowx.application.payments.charge_request import charge_request_of
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.outcome import ConfirmedCancelled, Declined, Outcome, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.providers.ports import Account, ChargeRequest, Provider
from payflowx.domain.shared.ambient import Clock, Deadline
from payflowx.domain.shared.limits import MIN_TIME_TO_SEND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSession:
    """The payment as stored under our lease, and whom to talk to about which attempt."""

    payment: Payment
    number: int
    provider: Provider
    account: Account
    deadline: Deadline
    clock: Clock

    @property
    def attempt(self) -> Attempt:
        """The attempt that this turn is about, as stored."""
        return self.payment.attempt(self.number)

    @property
    def charge(self) -> ChargeRequest:
        """What the provider is asked to do, or asked about."""
        return charge_request_of(self.payment, self.attempt)

    def with_payment(self, payment: Payment) -> "AttemptSession":
        """The same turn after a write."""
        return replace(self, payment=payment)

    def same_request(self) -> bool:
        """Whether this code would send today, byte for byte, what the attempt was stored with."""
        return self.provider.request_hash(self.charge) == self.attempt.request_hash

    def has_time_to_send(self) -> bool:
        """Enough lease and enough function time for one call and for writing down its answer."""
        lease_left_ms = self.payment.lease.expires_at_ms - self.clock.now_ms()
        return min(lease_left_ms, self.deadline.remaining_ms()) >= MIN_TIME_TO_SEND_MS

    def cancel_and_confirm(self, known_reference: str | None = None) -> Outcome:
        """Cancel at the provider and read it back; without time for that, nothing is known.

        `known_reference`: the provider's id, where an answer has just told it, spares the search.
        """
        if not self.has_time_to_send():
            return Unknown(code="not_enough_time")
        charge = replace(self.charge, reference=self.charge.reference or known_reference)
        return self.provider.cancel_and_confirm(charge, self.account)

    def confirm_decline(self, declined: Declined) -> Outcome:
        """A decline whose object can be paid again counts only once that is proven cancelled."""
        if not declined.cancel_required:
            return declined
        confirmed_cancelled = self.cancel_and_confirm(declined.reference)
        if isinstance(confirmed_cancelled, ConfirmedCancelled):
            return replace(declined, cancel_required=False)
        return declined if isinstance(confirmed_cancelled, Unknown) else confirmed_cancelled
