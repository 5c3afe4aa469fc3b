"""Broken designs as a hurried developer would make them: one line of a rule is left out, or one case of a state."""

from typing import Final

from payflowx.adapters.dynamodb.payments import compact_items, operation_items, payment_items, review_items
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.application.inbound_webhooks.process_provider_event import ProcessProviderEvent
from payflowx.application.orders.take_order import TakeOrder
from payflowx.application.outbound_webhooks import deliver_event
from payflowx.application.outbound_webhooks.deliver_event import DeliverEvent
from payflowx.application.payments.cancel_payment import CancelPayment
from payflowx.application.payments.void_on_request import VoidOnRequest
from payflowx.domain.orders.order import Order
from payflowx.domain.payments import (
    attempt_records,
    balances,
    change,
    closed_attempts,
    erasure,
    operation_review,
    operation_state_machine,
    restored,
    review,
    state_machine,
)
from payflowx.entrypoints.api import messages
from payflowx.entrypoints.api.payments import presenting
from simulation.mutants.mutant import Edit, Mutant, broken

_NOT_CHECKED: Final = Edit(
    balances, "check_balance", 'raise InvariantError("the change breaks', 'return None or str("the change breaks'
)
_NOT_REVIEWED: Final = Edit(balances, "is_off_balance", "return payment", "return False and payment")

