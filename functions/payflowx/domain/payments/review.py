"""Operators' actions on a payment: request an inquiry, close a review with evidence. Pure.

Neither can charge. An inquiry request only changes a time; closing is a row of the transition table.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.state_machine import Change, Context, change_of
from payflowx.domain.payments.transitions import check_review_transition
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DUE_AFTER_ACCEPT_MS
from payflowx.domain.shared.statuses import AttemptState, PaymentStatus

CLOSED_BY_OPERATOR: Final = "closed_by_operator"
"""The code of an attempt that an operator's evidence closed."""


class ReviewVerdict(StrEnum):
    """The result that the evidence proves.

    Charged: exactly the payment's amount was taken and kept, net of amounts returned at the provider. Not charged:
    nothing was taken, or all of it was returned there. For an operation: it took effect or did not.
    """

    CHARGED = "charged"
    NOT_CHARGED = "not_charged"


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


def close_review(payment: Payment, verdict: ReviewVerdict, reference: str | None, context: Context) -> Change:
    """Close the review. Raises `Refusal` (`invalid_state`, `evidence_contradicts`).

    `reference`: the provider's id of the charge, where it was not known; refunds may need it.
    """
    if payment.status is not PaymentStatus.IN_REVIEW:
        raise Refusal("invalid_state", f"The payment is {payment.status}; only one that is IN_REVIEW can be closed.")
    if payment.lease.is_live(context.now_ms):
        raise Refusal("busy", "A worker is inquiring about this payment right now. Try again in a minute.")
    match verdict:
        case ReviewVerdict.CHARGED:
            return _close_charged(payment, reference, context)
        case ReviewVerdict.NOT_CHARGED:
            return _close_not_charged(payment, reference, context)


def attempt_in_question(payment: Payment) -> Attempt | None:
    """Return the attempt under review: the open one, else the charged one, else the newest."""
    unresolved = next((a for a in payment.attempts if a.is_open or a.is_watched), None)
    if unresolved is not None or payment.charged_attempt is None:
        return unresolved or payment.last_attempt
    return payment.attempt(payment.charged_attempt)


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
        case _:
            return None


def _close_charged(payment: Payment, reference: str | None, context: Context) -> Change:
    if payment.charged_attempt is not None:
        attempt = payment.attempt(payment.charged_attempt)
    else:
        found = attempt_in_question(payment)
        if found is None:
            raise Refusal(
                "evidence_contradicts", "No request was sent to a provider, so nothing can have been charged."
            )
        attempt = found
    obstacle = evidence_obstacle(attempt, reference)
    if obstacle is not None:
        raise Refusal("evidence_contradicts", obstacle)
    check_review_transition(attempt.state, AttemptState.SUCCEEDED)
    closed = replace(
        attempt,
        state=AttemptState.SUCCEEDED,
        settled_at_ms=attempt.settled_at_ms or context.now_ms,
        reference=reference or attempt.reference,
        next_action=None,
        deadline_ms=None,
        reopens_until_ms=None,
    )
    others_open = any(a.is_open for a in payment.attempts if a.number != attempt.number)
    known = payment.captured > 0
    after = replace(
        payment,
        status=PaymentStatus.SUCCESS,
        attempts=_with(payment, closed),
        charged_attempt=attempt.number,
        capturable=0,
        captured=payment.captured if known else payment.amount,
        refundable=payment.refundable if known else payment.amount,
        last_error=None,
        due_at_ms=payment.due_at_ms if others_open else None,
    )
    change = change_of(payment, after, "review.charged", _facts(closed), context)
    return replace(change, attempt_number=attempt.number, reference=closed.reference)


def _close_not_charged(payment: Payment, reference: str | None, context: Context) -> Change:
    """End as FAILED. The attempts' records stay as they are.

    Any amount that the provider had charged was returned there.
    """
    if payment.refunded or payment.open_capture_or_void is not None or payment.refundable != payment.captured:
        raise Refusal(
            "evidence_contradicts",
            "Refunds or captures of this payment went through PayFlowX, so a charge exists. "
            "Close the review as charged; return the rest by a refund.",
        )
    if reference is not None:
        raise Refusal(
            "evidence_contradicts", "A provider reference proves a charge. Omit it to close the review as not charged."
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
            code="not_charged",
            message="An operator confirmed that nothing was charged, or that the charge was returned.",
            provider=question.provider if question else None,
            provider_code=question.code if question else None,
            attempt=question.number if question else None,
        ),
        due_at_ms=None,
    )
    return change_of(payment, after, "review.not_charged", _facts(question), context)


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


def _with(payment: Payment, closed: Attempt) -> tuple[Attempt, ...]:
    return tuple(closed if a.number == closed.number else a for a in payment.attempts)


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
        return "The provider has answered, and only manual review can decide. Close the review with evidence."
    if payment.open_capture_or_void is not None:
        return "An open capture or void decides the charge's state. Wait for its result."
    return f"The payment is {payment.status}; there is nothing to inquire about."
