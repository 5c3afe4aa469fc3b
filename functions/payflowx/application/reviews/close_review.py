"""Closing of a payment's manual review with an operator's evidence."""

from dataclasses import dataclass

from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.domain.merchants.operator_action import OperatorAction, checked_words
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments, ReferenceTaken, Stored
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review import ReviewVerdict, close_review
from payflowx.domain.payments.state_machine import Context
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES
from payflowx.domain.shared.text import provider_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewEntry:
    """An operator's evidence and its source.

    `reference`: the provider's id of the charge, where it was not known.
    """

    verdict: ReviewVerdict
    evidence: str
    reference: str | None = None


def review_facts(finding: ReviewEntry, operator_action: OperatorAction) -> dict[str, Fact]:
    """Return the facts for the audit log.

    Raises `Refusal` (`reference_invalid`, `reason_invalid`).
    """
    if finding.reference is not None and provider_reference(finding.reference) is None:
        raise Refusal("reference_invalid", "Not a valid provider reference.")
    return {**operator_action.facts(), "evidence": checked_words("evidence", finding.evidence)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseReview:
    """Raises `Refusal` (`not_found`, `invalid_state`, `busy`, `evidence_contradicts`, `reference_taken`)."""

    payments: Payments
    outcome_writer: OutcomeWriter
    clock: Clock
    policy: RetryPolicy

    def __call__(
        self,
        merchant_id: str,
        transaction_id: str,
        finding: ReviewEntry,
        operator_action: OperatorAction,
    ) -> Payment:
        """Return the payment, SUCCESS or FAILED; its audit log holds the evidence."""
        facts = review_facts(finding, operator_action)
        for _ in range(MAX_COMMIT_TRIES):
            payment = self.payments.get(merchant_id, transaction_id)
            if payment is None:
                raise Refusal("not_found", "There is no payment with this id.")
            context = Context(now_ms=self.clock.now_ms(), actor="operator", policy=self.policy, evidence=facts)
            match self.outcome_writer.apply(close_review(payment, finding.verdict, finding.reference, context)):
                case Stored(item=stored):
                    return stored
                case ReferenceTaken():
                    raise Refusal(
                        "reference_taken",
                        "The provider's reference belongs to another attempt, so it cannot prove this one.",
                    )
                case _:
                    continue
        raise StorageUnavailableError("the payment kept changing")