HURRYING: Final[tuple[Mutant, ...]] = (
    # -- captures, voids, refunds
    broken(
        "operations",
        "a capture claims the reference of its charge",
        Edit(
            operation_state_machine,
            "_own_reference",
            "return recorded.reference if recorded.reference != charge.reference else None",
            "return recorded.reference if charge else None",
        ),
        scenario="operations",
    ),
    broken(
        "operations",
        "an operation that nobody could resolve is not inquired about in its review",
        Edit(
            operation_state_machine,
            "send_operation_to_review",
            "due_at_ms=at_ms if operation.attempts else None,",
            "due_at_ms=None,",
        ),
        scenario="slow_providers",
    ),
    broken(
        "operations",
        "a refund made at the provider beyond what is refundable needs no review",
        Edit(operation_state_machine, "record_provider_refund", "if moved.payment.excess:", "if False:"),
        scenario="operations",
    ),
    broken(
        "operations",
        "a pending refund made at the provider waits a month for its first inquiry",
        Edit(operation_state_machine, "record_provider_refund", "if attempt.is_open:", "if False:"),
        scenario="erasures",
    ),
    broken(
        "operations",
        "what was captured less than was held can be refunded all the same",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(
            balances,
            "correct_captured",
            "return _free(changed, more) if more > 0 else _take(changed, -more)",
            "return changed if more else changed",
        ),
    ),
    broken(
        "operations",
        "an authorization whose capture failed is due for nothing",
        Edit(
            balances,
            "_reopened",
            "        ready_at_ms=now_ms,\n        due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS,\n",
            "",
        ),
        scenario="operations",
    ),
    broken(
        "operations",
        "a refund that a person found not made keeps its amount",
        Edit(
            operation_review,
            "_close_failed",
            "moved = give_back(payment, operation, context.now_ms)",
            "moved = Moved(payment=payment, operation=operation, move=Move.NONE)",
        ),
        scenario="operations",
    ),
    # -- charges
    broken(
        "payments",
        "a provider that does not tell when a hold lapses holds for ever",
        Edit(
            attempt_records,
            "record_on_attempt",
            "lapses_at_ms = outcome.lapses_at_ms or context.now_ms + lifetime_ms",
            "lapses_at_ms = outcome.lapses_at_ms or context.now_ms + 100 * lifetime_ms",
        ),
    ),
    broken(
        "payments",
        "a decline that may reopen is watched for a sixth of its time",
        Edit(
            attempt_records,
            "record_on_attempt",
            "reopens_until_ms=context.now_ms + reopens_ms if reopens_ms else None,",
            "reopens_until_ms=context.now_ms + reopens_ms // 6 if reopens_ms else None,",
        ),
    ),
    broken(
        "checkout",
        "an event's read of a paid object takes the place of its last read",
        Edit(closed_attempts, "inquired", "if final_ms is not None and final_ms > now_ms:", "if False:"),
        scenario="closings",
    ),
    broken(
        "checkout",
        "an event about one charge of a paid object is believed",
        Edit(
            ProcessProviderEvent,
            "_only_a_read_tells",
            "return is_paid or (hosted is not None and hosted.returns_extra_charges)",
            "return False and is_paid",
        ),
        scenario="closings",
    ),
    broken(
        "checkout",
        "a payment that owes a further charge is on no list",
        Edit(review_items, "_owed_keys", "if not owed or not isinstance(item, Payment):", "if owed is not None:"),
        scenario="closings",
    ),
    # -- orders
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
    # -- restores
    broken(
        "recovery",
        "after a restore, merchant events are numbered from what is known",
        Edit(
            restored, "raise_numbers", "announced=max(payment.announced, used_number),", "announced=payment.announced,"
        ),
        scenario="restores",
    ),
    # -- merchants
    broken(
        "merchants",
        "a payment is erased beside the lease of its worker",
        Edit(erasure, "is_payment_open", "or payment.lease.is_live(now_ms)", ""),
        survives=(
            "A worker's write requires the version that it has read: after the erasure it reads the payment anew, and "
            "whatever it writes to an erased payment is written without personal data."
        ),
    ),
    # -- deliveries
    broken(
        "outbound_webhooks",
        "an endpoint that works again is disabled three days after its first failure",
        Edit(deliver_event, "_kept", "return replace(endpoint, failing_since_ms=None)", "return endpoint"),
        scenario="endpoints",
    ),
    broken(
        "outbound_webhooks",
        "an event about a refund does not show the refund",
        Edit(DeliverEvent, "_body", "if merchant_event.operation_id\n", "if False\n"),
    ),
    broken(
        "outbound_webhooks",
        "an event tells the new status as the one before",
        Edit(
            messages,
            "_change",
            "before, after = merchant_event.status_from, merchant_event.status_to",
            "before, after = merchant_event.status_to, merchant_event.status_to",
        ),
    ),
    broken(
        "outbound_webhooks",
        "what an order changes in a payment's result is not told",
        Edit(change, "amended", "if after.status is not change.after.status:", "if False:"),
        scenario="declined_orders",
    ),
    # -- stores
    broken(
        "payments",
        "a change counts as stored when another one took its version",
        Edit(
            DynamoDBPayments,
            "_own_or_moved",
            "found.event_hash == change.event.hash",
            "found.version == change.after.version",
        ),
    ),
    # -- providers
    # -- what is stored and shown
    broken(
        "payments",
        "the page of a payment is shown as the next action after its end",
        Edit(presenting, "_next_action", "if payment.status is not PaymentStatus.REQUIRES_ACTION:", "if False:"),
        scenario="closings",
    ),
    broken(
        "payments",
        "an item forgets since when nothing could be sent",
        Edit(payment_items, "_full_item", '"notSentSince": payment.not_sent_since_ms,', '"notSentSince": None,'),
        scenario="sick_provider",
    ),
    broken(
        "payments",
        "an item forgets that the providers were asked after a restore",
        Edit(payment_items, "_full_item", '"searchedAt": payment.searched_at_ms,', '"searchedAt": None,'),
        scenario="restores",
    ),
    broken(
        "payments",
        "the compact layout keeps no capture mode",
        Edit(
            compact_items,
            "compacted",
            '"capture": None if item["capture"] == CaptureMode.AUTOMATIC else item["capture"],',
            '"capture": None,',
        ),
    ),
    broken(
        "payments",
        "the compact layout keeps no time of the next step",
        Edit(
            compact_items,
            "compacted",
            '"readyAt": None if item["readyAt"] == item["createdAt"] else item["readyAt"],',
            '"readyAt": None,',
        ),
    ),
    broken(
        "operations",
        "an item forgets that a refund was made at the provider",
        Edit(
            operation_items,
            "operation_to_item",
            '"origin": None if operation.origin is Origin.MERCHANT else operation.origin.value,',
            '"origin": None,',
        ),
        scenario="operations",
    ),
    broken(
        "operations",
        "an item forgets that another amount moved than was asked for",
        Edit(operation_items, "operation_to_item", '"bookedAmount": operation.booked_amount,', '"bookedAmount": None,'),
        scenario="operations",
    ),
    # -- cancellations
    broken(
        "payments",
        "a cancellation is promised where no provider can cancel",
        Edit(
            CancelPayment,
            "_cancel",
            "if self.providers.get(unresolved.provider).can_cancel(charge_request_of(payment, unresolved)):",
            "if True:",
        ),
        scenario="cancellations",
    ),
    broken(
        "operations",
        "a second void of a cancellation has the id of the first",
        Edit(VoidOnRequest, "_void", "version = str(payment.version)", 'version = "1"'),
        scenario="cancellations",
    ),
    broken(
        "payments",
        "a cancellation before the first attempt leaves the payment waiting",
        Edit(state_machine, "_ended", 'if stop.code == "cancelled" or payment.cancel_requested:', "if False:"),
        scenario="cancellations",
    ),
    # -- people
    broken(
        "reviews",
        "a payment that was refunded is closed as not charged",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(
            review,
            "_not_charged",
            "if payment.refunded or payment.open_capture_or_void is not None or payment.refundable",
            "if False and payment.refundable",
        ),
        scenario="operations",
    ),
    broken(
        "payments",
        "the audit log tells the status before the order's part of a change",
        Edit(change, "amended", "status_to=after.status, ", ""),
        scenario="declined_orders",
    ),
    broken(
        "payments",
        "a final decline is told as one that may pass elsewhere",
        Edit(state_machine, "_failure_class", 'return "hard_decline"', 'return "soft_decline"'),
    ),
    broken(
        "payments",
        "an authorization that lapsed is told as cancelled by its merchant",
        Edit(
            state_machine,
            "_release_class",
            "if not was_held or payment.cancel_requested or is_to_close(payment, before):",
            "if True:",
        ),
        scenario="late_captures",
    ),
)
