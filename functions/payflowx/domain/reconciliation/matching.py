"""Matching of report entries with the ledger, and the resolution of each discrepancy. Pure.

Only entries that moved money are compared. A discrepancy never changes a payment by itself: it selects an inquiry, a
wake-up or a manual review.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Change, Context, change_of
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import ConfirmedCancelled, Declined, Mismatch, NotFound, Outcome, Succeeded
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

REVIEW_CODE: Final = ReviewReason.RECONCILIATION.value
ACTOR: Final = "reconciliation"


class MatchResult(StrEnum):
    """The result of one comparison, in the words of the report."""

    MATCHED = "matched"
    TIMING = "timing"
    """Too young to be in both the report and the ledger."""
    MISSING_THERE = "missing_there"
    """The ledger holds a charge that the provider does not list."""
    MISSING_HERE = "missing_here"
    """The provider lists money under a key of ours, or on a charge of ours, missing in the ledger."""
    DUPLICATE = "duplicate"
    """Money moved twice for one attempt, or a file names one charge twice."""
    AMOUNT = "amount"
    STATUS = "status"
    """Report and ledger disagree on whether money moved."""
    FOREIGN = "foreign"
    """An entry without a key of ours and unknown to the ledger: others use the account as well."""
    UNREADABLE = "unreadable"
    """This release cannot read the ledger's item, so nothing was compared."""


DISCREPANCIES: Final = frozenset(MatchResult) - {MatchResult.MATCHED, MatchResult.TIMING, MatchResult.FOREIGN}


class ResolutionAction(StrEnum):
    """The action that resolves a discrepancy."""

    NONE = "none"
    WAKE = "wake"
    """An attempt is open: wake a worker, which inquires at once."""
    ASK = "ask"
    """No attempt is open: inquire at once, and apply a verified answer as a late success."""
    REVIEW = "review"
    """Send the payment to manual review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """The ledger's state for an entry.

    `attempt`: the operation's if there is one, else the payment's.
    """

    payment: Payment
    attempt: Attempt | None
    operation: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A match result with its resolution."""

    result: MatchResult
    action: ResolutionAction = ResolutionAction.NONE


_MATCHED: Final = Assessment(result=MatchResult.MATCHED)
_TIMING: Final = Assessment(result=MatchResult.TIMING)
_REVIEW: Final = ResolutionAction.REVIEW


