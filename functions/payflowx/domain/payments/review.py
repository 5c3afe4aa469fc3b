"""Operators' actions on a payment: request an inquiry, close a review with evidence. Pure.

Neither can charge. An inquiry request only changes a time; closing is a row of the transition table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from payflowx.domain.payments.attempt import AMOUNT_NAMED_AT, CLOSED_BY_OPERATOR, Attempt
from payflowx.domain.payments.balances import correct_captured
from payflowx.domain.payments.change import Change, Context, change_of
from payflowx.domain.payments.closed_attempts import with_final_read
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.inquiry_times import still_due
from payflowx.domain.payments.named_charge import NamedCharge, attempt_of, is_at
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.payment import NOT_CHARGED, LastError, Payment
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.transitions import check_review_transition
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

_CHARGE_IS_NAMED: Final = frozenset({AttemptState.SUCCEEDED, AttemptState.AUTHORIZED})
"""The states in which the reference of an attempt is that of its charge."""


_ABOUT_OPEN_ATTEMPT: Final = frozenset({ReviewReason.OUTCOME_UNKNOWN, ReviewReason.DRIVES_EXHAUSTED})


class ReviewVerdict(StrEnum):
    """The result that the evidence proves.

    Charged: exactly the payment's amount was taken and kept, net of amounts returned at the provider. Not charged:
    nothing was taken, or all of it was returned there. For an operation: it took effect or did not.
    """

    CHARGED = "charged"
    NOT_CHARGED = "not_charged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDecision:
    """A person's decision of a review.

    `reference`: the provider's id of the charge or operation, where it was not known. `amount`: what moved, in the
    minor unit; None: what the ledger holds or was requested. Of a charge that this decision books, it is what was kept:
    net of what was returned at the provider until now. `held`: the place of an operation's amount, needed only
    where an older release did not store it. `charge`: where a payment was charged, if that is not the attempt under
    review.
    """

    verdict: ReviewVerdict
    reference: str | None = None
    amount: int | None = None
    held: Held | None = None
    charge: NamedCharge | None = None


def request_inquiry(payment: Payment, context: Context) -> Change:
    """Schedule an inquiry about the open attempt now.

    A further attempt keeps its time: this never makes a charge happen earlier.
    """
    if payment.due_at_ms is None:
        raise Refusal("nothing_to_do", _why_nothing(payment))
    unresolved = any(a.is_open or a.is_watched for a in payment.attempts)
    ready_at_ms = context.now_ms if unresolved else payment.ready_at_ms
    due_at_ms = max(ready_at_ms, context.now_ms) + DUE_AFTER_ACCEPT_MS
    after = replace(payment, ready_at_ms=ready_at_ms, due_at_ms=due_at_ms)
    change = change_of(payment, after, "payment.look_requested", {}, context)
    return replace(change, wake_in_seconds=0)


def close_review(
    payment: Payment, decision: ReviewDecision, context: Context, *, rebuilt: Payment | None = None
) -> Change:
    """Close the review. Raises `Refusal` (`invalid_state`, `busy`, `evidence_contradicts`, `amount_invalid`).

    `rebuilt`: the payment with the amounts that its operations give, where its own are off balance.
    """
    if payment.status is not PaymentStatus.IN_REVIEW:
        raise Refusal("invalid_state", f"The payment is {payment.status}; only one that is IN_REVIEW can be closed.")
    if payment.lease.is_live(context.now_ms):
        raise Refusal("busy", "A worker is inquiring about this payment right now. Try again in a minute.")
    match decision.verdict:
        case ReviewVerdict.CHARGED:
            after, attempt = _charged(rebuilt or payment, decision, context)
            after, wake_in_seconds = still_due(after, None, context)
            facts = _facts(attempt) | {"capturedAmount": after.captured}
            change = change_of(payment, after, "review.charged", facts, context)
            return replace(
                change,
                attempt_number=attempt.number,
                reference=attempt.reference,
                wake_in_seconds=wake_in_seconds,
            )
        case ReviewVerdict.NOT_CHARGED:
            after, question = _not_charged(rebuilt or payment, decision, context)
            return change_of(payment, after, "review.not_charged", _facts(question), context)


def attempt_in_question(payment: Payment) -> Attempt | None:
    """Return the attempt under review: the open one, else the charged one, else a watched one, else the newest."""
    is_open = next((attempt for attempt in payment.attempts if attempt.is_open), None)
    if is_open is None and payment.charged_attempt is not None:
        return payment.attempt(payment.charged_attempt)
    return payment.unresolved_attempt or payment.last_attempt


def evidence_obstacle(attempt: Attempt, reference: str | None) -> str | None:
    """Return the reason why this attempt cannot be the requested charge; None if it can be.

    A different amount can be corrected at the provider by a refund of the difference; a different currency cannot.
    """
    match attempt.code:
        case "currency_differs":
            return (
                "The provider charged a different currency than requested, so this is not the requested payment. "
                "Refund it at the provider, then close the review as not charged."
            )
        case "reference_taken" if reference is None:
            return (
                "The provider's reference belongs to another attempt, so it proves nothing for this one. "
                "Give the reference of its own charge, or close the review as not charged."
            )
        case _ if _may_be_the_object(attempt, reference):
            return (
                "The payer pays in a hosted object, and the provider's id of the charge inside it is not known. "
                "Without it, a second charge there could not be told from this one, and no refund could name it. "
                "Give the charge's id from the provider's dashboard, not the id of the session, link, order or invoice."
            )
        case _:
            return None


def _may_be_the_object(attempt: Attempt, reference: str | None) -> bool:
    """Return whether the id of the charge would be that of the hosted object, or none."""
    if attempt.hosted is None:
        return False
    object_id = attempt.hosted.object_id
    # As long as neither a charge nor the object's id is stored, the attempt's reference may be that id.
    is_told_apart = object_id is not None or attempt.state in _CHARGE_IS_NAMED
    return (reference or (attempt.reference if is_told_apart else None)) in {None, object_id}


def _charged(payment: Payment, decision: ReviewDecision, context: Context) -> tuple[Payment, Attempt]:
    """Return the payment with its charge. It stays in review as long as more was refunded than captured."""
    attempt = _charged_attempt(payment, decision, context)
    obstacle = evidence_obstacle(attempt, decision.reference)
    if obstacle is not None:
        raise Refusal("evidence_contradicts", obstacle)
    if payment.open_capture_or_void is not None:
        raise Refusal(
            "evidence_contradicts",
            "A capture or void of this payment is still open, and it decides what was charged. Wait for its result, or "
            "close its own review first.",
        )
    check_review_transition(attempt.state, AttemptState.SUCCEEDED)
    closed = replace(
        attempt,
        state=AttemptState.SUCCEEDED,
        settled_at_ms=attempt.settled_at_ms or context.now_ms,
        reference=decision.reference or attempt.reference,
        progress=_progress(payment, attempt, decision, context),
        next_action=None,
        deadline_ms=None,
        reopens_until_ms=None,
    )
    corrected = correct_captured(payment, _captured(payment, attempt, decision.amount))
    after = replace(
        corrected,
        status=PaymentStatus.SUCCESS,
        attempts=_with(payment, closed, context),
        charged_attempt=attempt.number,
        capturable=0,
        last_error=None,
        due_at_ms=None,
    )
    if after.excess:
        after = replace(after, status=PaymentStatus.IN_REVIEW, last_error=payment.last_error)
    # A hosted object that an answer proved to be paid has its last read scheduled already.
    return after if attempt.state is AttemptState.SUCCEEDED else with_final_read(after, closed), closed


def _progress(payment: Payment, attempt: Attempt, decision: ReviewDecision, context: Context) -> Mapping[str, str]:
    """Return the attempt's facts, with the time at which a person named what was kept of a charge not booked before.

    The amount of a charge that was booked already is corrected, and refunds stand beside it.
    """
    is_named = decision.amount is not None and not payment.captured
    return {**attempt.progress, AMOUNT_NAMED_AT: str(context.now_ms)} if is_named else attempt.progress


def _charged_attempt(payment: Payment, decision: ReviewDecision, context: Context) -> Attempt:
    """Return the attempt that charged, by the record or by what the person names."""
    if payment.charged_attempt is not None:
        booked = payment.attempt(payment.charged_attempt)
        if decision.charge is not None and not is_at(booked, decision.charge):
            raise Refusal(
                "evidence_contradicts",
                f"Attempt {booked.number} at {booked.provider} ({booked.account_id}) has charged. A further charge "
                "elsewhere is refunded in that provider's dashboard.",
            )
        return booked
    if decision.charge is not None:
        return _named_attempt(payment, decision, decision.charge, context)
    found = attempt_in_question(payment)
    if found is None:
        raise Refusal(
            "evidence_contradicts",
            "No request of this payment is stored, so nothing can have been charged, unless a restore forgot it. If a "
            "provider shows the charge, name the provider, its reference there and its amount.",
        )
    return found


def _named_attempt(payment: Payment, decision: ReviewDecision, charge: NamedCharge, context: Context) -> Attempt:
    """Return the attempt of the charge that a person named; one that is not stored needs the whole of its facts."""
    found = attempt_of(payment, charge, attempt_in_question(payment), context.now_ms)
    is_stored = found.number <= len(payment.attempts)
    if not is_stored and (decision.reference is None or decision.amount is None):
        raise Refusal(
            "evidence_contradicts",
            f"No request to {charge.provider} ({charge.account_id}) is stored that can be this charge. "
            "Give the provider's reference of the charge and the amount that was taken and kept as well.",
        )
    return found


def _captured(payment: Payment, attempt: Attempt, amount: int | None) -> int:
    """Return the captured amount: the person's, else the ledger's, else the whole payment's."""
    if amount is not None:
        if not 1 <= amount <= payment.amount:
            raise Refusal(
                "amount_invalid",
                f"The amount must be between 1 and {payment.amount}, in {payment.currency}'s minor unit. "
                "Refund what exceeds it at the provider first.",
                field="amount",
            )
        return amount
    if payment.captured:
        return payment.captured
    if attempt.code == "amount_differs":
        raise Refusal(
            "amount_invalid",
            "The provider reports another amount than was requested. Give the amount that was taken and kept.",
            field="amount",
        )
    return payment.amount


