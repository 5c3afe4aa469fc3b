"""A worker's session with one attempt of a payment."""

from dataclasses import dataclass, replace

from payflowx.application.payments.charge_request import charge_request_of
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.outcome import ConfirmedCancelled, Declined, Outcome, StepResult, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.transitions import check_may_send
from payflowx.domain.providers.ports import Account, ChargeRequest, Provider
from payflowx.domain.shared.ambient import Clock, Deadline
from payflowx.domain.shared.limits import MIN_TIME_TO_SEND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSession:
    """The payment under this worker's lease, and the attempt, provider and account."""

    payment: Payment
    number: int
    provider: Provider
    account: Account
    deadline: Deadline
    clock: Clock

    @property
    def attempt(self) -> Attempt:
        return self.payment.attempt(self.number)

    @property
    def charge(self) -> ChargeRequest:
        return charge_request_of(self.payment, self.attempt)

    def with_payment(self, payment: Payment) -> "AttemptSession":
        """Return the session with the payment as stored by the latest write."""
        return replace(self, payment=payment)

    def same_request(self) -> bool:
        """The requests built today equal those that the attempt was stored with, byte for byte."""
        return self.provider.request_hash(self.charge) == self.attempt.request_hash

    def send(self) -> StepResult:
        """Send the charge's next request: the only place from which one leaves.

        Raises `TransitionError` unless the stored attempt says that a request may have left.
        """
        check_may_send(self.attempt.state)
        return self.provider.charge(self.charge, self.account)

    def has_time_to_send(self) -> bool:
        """Lease and function time suffice for one call and for storing its result."""
        lease_left_ms = self.payment.lease.expires_at_ms - self.clock.now_ms()
        return min(lease_left_ms, self.deadline.remaining_ms()) >= MIN_TIME_TO_SEND_MS

    def cancel_and_confirm(self, known_reference: str | None = None) -> Outcome:
        """Cancel the attempt at the provider and read it back; `Unknown` without time for that.

        `known_reference`: the provider's id from a recent answer, which saves a search.
        """
        if not self.has_time_to_send():
            return Unknown(code="not_enough_time")
        charge = replace(self.charge, reference=self.charge.reference or known_reference)
        return self.provider.cancel_and_confirm(charge, self.account)

    def confirm_decline(self, declined: Declined) -> Outcome:
        """Return a decline only once its object cannot be paid again.

        If it can be, the object is cancelled first, with proof.
        """
        if not declined.cancel_required:
            return declined
        confirmed_cancelled = self.cancel_and_confirm(declined.reference)
        if isinstance(confirmed_cancelled, ConfirmedCancelled):
            return replace(declined, cancel_required=False)
        return declined if isinstance(confirmed_cancelled, Unknown) else confirmed_cancelled
