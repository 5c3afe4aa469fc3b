"""Broken designs of captures, voids and refunds, and of the amounts that they reserve, book and give back."""

from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.payments import operation_items
from payflowx.application.payments import cancel_payment, request_operation
from payflowx.application.payments.claim_item import ClaimItem
from payflowx.application.payments.operation_session import OperationSession
from payflowx.application.payments.process_job import ProcessJob
from payflowx.application.payments.record_provider_refunds import RecordProviderRefunds
from payflowx.application.payments.request_operation import RequestOperation
from payflowx.application.payments.void_on_request import VoidOnRequest
from payflowx.domain.payments import (
    balances,
    change,
    eligibility,
    operation,
    operation_claim,
    operation_review,
    operation_state_machine,
    provider_refund,
    recovery_plan,
    verification,
)
from payflowx.domain.payments.outcome import Declined, NotFound, Rejected, Unknown
from payflowx.domain.payments.payment import Lease
from payflowx.domain.shared.identifiers import derive_operation_id
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.providers.http_provider import HttpProvider
from payflowx.providers.refusals import RefusalTable
from simulation.mutants.mutant import Edit, Mutant, Patches, broken, edits

_ROOM: Final = "operations"
_NOT_CHECKED: Final = Edit(
    balances, "check_balance", 'raise InvariantError("the change breaks', 'return None or str("the change breaks'
)
"""The product's own net under the amounts is taken away, so that the simulator's must catch them."""
_NOT_REVIEWED: Final = Edit(balances, "is_off_balance", "return payment", "return False and payment")


_INFERRED: Final = (
    "code = operation.last_error.code if operation.last_error else None\n"
    '    known = code in {"late_success", "reversed"}\n'
    "    operation = replace(operation, held=Held.BOOKED if known else Held.RESERVED)\n"
    "    if operation.held is Held.BOOKED and operation.booked == amount:"
)
_STORED_LATER: Final = (
    "item=item.with_owner(result.item if append is None or item.operation is None else\n"
    "            replace(result.item, attempts=(*result.item.attempts, append))), number=number"
)


def _unbalanced(name: str, *parts: Edit) -> Mutant:
    return broken(_ROOM, name, _NOT_CHECKED, _NOT_REVIEWED, *parts)


def _inquiry(change: Any) -> Patches:
    """An inquiry about an operation is read otherwise."""
    original = HttpProvider.inquire_operation

    def inquire(self: HttpProvider, request: Any, account: Any) -> Any:
        return change(original(self, request, account))

    return [patch.object(HttpProvider, "inquire_operation", inquire)]


def _sending(change: Any) -> Patches:
    original = HttpProvider.move

    def move(self: HttpProvider, request: Any, account: Any) -> Any:
        return change(original(self, request, account))

    return [patch.object(HttpProvider, "move", move)]


def _not_found_is_refused(result: Any) -> Any:
    return Declined(kind=DeclineKind.HARD, code="not_found") if isinstance(result, NotFound) else result


def _unknown_is_refused(result: Any) -> Any:
    return Declined(kind=DeclineKind.HARD, code="timeout") if isinstance(result, Unknown) else result


def _unknown_is_rejected(result: Any) -> Any:
    return Rejected(code="timeout") if isinstance(result, Unknown) else result


def _another_key() -> Patches:
    """Each send of a refund has a key of its own."""
    original = HttpProvider.move
    sends: dict[str, int] = {}

    def move(self: HttpProvider, request: Any, account: Any) -> Any:
        number = sends[request.provider_key] = sends.get(request.provider_key, 0) % 9 + 1
        return original(self, replace(request, provider_key=f"{request.provider_key[:-1]}{number}"), account)

    return [patch.object(HttpProvider, "move", move)]