def _not_charged(payment: Payment, decision: ReviewDecision, context: Context) -> tuple[Payment, Attempt | None]:
    """End as FAILED. The attempts' records stay as they are.

    Any amount that the provider had charged was returned there.
    """
    if payment.refunded or payment.open_capture_or_void is not None or payment.refundable != payment.captured:
        raise Refusal(
            "evidence_contradicts",
            "Refunds or captures of this payment went through PayFlowX, so a charge exists. "
            "Close the review as charged; return the rest by a refund.",
        )
    if decision.reference is not None or decision.amount is not None or decision.charge is not None:
        raise Refusal(
            "evidence_contradicts",
            "A provider, its reference or an amount proves a charge. Omit it to close the review as not charged.",
        )
    question = attempt_in_question(payment)
    after = replace(
        payment,
        status=PaymentStatus.FAILED,
        attempts=tuple(_uncharged(a, context) for a in payment.attempts),
        charged_attempt=None,
        capturable=0,
        captured=0,
        refundable=0,
        last_error=LastError(
            code=NOT_CHARGED,
            message="An operator confirmed that nothing was charged, or that the charge was returned.",
            provider=question.provider if question else None,
            provider_code=question.code if question else None,
            attempt=question.number if question else None,
        ),
        due_at_ms=None,
    )
    return after, question


