"""Send the requests of a charge, each only after what the one before learned is stored."""

from dataclasses import dataclass

from payflowx.application.payments.attempt_session import Visit
from payflowx.domain.payments.outcome import Declined, NotSent, Outcome, Progress, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Claimed, Payments
from payflowx.domain.shared.errors import LeaseLostError
from payflowx.domain.shared.limits import MAX_STEPS_PER_ATTEMPT


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCharge:
    """Needs the lease and a stored attempt. Raises `LeaseLostError` before it sends for a payment lost to another."""

    payments: Payments

    def __call__(self, visit: Visit) -> tuple[Payment, Outcome]:
        """The payment as stored now, and the provider's answer."""
        if visit.clock.now_ms() >= visit.payment.charge_deadline_ms:
            return visit.payment, NotSent(code="charge_deadline_passed")
        for _ in range(MAX_STEPS_PER_ATTEMPT):
            if not visit.has_time_to_send():
                return visit.payment, NotSent(code="not_enough_time")
            if not visit.same_request():
                return visit.payment, NotSent(code="request_changed")
            match visit.provider.charge(visit.charge, visit.account):
                case Progress(facts=facts):
                    visit = self._store(visit, {**visit.attempt.progress, **facts})
                case Declined() as declined:
                    return visit.payment, visit.confirm_decline(declined)
                case outcome:
                    return visit.payment, outcome
        return visit.payment, Unknown(code="too_many_steps")

    def _store(self, visit: Visit, progress: dict[str, str]) -> Visit:
        match self.payments.save_progress(visit.payment, visit.number, progress):
            case Claimed(payment=stored):
                return visit.with_payment(stored)
            case _:
                raise LeaseLostError("another worker took over between two requests")
