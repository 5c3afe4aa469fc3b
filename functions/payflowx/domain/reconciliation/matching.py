"""Two books side by side: a line of a provider's list, what we hold of it, and what is to be said about the pair. Pure.

Only what moved money is compared. A difference never changes a payment by itself: it says who has to be asked.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import Charged, ConfirmedCancelled, Declined, Mismatch, NotFound, Outcome
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.state_machine import Change, Context, change_of
from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

REVIEW_CODE: Final = "reconciliation"
ACTOR: Final = "reconciliation"


class MatchResult(StrEnum):
    """What a pair is. The words of the report."""

    MATCHED = "matched"
    TIMING = "timing"
    """Too young to be in both books."""
    MISSING_THERE = "missing_there"
    """We hold a charge that the provider does not list."""
    MISSING_HERE = "missing_here"
    """The provider lists money under a key of ours, or on a charge of ours, that we do not know of."""
    DUPLICATE = "duplicate"
    """Money moved twice for one attempt, or a file names one charge twice."""
    AMOUNT = "amount"
    STATUS = "status"
    """One book says that money moved, the other that it did not."""
    FOREIGN = "foreign"
    """A line without a key of ours about nothing that we know: the account is used by others as well."""


DISCREPANCIES: Final = frozenset(MatchResult) - {MatchResult.MATCHED, MatchResult.TIMING, MatchResult.FOREIGN}


class ResolutionAction(StrEnum):
    """What a difference asks for."""

    NONE = "none"
    WAKE = "wake"
    """Something is open: a worker asks the provider now."""
    ASK = "ask"
    """Nothing is open: the provider is asked here, and a verified answer goes the way of any late success."""
    REVIEW = "review"
    """A person has to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What we hold of an entry.

    `attempt`: of the operation where there is one, else of the payment.
    """

    payment: Payment
    attempt: Attempt | None
    operation: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A verdict and what it asks for."""

    result: MatchResult
    action: ResolutionAction = ResolutionAction.NONE


_MATCHED: Final = Assessment(result=MatchResult.MATCHED)
_TIMING: Final = Assessment(result=MatchResult.TIMING)
_REVIEW: Final = ResolutionAction.REVIEW


def match_entry(
    entry: ReportEntry, ledger_entry: LedgerEntry | None, *, ours: bool, provider: str, account_id: str, young: bool
) -> Assessment:
    """What a line of their book is worth.

    `ours`: it bears a key of our making. `young`: our own write about it may not have happened yet.
    """
    if (
        ledger_entry is None
        or ledger_entry.attempt is None
        or (ledger_entry.attempt.provider, ledger_entry.attempt.account_id)
        != (
            provider,
            account_id,
        )
    ):
        return _unknown(entry, ledger_entry, ours=ours, young=young)
    assessment = _compare(entry, ledger_entry, ledger_entry.attempt)
    return _TIMING if young and assessment.result is MatchResult.STATUS else assessment


def _unknown(entry: ReportEntry, ledger_entry: LedgerEntry | None, *, ours: bool, young: bool) -> Assessment:
    if not ours and ledger_entry is None:
        return Assessment(result=MatchResult.FOREIGN)
    if not entry.succeeded:
        return _MATCHED
    if ledger_entry is not None and entry.kind is EntryKind.REFUND and ledger_entry.payment.captured == 0:
        # What was held and never taken is given free: some vendors list that as a refund.
        return _MATCHED
    if young:
        return _TIMING
    return Assessment(
        result=MatchResult.MISSING_HERE, action=ResolutionAction.NONE if ledger_entry is None else _REVIEW
    )


def _compare(entry: ReportEntry, ledger_entry: LedgerEntry, attempt: Attempt) -> Assessment:
    succeeded = attempt.state is AttemptState.SUCCEEDED
    same_reference = attempt.reference in {None, entry.reference}
    if not entry.succeeded:
        # An order may hold failed tries beside the charge: only the line of what we hold as charged contradicts.
        contradicts = succeeded and attempt.reference == entry.reference
        return _reversed(ledger_entry) if contradicts else _MATCHED
    if attempt.state is AttemptState.MISMATCH:
        # A person looks at it already, or has.
        return Assessment(result=_known_mismatch(entry, ledger_entry))
    if succeeded and not same_reference and not _shares_reference(entry, ledger_entry):
        return Assessment(result=MatchResult.DUPLICATE, action=_REVIEW)
    if (entry.amount, entry.currency) != (_expected_amount(entry, ledger_entry), ledger_entry.payment.currency):
        return Assessment(result=MatchResult.AMOUNT, action=_REVIEW)
    if succeeded:
        return _MATCHED
    open_ = ledger_entry.operation is not None or attempt.is_open or attempt.reopens_until_ms is not None
    return Assessment(result=MatchResult.STATUS, action=ResolutionAction.WAKE if open_ else ResolutionAction.ASK)


def _shares_reference(entry: ReportEntry, ledger_entry: LedgerEntry) -> bool:
    """A settlement file may name a refund by another id than the inquiry did; our key then says that it is the same."""
    return ledger_entry.operation is not None and entry.kind is EntryKind.REFUND


