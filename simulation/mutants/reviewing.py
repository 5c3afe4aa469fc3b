"""Broken designs of reviews and of reconciliation."""

from typing import Final

from payflowx.adapters.dynamodb.payments import review_items
from payflowx.application.reviews.close_operation_review import CloseOperationReview
from payflowx.application.reviews.close_review import CloseReview
from payflowx.domain.payments import (
    balances,
    operation_review,
    operation_state_machine,
    provider_refund,
    review,
    review_since,
    state_machine,
)
from payflowx.entrypoints.operators.commands import reviews as review_commands
from simulation.mutants.mutant import Edit, Mutant, broken

_NOT_CHECKED: Final = Edit(
    balances, "check_balance", 'raise InvariantError("the change breaks', 'return None or str("the change breaks'
)
_NOT_REVIEWED: Final = Edit(balances, "is_off_balance", "return payment", "return False and payment")

REVIEWING: Final[tuple[Mutant, ...]] = (
    broken(
        "reviews",
        "closing a review books a refund that is booked already",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(balances, "_book_refund", "if operation.held is Held.BOOKED and operation.booked == amount:", "if False:"),
        Edit(
            balances,
            "_book_refund",
            "taken = _take(_withdrawn(payment, operation), amount)",
            "taken = _take(payment, amount)",
        ),
    ),
    broken(
        "reviews",
        "an amount that is given back already is given back again",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(balances, "give_back", "if operation.held is Held.GIVEN_BACK:", "if False:"),
        Edit(
            balances,
            "_withdrawn",
            "case _:\n            return payment",
            "case _:\n            return _free(payment, operation.amount)",
        ),
        scenario="operations",
    ),
    broken(
        "reviews",
        "a review of a refund keeps no amount reserved",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(
            operation_state_machine,
            "send_operation_to_review",
            "moved = reserve_again(payment, operation)",
            "moved = give_back(payment, operation, context.now_ms)",
        ),
    ),
    broken(
        "reviews",
        "reviews are not on the list",
        Edit(review_items, "review_keys", "if not is_in_review(item):", "if True:"),
    ),
    broken(
        "reviews",
        "reviews of operations are not on the list",
        Edit(
            review_items,
            "review_keys",
            "if not is_in_review(item):",
            "if not is_in_review(item) or isinstance(item, Operation):",
        ),
    ),
    broken(
        "reviews",
        "a review that is closed books nothing",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(
            operation_review,
            "_moved",
            "moved = apply_success(payment, operation, amount)",
            "moved = Moved(payment=payment, operation=operation, move=Move.BOOK)",
        ),
        Move=balances.Move,
    ),
    broken(
        "reviews",
        "a checkout's review is closed with the id of its object",
        Edit(review, "evidence_obstacle", "case _ if _may_be_the_object(attempt, reference):", "case _ if False:"),
        scenario="restores",
    ),
    broken(
        "reviews",
        "a hosted object that a person found paid is not read once more",
        Edit(
            review,
            "_charged",
            "return after if attempt.state is AttemptState.SUCCEEDED else with_final_read(after, closed), closed",
            "return after, closed",
        ),
        scenario="restores",
    ),
    broken(
        "reviews",
        "when a review ends by a charge, other open attempts keep its daily inquiries",
        Edit(
            state_machine,
            "_succeeded",
            "keeps_time = payment.status is not PaymentStatus.IN_REVIEW and any(",
            "keeps_time = any(",
        ),
        scenario="restores",
    ),
    broken(
        "reviews",
        "when a person closes a review, nobody inquires about what else may be charged",
        Edit(
            review, "close_review", "after, wake_in_seconds = still_due(after, None, context)", "wake_in_seconds = None"
        ),
        scenario="reviews_beside_late_holds",
    ),
    broken(
        "reviews",
        "the evidence of a review is not recorded",
        Edit(
            review,
            "close_review",
            "match decision.verdict:",
            "context = replace(context, evidence={})\n    match decision.verdict:",
        ),
    ),
    broken(
        "reviews",
        "a closing with a part books the whole",
        Edit(review, "_captured", "        return amount\n", "        return payment.amount\n"),
        scenario="kept_in_part",
    ),
    broken(
        "reviews",
        "a closing with a part leaves the rest to be captured",
        Edit(review, "_charged", "capturable=0,", "capturable=payment.amount - corrected.captured,"),
        scenario="kept_in_part",
    ),
    broken(
        "reviews",
        "a closing with a part makes the whole refundable",
        Edit(
            review,
            "_charged",
            "after = replace(\n        corrected,",
            "corrected = replace(corrected, refundable=payment.amount)\n    after = replace(\n        corrected,",
        ),
        _NOT_CHECKED,
        _NOT_REVIEWED,
        scenario="kept_in_part",
    ),
    broken(
        "reviews",
        "a refund that was made before a part was named is booked beside it",
        Edit(
            provider_refund,
            "_is_counted",
            "return charge.started_at_ms - _CLOCKS_MS <=",
            "return False and charge.started_at_ms - _CLOCKS_MS <=",
        ),
        scenario="kept_in_part",
    ),
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
        "reviews",
        "a review begins anew with each change",
        Edit(review_since, "review_since_ms", "return before.review_since_ms or before.updated_at_ms", "return now_ms"),
        scenario="operations",
    ),
    broken(
        "reviews",
        "the list of reviews tells no reason",
        Edit(review_commands, "_reason", "return item.last_error.code if item.last_error else None", "return None"),
        scenario="operations",
    ),
    broken(
        "reviews",
        "the list of reviews tells the amount that was refunded",
        Edit(
            review_commands,
            "_present",
            "money(item.amount, item.currency)",
            'money(getattr(item, "refunded", item.amount), item.currency)',
        ),
    ),
    broken(
        "reviews",
        "an operator's closing is told as a worker's",
        Edit(CloseReview, "__call__", 'actor="operator"', 'actor="worker"'),
        Edit(CloseOperationReview, "__call__", 'actor="operator"', 'actor="worker"'),
        scenario="operations",
    ),
    broken(
        "reviews",
        "a review that was closed meanwhile is closed again",
        Edit(review, "close_review", "if payment.status is not PaymentStatus.IN_REVIEW:", "if False:"),
        Edit(
            operation_review,
            "close_operation_review",
            "if operation.status is not OperationStatus.IN_REVIEW:",
            "if False:",
        ),
        scenario="operations",
    ),
    broken(
        "reviews",
        "a closing as not charged leaves open attempts open",
        Edit(review, "_uncharged", "if not attempt.is_open:", "if True:"),
        Edit(operation_review, "_without_effect", "if not attempt.is_open:", "if True:"),
        scenario="slow_providers",
    ),
    broken(
        "reviews",
        "a review is closed as charged while a capture is open",
        Edit(review, "_charged", "if payment.open_capture_or_void is not None:", "if False:"),
        survives=(
            "No payment of the simulator is in review while its capture is open: that takes a provider that breaks its "
            "word about an earlier attempt, or a false line about an amount that is only held. "
            "`tests/unit/domain/payments/test_review.py` holds the refusal."
        ),
    ),
    broken(
        "reviews",
        "a review is closed while a worker inquires",
        Edit(review, "close_review", "if payment.lease.is_live(context.now_ms):", "if False:"),
        scenario="slow_providers",
        survives=(
            "The worker's write requires the version that it has read: after the closing it reads the payment anew, "
            "and decides what its answer means for a payment that a person has closed."
        ),
    ),
)