def _ids_by_time() -> Patches:
    """An operation's id depends on the minute of its request."""

    def derive(kind: Any, merchant_id: str, path: str, key: str) -> str:
        derive.calls += 1  # type: ignore[attr-defined]
        return derive_operation_id(kind, merchant_id, path, f"{key}-{derive.calls}")  # type: ignore[attr-defined]

    derive.calls = 0  # type: ignore[attr-defined]
    return [
        patch.object(request_operation, "derive_operation_id", derive),
        *edits(Edit(writes, "new_item", '"ConditionExpression": "attribute_not_exists(pk)",', "")),
    ]


OPERATING: Final[tuple[Mutant, ...]] = (
    # -- accepting
    broken(
        _ROOM,
        "more than is refundable may be refunded",
        _NOT_CHECKED,
        Edit(eligibility, "check_amount", "if not 1 <= requested <= left:", "if False:"),
        Edit(balances, "_take", "taken = min(max(payment.refundable, 0), amount)", "taken = amount"),
    ),
    broken(
        _ROOM,
        "two captures at once",
        _NOT_CHECKED,
        Edit(eligibility, "_authorized", "if payment.open_capture_or_void is not None:", "if False:"),
        Edit(eligibility, "check_amount", "if not 1 <= requested <= left:", "if False:"),
    ),
    broken(
        _ROOM,
        "a capture or refund does not look at the payment's version",
        _NOT_CHECKED,
        Edit(
            writes,
            "unmoved",
            'expression.equals("version", before.version),',
            "f\"attribute_exists({expression.name('pk')})\"] if isinstance(before, Payment) else [",
        ),
        Edit(
            writes,
            "unmoved",
            "if isinstance(before, Payment):\n        conditions.append",
            "if False:\n        conditions.append",
        ),
    ),
    broken(
        _ROOM,
        "the body of a refund is not compared",
        Edit(RequestOperation, "_replay", "known.fingerprint != request.fingerprint", "False"),
    ),
    Mutant(_ROOM, "a refund's id is not derived from its key", _ids_by_time),
    broken(
        _ROOM,
        "merchants share the keys of refunds",
        Edit(keys, "operation_idempotency_partition", 'f"M#{merchant_id}#', 'f"M#all#'),
    ),
    broken(
        _ROOM,
        "an accepted operation is not due",
        Edit(operation, "new_operation", "due_at_ms=now_ms + DUE_AFTER_ACCEPT_MS,", "due_at_ms=now_ms + 10**12,"),
        Edit(RequestOperation, "__call__", "self.outcome_writer.wake(stored, 0)", "pass"),
    ),
    broken(
        _ROOM,
        "a payment in doubt is refunded",
        Edit(
            eligibility,
            "charge_to_operate_on",
            "payment.status in _UNRESOLVED or payment.lease.is_live(now_ms)",
            "False",
        ),
        survives=(
            "The rule that follows allows a refund of SUCCESS only, and a capture of AUTHORIZED only; this one gives "
            "the better answer, `outcome_unknown`, and spares a worker's write a conflict."
        ),
    ),
    # -- amounts
    _unbalanced(
        "a refund's amount is not reserved",
        Edit(balances, "reserve", "taken = _take(payment, operation.amount)", "taken = payment"),
        Edit(balances, "reserve", "reserved=taken.reserved + operation.amount", "reserved=taken.reserved"),
    ),
    _unbalanced(
        "a refund is booked twice",
        Edit(balances, "_book_refund", "refunded=taken.refunded + amount", "refunded=taken.refunded + 2 * amount"),
    ),
    _unbalanced(
        "a refund that failed is not given back",
        Edit(
            balances,
            "_withdrawn",
            "return _free(replace(payment, reserved=payment.reserved - operation.amount), operation.amount)",
            "return replace(payment, reserved=payment.reserved - operation.amount)",
        ),
    ),
    _unbalanced(
        "a refund that failed is given back twice",
        Edit(
            balances,
            "_withdrawn",
            "return _free(replace(payment, reserved=payment.reserved - operation.amount), operation.amount)",
            "return _free(replace(payment, reserved=payment.reserved - operation.amount), 2 * operation.amount)",
        ),
    ),
    _unbalanced(
        "an amount that was given back is not marked as given back",
        Edit(balances, "give_back", "held=Held.GIVEN_BACK, booked_amount=None", "booked_amount=None"),
    ),
    _unbalanced(
        "a booked refund stays reserved",
        Edit(balances, "_withdrawn", "reserved=payment.reserved - operation.amount", "reserved=payment.reserved"),
    ),
    _unbalanced(
        "an excess is forgotten", Edit(balances, "_take", "excess=payment.excess + amount - taken", "excess=0")
    ),
    _unbalanced(
        "a capture takes the whole",
        Edit(balances, "_book_capture", "captured=amount,", "captured=payment.amount,"),
        Edit(balances, "_book_capture", "refundable=amount,", "refundable=payment.amount,"),
    ),
    _unbalanced(
        "a failed capture's amount is lost", Edit(balances, "_reopened", "(operation.amount if held else 0)", "0")
    ),
    broken(
        _ROOM,
        "a failed capture does not free the payment",
        Edit(balances, "_reopened", "freed = replace(payment, open_capture_or_void=None)", "freed = payment"),
    ),
    broken(
        _ROOM,
        "a void leaves the payment authorized",
        Edit(
            balances,
            "_book_void",
            "status=PaymentStatus.IN_REVIEW if payment.awaits_verdict else PaymentStatus.CANCELLED,",
            "",
        ),
    ),
    broken(
        _ROOM,
        "`held` is inferred from the code of an error",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(
            balances,
            "_book_refund",
            "if operation.held is Held.BOOKED and operation.booked == amount:",
            _INFERRED,
        ),
        scenario="operations",
    ),
    # -- claiming and sending
    broken(
        _ROOM,
        "an operation's epoch is not checked",
        Edit(
            writes,
            "unmoved",
            'expression.equals("version", before.version),',
            "f\"attribute_exists({expression.name('pk')})\"] if not isinstance(before, Payment) else [",
        ),
    ),
    Mutant(_ROOM, "each send of an operation has its own key", _another_key),
    broken(
        _ROOM,
        "an operation's intent is stored after the call",
        Edit(
            ClaimItem,
            "_claim_as_decided",
            "append=append,\n        reopen=reopen,",
            "append=append if item.operation is None else None,\n        reopen=reopen,",
        ),
        Edit(
            ClaimItem,
            "_claim_as_decided",
            "item=item.with_owner(result.item), number=number",
            _STORED_LATER,
        ),
        replace=replace,
    ),
    broken(
        _ROOM,
        "an operation goes from NOT_SENT to the provider without being opened",
        Edit(
            operation_claim,
            "decide_operation_claim",
            "return ReopenAttempt(attempt=last, candidate=candidate)",
            "return ResolveOpenAttempt(attempt=last)",
        ),
        Edit(OperationSession, "_move", "check_may_send(self.attempt.state)", "pass"),
        Edit(recovery_plan, "operation_recovery_step_for", "or not attempt.is_open:", "or False:"),
        Edit(
            recovery_plan,
            "operation_recovery_step_for",
            "AttemptState.UNKNOWN}",
            "AttemptState.UNKNOWN, AttemptState.NOT_SENT}",
        ),
    ),
    broken(
        _ROOM,
        "an operation goes to another account",
        Edit(HttpProvider, "move", "account", "account")
        if False
        else Edit(operation_claim, "decide_operation_claim", "account_id=charge.account_id", 'account_id="other"'),
        Edit(
            ProcessJob,
            "_observe",
            "account = merchant.account(attempt.provider, attempt.account_id)",
            "account = merchant.account(attempt.provider, attempt.account_id) or merchant.accounts[0]",
        ),
    ),
    broken(
        _ROOM,
        "an operation is re-sent after the provider's window",
        Edit(recovery_plan, "operation_recovery_step_for", "age_ms < window_ms - _WINDOW_MARGIN_MS", "window_ms > 0"),
        Edit(recovery_plan, "operation_recovery_step_for", "and now_ms < operation.send_deadline_ms", ""),
    ),
    broken(
        _ROOM,
        "an operation is re-sent where no provider promises to move money once",
        Edit(
            recovery_plan,
            "operation_recovery_step_for",
            "in_window = age_ms",
            "window_ms = 86_400_000\n    in_window = age_ms",
        ),
    ),
    # -- recording
    broken(
        _ROOM,
        "a 429 to the re-send of a refund closes its attempt",
        Edit(
            verification,
            "verify_outcome",
            "case Rejected() if not first_send:",
            'case Rejected() if not first_send and hasattr(owner, "route"):',
        ),
    ),
    broken(
        _ROOM,
        "a re-send of a refund that could not be sent closes its attempt",
        Edit(
            verification,
            "verify_outcome",
            "case NotSent() if not first_send:",
            'case NotSent() if not first_send and hasattr(owner, "route"):',
        ),
        scenario="operations",
    ),
    Mutant(_ROOM, "a refund that is not found is given back", lambda: _inquiry(_not_found_is_refused)),
    Mutant(_ROOM, "a refund without an answer is given back", lambda: _sending(_unknown_is_refused)),
    Mutant(_ROOM, "a refund without an answer is sent again under a new key", lambda: _sending(_unknown_is_rejected)),
    broken(
        _ROOM,
        "a refund of another amount is believed",
        Edit(
            verification,
            "verify_charge",
            "if outcome.amount != owner.amount and",
            'if hasattr(owner, "route") and outcome.amount != owner.amount and',
        ),
        scenario="operations",
    ),
    broken(
        _ROOM,
        "a late success of a refund is ignored",
        Edit(
            operation_state_machine,
            "_succeeded",
            "    others =",
            "    if operation.status is OperationStatus.FAILED:\n        return operation, payment, None\n    others =",
        ),
        survives=(
            "A refund is FAILED only when every request was refused or did not leave, and the providers keep their "
            "word; or when an operator said so against the books, and then the checker takes the operator's word."
        ),
    ),
    broken(
        _ROOM,
        "two executions of one refund need no review",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(
            operation_state_machine,
            "_succeeded",
            "if late or excess or moved.move is Move.BOOK_LATE or undecided:",
            "if False:",
        ),
        survives=(
            "A second execution needs a provider that executes what it had refused under another key; the "
            "simulators keep their word, and re-sends keep the key (I1 finds the designs that do not)."
        ),
    ),
    broken(
        _ROOM,
        "a refusal is believed without a complete read",
        Edit(
            OperationSession,
            "_proven",
            "isinstance(found, NotFound) and found.complete",
            "isinstance(found, NotFound | Unknown)",
        ),
        scenario="erasures",
    ),
    broken(
        _ROOM,
        "refunds of others are read as long as a refusal of ours is not proven",
        Edit(OperationSession, "_proven", "reads_refunds=was_made_elsewhere and is_decided", "reads_refunds=True"),
        scenario="operations",
    ),
    broken(
        _ROOM,
        "a refusal of a re-send is believed after one read",
        Edit(
            OperationSession,
            "_proven",
            "if refused.is_proven_by(refused.complete_reads, lag_ms, self.clock.now_ms()):",
            "if True:",
        ),
        scenario="operations",
    ),
    broken(
        _ROOM,
        "a refusal of a re-send is believed at once",
        Edit(
            OperationSession,
            "resolve",
            "outcome = Unknown(code=outcome.code, message=outcome.message, refused=refused)",
            "outcome = Declined(code=outcome.code, message=outcome.message)",
        ),
        Declined=Declined,
        scenario="operations",
    ),
    broken(
        _ROOM,
        "a refusal that is not documented is believed",
        Edit(
            RefusalTable,
            "outcome",
            "if row is None or names_object:",
            "if row is None:\n        return Rejected(code=code, message=message)\n    if names_object:",
        ),
        scenario="operations",
    ),
    broken(
        _ROOM,
        "a refusal that names an object is believed",
        Edit(RefusalTable, "outcome", "if row is None or names_object:", "if row is None:"),
        scenario="operations",
    ),
    broken(
        _ROOM,
        "a refund that succeeded is not read once more",
        Edit(
            operation_state_machine,
            "rechecked_later",
            "if operation.kind is not OperationKind.REFUND or at_ms <= context.now_ms:",
            "if True:",
        ),
        scenario="operations",
    ),
    broken(
        _ROOM,
        "a reversal is not followed",
        Edit(verification, "is_reversal", "return succeeded and", "return False and"),
    ),
    broken(
        _ROOM,
        "an operation's lease is kept after the outcome",
        Edit(
            operation_state_machine,
            "operation_change",
            "before.lease.released()\n            if context.holds_lease",
            "before.lease\n            if context.holds_lease",
        ),
    ),
    broken(
        _ROOM,
        "an expired lease of the payment stays with its former holder",
        Edit(Lease, "after_change_by_another", "return Lease(epoch=self.epoch + 1) if", "return self if"),
    ),
    broken(
        _ROOM,
        "every unknown refund goes to review at once",
        Edit(
            recovery_plan, "operation_recovery_step_for", "and now_ms >= inquiries_end_at_ms(attempt, capabilities)", ""
        ),
    ),
    broken(
        _ROOM,
        "a refund is given up after its first refusal for now",
        Edit(
            operation_claim,
            "why_stop",
            "answered(operation.attempts) > MAX_OPERATION_RETRIES",
            "answered(operation.attempts) > 0",
        ),
    ),
    broken(
        _ROOM,
        "a refused refund is tried again",
        Edit(
            operation_claim,
            "why_stop",
            "if not all(may_try_again(attempt) for attempt in operation.attempts):",
            "if False:",
        ),
    ),
    broken(
        _ROOM,
        "inquiries about operations do not back off",
        Edit(
            operation_state_machine,
            "schedule_operation_inquiry",
            "next_inquiry_at_ms(operation, waited, context)",
            "next_inquiry_at_ms(operation, replace(waited, inquiries=0), context)",
        ),
    ),
    broken(
        _ROOM,
        "operations make no merchant events",
        Edit(
            change,
            "_notified",
            "statuses = (changed.kind, known.status if known else None, changed.status) if changed else None",
            "statuses = None",
        ),
    ),
    broken(
        _ROOM,
        "an operation has no event of its own",
        Edit(operation_state_machine, "operation_facts", '"operationId": operation.operation_id,', ""),
    ),
    broken(
        _ROOM,
        "all that is left cannot be refunded or captured",
        Edit(eligibility, "check_amount", "1 <= requested <= left", "1 <= requested < left"),
        scenario="operations",
    ),
    broken(
        _ROOM,
        "a payment that was refunded in part counts as one that is in work",
        Edit(eligibility, "charge_to_operate_on", "payment.status in _UNRESOLVED or", "payment.refunded > 0 or"),
        scenario="operations",
    ),
    broken(
        _ROOM,
        "cancellations without a key share one with other payments",
        Edit(cancel_payment, "_own_key", "auto-{payment.transaction_id}-", "auto-"),
        scenario="operations",
    ),
    broken(
        _ROOM,
        "a capture begins although another payment of the order was charged",
        Edit(
            operation_claim,
            "_why_not_captured",
            "operation.kind is OperationKind.CAPTURE and payment.cancel_requested",
            "False",
        ),
        scenario="declined_orders",
    ),
    broken(
        _ROOM,
        "a capture, void or refund is sent again by a release that builds other bytes",
        Edit(
            OperationSession,
            "_same_request",
            "self.provider.operation_hash(self.operation_request) == self.attempt.request_hash",
            "True",
        ),
    ),
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
    broken(
        "operations",
        "a second void of a cancellation has the id of the first",
        Edit(VoidOnRequest, "_void", "version = str(payment.version)", 'version = "1"'),
        scenario="cancellations",
    ),
    broken(
        "operations",
        "a refund without an amount gives half of the rest back",
        Edit(
            eligibility,
            "check_amount",
            "requested = left if amount is None else amount",
            "requested = (left + 1) // 2 if amount is None else amount",
        ),
        scenario="operations",
    ),
    broken(
        "operations",
        "a part that is to be refunded is rounded to whole units",
        Edit(
            eligibility,
            "check_amount",
            "requested = left if amount is None else amount",
            "requested = left if amount is None else max(1, amount // 10 * 10)",
        ),
    ),
    broken(
        "operations",
        "a refund may be sent for a month",
        Edit(
            RequestOperation,
            "_plan",
            "send_deadline_ms=now_ms + self.policy.charge_deadline_ms,",
            "send_deadline_ms=now_ms + 30 * self.policy.charge_deadline_ms,",
        ),
    ),
    broken(
        "operations",
        "an operation is tried as often as there is room",
        Edit(
            operation_claim,
            "why_stop",
            "if answered(operation.attempts) > MAX_OPERATION_RETRIES or not may_append:",
            "if not may_append:",
        ),
        scenario="rate_limits",
    ),
    broken(
        "operations",
        "a payment in review can be refunded",
        Edit(
            eligibility,
            "charge_to_operate_on",
            "if payment.status is PaymentStatus.IN_REVIEW and not gives_back:",
            "if False:",
        ),
        Edit(
            eligibility,
            "_charged",
            "is_charged = payment.status is PaymentStatus.SUCCESS or payment.is_order_charged_twice",
            "is_charged = payment.charged_attempt is not None",
        ),
        scenario="false_reports",
    ),
    broken(
        "operations",
        "refunds made at the provider are booked as a running total",
        Edit(
            provider_refund,
            "external_refund",
            "amount=refund.amount,",
            "amount=min(payment.captured, payment.refunded + refund.amount),",
        ),
        scenario="operations",
    ),
    broken(
        "operations",
        "a refund made at the provider is not followed",
        Edit(RecordProviderRefunds, "_follow", "if operation.origin is not Origin.PROVIDER:", "if True:"),
        survives="A worker inquires about each refund that is not final, whoever made it.",
    ),
    broken(
        "operations",
        "the audit log tells no amount of an operation",
        Edit(operation_state_machine, "operation_facts", '"amount": operation.amount,', '"amount": 0,'),
    ),
    broken(
        "operations",
        "a capture is accepted after the authorization has lapsed",
        Edit(
            eligibility,
            "_authorized",
            "if charge.deadline_ms is not None and now_ms >= charge.deadline_ms and kind is OperationKind.CAPTURE:",
            "if False:",
        ),
        scenario="late_captures",
    ),
    broken(
        "operations",
        "a capture is accepted after a cancellation was requested",
        Edit(eligibility, "_authorized", "if payment.cancel_requested and kind is OperationKind.CAPTURE:", "if False:"),
        scenario="late_captures",
    ),
    broken(
        "operations",
        "an excess is not the first thing that what comes free covers",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(balances, "_free", "covered = min(payment.excess, amount)", "covered = 0"),
        scenario="operations",
    ),
    broken(
        "operations",
        "a refund made at the provider counts as made while it is pending",
        Edit(
            provider_refund,
            "external_refund",
            "succeeded = refund.state is RefundState.SUCCEEDED",
            "succeeded = refund.state is not RefundState.FAILED",
        ),
        scenario="erasures",
    ),
    broken(
        "operations",
        "a refused operation is not watched for the provider's lag",
        Edit(operation_state_machine, "_without_effect", "if not recorded.is_watched:", "if True:"),
        scenario="operations",
    ),
)
