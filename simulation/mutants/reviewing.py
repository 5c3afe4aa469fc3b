"""Broken designs of reviews and of reconciliation."""

from typing import Final

from payflowx.adapters.dynamodb.payments import review_items
from payflowx.application.reconciliation.reconcile import Reconcile
from payflowx.application.reconciliation.resolve_discrepancy import ResolveDiscrepancy
from payflowx.domain.payments import (
    balances,
    operation_review,
    operation_state_machine,
    provider_refund,
    review,
    state_machine,
)
from payflowx.domain.reconciliation import matching
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
        "reconciliation",
        "a line of a report closes a charge without an inquiry",
        Edit(
            ResolveDiscrepancy,
            "_ask_and_apply",
            "outcome = self.ask(payment, attempt)",
            "outcome = Succeeded(reference=discrepancy.reference, amount=payment.amount, currency=payment.currency, "
            "merchant_reference=attempt.provider_key)",
        ),
    ),
    broken(
        "reconciliation",
        "a line with another amount starts no review",
        Edit(
            ResolveDiscrepancy,
            "_review",
            "change = review_discrepancy(ledger_entry.payment, discrepancy.result, context, listed=listed)",
            "change = None",
        ),
    ),
    broken(
        "reconciliation",
        "a line with another amount matches",
        Edit(
            matching,
            "_compare",
            "if not _is_expected(entry, ledger_entry) and not _may_be_a_capture(entry, ledger_entry, attempt):",
            "if False:",
        ),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "a line with another amount than a refund has starts no review",
        Edit(
            ResolveDiscrepancy,
            "_review",
            "if operation.status is not OperationStatus.IN_REVIEW:",
            "if False:",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "a line with another amount than a refund has matches",
        Edit(
            matching,
            "_compare",
            "if not _is_expected(entry, ledger_entry) and not _may_be_a_capture(entry, ledger_entry, attempt):",
            "if ledger_entry.operation is None and not _is_expected(entry, ledger_entry) and not _may_be_a_capture(\n"
            "        entry, ledger_entry, attempt\n    ):",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "a refund that is missing here is nobody's difference",
        Edit(
            matching,
            "_unknown",
            "if young:",
            "if young or entry.kind is EntryKind.REFUND:",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "a refund that is missing here is listed, and nobody reads it",
        Edit(
            matching,
            "_action_on",
            "return ResolutionAction.ASK if entry.kind is EntryKind.REFUND and not has_own_key else _REVIEW",
            "return ResolutionAction.NONE if entry.kind is EntryKind.REFUND and not has_own_key else _REVIEW",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "a refund of ours with another amount on a report is a finding that nobody decides",
        Edit(
            matching,
            "_compare",
            "action = ResolutionAction.NONE if _is_decided(entry, ledger_entry, attempt) else _REVIEW",
            "action = _REVIEW if ledger_entry.operation is None and not _is_decided(entry, ledger_entry, attempt) "
            "else ResolutionAction.NONE",
        ),
        scenario="refunds_elsewhere",
    ),
    broken(
        "reconciliation",
        "the findings of a page are not kept",
        Edit(
            Reconcile,
            "_act",
            "self.runs.report(run.run_id, [one.discrepancy for one in differences.values()])",
            "pass",
        ),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "what a report does not list is not charged",
        Edit(
            matching,
            "match_entry",
            "    assessment = _compare(",
            "    return Assessment(result=MatchResult.AMOUNT, action=_REVIEW)\n    assessment = _compare(",
        ),
    ),
    broken(
        "reconciliation",
        "a run that another worker has saved is left to that worker alone",
        Edit(Reconcile, "__call__", "self.queue.send(run_id, delay_seconds=RETRY_SECONDS)", "pass"),
    ),
)
