"""The void of an authorization whose cancellation was requested before it was known."""

from dataclasses import dataclass, replace
from typing import Final

from payflowx.application.payments.operation_request import new_operation_request_of
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.operation import Operation, new_operation
from payflowx.domain.payments.operation_state_machine import request_operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.identifiers import derive_operation_id
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

_PATH = "cancel_requested"
"""Stands where a request of the API has its path: no idempotency key of a merchant leads to the same id."""
_AGAIN_AFTER: Final = 6
"""Inquiries after which a further void is tried, when they have become hourly: an hour and a half after the first."""
_INQUIRIES_A_DAY: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidOnRequest:
    """The merchant cancelled while the outcome was unknown; then the charge was found authorized.

    After a void that failed, inquiries and cancellations continue by the inquiry back-off, and a further void is tried
    about once a day, until one takes effect or the authorization lapses.
    """

    providers: Providers

    def __call__(self, payment: Payment, attempt: Attempt, context: Context) -> Change | None:
        """Return the change that accepts the void; None where none is due or the provider supports none."""
        requested = payment.cancel_requested and payment.status is PaymentStatus.AUTHORIZED
        if not requested or attempt.state is not AttemptState.AUTHORIZED or not _is_due(attempt):
            return None
        void = self._void(payment, attempt, context)
        if not self.providers.get(attempt.provider).supports(new_operation_request_of(payment, void)):
            return None
        change = request_operation(payment, void, context)
        tried = replace(attempt, inquiries=attempt.inquiries + 1)
        attempts = tuple(tried if a.number == attempt.number else a for a in change.after.attempts)
        return replace(change, after=replace(change.after, attempts=attempts), wake_in_seconds=0)

    @staticmethod
    def _void(payment: Payment, attempt: Attempt, context: Context) -> Operation:
        version = str(payment.version)
        return new_operation(
            payment,
            attempt,
            OperationKind.VOID,
            payment.capturable,
            operation_id=derive_operation_id(
                OperationKind.VOID, payment.merchant_id, f"{_PATH} {payment.transaction_id}", version
            ),
            fingerprint=_PATH,
            now_ms=context.now_ms,
            send_deadline_ms=context.now_ms + context.policy.charge_deadline_ms,
        )


def _is_due(attempt: Attempt) -> bool:
    later = attempt.inquiries - _AGAIN_AFTER
    return attempt.inquiries == 0 or (later >= 0 and later % _INQUIRIES_A_DAY == 0)
