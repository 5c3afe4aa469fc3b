"""Manual reviews: list them, and close one with evidence."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.application.reviews.close_review import ReviewEntry
from payflowx.application.reviews.list_reviews import Review
from payflowx.domain.payments.operation import Held
from payflowx.domain.payments.ports import PaymentQuery
from payflowx.domain.payments.review import ReviewVerdict, attempt_in_question
from payflowx.domain.shared.limits import DAY_MS, MAX_AMOUNT, MAX_LIST_RANGE_DAYS, MAX_REFERENCE_CHARS
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import (
    Command,
    MerchantId,
    MutatingCommand,
    OperationId,
    Position,
    TransactionId,
)
from payflowx.entrypoints.operators.commands.presenting import money, operation_fields, payment_fields
from payflowx.wiring.operators import OperatorsWiring

_PAGE = 100
_Amount = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]
_Reference = Annotated[str, Meta(min_length=1, max_length=MAX_REFERENCE_CHARS)]


class ListReviewsCommand(Command, tag="list_reviews"):
    """Of payments accepted in the last days. A page may be empty and still have a position."""

    merchant_id: MerchantId
    days: Annotated[int, Meta(ge=1, le=MAX_LIST_RANGE_DAYS)] = 30
    position: Position | None = None


class CloseReviewCommand(MutatingCommand, tag="close_review"):
    """`reference`: the provider's id of the charge, where it was not known. `amount`: what was taken and kept."""

    merchant_id: MerchantId
    transaction_id: TransactionId
    verdict: ReviewVerdict
    evidence: str
    reference: _Reference | None = None
    amount: _Amount | None = None


class CloseOperationReviewCommand(MutatingCommand, tag="close_operation_review"):
    """Of a capture, void or refund. `charged`: the money moved; `amount`: how much in all.

    `held`: the place of the operation's amount, where an older release did not store it.
    """

    merchant_id: MerchantId
    operation_id: OperationId
    verdict: ReviewVerdict
    evidence: str
    reference: _Reference | None = None
    amount: _Amount | None = None
    held: Held | None = None


COMMANDS = (ListReviewsCommand, CloseReviewCommand, CloseOperationReviewCommand)


def run(
    wired: OperatorsWiring, command: ListReviewsCommand | CloseReviewCommand | CloseOperationReviewCommand
) -> dict[str, Any]:
    """The list, or what was closed as it is now."""
    if isinstance(command, ListReviewsCommand):
        return _list(wired, command)
    finding = ReviewEntry(
        verdict=command.verdict,
        evidence=command.evidence,
        reference=command.reference,
        amount=command.amount,
        held=command.held if isinstance(command, CloseOperationReviewCommand) else None,
    )
    match command:
        case CloseReviewCommand():
            payment = wired.close_review(
                command.merchant_id, command.transaction_id, finding, command.operator_action()
            )
            return payment_fields(payment)
        case CloseOperationReviewCommand():
            operation = wired.close_operation_review(
                command.merchant_id, command.operation_id, finding, command.operator_action()
            )
            return operation_fields(operation)


def _list(wired: OperatorsWiring, command: ListReviewsCommand) -> dict[str, Any]:
    until_ms = wired.platform.clock.now_ms() + 1
    query = PaymentQuery(
        merchant_id=command.merchant_id,
        from_ms=until_ms - command.days * DAY_MS,
        until_ms=until_ms,
        status=None,
        limit=_PAGE,
        position=command.position,
    )
    page = wired.list_reviews(query)
    return {"items": [_present(review) for review in page.items], "nextPosition": page.next_position}


def _present(review: Review) -> dict[str, Any]:
    """With the key under which the provider knows it."""
    payment, of = review.payment, review.operation or review.payment
    attempt = review.operation.last_attempt if review.operation else attempt_in_question(payment)
    return {
        "merchantId": payment.merchant_id,
        "transactionId": payment.transaction_id,
        "operationId": review.operation.operation_id if review.operation else None,
        "money": money(of.amount, of.currency),
        "reason": of.last_error.code if of.last_error else None,
        "provider": attempt.provider if attempt else None,
        "providerKey": attempt.provider_key if attempt else None,
        "providerRef": attempt.reference if attempt else None,
        "since": timestamp(of.updated_at_ms),
    }
