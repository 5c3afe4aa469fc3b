"""The decision about a payment that was charged although another one holds its order.

Nothing is given back before the holder is decided, and never the holder's charge.
"""

from dataclasses import dataclass, replace
from typing import Final

from payflowx.application.orders.keep_order import KeepOrder, Kept
from payflowx.application.payments.current_ledger import current_payment
from payflowx.application.payments.operation_request import new_operation_request_of
from payflowx.domain.orders.ordered_change import OrderedChange
from payflowx.domain.payments.balances import reserve
from payflowx.domain.payments.change import Change, Context, operation_change
from payflowx.domain.payments.operation import Operation, new_operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.operation_state_machine import operation_facts
from payflowx.domain.payments.payment import Payment
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.identifiers import OPERATION_PREFIXES, derive_id
from payflowx.domain.shared.operation_request import OperationKind

_LATE: Final = "late"
"""Stands in the id and in the fingerprint of an automatic refund, where a merchant's request has its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleOrder:
    """Decides, and requests the automatic refund in the same transaction where the merchant has it on."""

    keep_order: KeepOrder
    operations: Operations
    providers: Providers

    def __call__(self, payment: Payment, context: Context, *, refunds: bool) -> Kept | None:
        """Write the decision; None as long as the holder of the order is not decided.

        `refunds`: the merchant's switch.
        """
        decided = self.keep_order.settle(current_payment(payment, self.operations), context)
        if decided is None:
            return None
        refund = self._refund(decided, context) if refunds and decided.may_be_refunded else None
        return self.keep_order.write(replace(decided, change=refund) if refund else decided)

    def _refund(self, decided: OrderedChange, context: Context) -> Change | None:
        """Return the decision with the refund of the whole late charge.

        None where its provider has no refunds, or where this refund was made before: then a person decides.
        """
        payment = decided.change.after
        charge = payment.attempt(payment.charged_attempt or 0)
        if not charge.reference or payment.refundable < 1:
            return None
        refund = late_refund(payment, context)
        if self.operations.get(payment.merchant_id, payment.transaction_id, refund.operation_id) is not None:
            return None
        if not self.providers.get(charge.provider).supports(new_operation_request_of(payment, refund)):
            return None
        moved = reserve(payment, refund)
        facts = {**operation_facts(moved.operation), **decided.change.event.facts}
        change = operation_change(
            decided.change.before, moved.payment, None, moved.operation, context, name="requested", facts=facts
        )
        return replace(change, wake_in_seconds=0)


def late_refund(payment: Payment, context: Context) -> Operation:
    """Return the refund of a late charge. Its id is derived, so that no repetition makes a second one."""
    charge = payment.attempt(payment.charged_attempt or 0)
    prefix = OPERATION_PREFIXES[OperationKind.REFUND]
    return new_operation(
        payment,
        charge,
        OperationKind.REFUND,
        payment.refundable,
        operation_id=derive_id(prefix, payment.merchant_id, payment.transaction_id, str(charge.number), _LATE),
        fingerprint=_LATE,
        now_ms=context.now_ms,
        send_deadline_ms=context.now_ms + context.policy.charge_deadline_ms,
    )
