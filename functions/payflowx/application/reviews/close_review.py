"""Closing of a payment's manual review with an operator's evidence."""

from collections.abc import Mapping
from dataclasses import dataclass

from payflowx.application.payments.current_ledger import explained_payment
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.reviews.name_charge import named_charge
from payflowx.domain.merchants.approvals import require_second_person
from payflowx.domain.merchants.directory import MerchantDirectory, limits_of
from payflowx.domain.merchants.operator_action import OperatorAction, checked_words
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.named_charge import NamedCharge
from payflowx.domain.payments.operation import Held
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments, ReferenceTaken, Stored
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review import ReviewDecision, ReviewVerdict, close_review
from payflowx.domain.payments.review_since import check_seen, seen_review
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES
from payflowx.domain.shared.text import provider_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewEntry:
    """An operator's evidence and its source; the other fields are those of `ReviewDecision`.

    `provider`, `account_id` and `provider_key`: where a payment was charged, if the attempt under review is not it.
    `seen`: the review that the first person saw, where the second one approves its closing.
    """

    verdict: ReviewVerdict
    evidence: str
    reference: str | None = None
    amount: int | None = None
    held: Held | None = None
    provider: str | None = None
    account_id: str | None = None
    provider_key: str | None = None
    seen: str | None = None

    def decision(self, charge: NamedCharge | None = None) -> ReviewDecision:
        """Return the part that changes the ledger."""
        return ReviewDecision(
            verdict=self.verdict, reference=self.reference, amount=self.amount, held=self.held, charge=charge
        )


def review_facts(finding: ReviewEntry, operator_action: OperatorAction) -> dict[str, Fact]:
    """Return the facts for the audit log, with what the operator named.

    Raises `Refusal` (`reference_invalid`, `reason_invalid`).
    """
    if finding.reference is not None and provider_reference(finding.reference) is None:
        raise Refusal("reference_invalid", "Not a valid provider reference.")
    named = {
        "namedAmount": finding.amount,
        "namedHeld": finding.held.value if finding.held else None,
        "namedProvider": finding.provider,
        "namedAccountId": finding.account_id,
        "namedKey": finding.provider_key,
    }
    return {
        **operator_action.facts(),
        "evidence": checked_words("evidence", finding.evidence),
        **{name: value for name, value in named.items() if value is not None},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseReview:
    """Raises `Refusal`, and `SecondPersonNeeded` for a valid decision above the merchant's limit.

    Codes: `not_found`, `invalid_state`, `busy`, `evidence_contradicts`, `amount_invalid`, `held_unknown`,
    `reference_taken`.
    """

    payments: Payments
    operations: Operations
    outcome_writer: OutcomeWriter
    merchant_directory: MerchantDirectory
    able: Mapping[str, Capabilities]
    clock: Clock
    policy: RetryPolicy

    def __call__(
        self,
        merchant_id: str,
        transaction_id: str,
        finding: ReviewEntry,
        operator_action: OperatorAction,
    ) -> Payment:
        """Return the payment, SUCCESS or FAILED; its audit log holds the evidence.

        It stays IN_REVIEW as long as more was refunded than captured.
        """
        facts = review_facts(finding, operator_action)
        merchant = self.merchant_directory.merchant(merchant_id) if finding.provider else None
        place = (finding.provider, finding.account_id, finding.provider_key)
        charge = named_charge(merchant, *place, able=self.able)
        for _ in range(MAX_COMMIT_TRIES):
            payment = self.payments.get(merchant_id, transaction_id)
            if payment is None:
                raise Refusal("not_found", "There is no payment with this id.")
            context = Context(now_ms=self.clock.now_ms(), actor="operator", policy=self.policy, evidence=facts)
            seen = seen_review(payment)
            current, rebuilt = explained_payment(payment, self.operations)
            change = close_review(current, finding.decision(charge), context, rebuilt=rebuilt)
            check_seen(seen, finding.seen)
            largest = max(payment.amount, finding.amount or 0)
            limits = limits_of(self.merchant_directory, merchant_id)
            require_second_person(limits, largest, payment.currency, operator_action, seen=seen)
            match self.outcome_writer.apply(change):
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