def _known_mismatch(entry: ReportEntry, ledger_entry: LedgerEntry) -> MatchResult:
    same = (entry.amount, entry.currency) == (_expected_amount(entry, ledger_entry), ledger_entry.payment.currency)
    return MatchResult.STATUS if same else MatchResult.AMOUNT


def _reversed(ledger_entry: LedgerEntry) -> Assessment:
    """An operation's own rules for a success that is taken back begin with asking; a charge has none."""
    return Assessment(
        result=MatchResult.STATUS, action=_REVIEW if ledger_entry.operation is None else ResolutionAction.WAKE
    )


def _expected_amount(entry: ReportEntry, ledger_entry: LedgerEntry) -> int:
    if ledger_entry.operation is not None:
        return ledger_entry.operation.amount
    captured = ledger_entry.payment.captured
    is_the_charge = (
        ledger_entry.attempt is not None and ledger_entry.payment.charged_attempt == ledger_entry.attempt.number
    )
    return captured if is_the_charge and captured and entry.kind is EntryKind.CHARGE else ledger_entry.payment.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """What was read of their book, and which of our charges are to be in it.

    Milliseconds, until exclusive.
    """

    from_ms: int
    until_ms: int
    listed_from_ms: int
    listed_until_ms: int
    lag_ms: int


def charge_to_find(payment: Payment, provider: str, account_id: str, time_range: TimeRange) -> Attempt | None:
    """The attempt that their book must have, if we came to know of its success within the span."""
    attempt = payment.attempt(payment.charged_attempt) if payment.charged_attempt is not None else None
    if attempt is None or attempt.state is not AttemptState.SUCCEEDED or attempt.reference is None:
        return None
    if (attempt.provider, attempt.account_id) != (provider, account_id):
        return None
    return attempt if time_range.from_ms <= (attempt.settled_at_ms or 0) < time_range.until_ms else None


def assess_unlisted(attempt: Attempt, time_range: TimeRange, now_ms: int) -> Assessment:
    """A charge of ours that their book does not have.

    It happened there between its start and the moment when we knew. Young: it may still appear. Begun before what was
    read: it may be listed there, so the provider is asked, and only its own answer makes a difference of it.
    """
    settled_at_ms = attempt.settled_at_ms or attempt.started_at_ms
    if settled_at_ms + time_range.lag_ms > min(now_ms, time_range.listed_until_ms):
        return _TIMING
    if attempt.started_at_ms < time_range.listed_from_ms:
        return Assessment(result=MatchResult.TIMING, action=ResolutionAction.ASK)
    return Assessment(result=MatchResult.MISSING_THERE, action=ResolutionAction.ASK)


def verify_answer(assessments: Assessment, payment: Payment, outcome: Outcome) -> Assessment:
    """What the provider's own answer makes of a charge that its book does not have.

    Silence contradicts nothing: then the difference stands, and a person reads the report. After refunds, an inquiry
    of the charge shows what is left of it, which is no contradiction either.
    """
    if isinstance(outcome, Charged) or payment.refunded:
        return replace(assessments, action=ResolutionAction.NONE)
    if isinstance(outcome, NotFound | Declined | ConfirmedCancelled | Mismatch):
        return Assessment(result=MatchResult.MISSING_THERE, action=ResolutionAction.REVIEW)
    return replace(assessments, action=ResolutionAction.NONE)


def is_reviewed(payment: Payment) -> bool:
    """A reconciliation put it before a person, who has not decided yet."""
    error = payment.last_error
    return payment.status is PaymentStatus.IN_REVIEW and error is not None and error.code == REVIEW_CODE


def review_discrepancy(payment: Payment, result: MatchResult, context: Context) -> Change | None:
    """A person has to look. None: somebody does already. What is open at a provider stays due."""
    if payment.status is PaymentStatus.IN_REVIEW:
        return None
    last = payment.last_attempt
    error = LastError(
        code=REVIEW_CODE,
        message=_TEXTS[result],
        provider=last.provider if last else None,
        attempt=last.number if last else None,
    )
    unresolved = any(attempt.is_open or attempt.reopens_until_ms is not None for attempt in payment.attempts)
    due_at_ms = payment.due_at_ms if unresolved else None
    after = replace(payment, status=PaymentStatus.IN_REVIEW, last_error=error, due_at_ms=due_at_ms)
    return change_of(payment, after, "payment.in_review", {"reason": REVIEW_CODE}, context)


_TEXTS: Final = {
    MatchResult.MISSING_THERE: "The provider does not list this charge, and does not confirm it; a person has to look.",
    MatchResult.MISSING_HERE: "The provider lists money on this payment that is not known here; a person has to look.",
    MatchResult.DUPLICATE: "The provider lists more than one charge for one attempt; a person has to look.",
    MatchResult.AMOUNT: "The provider lists another amount or currency than is known here; a person has to look.",
    MatchResult.STATUS: "The provider's list and this payment disagree on whether money moved; a person has to look.",
}
