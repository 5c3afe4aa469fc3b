"""Resolution of a discrepancy: wake a worker, inquire at the provider, or review manually.

A report is never believed: a payment changes only by the provider's answer about that very attempt, or goes to manual
review. Each resolution is idempotent.
"""

from dataclasses import dataclass

from payflowx.application.payments.charge_request import charge_request_of
from payflowx.application.payments.current_ledger import current_ledger
from payflowx.application.payments.outcome_writer import OutcomeWriter, Written
from payflowx.application.payments.record_provider_refunds import RecordProviderRefunds
from payflowx.domain.merchants.ports import MerchantConfiguration
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.operation_state_machine import expedite_operation, send_operation_to_review
from payflowx.domain.payments.outcome import Mismatch, Outcome, Succeeded, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments, Stored
from payflowx.domain.payments.restored import needs_search
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import expedite
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.reconciliation.matching import (
    ACTOR,
    LedgerEntry,
    ListedAmount,
    MatchResult,
    ResolutionAction,
    is_reviewed,
    review_discrepancy,
)
from payflowx.domain.reconciliation.ports import ListingProviders
from payflowx.domain.reconciliation.reports import EntryKind
from payflowx.domain.reconciliation.run import Discrepancy, Run
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.identifiers import parse_provider_key
from payflowx.domain.shared.statuses import AttemptState, OperationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveDiscrepancy:
    """Raises `StorageUnavailableError` after a version conflict: the match must be repeated."""

    payments: Payments
    operations: Operations
    merchants: MerchantConfiguration
    providers: ListingProviders
    outcome_writer: OutcomeWriter
    record_provider_refunds: RecordProviderRefunds
    clock: Clock
    policy: RetryPolicy

    def __call__(self, run: Run, discrepancy: Discrepancy, ledger_entry: LedgerEntry) -> None:
        """Execute the discrepancy's resolution."""
        match discrepancy.action:
            case ResolutionAction.NONE:
                return
            case ResolutionAction.WAKE:
                self._wake(ledger_entry)
            case ResolutionAction.ASK if discrepancy.kind is EntryKind.REFUND:
                self._read_refunds(run, discrepancy, ledger_entry)
            case ResolutionAction.ASK:
                self._ask_and_apply(run, discrepancy, ledger_entry)
            case ResolutionAction.REVIEW if not self._waits_for_search(discrepancy, ledger_entry):
                self._review(run, discrepancy, ledger_entry)

    def _waits_for_search(self, discrepancy: Discrepancy, ledger_entry: LedgerEntry) -> bool:
        """Return whether a restore has forgotten the listed request, and the search for it is due.

        Only where the next request would repeat the listed key at the same account: if the search missed what the
        report lists, it could not move the money a second time. A charge may go to another account next.
        """
        operation = ledger_entry.operation
        if operation is None or ledger_entry.attempt is not None:
            return False
        listed = parse_provider_key(discrepancy.provider_key or "")
        if listed is None or listed[1] != len(operation.attempts) + 1:
            return False
        merchant = self.merchants.get(operation.merchant_id)
        return merchant is not None and needs_search(operation, merchant.restored)

    def ask(self, payment: Payment, attempt: Attempt) -> Outcome:
        """Inquire about the attempt; a failed inquiry is `Unknown`."""
        merchant = self.merchants.get(payment.merchant_id)
        account = merchant.account(attempt.provider, attempt.account_id) if merchant else None
        if account is None:
            return Unknown(code="account_removed")
        outcome = self.providers.get(attempt.provider).inquire(charge_request_of(payment, attempt), account)
        return verify_outcome(outcome, payment, attempt, first_send=False)

    # -- open: a worker inquires, under a lease

    def _wake(self, ledger_entry: LedgerEntry) -> None:
        payment, attempt = ledger_entry.payment, ledger_entry.attempt
        open_operation = payment.open_capture_or_void
        if ledger_entry.operation is not None:
            self._wake_operation(ledger_entry.operation)
        elif open_operation is not None and attempt is not None and attempt.state is AttemptState.AUTHORIZED:
            # The open capture or void decides the charge's state.
            operation = self.operations.get(payment.merchant_id, payment.transaction_id, open_operation)
            if operation is not None:
                self._wake_operation(operation)
        else:
            self._wake_payment(payment)

    def _wake_payment(self, payment: Payment) -> None:
        now_ms = self.clock.now_ms()
        if payment.lease.is_live(now_ms):
            return  # a worker is inquiring now
        result = self.payments.reschedule(payment, expedite(payment, now_ms))
        if not isinstance(result, Stored):
            raise StorageUnavailableError("the payment changed while it was reconciled")
        self.outcome_writer.wake(result.item, 0)

    def _wake_operation(self, operation: Operation) -> None:
        now_ms = self.clock.now_ms()
        if operation.lease.is_live(now_ms) or operation.last_attempt is None:
            return
        result = self.operations.reschedule(operation, expedite_operation(operation, now_ms))
        if not isinstance(result, Stored):
            raise StorageUnavailableError("the operation changed while it was reconciled")
        self.outcome_writer.wake(result.item, 0)

    # -- closed: no worker would inquire any more

    def _ask_and_apply(self, run: Run, discrepancy: Discrepancy, ledger_entry: LedgerEntry) -> None:
        """Inquire, and apply a verified success as a late success; without one, start a review."""
        payment, attempt = ledger_entry.payment, ledger_entry.attempt
        if attempt is None or attempt.state is AttemptState.SUCCEEDED or is_reviewed(payment):
            return  # resolved meanwhile
        outcome = self.ask(payment, attempt)
        written = None
        if isinstance(outcome, Succeeded | Mismatch):
            context = self._context(run, discrepancy)
            written = self.outcome_writer.prove(WorkItem(payment=payment), attempt.number, outcome, context)
        if written is None:
            self._review(run, discrepancy, ledger_entry)
        else:
            _check_stored(written)

    # -- made at the provider

    def _read_refunds(self, run: Run, discrepancy: Discrepancy, ledger_entry: LedgerEntry) -> None:
        """Read the charge's refunds: one that was made at the provider becomes an operation.

        Where the read does not show the listed refund, a review starts. A refund that may be ours waits: the worker
        inquires about ours first, and the next run finds the rest.
        """
        payment = ledger_entry.payment
        evidence = self._context(run, discrepancy).evidence
        recorded = self.record_provider_refunds(payment.merchant_id, payment.transaction_id, evidence)
        known = self.operations.of_payment(payment.merchant_id, payment.transaction_id)
        owned = any(a.reference == discrepancy.reference for operation in known for a in operation.attempts)
        if not owned and discrepancy.reference not in {*recorded.waiting, *recorded.counted}:
            self._review(run, discrepancy, ledger_entry)

    # -- manual review

    def _review(self, run: Run, discrepancy: Discrepancy, ledger_entry: LedgerEntry) -> None:
        context = self._context(run, discrepancy)
        operation = ledger_entry.operation
        if operation is not None:
            if operation.status is not OperationStatus.IN_REVIEW:
                payment, operation = current_ledger(ledger_entry.payment, operation, self.operations)
                self._apply(send_operation_to_review(payment, operation, ReviewReason.RECONCILIATION, context))
            return
        listed = _listed_amount(discrepancy, ledger_entry)
        change = review_discrepancy(ledger_entry.payment, discrepancy.result, context, listed=listed)
        if change is not None:
            self._apply(change)

    def _context(self, run: Run, discrepancy: Discrepancy) -> Context:
        """Build the evidence for the audit log: run, result, amounts and the provider's id.

        It holds no free text of the provider.
        """
        facts: dict[str, Fact] = {
            "run": run.run_id,
            "verdict": discrepancy.result.value,
            "listedKind": discrepancy.kind.value,
            "listedProvider": run.provider,
            "listedAccountId": run.account_id,
            "listedReference": discrepancy.reference,
            "listedAtMs": discrepancy.at_ms,
            "listedCurrency": discrepancy.currency,
        }
        if discrepancy.their_amount is not None:
            facts["listedAmount"] = discrepancy.their_amount
        listed_key = discrepancy.provider_key or ""
        if parse_provider_key(listed_key) is not None:
            facts["listedKey"] = listed_key
        return Context(now_ms=self.clock.now_ms(), actor=ACTOR, policy=self.policy, evidence=facts)

    def _apply(self, change: Change) -> None:
        _check_stored(self.outcome_writer.apply(change))


def _listed_amount(discrepancy: Discrepancy, ledger_entry: LedgerEntry) -> ListedAmount | None:
    """Return the amount that the person who closes the review will have seen; None where the review is not about one.

    Another currency than the payment's is never decided by an amount.
    """
    attempt, amount = ledger_entry.attempt, discrepancy.their_amount
    is_amount = discrepancy.result is MatchResult.AMOUNT and discrepancy.currency == ledger_entry.payment.currency
    if attempt is None or amount is None or not is_amount:
        return None
    return ListedAmount(attempt=attempt.number, amount=amount)


def _check_stored(written: Written) -> None:
    if not isinstance(written, Stored):
        raise StorageUnavailableError("the payment changed while it was reconciled")
