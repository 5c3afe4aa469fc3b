"""Reconciliation of one account, page by page: report against ledger, then ledger against report.

For each page, the discrepancies are stored first, then resolved, and then the page is counted in the write that moves
the position. An interrupted run repeats its last page: stored discrepancies stay, and every resolution is idempotent.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from payflowx.application.reconciliation.match_entries import Compared, Held, MatchEntries, UnreadableEntry
from payflowx.application.reconciliation.resolve_discrepancy import ResolveDiscrepancy
from payflowx.domain.merchants.ports import MerchantConfiguration
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.outcome import Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import PaymentQuery, Payments
from payflowx.domain.providers.ports import Account
from payflowx.domain.reconciliation.matching import (
    DISCREPANCIES,
    LedgerEntry,
    MatchResult,
    ResolutionAction,
    assess_unlisted,
    charge_to_find,
    verify_answer,
)
from payflowx.domain.reconciliation.ports import (
    ListingProviders,
    Lookups,
    RunQueue,
    Runs,
    SettlementFiles,
)
from payflowx.domain.reconciliation.reports import (
    EntryKind,
    ReportAnswer,
    ReportResult,
    ReportTooLong,
    ReportUnavailable,
)
from payflowx.domain.reconciliation.run import (
    RETRY_SECONDS,
    Discrepancy,
    Phase,
    Run,
    Source,
    after_ledger_page,
    after_problem,
    after_report_page,
    narrower,
)
from payflowx.domain.shared.ambient import Clock, Deadline, Telemetry
from payflowx.domain.shared.errors import ConfigurationError, UnreadableItemError
from payflowx.domain.shared.limits import DAY_MS, MAX_PAGE_ITEMS, MIN_TIME_TO_SEND_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import CaptureMode

_TIME_TO_STOP_MS: Final = 20 * SECOND_MS
"""A page takes a call of at most twelve seconds, and a few look-ups."""
_LOOK_BACK_MS: Final = 2 * DAY_MS
"""A charge may happen a day after its payment was accepted."""


_MAX_ASKED_A_PAGE: Final = 20
"""More unlisted charges mean a wrong report rather than wrong charges: reported without inquiry."""


class _OutOfTimeError(Exception):
    """The time is up within a page. Stored discrepancies and resolutions are not repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assessed:
    """A match result in the form of a discrepancy, whether it is one or not."""

    discrepancy: Discrepancy
    ledger_entry: LedgerEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Processes a run until it is over or the time is up; then a message continues it."""

    runs: Runs
    queue: RunQueue
    lookups: Lookups
    compare: MatchEntries
    action: ResolveDiscrepancy
    providers: ListingProviders
    files: SettlementFiles
    merchants: MerchantConfiguration
    payments: Payments
    clock: Clock
    telemetry: Telemetry

    def __call__(self, run_id: str, deadline: Deadline) -> None:
        """Raises `StorageUnavailableError`: then the message returns, and the page is repeated."""
        run = self.runs.get(run_id)
        if run is None:
            raise ConfigurationError("the message names a reconciliation that does not exist")
        repeated = True
        while not run.is_over:
            if deadline.remaining_ms() < _TIME_TO_STOP_MS:
                self.queue.send(run_id)
                return
            try:
                after = self._step(run, deadline, repeated=repeated)
            except _OutOfTimeError:
                self.queue.send(run_id)
                return
            if not self.runs.save(run, after):
                # Another worker processes it. If that one had the same message and dies, no other message is left.
                self.queue.send(run_id, delay_seconds=RETRY_SECONDS)
                return
            if after.tries:
                self._retry_later(after)
                return
            run, repeated = after, False
            if run.is_over:
                self._report_end(run)

    def _step(self, run: Run, deadline: Deadline, *, repeated: bool) -> Run:
        """Return the run after its next page.

        `repeated`: an earlier try may have done the page, up to its last write.
        """
        merchant = self.merchants.get(run.merchant_id)
        account = merchant.account(run.provider, run.account_id) if merchant else None
        if account is None:
            return after_problem(run, "account_removed", self.clock.now_ms())
        if run.phase is Phase.OURS:
            return self._our_page(run, deadline, repeated=repeated)
        match self._read(run, account):
            case ReportAnswer() as answer:
                return self._their_page(run, answer, deadline, repeated=repeated)
            case ReportTooLong():
                now_ms = self.clock.now_ms()
                return narrower(run, now_ms) or after_problem(run, "list_too_long", now_ms)
            case ReportUnavailable() as unavailable:
                return after_problem(run, unavailable.problem, self.clock.now_ms())

    def _read(self, run: Run, account: Account) -> ReportResult:
        if run.source is Source.FILE:
            return self.files.page(run.provider, run.file or "", run.cursor)
        return self.providers.get(run.provider).report_page(run.page, account)

    # -- a page of report or ledger

    def _their_page(self, run: Run, answer: ReportAnswer, deadline: Deadline, *, repeated: bool) -> Run:
        assessments = [_of_line(compared) for compared in self.compare(run, answer.entries)]
        counts, actions = self._act(run, assessments, deadline, repeated=repeated)
        return after_report_page(run, answer.next_cursor, counts, actions, self.clock.now_ms())

    def _our_page(self, run: Run, deadline: Deadline, *, repeated: bool) -> Run:
        page = self.payments.page(self._query(run))
        candidates = [
            (payment, attempt)
            for payment in page.items
            if (attempt := charge_to_find(payment, run.provider, run.account_id, run.time_range)) is not None
        ]
        names = sorted({attempt.reference for _, attempt in candidates if attempt.reference})
        listed = self.lookups.listed(run.merchant_id, run.source, run.provider, run.account_id, names)
        unlisted = [(payment, attempt) for payment, attempt in candidates if attempt.reference not in listed]
        assessments = [
            self._unlisted(run, payment, attempt, may_ask=place < _MAX_ASKED_A_PAGE and _has_time(deadline))
            for place, (payment, attempt) in enumerate(unlisted)
        ]
        assessments += [_unreadable(transaction_id, run) for transaction_id in page.unreadable]
        counts, actions = self._act(run, assessments, deadline, repeated=repeated)
        return after_ledger_page(run, page.next_position, counts, actions, self.clock.now_ms())

    def _query(self, run: Run) -> PaymentQuery:
        capabilities = self.providers.get(run.provider).capabilities
        holds_long = CaptureMode.MANUAL in capabilities.capture_modes
        look_back_ms = _LOOK_BACK_MS + (capabilities.authorization_lifetime_ms if holds_long else 0)
        return PaymentQuery(
            merchant_id=run.merchant_id,
            from_ms=run.from_ms - look_back_ms,
            until_ms=run.until_ms,
            status=None,
            limit=MAX_PAGE_ITEMS,
            position=run.cursor,
        )

    def _unlisted(self, run: Run, payment: Payment, attempt: Attempt, *, may_ask: bool) -> _Assessed:
        assessment = assess_unlisted(attempt, run.time_range, self.clock.now_ms())
        if assessment.action is ResolutionAction.ASK:
            outcome = self.action.ask(payment, attempt) if may_ask and run.may_act(0) else Unknown(code="not_asked")
            assessment = verify_answer(assessment, payment, outcome)
        discrepancy = Discrepancy(
            result=assessment.result,
            action=assessment.action,
            kind=EntryKind.CHARGE,
            reference=attempt.reference or "",
            provider_key=attempt.provider_key,
            transaction_id=payment.transaction_id,
            operation_id=None,
            their_amount=None,
            our_amount=payment.captured,
            currency=payment.currency,
            at_ms=attempt.settled_at_ms or attempt.started_at_ms,
        )
        return _Assessed(discrepancy=discrepancy, ledger_entry=LedgerEntry(payment=payment, attempt=attempt))

    def _act(
        self, run: Run, assessments: Sequence[_Assessed], deadline: Deadline, *, repeated: bool
    ) -> tuple[Counter[str], int]:
        """Store the discrepancies, then resolve them.

        A repeated page uses the discrepancies that were stored before the interruption. Two lines of a page may say the
        same: a refund that failed stands where it was made and where it was returned.
        """
        known = self.runs.known(run.run_id, [one.discrepancy.name for one in assessments]) if repeated else {}
        counts: Counter[str] = Counter()
        differences: dict[str, _Assessed] = {}
        actions = 0
        for one in assessments:
            discrepancy = known.get(one.discrepancy.name, one.discrepancy)
            if discrepancy.name in differences:
                continue
            counts[discrepancy.result.value] += 1
            if discrepancy.result not in DISCREPANCIES:
                continue
            if discrepancy.action is not ResolutionAction.NONE and not run.may_act(actions):
                discrepancy = replace(discrepancy, action=ResolutionAction.NONE)
            actions += discrepancy.action is not ResolutionAction.NONE
            differences[discrepancy.name] = _Assessed(discrepancy=discrepancy, ledger_entry=one.ledger_entry)
        self.runs.report(run.run_id, [one.discrepancy for one in differences.values()])
        for one in differences.values():
            if one.discrepancy.action is ResolutionAction.ASK and not _has_time(deadline):
                raise _OutOfTimeError
            if one.ledger_entry is not None and not self._resolve(run, one.discrepancy, one.ledger_entry):
                counts[one.discrepancy.result.value] -= 1
                counts[MatchResult.UNREADABLE.value] += 1
        for result, count in counts.items():
            self.telemetry.count(Metric.RECONCILED_LINES, count, provider=run.provider, outcome=result)
        if differences:
            self.telemetry.count(Metric.RECONCILIATION_DIFFERENCES, len(differences))
        if counts[MatchResult.UNREADABLE.value]:
            self.telemetry.warn("items not readable", runId=run.run_id, items=counts[MatchResult.UNREADABLE.value])
        return +counts, actions

    def _resolve(self, run: Run, discrepancy: Discrepancy, ledger_entry: LedgerEntry) -> bool:
        """Resolve a discrepancy; False where this release cannot read an item that the resolution needs.

        Such an item stops neither the page nor the run: the report names its payment.
        """
        try:
            self.action(run, discrepancy, ledger_entry)
        except UnreadableItemError as error:
            self.telemetry.warn("item not readable", kind=error.kind, reason=error.reason)
            unresolved = replace(discrepancy, result=MatchResult.UNREADABLE, action=ResolutionAction.NONE)
            self.runs.report(run.run_id, [unresolved])
            return False
        return True

    # -- ends

    def _retry_later(self, run: Run) -> None:
        """Schedule another try; fail the run after too many."""
        self.telemetry.warn(
            "a report could not be read",
            runId=run.run_id,
            provider=run.provider,
            code=run.problem,
            tries=run.tries,
        )
        if run.is_over:
            self._report_end(run)
        else:
            self.queue.send(run.run_id, delay_seconds=RETRY_SECONDS)

    def _report_end(self, run: Run) -> None:
        if run.phase is Phase.FAILED:
            self.telemetry.count(Metric.RECONCILIATIONS_FAILED)
        self.telemetry.info(
            "reconciled",
            runId=run.run_id,
            merchantId=run.merchant_id,
            provider=run.provider,
            phase=run.phase,
            pages=run.pages,
            differences=run.differences,
        )


def _has_time(deadline: Deadline) -> bool:
    return deadline.remaining_ms() >= MIN_TIME_TO_SEND_MS


def _of_line(compared: Compared) -> _Assessed:
    entry, held = compared.entry, compared.held
    ledger_entry = held if isinstance(held, LedgerEntry) else None
    operation = ledger_entry.operation if ledger_entry else None
    our_amount = operation.amount if operation else ledger_entry.payment.amount if ledger_entry else None
    discrepancy = Discrepancy(
        result=compared.assessment.result,
        action=compared.assessment.action,
        kind=entry.kind,
        reference=entry.reference,
        provider_key=entry.provider_key,
        transaction_id=_transaction_id(held),
        operation_id=operation.operation_id if operation else None,
        their_amount=entry.amount,
        our_amount=our_amount,
        currency=entry.currency,
        at_ms=entry.at_ms,
        line=entry.line,
    )
    return _Assessed(discrepancy=discrepancy, ledger_entry=ledger_entry)


def _transaction_id(held: Held) -> str | None:
    if isinstance(held, UnreadableEntry):
        return held.transaction_id
    return held.payment.transaction_id if held else None


def _unreadable(transaction_id: str, run: Run) -> _Assessed:
    """Return the discrepancy of a payment of the run's days that this release cannot read.

    Its account is unknown too: the report of each account names it.
    """
    discrepancy = Discrepancy(
        result=MatchResult.UNREADABLE,
        action=ResolutionAction.NONE,
        kind=EntryKind.CHARGE,
        reference=transaction_id,
        provider_key=None,
        transaction_id=transaction_id,
        operation_id=None,
        their_amount=None,
        our_amount=None,
        currency="",
        at_ms=run.from_ms,
    )
    return _Assessed(discrepancy=discrepancy, ledger_entry=None)
