"""Acceptance of a capture, void or refund: once per key, with its amount reserved.

Nothing is sent to the provider yet.
"""

from collections.abc import Callable
from dataclasses import dataclass

from payflowx.application.payments.current_ledger import current_payment
from payflowx.application.payments.operation_request import new_operation_request_of
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.payments.balances import is_off_balance
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.eligibility import charge_to_operate_on, check_amount
from payflowx.domain.payments.operation import Operation, new_operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.operation_state_machine import request_operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Created, Existing, Jobs, Payments, VersionConflict
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import send_off_balance_to_review
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.identifiers import derive_operation_id
from payflowx.domain.shared.limits import MAX_ACCEPT_TRIES
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOperation:
    """A validated request. `path` and `fingerprint` identify its content.

    `amount` None means all that is left.
    """

    merchant_id: str
    transaction_id: str
    kind: OperationKind
    amount: int | None
    idempotency_key: str
    path: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationAcceptance:
    """The key's operation as it is now; `replayed` if an earlier request created it."""

    operation: Operation
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOperation:
    """Raises `Refusal` with nothing written.

    Codes: `not_found`, `invalid_state`, `outcome_unknown`, `amount_exceeded`, `not_supported`,
    `idempotency_key_reused`. Raises `StorageUnavailableError` when the request should be repeated.
    """

    payments: Payments
    operations: Operations
    providers: Providers
    outcome_writer: OutcomeWriter
    jobs: Jobs
    clock: Clock
    telemetry: Telemetry
    policy: RetryPolicy
    pause: Callable[[int], None]
    """Waits before the try with this number: concurrent requests may change the same payment."""

    def __call__(self, request: NewOperation) -> OperationAcceptance:
        """Write one transaction, then send one message.

        Without the message, the operation is still due.
        """
        for tries in range(MAX_ACCEPT_TRIES):
            payment = self.payments.get(request.merchant_id, request.transaction_id)
            if payment is None:
                raise Refusal("not_found", "There is no payment with this id.")
            payment = current_payment(payment, self.operations)
            context = Context(now_ms=self.clock.now_ms(), actor="api", policy=self.policy)
            if is_off_balance(payment) and payment.status is not PaymentStatus.IN_REVIEW:
                self.outcome_writer.commit(send_off_balance_to_review(payment, context))
                continue
            try:
                operation = self._plan(request, payment)
            except Refusal as refusal:
                # A key that was accepted stays accepted, whatever the payment's state now.
                return self._known_or(refusal, request, payment)
            change = request_operation(payment, operation, context)
            match self.operations.accept(change, request.idempotency_key):
                case Created(item=stored):
                    self.outcome_writer.wake(stored, 0)
                    self.telemetry.count(Metric.OPERATIONS_ACCEPTED, kind=stored.kind.value)
                    return OperationAcceptance(operation=stored, replayed=False)
                case Existing() as known:
                    return self._replay(request, known)
                case VersionConflict():
                    self.pause(tries)
        raise StorageUnavailableError("the payment kept changing; repeat the request with the same key")

    def _plan(self, request: NewOperation, payment: Payment) -> Operation:
        now_ms = self.clock.now_ms()
        charge = charge_to_operate_on(payment, request.kind, now_ms)
        amount = check_amount(payment, request.kind, request.amount)
        operation = new_operation(
            payment,
            charge,
            request.kind,
            amount,
            operation_id=derive_operation_id(request.kind, payment.merchant_id, request.path, request.idempotency_key),
            fingerprint=request.fingerprint,
            now_ms=now_ms,
            send_deadline_ms=now_ms + self.policy.charge_deadline_ms,
        )
        if not self.providers.get(charge.provider).supports(new_operation_request_of(payment, operation)):
            raise Refusal(
                "not_supported",
                f"{charge.provider}, which holds the charge, does not support a {request.kind} of this amount. "
                "See docs/providers for its capabilities; a partial amount may be refused where the whole is not.",
            )
        return operation

    def _known_or(self, refusal: Refusal, request: NewOperation, payment: Payment) -> OperationAcceptance:
        known = self.operations.find_key(request.merchant_id, request.kind, request.idempotency_key)
        if known is not None:
            return self._replay(request, known)
        if refusal.code == "outcome_unknown":
            self.outcome_writer.wake(payment, 0)
        raise refusal

    def _replay(self, request: NewOperation, known: Existing) -> OperationAcceptance:
        if known.fingerprint != request.fingerprint:
            raise Refusal(
                "idempotency_key_reused",
                "This idempotency key was used for another request. Use a new key, "
                "or repeat the first request unchanged.",
            )
        operation = self.operations.get(request.merchant_id, known.transaction_id, known.operation_id or "")
        if operation is None:
            raise StorageUnavailableError("the operation of a known key cannot be read")
        return OperationAcceptance(operation=operation, replayed=True)
