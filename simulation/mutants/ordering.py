"""Broken designs of orders."""

from typing import Final

from payflowx.adapters.dynamodb.orders.orders import DynamoDBOrders
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.application.orders.keep_order import KeepOrder
from payflowx.application.orders.take_order import TakeOrder
from payflowx.application.payments import create_payment, outcome_writer, settle_order
from payflowx.application.payments.claim_item import ClaimItem
from payflowx.application.payments.settle_order import SettleOrder
from payflowx.domain.orders import freeing, ordered_change, stopping, taking
from payflowx.domain.orders.order import Order
from payflowx.domain.payments.operation_state_machine import request_operation
from simulation.mutants.mutant import Edit, Mutant, broken

_PROVEN: Final = "all(attempt.is_proven_uncharged for attempt in payment.attempts)"

ORDERING: Final[tuple[Mutant, ...]] = (
    broken(
        "orders",
        "an order that is held is given to the next payment",
        Edit(taking, "take", "if is_free or now.holder == payment.transaction_id:", "if True:"),
    ),
    broken(
        "orders",
        "an order whose holder left it is given away although other payments are counted beside",
        Edit(
            TakeOrder, "__call__", "take_over(self._left_by(taken.order), payment)", "take_over(taken.order, payment)"
        ),
        scenario="declined_orders",
    ),
    broken(
        "orders",
        "each change of a payment counts it at its order again",
        Edit(KeepOrder, "commit", "if step is OrderStep.NONE:", "if False:"),
        scenario="cancelled_orders",
    ),
    broken(
        "orders",
        "the condition of the order is dropped",
        Edit(DynamoDBOrders, "_order_part", "if before is None:", "if True:"),
        Edit(
            DynamoDBOrders,
            "_order_part",
            "writes.new_item(self._table, order_to_item(replace(after, version=1)))",
            "{'Put': {'TableName': self._table, 'Item': to_attributes(order_to_item(replace(after, version=1)))}}",
        ),
    ),
    broken(
        "orders",
        "an order is freed by the last attempt alone",
        Edit(
            freeing, "is_uncharged_for_good", _PROVEN, "(not payment.attempts or payment.attempts[-1].may_prove_late)"
        ),
    ),
    broken(
        "orders",
        "a cancelled payment frees its order while a decline may reopen",
        Edit(
            freeing,
            "is_uncharged_for_good",
            _PROVEN,
            f"(payment.status is PaymentStatus.CANCELLED or {_PROVEN})",
        ),
        scenario="cancelled_orders",
    ),
    broken(
        "orders",
        "a failed payment frees its order while a decline may reopen",
        Edit(freeing, "is_uncharged_for_good", _PROVEN, "all(a.may_prove_late for a in payment.attempts)"),
    ),
    broken(
        "orders",
        "an order is freed by a refund that is only reserved",
        Edit(freeing, "may_be_given_back", "payment.refunded == payment.captured", "payment.refundable == 0"),
        Edit(freeing, "may_be_given_back", "and payment.reserved == 0", ""),
        Edit(
            freeing,
            "is_given_back",
            "may_be_given_back(payment) and decided and",
            "payment.captured > 0 and payment.refundable == 0 and payment.excess == 0 and",
        ),
    ),
    broken(
        "orders",
        "a payment that says false is not counted beside the order",
        Edit(taking, "take", "return replace(listed, beside=now.beside + 1)", "return listed"),
    ),
    broken(
        "orders",
        "a late charge is given back before the holder is decided",
        Edit(ordered_change, "settle", "holder is not None and _keeps_a_charge(holder)", "holder is not None"),
        Edit(
            ordered_change,
            "settle",
            "may_be_refunded=holder.captured > holder.refunded + holder.reserved",
            "may_be_refunded=True",
        ),
    ),
    broken(
        "orders",
        "the charge of the order's holder is given back",
        Edit(
            SettleOrder,
            "__call__",
            "refund = self._refund(decided, context)",
            "holder_id = decided.change.after.order.contends_with or ''\n"
            "    holder = self.keep_order.payments.get(payment.merchant_id, holder_id)\n"
            "    if decided.may_be_refunded and holder is not None and holder.refundable:\n"
            "        given = request_operation(holder, late_refund(holder, context), context)\n"
            "        self.keep_order.payments.commit(given)\n"
            "    refund = self._refund(decided, context)",
        ),
        request_operation=request_operation,
        scenario="declined_orders",
    ),
    broken(
        "orders",
        "a late charge takes the order of a holder that is charged",
        Edit(
            ordered_change,
            "enter",
            "if order.state is OrderState.FREE or order.holder == after.transaction_id:",
            "if True:",
        ),
    ),
    broken(
        "orders",
        "the holder of an order is not stopped by a late charge",
        Edit(stopping, "stop_holder", "if holder.order is None or holder.order.stop_requested:", "if True:"),
        scenario="cancelled_orders",
    ),
    broken(
        "orders",
        "a late charge is not decided when the holder is charged",
        Edit(
            ordered_change,
            "settle",
            "if order is not None and holder is not None and _keeps_a_charge(holder):",
            "if False:",
        ),
        scenario="declined_orders",
    ),
    broken(
        "orders",
        "a late charge is not given back although its merchant has that done",
        Edit(SettleOrder, "__call__", "refunds and decided.may_be_refunded", "False"),
        scenario="declined_orders",
    ),
    broken(
        "orders",
        "a late charge of an order is not looked at",
        Edit(ordered_change, "step_of", "return OrderStep.ENTER if has_news and not is_free else", "return"),
    ),
    broken(
        "orders",
        "an order is not freed when a decline can reopen no more",
        Edit(
            outcome_writer.OutcomeWriter,
            "_schedule_inquiry",
            "if isinstance(later, Payment) and frees_order",
            "if isinstance(later, Payment) and False and frees_order",
        ),
        survives="The next request for the order releases a holder that is proven uncharged; what is late is the list "
        "of the order. `tests/unit/application/orders/test_late_charge.py` holds the write itself.",
    ),
    broken(
        "orders",
        "an automatic refund has an id of its own each time",
        Edit(settle_order, "late_refund", "str(charge.number), _LATE", "str(payment.version), _LATE"),
        survives="The refund is requested in the write that decides the payment, on the payment's version: there is no "
        "second one to have an id.",
    ),
    broken(
        "orders",
        "an order whose holder leaves it is free although another charge waits",
        Edit(Order, "released_by", "if kept.contenders:", "if False:"),
        scenario="declined_orders",
    ),
    broken(
        "orders",
        "a failed holder that may reopen leaves its order at every merchant",
        Edit(
            TakeOrder,
            "_is_free_of",
            "return self.is_automatic_refund_on(holder.merchant_id)",
            "return True",
        ),
        scenario="refunds_turned_off",
    ),
    broken(
        "orders",
        "every payment of an order counts as the only one",
        Edit(create_payment, "_order_link", "once=request.once_per_order", "once=True"),
        scenario="declined_orders",
    ),
    broken(
        "orders",
        "late charges are given back at every merchant",
        Edit(ClaimItem, "_settle", "refunds=merchant.automatic_refund", "refunds=True"),
        scenario="refunds_turned_off",
    ),
    broken(
        "orders",
        "an automatic refund gives back half",
        Edit(settle_order, "late_refund", "    payment.refundable,\n", "    (payment.refundable + 1) // 2,\n"),
        scenario="declined_orders",
    ),
    broken(
        "orders",
        "an order that is held is looked at before the request's own payment",
        Edit(TakeOrder, "__call__", "existing = self._existing(payment)", "existing = None"),
        Edit(
            DynamoDBPayments,
            "create_with",
            "if key is not None:",
            "if refused.failed.keys() & {part for part, _ in beside}:\n            return refused\n"
            "        if key is not None:",
        ),
        scenario="refunds_turned_off",
    ),
)
