"""A worker's session with one attempt of a payment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from payflowx.application.payments.attempt_session import AttemptSession
from payflowx.application.payments.charge_request import charge_request_of
from payflowx.domain.payments.outcome import ConfirmedCancelled, Declined, Outcome, StepResult, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments, Stored
from payflowx.domain.payments.transitions import check_may_capture, check_may_send
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.errors import LeaseLostError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSession(AttemptSession):
    """The steps of a charge that need the provider."""

    @property
    def payment(self) -> Payment:
        return self.item.payment

    @property
    def charge(self) -> ChargeRequest:
        return charge_request_of(self.payment, self.attempt)

    def with_payment(self, payment: Payment) -> "ChargeSession":
        """Return the session with the payment as stored by the latest write."""
        return replace(self, item=WorkItem(payment=payment))

    def send(self) -> StepResult:
        """Send the charge's next request: the only place from which one leaves.

        Raises `TransitionError` unless the stored attempt says that a request may have left.
        """
        check_may_send(self.attempt.state)
        return self.provider.charge(self.charge, self.account)

    def complete(self, reference: str) -> StepResult:
        """Capture the authorization with this reference: the only place from which such a capture leaves.

        Raises `TransitionError` unless the stored attempt says that it may have left.
        """
        check_may_capture(self.attempt)
        return self.provider.complete(replace(self.charge, reference=reference), self.account)

    def inquire(self) -> Outcome:
        """Inquire once. Changes nothing at the provider."""
        return self.provider.inquire(self.charge, self.account)

    def may_have_charged(self) -> bool:
        """A request that charges may have been sent: by the stored steps, or before a restore that forgot them."""
        return self.attempt.is_sent_before_restore or self.provider.may_have_charged(self.attempt.progress)

    def same_request(self) -> bool:
        """The requests built today equal those that the attempt was stored with, byte for byte."""
        return self.provider.request_hash(self.charge) == self.attempt.request_hash

    def cancel_and_confirm(self, known_reference: str | None = None) -> Outcome:
        """Cancel the attempt at the provider and read it back.

        `Unknown` without time for that, and once our own capture may have left.

        `known_reference`: the provider's id from a recent answer, which saves a search.
        """
        if not self.has_time_to_send():
            return Unknown(code="not_enough_time")
        if self.attempt.capture_sent_at_ms is not None:
            return Unknown(code="capture_sent")
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


def store_progress(payments: Payments, session: ChargeSession, facts: Mapping[str, str]) -> ChargeSession:
    """Store further facts of the attempt before the next request; return the session as stored.

    Raises `LeaseLostError` if another worker took over: then nothing may be sent any more.
    """
    match payments.save_progress(session.payment, session.number, {**session.attempt.progress, **facts}):
        case Stored(item=stored):
            return session.with_payment(stored)
        case _:
            raise LeaseLostError("another worker took over between two requests")