def _uncharged(attempt: Attempt, context: Context) -> Attempt:
    """Return the attempt closed as uncharged.

    A late charge is still recognized: Cancelled and confirmed leads to SUCCEEDED by the late-success rule.
    """
    if not attempt.is_open:
        return replace(attempt, reopens_until_ms=None)
    check_review_transition(attempt.state, AttemptState.FENCED)
    return replace(
        attempt,
        state=AttemptState.FENCED,
        settled_at_ms=context.now_ms,
        code=CLOSED_BY_OPERATOR,
        message=None,
        next_action=None,
        deadline_ms=None,
    )


def _with(payment: Payment, closed: Attempt, context: Context) -> tuple[Attempt, ...]:
    """Return the attempts with the one that charged. Another one that is open goes on being inquired about.

    Where the review asks about that one, this verdict closes it: else its next inquiry would open the review again.
    """
    is_decided = is_about_another(payment, closed)
    kept = tuple(_uncharged(a, context) if is_decided and a.is_open else a for a in payment.attempts)
    if closed.number > len(kept):
        return (*kept, closed)
    return tuple(closed if a.number == closed.number else a for a in kept)


def is_about_another(owner: Payment | Operation, closed: Attempt) -> bool:
    """Return whether the review asks what became of an open attempt that is not this one."""
    asks = owner.last_error is not None and owner.last_error.code in _ABOUT_OPEN_ATTEMPT
    return asks and not any(a.number == closed.number and a.is_open for a in owner.attempts)


def _facts(attempt: Attempt | None) -> dict[str, Fact]:
    if attempt is None:
        return {}
    facts: dict[str, Fact] = {
        "attempt": attempt.number,
        "provider": attempt.provider,
        "accountId": attempt.account_id,
        "providerKey": attempt.provider_key,
    }
    return facts | ({"reference": attempt.reference} if attempt.reference else {})


def _why_nothing(payment: Payment) -> str:
    if payment.status is PaymentStatus.IN_REVIEW:
        return "No attempt is open, so there is nothing to inquire about. Close the review with evidence."
    if payment.open_capture_or_void is not None:
        return (
            "An open capture or void decides the charge's state. Wait for its result, or close its own review if it is "
            "IN_REVIEW."
        )
    return f"The payment is {payment.status}; there is nothing to inquire about."
