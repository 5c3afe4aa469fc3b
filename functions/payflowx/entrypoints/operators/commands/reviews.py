"""Manual reviews: list them, and close one with evidence."""

from dataclasses import replace
from typing import Annotated, Any

from msgspec import Meta

from payflowx.application.reviews.close_review import ReviewEntry
from payflowx.application.reviews.name_charge import named_charge
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Held, Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.review import ReviewDecision, ReviewVerdict, attempt_in_question
from payflowx.domain.payments.review_ports import Review
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MAX_AMOUNT, MAX_REFERENCE_CHARS, SECOND_MS
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import (
    Command,
    Limit,
    MerchantId,
    MutatingCommand,
    OperationId,
    Position,
    ProposableCommand,
    TransactionId,
)
from payflowx.entrypoints.operators.commands.presenting import money, operation_fields, payment_fields
from payflowx.entrypoints.operators.commands.review_presenting import present_review
from payflowx.entrypoints.operators.commands.second_person import decided_or_proposed
from payflowx.wiring.operators import OperatorsWiring

_PAGE = 100
_Amount = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]
_ReviewPosition = Annotated[str, Meta(pattern="^[0-9]{13}#(pay|cap|void|ref)_[a-z2-7]{16}$")]
_Seen = Annotated[str, Meta(pattern="^rev_[a-z2-7]{16}$")]
_Named = Annotated[str, Meta(min_length=1, max_length=64)]
_Reference = Annotated[str, Meta(min_length=1, max_length=MAX_REFERENCE_CHARS)]


class ListReviewsCommand(Command, tag="list_reviews"):
    """The longest open first. A page may be empty and still have a position."""

    merchant_id: MerchantId
    limit: Limit = _PAGE
    position: _ReviewPosition | None = None


class ReindexReviewsCommand(MutatingCommand, tag="reindex_reviews"):
    """Adds reviews that release 0.2.0 opened, one page of payments a call: go on until the position is null."""

    merchant_id: MerchantId
    position: Position | None = None


class CloseReviewCommand(ProposableCommand, tag="close_review"):
    """`reference`: the provider's id of the charge, where it was not known. `amount`: what was taken and kept, net of
    what was returned at the provider before; of a charge that is booked already, what was captured. `provider`,
    `accountId` and `providerKey`: where it was charged, if the attempt under review is not it.
    """

    transaction_id: TransactionId
    verdict: ReviewVerdict
    evidence: str
    reference: _Reference | None = None
    amount: _Amount | None = None
    provider: _Named | None = None
    account_id: _Named | None = None
    provider_key: _Named | None = None
    seen: _Seen | None = None
    """The review that was seen when this was proposed."""


class CloseOperationReviewCommand(ProposableCommand, tag="close_operation_review"):
    """Of a capture, void or refund. `charged`: the money moved; `amount`: how much in all.

    `held`: the place of the operation's amount, where an older release did not store it.
    """

    operation_id: OperationId
    verdict: ReviewVerdict
    evidence: str
    reference: _Reference | None = None
    amount: _Amount | None = None
    held: Held | None = None
    seen: _Seen | None = None
    """The review that was seen when this was proposed."""


class ShowReviewCommand(Command, tag="show_review"):
    """A payment's review, or an operation's: what both sides hold, and what each verdict would make true.

    All other fields are those of the closing.
    """

    merchant_id: MerchantId
    transaction_id: TransactionId | None = None
    operation_id: OperationId | None = None
    reference: _Reference | None = None
    amount: _Amount | None = None
    held: Held | None = None
    provider: _Named | None = None
    account_id: _Named | None = None
    provider_key: _Named | None = None


COMMANDS = (
    ListReviewsCommand,
    ReindexReviewsCommand,
    ShowReviewCommand,
    CloseReviewCommand,
    CloseOperationReviewCommand,
)


def run(
    wired: OperatorsWiring,
    command: ListReviewsCommand
    | ReindexReviewsCommand
    | ShowReviewCommand
    | CloseReviewCommand
    | CloseOperationReviewCommand,
) -> dict[str, Any]:
    """The list, or what was closed as it is now."""
    if isinstance(command, ListReviewsCommand):
        return _list(wired, command)
    if isinstance(command, ShowReviewCommand):
        return _show(wired, command)
    if isinstance(command, ReindexReviewsCommand):
        page = wired.reindex_reviews(command.merchant_id, command.position, command.operator_action())
        return {"payments": page.payments, "added": page.added, "nextPosition": page.next_position}
    finding = ReviewEntry(
        verdict=command.verdict,
        evidence=command.evidence,
        reference=command.reference,
        amount=command.amount,
        seen=command.seen,
    )
    if isinstance(command, CloseOperationReviewCommand):
        finding = replace(finding, held=command.held)
    else:
        finding = replace(
            finding, provider=command.provider, account_id=command.account_id, provider_key=command.provider_key
        )

    def decide(action: OperatorAction) -> dict[str, Any]:
        match command:
            case CloseReviewCommand():
                return payment_fields(wired.close_review(command.merchant_id, command.transaction_id, finding, action))
            case CloseOperationReviewCommand():
                return operation_fields(
                    wired.close_operation_review(command.merchant_id, command.operation_id, finding, action)
                )

    return decided_or_proposed(wired, command, decide)


def _show(wired: OperatorsWiring, command: ShowReviewCommand) -> dict[str, Any]:
    merchant = wired.merchant_directory.merchant(command.merchant_id) if command.provider else None
    decision = ReviewDecision(
        verdict=ReviewVerdict.CHARGED,
        reference=command.reference,
        amount=command.amount,
        held=command.held,
        charge=named_charge(
            merchant,
            command.provider,
            command.account_id,
            command.provider_key,
            able=wired.providers.capabilities(),
        ),
    )
    if command.operation_id is not None:
        return present_review(wired.show_review.of_operation(command.merchant_id, command.operation_id, decision))
    if command.transaction_id is not None:
        return present_review(wired.show_review.of_payment(command.merchant_id, command.transaction_id, decision))
    raise Refusal("not_found", "Name the payment or the operation.")


def _list(wired: OperatorsWiring, command: ListReviewsCommand) -> dict[str, Any]:
    found = wired.list_reviews(command.merchant_id, limit=command.limit, position=command.position)
    now_ms = wired.platform.clock.now_ms()
    return {
        "items": [_present(review, now_ms) for review in found.items],
        "nextPosition": found.next_position,
        "complete": found.complete,
    }


def _present(review: Review, now_ms: int) -> dict[str, Any]:
    """With the key under which the provider knows it. What this version cannot read is listed by its ids."""
    item = review.item
    attempt = _attempt_in_question(item) if item else None
    return {
        "merchantId": review.merchant_id,
        "transactionId": review.transaction_id,
        "operationId": review.operation_id,
        "money": money(item.amount, item.currency) if item else None,
        "reason": _reason(item) if item else "unreadable",
        "provider": attempt.provider if attempt else None,
        "providerKey": attempt.provider_key if attempt else None,
        "providerRef": attempt.reference if attempt else None,
        "since": timestamp(review.since_ms),
        "ageSeconds": max(0, now_ms - review.since_ms) // SECOND_MS,
    }


def _attempt_in_question(item: Payment | Operation) -> Attempt | None:
    return item.last_attempt if isinstance(item, Operation) else attempt_in_question(item)


def _reason(item: Payment | Operation) -> str | None:
    return item.last_error.code if item.last_error else None
