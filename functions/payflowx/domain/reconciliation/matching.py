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
    """What we hold of an entry. `attempt`: of the operation where there is one, else of the payment."""

    payment: Payment
    attempt: Attempt | None
    operation: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A verdict and what it asks for."""

    verdict: MatchResult
    remedy: ResolutionAction = ResolutionAction.NONE


_MATCHED: Final = Assessment(verdict=MatchResult.MATCHED)
_TIMING: Final = Assessment(verdict=MatchResult.TIMING)
_REVIEW: Final = ResolutionAction.REVIEW


def match_entry(
    entry: ReportEntry, held: LedgerEntry | None, *, ours: bool, provider: str, account_id: str, young: bool
) -> Assessment:
    """What a line of their book is worth.

    `ours`: it bears a key of our making. `young`: our own write about it may not have happened yet.
    """
    if (
        held is None
        or held.attempt is None
        or (held.attempt.provider, held.attempt.account_id)
        != (
            provider,
            account_id,
        )
    ):
        return _unknown(entry, held, ours=ours, young=young)
    assessment = _compare(entry, held, held.attempt)
    return _TIMING if young and assessment.verdict is MatchResult.STATUS else assessment


def _unknown(entry: ReportEntry, held: LedgerEntry | None, *, ours: bool, young: bool) -> Assessment:
    if not ours and held is None:
        return Assessment(verdict=MatchResult.FOREIGN)
    if not entry.succeeded:
        return _MATCHED
    if held is not None and entry.kind is EntryKind.REFUND and held.payment.captured == 0:
        # What was held and never taken is given free: some vendors list that as a refund.
        return _MATCHED
    if young:
        return _TIMING
    return Assessment(verdict=MatchResult.MISSING_HERE, remedy=ResolutionAction.NONE if held is None else _REVIEW)


def _compare(entry: ReportEntry, held: LedgerEntry, attempt: Attempt) -> Assessment:
    succeeded = attempt.state is AttemptState.SUCCEEDED
    same_reference = attempt.reference in {None, entry.reference}
    if not entry.succeeded:
        # An order may hold failed tries beside the charge: only the line of what we hold as charged contradicts.
        contradicts = succeeded and attempt.reference == entry.reference
        return _reversed(held) if contradicts else _MATCHED
    if attempt.state is AttemptState.MISMATCH:
        # A person looks at it already, or has.
        return Assessment(verdict=_known_mismatch(entry, held))
    if succeeded and not same_reference and not _shares_reference(entry, held):
        return Assessment(verdict=MatchResult.DUPLICATE, remedy=_REVIEW)
    if (entry.amount, entry.currency) != (_expected_amount(entry, held), held.payment.currency):
        return Assessment(verdict=MatchResult.AMOUNT, remedy=_REVIEW)
    if succeeded:
        return _MATCHED
    open_ = held.operation is not None or attempt.is_open or attempt.reopens_until_ms is not None
    return Assessment(verdict=MatchResult.STATUS, remedy=ResolutionAction.WAKE if open_ else ResolutionAction.ASK)


def _shares_reference(entry: ReportEntry, held: LedgerEntry) -> bool:
    """A settlement file may name a refund by another id than the inquiry did; our key then says that it is the same."""
    return held.operation is not None and entry.kind is EntryKind.REFUND


def _known_mismatch(entry: ReportEntry, held: LedgerEntry) -> MatchResult:
    same = (entry.amount, entry.currency) == (_expected_amount(entry, held), held.payment.currency)
    return MatchResult.STATUS if same else MatchResult.AMOUNT


def _reversed(held: LedgerEntry) -> Assessment:
    """An operation's own rules for a success that is taken back begin with asking; a charge has none."""
    return Assessment(verdict=MatchResult.STATUS, remedy=_REVIEW if held.operation is None else ResolutionAction.WAKE)


def _expected_amount(entry: ReportEntry, held: LedgerEntry) -> int:
    if held.operation is not None:
        return held.operation.amount
    captured = held.payment.captured
    is_the_charge = held.attempt is not None and held.payment.charged_attempt == held.attempt.number
    return captured if is_the_charge and captured and entry.kind is EntryKind.CHARGE else held.payment.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """What was read of their book, and which of our charges are to be in it. Milliseconds, until exclusive."""

    from_ms: int
    until_ms: int
    listed_from_ms: int
    listed_until_ms: int
    lag_ms: int


def charge_to_find(payment: Payment, provider: str, account_id: str, span: TimeRange) -> Attempt | None:
    """The attempt that their book must have, if we came to know of its success within the span."""
    attempt = payment.attempt(payment.charged_attempt) if payment.charged_attempt is not None else None
    if attempt is None or attempt.state is not AttemptState.SUCCEEDED or attempt.reference is None:
        return None
    if (attempt.provider, attempt.account_id) != (provider, account_id):
        return None
    return attempt if span.from_ms <= (attempt.settled_at_ms or 0) < span.until_ms else None


def assess_unlisted(attempt: Attempt, span: TimeRange, now_ms: int) -> Assessment:
    """A charge of ours that their book does not have.

    It happened there between its start and the moment when we knew. Young: it may still appear. Begun before what was
    read: it may be listed there, so the provider is asked, and only its own answer makes a difference of it.
    """
    settled_at_ms = attempt.settled_at_ms or attempt.started_at_ms
    if settled_at_ms + span.lag_ms > min(now_ms, span.listed_until_ms):
        return _TIMING
    if attempt.started_at_ms < span.listed_from_ms:
        return Assessment(verdict=MatchResult.TIMING, remedy=ResolutionAction.ASK)
    return Assessment(verdict=MatchResult.MISSING_THERE, remedy=ResolutionAction.ASK)


def verify_answer(judged: Assessment, payment: Payment, outcome: Outcome) -> Assessment:
    """What the provider's own answer makes of a charge that its book does not have.

    Silence contradicts nothing: then the difference stands, and a person reads the report. After refunds, an inquiry
    of the charge shows what is left of it, which is no contradiction either.
    """
    if isinstance(outcome, Charged) or payment.refunded:
        return replace(judged, remedy=ResolutionAction.NONE)
    if isinstance(outcome, NotFound | Declined | ConfirmedCancelled | Mismatch):
        return Assessment(verdict=MatchResult.MISSING_THERE, remedy=ResolutionAction.REVIEW)
    return replace(judged, remedy=ResolutionAction.NONE)


def is_reviewed(payment: Payment) -> bool:
    """A reconciliation put it before a person, who has not decided yet."""
    error = payment.last_error
    return payment.status is PaymentStatus.IN_REVIEW and error is not None and error.code == REVIEW_CODE


def review_discrepancy(payment: Payment, verdict: MatchResult, context: Context) -> Change | None:
    """A person has to look. None: somebody does already. What is open at a provider stays due."""
    if payment.status is PaymentStatus.IN_REVIEW:
        return None
    last = payment.last_attempt
    error = LastError(
        code=REVIEW_CODE,
        message=_TEXTS[verdict],
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
