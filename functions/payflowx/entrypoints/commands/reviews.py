"""Closing what only a person could decide. Reviews are listed as payments with the status IN_REVIEW."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.application.close_review import ReviewFinding
from payflowx.bootstrap import Container
from payflowx.domain.limits import MAX_REFERENCE_CHARS
from payflowx.domain.review import Verdict
from payflowx.entrypoints.commands.base import Change, MerchantId, TransactionId
from payflowx.entrypoints.commands.presenting import payment_fields


class CloseReviewCommand(Change, tag="close_review"):
    """`reference`: the provider's id of the charge, where it was not known."""

    merchant_id: MerchantId
    transaction_id: TransactionId
    verdict: Verdict
    evidence: str
    reference: Annotated[str, Meta(min_length=1, max_length=MAX_REFERENCE_CHARS)] | None = None


COMMANDS = (CloseReviewCommand,)


def run(container: Container, command: CloseReviewCommand) -> dict[str, Any]:
    """The payment as it is now."""
    finding = ReviewFinding(verdict=command.verdict, evidence=command.evidence, reference=command.reference)
    payment = container.close_review(command.merchant_id, command.transaction_id, finding, command.decision())
    container.telemetry.info("review closed", transactionId=payment.transaction_id, verdict=command.verdict.value)
    return payment_fields(payment)
