"""A refund that an operator saw in the dashboard of a provider whose refunds cannot be read."""

from dataclasses import dataclass

from payflowx.application.payments.record_provider_refunds import RecordProviderRefunds
from payflowx.domain.merchants.approvals import require_second_person
from payflowx.domain.merchants.directory import MerchantDirectory, limits_of
from payflowx.domain.merchants.operator_action import OperatorAction, checked_words
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.provider_refund import RefundDecision
from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.text import provider_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRefundByHand:
    """Books the refund once, by its reference.

    Raises `SecondPersonNeeded` above the merchant's limit.
    Raises `Refusal` (`not_found`, `invalid_state`, `not_supported`, `reference_invalid`, `amount_invalid`,
    `outcome_unknown`).
    """

    record_provider_refunds: RecordProviderRefunds
    merchant_directory: MerchantDirectory

    def __call__(
        self,
        merchant_id: str,
        transaction_id: str,
        operator_action: OperatorAction,
        *,
        reference: str,
        amount: int,
        evidence: str,
    ) -> Payment:
        """Return the payment as it is now; its audit log holds the evidence."""
        record = self.record_provider_refunds
        payment = record.payments.get(merchant_id, transaction_id)
        if payment is None:
            raise Refusal("not_found", "There is no payment with this id.")
        if payment.charged_attempt is None:
            raise Refusal("invalid_state", "The payment is not charged, so nothing of it can have been refunded.")
        charge = payment.attempt(payment.charged_attempt)
        if record.providers.get(charge.provider).lists_refunds:
            raise Refusal(
                "not_supported",
                f"The refunds of {charge.provider} can be read. Use `payflowx payments read-refunds` instead.",
            )
        if provider_reference(reference) is None:
            raise Refusal("reference_invalid", "Not a valid provider reference.")
        refund = ProviderRefund(
            reference=reference,
            provider_key=None,
            amount=amount,
            currency=payment.currency,
            state=RefundState.SUCCEEDED,
        )
        facts = {**operator_action.facts(), "evidence": checked_words("evidence", evidence)}
        limits = limits_of(self.merchant_directory, merchant_id)
        require_second_person(limits, amount, payment.currency, operator_action)
        _check(record.record(payment, charge, refund, facts))
        return record.payments.get(merchant_id, transaction_id) or payment


def _check(decision: RefundDecision) -> None:
    if decision is RefundDecision.WAIT:
        raise Refusal(
            "outcome_unknown",
            "A refund that was requested here is not final: this may be it, or takes its amount. Repeat the command "
            "when it is final.",
        )
    if decision is RefundDecision.CONTRADICTION:
        raise Refusal("amount_invalid", "A refund of this charge cannot have this amount.", field="amount")