def match_entry(
    entry: ReportEntry,
    ledger_entry: LedgerEntry | None,
    *,
    has_own_key: bool,
    provider: str,
    account_id: str,
    young: bool,
) -> Assessment:
    """Compare an entry of the provider's report with the ledger.

    `has_own_key`: the entry has a key that PayFlowX made. `young`: the ledger may not have recorded it yet.
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
        return _unknown(entry, ledger_entry, has_own_key=has_own_key, young=young)
    assessment = _compare(entry, ledger_entry, ledger_entry.attempt)
    return _TIMING if young and assessment.result is MatchResult.STATUS else assessment


def _unknown(entry: ReportEntry, ledger_entry: LedgerEntry | None, *, has_own_key: bool, young: bool) -> Assessment:
    if not has_own_key and ledger_entry is None:
        return Assessment(result=MatchResult.FOREIGN)
    if not entry.succeeded:
        return _MATCHED
    if ledger_entry is not None and entry.kind is EntryKind.REFUND and ledger_entry.payment.captured == 0:
        # An authorization that was released, never captured: some providers list it as a refund.
        return _MATCHED
    if young:
        return _TIMING
    return Assessment(result=MatchResult.MISSING_HERE, action=_action_on(entry, ledger_entry, has_own_key=has_own_key))


def _action_on(entry: ReportEntry, ledger_entry: LedgerEntry | None, *, has_own_key: bool) -> ResolutionAction:
    """Return the action on money that is missing in the ledger.

    A refund without a key of ours may have been made at the provider: a read of the charge's refunds decides.
    """
    if ledger_entry is None:
        return ResolutionAction.NONE
    return ResolutionAction.ASK if entry.kind is EntryKind.REFUND and not has_own_key else _REVIEW


def _compare(entry: ReportEntry, ledger_entry: LedgerEntry, attempt: Attempt) -> Assessment:
    succeeded = attempt.state is AttemptState.SUCCEEDED
    same_reference = attempt.reference in {None, entry.reference}
    if not entry.succeeded:
        # An order may hold failed tries beside the charge: only the entry of the recorded charge contradicts.
        contradicts = succeeded and attempt.reference == entry.reference
        return _reversed(ledger_entry) if contradicts else _MATCHED
    if attempt.state is AttemptState.MISMATCH:
        # It is in manual review already, or was.
        return Assessment(result=_known_mismatch(entry, ledger_entry))
    is_known = same_reference or _extra_charge(entry, ledger_entry) or _shares_reference(entry, ledger_entry)
    if succeeded and not is_known:
        return Assessment(result=MatchResult.DUPLICATE, action=_REVIEW)
    if not _is_expected(entry, ledger_entry) and not _may_be_a_capture(entry, ledger_entry, attempt):
        action = ResolutionAction.NONE if _is_decided(entry, ledger_entry, attempt) else _REVIEW
        return Assessment(result=MatchResult.AMOUNT, action=action)
    if succeeded:
        return _MATCHED
    open_ = ledger_entry.operation is not None or attempt.is_open or attempt.is_watched
    return Assessment(result=MatchResult.STATUS, action=ResolutionAction.WAKE if open_ else ResolutionAction.ASK)


def _is_decided(entry: ReportEntry, ledger_entry: LedgerEntry, attempt: Attempt) -> bool:
    """Return whether a person has seen this other amount, and has closed the review with the amount that was kept.

    Then nobody is asked again. A further amount contradicts what the person named.
    """
    is_seen = entry.amount in attempt.amounts_reported and entry.currency == ledger_entry.payment.currency
    return is_seen and attempt.amount_named_at_ms is not None


def _extra_charge(entry: ReportEntry, ledger_entry: LedgerEntry) -> ExtraCharge | None:
    """Return the further charge inside a hosted object that the entry lists; None if the ledger knows none such.

    It is owed to the payer and changes neither status nor amounts of the payment.
    """
    if entry.kind is not EntryKind.CHARGE:
        return None
    return next((e for e in ledger_entry.payment.extra_charges if e.reference == entry.reference), None)


def _may_be_a_capture(entry: ReportEntry, ledger_entry: LedgerEntry, attempt: Attempt) -> bool:
    """Return whether the entry may show the capture of a part of an authorization.

    The capture is on its way here, or was made at the provider: in both cases an inquiry shows its amount.
    """
    payment = ledger_entry.payment
    is_part = entry.currency == payment.currency and 1 <= entry.amount < payment.amount
    held = ledger_entry.operation is None and attempt.state is AttemptState.AUTHORIZED
    return held and is_part and entry.kind is EntryKind.CHARGE


def _shares_reference(entry: ReportEntry, ledger_entry: LedgerEntry) -> bool:
    """Return whether entry and ledger name the same refund.

    A settlement file may use another id than the inquiry did; then our key identifies the refund.
    """
    return ledger_entry.operation is not None and entry.kind is EntryKind.REFUND


def _known_mismatch(entry: ReportEntry, ledger_entry: LedgerEntry) -> MatchResult:
    return MatchResult.STATUS if _is_expected(entry, ledger_entry) else MatchResult.AMOUNT


def _reversed(ledger_entry: LedgerEntry) -> Assessment:
    """Return the assessment of a reversed success.

    The rules for a reversed operation begin with an inquiry; a charge has no such rules.
    """
    return Assessment(
        result=MatchResult.STATUS, action=_REVIEW if ledger_entry.operation is None else ResolutionAction.WAKE
    )


def _is_expected(entry: ReportEntry, ledger_entry: LedgerEntry) -> bool:
    """Return whether the entry has an amount and currency of the ledger.

    A person may have closed the review of a refund with the amount that moved: then that one is listed.
    """
    operation, payment = ledger_entry.operation, ledger_entry.payment
    extra = _extra_charge(entry, ledger_entry)
    if extra is not None:
        return (entry.amount, entry.currency) == (extra.amount, extra.currency)
    if operation is not None:
        amounts = {operation.amount, operation.booked}
    else:
        attempt = ledger_entry.attempt
        is_the_charge = attempt is not None and payment.charged_attempt == attempt.number
        known = payment.captured if is_the_charge and payment.captured and entry.kind is EntryKind.CHARGE else None
        amounts = {known or payment.amount}
    return entry.amount in amounts and entry.currency == payment.currency


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """The range of the report, and of the charges expected in it. Milliseconds, until exclusive."""

    from_ms: int
    until_ms: int
    listed_from_ms: int
    listed_until_ms: int
    lag_ms: int


def charge_to_find(payment: Payment, provider: str, account_id: str, time_range: TimeRange) -> Attempt | None:
    """Return the attempt that the report must list, if its success was recorded in the range."""
    attempt = payment.attempt(payment.charged_attempt) if payment.charged_attempt is not None else None
    if attempt is None or attempt.state is not AttemptState.SUCCEEDED or attempt.reference is None:
        return None
    if (attempt.provider, attempt.account_id) != (provider, account_id):
        return None
    return attempt if time_range.from_ms <= (attempt.settled_at_ms or 0) < time_range.until_ms else None


def assess_unlisted(attempt: Attempt, time_range: TimeRange, now_ms: int) -> Assessment:
    """Assess a charge that the provider's report does not list.

    It happened between the attempt's start and the time its success was recorded. Young: it may still appear. Begun
    before the range: an earlier report may list it, so an inquiry decides whether there is a discrepancy.
    """
    settled_at_ms = attempt.settled_at_ms or attempt.started_at_ms
    if settled_at_ms + time_range.lag_ms > min(now_ms, time_range.listed_until_ms):
        return _TIMING
    if attempt.started_at_ms < time_range.listed_from_ms:
        return Assessment(result=MatchResult.TIMING, action=ResolutionAction.ASK)
    return Assessment(result=MatchResult.MISSING_THERE, action=ResolutionAction.ASK)


def verify_answer(assessments: Assessment, payment: Payment, outcome: Outcome) -> Assessment:
    """Assess an unlisted charge by the provider's answer to an inquiry.

    An `Unknown` answer contradicts nothing: the discrepancy stays in the report for an operator. After refunds, an
    inquiry shows the rest of the charge, which is no contradiction either.
    """
    if isinstance(outcome, Succeeded) or payment.refunded:
        return replace(assessments, action=ResolutionAction.NONE)
    if isinstance(outcome, NotFound | Declined | ConfirmedCancelled | Mismatch):
        return Assessment(result=MatchResult.MISSING_THERE, action=ResolutionAction.REVIEW)
    return replace(assessments, action=ResolutionAction.NONE)


def is_reviewed(payment: Payment) -> bool:
    """Return whether a reconciliation sent the payment to a review that is still open."""
    error = payment.last_error
    return payment.status is PaymentStatus.IN_REVIEW and error is not None and error.code == REVIEW_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAmount:
    """An amount, in the payment's currency, that a report lists for the charge of an attempt."""

    attempt: int
    amount: int


