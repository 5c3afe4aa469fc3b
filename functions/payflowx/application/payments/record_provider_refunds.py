"""Refunds that were made at the provider, such as in its dashboard, become operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from payflowx.application.payments.charge_request import charge_request_of
from payflowx.application.payments.current_ledger import current_payment
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.merchants.ports import MerchantConfiguration
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.operation_state_machine import (
    apply_operation_outcome,
    expedite_operation,
    record_provider_refund,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments, ReferenceTaken, Stored
from payflowx.domain.payments.provider_refund import (
    RefundDecision,
    decide_refund,
    external_refund,
    is_recorded,
    is_unresolved,
    owner_of,
    refund_outcome,
)
from payflowx.domain.payments.refund_list import ProviderRefund, RefundListUnavailable, RefundsRead
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.providers.ports import RefundLists
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_ACCEPT_TRIES

ACTOR = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundsRecorded:
    """The result of one read, by the provider's ids of the refunds.

    `waiting`: ours comes first, because it may be ours or takes the amount of ours. `counted`: it is part of the amount
    with which a person closed the charge's review. `contradicting`: it requires manual review. `unavailable`: the list
    could not be read, and nothing was recorded.
    """

    booked: Sequence[str] = ()
    waiting: Sequence[str] = ()
    counted: Sequence[str] = ()
    contradicting: Sequence[str] = ()
    unavailable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProviderRefunds:
    """Idempotent: a refund is booked once, from whatever source a read is caused.

    Raises `StorageUnavailableError` when it must be called again.
    """

    payments: Payments
    operations: Operations
    merchants: MerchantConfiguration
    providers: RefundLists
    outcome_writer: OutcomeWriter
    clock: Clock
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(
        self, merchant_id: str, transaction_id: str, evidence: Mapping[str, Fact] | None = None
    ) -> RefundsRecorded:
        """Read the refunds of the payment's charge and record those that are not ours.

        `evidence`: further facts for the audit log about the cause of the read: a report, an event or an operator.
        """
        payment = self.payments.get(merchant_id, transaction_id)
        if payment is None or payment.charged_attempt is None:
            return RefundsRecorded(unavailable="not_charged")
        charge = payment.attempt(payment.charged_attempt)
        read = self._read(payment, charge)
        if isinstance(read, RefundListUnavailable):
            self.telemetry.warn("refunds could not be read", transactionId=transaction_id, reason=read.code)
            return RefundsRecorded(unavailable=read.code)
        operations = self.operations.of_payment(merchant_id, transaction_id)
        found: dict[RefundDecision, list[str]] = {decision: [] for decision in RefundDecision}
        for refund in read.refunds:
            if is_recorded(operations, refund):
                continue
            found[self.record(payment, charge, refund, evidence or {})].append(refund.reference)
        return RefundsRecorded(
            booked=found[RefundDecision.BOOK],
            waiting=found[RefundDecision.WAIT],
            counted=found[RefundDecision.COUNTED],
            contradicting=found[RefundDecision.CONTRADICTION],
        )

    def _read(self, payment: Payment, charge: Attempt) -> RefundsRead:
        merchant = self.merchants.get(payment.merchant_id)
        account = merchant.account(charge.provider, charge.account_id) if merchant else None
        if account is None:
            return RefundListUnavailable(code="account_removed")
        return self.providers.get(charge.provider).refunds_of(charge_request_of(payment, charge), account)

    def record(
        self, payment: Payment, charge: Attempt, refund: ProviderRefund, evidence: Mapping[str, Fact]
    ) -> RefundDecision:
        """Record one refund of the charge; return what it means for the ledger."""
        names = (payment.merchant_id, payment.transaction_id)
        for _ in range(MAX_ACCEPT_TRIES):
            stored = self.payments.get(*names)
            if stored is None:
                break
            operations = self.operations.of_payment(*names)
            owner = owner_of(operations, refund)
            if owner is not None:
                if self._follow(stored, owner, refund, evidence):
                    return RefundDecision.NONE
                continue
            decision = decide_refund(stored, operations, refund)
            if decision is RefundDecision.WAIT:
                self._inquire_first(operations)
            if decision is not RefundDecision.BOOK:
                return decision
            now_ms = self.clock.now_ms()
            operation = external_refund(stored, charge, refund, now_ms)
            current = current_payment(stored, self.operations)
            change = record_provider_refund(current, operation, self._context(evidence))
            match self.outcome_writer.apply(change):
                case Stored():
                    return decision
                case ReferenceTaken():
                    return RefundDecision.NONE  # an operation of another payment owns it
                case _:
                    continue
        raise StorageUnavailableError("the payment kept changing while its refunds were recorded")

    def _follow(
        self, payment: Payment, operation: Operation, refund: ProviderRefund, evidence: Mapping[str, Fact]
    ) -> bool:
        """Record a new state of a refund that was made at the provider; False after a version conflict.

        A refund of ours is inquired about by its own worker.
        """
        if operation.origin is not Origin.PROVIDER:
            return True
        change = self._new_state(payment, operation, refund, evidence)
        return change is None or isinstance(self.outcome_writer.apply(change), Stored)

    def _new_state(
        self, payment: Payment, operation: Operation, refund: ProviderRefund, evidence: Mapping[str, Fact]
    ) -> Change | None:
        attempt = operation.attempts[0]
        outcome = verify_outcome(refund_outcome(refund, attempt), operation, attempt, first_send=False)
        current = current_payment(payment, self.operations)
        return apply_operation_outcome(current, operation, attempt, outcome, self._context(evidence))

    def _inquire_first(self, operations: Sequence[Operation]) -> None:
        now_ms = self.clock.now_ms()
        for operation in operations:
            if is_unresolved(operation) and not operation.lease.is_live(now_ms):
                result = self.operations.reschedule(operation, expedite_operation(operation, now_ms))
                if isinstance(result, Stored):
                    self.outcome_writer.wake(result.item, 0)

    def _context(self, evidence: Mapping[str, Fact]) -> Context:
        return Context(now_ms=self.clock.now_ms(), actor=ACTOR, policy=self.policy, evidence=evidence)
