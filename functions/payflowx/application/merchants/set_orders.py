"""The merchant's switch for the automatic refund of a charge beside the payment that holds its order."""

from dataclasses import dataclass

from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOrders:
    """Raises `Refusal` (`not_found`). Idempotent; every function applies it within a minute."""

    merchant_directory: MerchantDirectory
    clock: Clock

    def __call__(self, merchant_id: str, operator_action: OperatorAction, *, automatic_refund: bool) -> None:
        """Set the switch. Payments that were decided before keep their decision."""
        record = AuditEntry(
            action="merchant.orders_set",
            at_ms=self.clock.now_ms(),
            operator_action=operator_action,
            merchant_id=merchant_id,
            facts={"automaticRefund": automatic_refund},
        )
        if not self.merchant_directory.set_automatic_refund(merchant_id, record, enabled=automatic_refund):
            raise Refusal("not_found", "There is no merchant with this id.")