def review_discrepancy(
    payment: Payment, result: MatchResult, context: Context, *, listed: ListedAmount | None = None
) -> Change | None:
    """Send a payment to manual review; None if it is in review already.

    An open attempt stays due. `listed`: the amount that opens the review; the attempt keeps it.
    """
    if payment.status is PaymentStatus.IN_REVIEW:
        return None
    attempts = payment.attempts if listed is None else _with_amount(payment.attempts, listed)
    last = payment.last_attempt
    error = LastError(
        code=REVIEW_CODE,
        message=_TEXTS[result],
        provider=last.provider if last else None,
        attempt=last.number if last else None,
    )
    unresolved = any(attempt.is_open or attempt.is_watched for attempt in payment.attempts)
    due_at_ms = payment.due_at_ms if unresolved else None
    in_review = replace(payment, status=PaymentStatus.IN_REVIEW, last_error=error, due_at_ms=due_at_ms)
    after = replace(in_review, attempts=attempts)
    return change_of(payment, after, "payment.in_review", {"reason": REVIEW_CODE}, context)


def _with_amount(attempts: Sequence[Attempt], listed: ListedAmount) -> tuple[Attempt, ...]:
    return tuple(a.with_amount_reported(listed.amount) if a.number == listed.attempt else a for a in attempts)


_TEXTS: Final = {
    MatchResult.MISSING_THERE: "The provider neither lists nor confirms this charge. Requires manual review.",
    MatchResult.MISSING_HERE: "The provider lists money that is missing in the ledger. Requires manual review.",
    MatchResult.DUPLICATE: "The provider lists more than one charge for one attempt. Requires manual review.",
    MatchResult.AMOUNT: "The provider lists a different amount or currency than the ledger. Requires manual review.",
    MatchResult.STATUS: "The provider's report and the ledger disagree on whether money moved. Requires manual review.",
}
