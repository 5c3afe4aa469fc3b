"""Broken designs of payments: accepting, claiming, calling, recording, deciding."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, Final
from unittest.mock import patch

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.adapters.dynamodb.payments import attempt_store, compact_items, payment_items
from payflowx.adapters.dynamodb.payments.attempt_store import DynamoDBAttemptStore
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.application.payments import charge_session, claim_item, void_on_request
from payflowx.application.payments.attempt_session import AttemptSession
from payflowx.application.payments.cancel_payment import CancelPayment
from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.complete_charge import CompleteCharge
from payflowx.application.payments.create_payment import CreatePayment
from payflowx.application.payments.resolve_attempt import ResolveAttempt
from payflowx.application.payments.send_charge import SendCharge
from payflowx.domain.payments import attempt as attempt_module
from payflowx.domain.payments import (
    attempt_records,
    balances,
    change,
    claim,
    inquiry_times,
    not_sent,
    outcome,
    recovery_plan,
    retry,
    state_machine,
    verification,
)
from payflowx.domain.payments.events import GENESIS_HASH
from payflowx.domain.payments.outcome import Unknown
from payflowx.domain.payments.payment import Lease
from payflowx.domain.payments.ports import Existing, Stored
from payflowx.domain.shared import backoff, identifiers
from payflowx.domain.shared.statuses import NO_CHARGE_STATES, OPEN_STATES, AttemptState, DeclineKind
from payflowx.entrypoints.api.payments import fingerprints, presenting
from payflowx.providers.http_provider import HttpProvider
from simulation.mutants.mutant import Edit, Mutant, Patches, broken, edits, replaced

_DAY_MS: Final = 24 * 3_600_000


def _keys_expire() -> Patches:
    original = CreatePayment.__call__

    def call(self: CreatePayment, request: Any) -> Any:
        day = self.clock.now_ms() // _DAY_MS
        return original(self, replace(request, idempotency_key=f"{request.idempotency_key}@{day}"))

    return [patch.object(CreatePayment, "__call__", call)]


def _keys_cut() -> Patches:
    """Seven characters of a key are enough for everybody."""
    original = CreatePayment.__call__

    def call(self: CreatePayment, request: Any) -> Any:
        return original(self, replace(request, idempotency_key=request.idempotency_key[:7]))

    return [patch.object(CreatePayment, "__call__", call)]


def _check_then_put() -> Patches:
    unconditional = edits(Edit(writes, "new_item", '"ConditionExpression": "attribute_not_exists(pk)",', ""))
    original = DynamoDBPayments.create

    def create(self: DynamoDBPayments, payment: Any, event: Any, key: str) -> Any:
        found = self.find_key(payment.merchant_id, key)
        if found is not None:
            return Existing(transaction_id=found.transaction_id, fingerprint=found.fingerprint)
        return original(self, payment, event, key)

    return [*unconditional, patch.object(DynamoDBPayments, "create", create)]


def _intent_after_the_call() -> Patches:
    original = DynamoDBAttemptStore.claim

    def stored_later(self: Any, owner_id: Any, *, append: Any = None, **known: Any) -> Any:
        result = original(self, owner_id, append=None, **known)
        if append is None or not isinstance(result, Stored):
            return result
        return Stored(item=replace(result.item, attempts=(*result.item.attempts, append)))

    return [patch.object(DynamoDBAttemptStore, "claim", stored_later)]


def _ignoring(path: str) -> Patches:
    """Conditions on this attribute always hold."""
    equals, at_most = Expression.equals, Expression.at_most
    assigning: list[bool] = []
    assignments = Expression.assignments

    def assign(self: Expression, values: Mapping[str, Any]) -> str:
        assigning.append(True)
        try:
            return assignments(self, values)
        finally:
            assigning.pop()

    def always(original: Any) -> Any:
        def condition(self: Expression, name: str, value: Any) -> str:
            if name == path and not assigning:
                return f"attribute_exists({self.name('pk')})"
            return str(original(self, name, value))

        return condition

    return [
        patch.object(Expression, "equals", always(equals)),
        patch.object(Expression, "at_most", always(at_most)),
        patch.object(Expression, "assignments", assign),
    ]


def _lease_not_respected() -> Patches:
    return [*_ignoring("lease.expiresAt"), patch.object(Lease, "is_live", lambda _self, _now_ms: False)]


def _short_lease() -> Patches:
    """Five seconds, and nothing asks whether it lasts for a call."""
    return [
        *replaced(claim_item, "LEASE_MS", 5_000),
        patch.object(AttemptSession, "has_time_to_send", lambda _self: True),
    ]


def _random_provider_key() -> Patches:
    original, random = HttpProvider.charge, Random(0)

    def charge(self: HttpProvider, charge: Any, account: Any) -> Any:
        key = f"{charge.provider_key[:-1]}{random.randint(1, 9)}"
        return original(self, replace(charge, provider_key=key), account)

    return [patch.object(HttpProvider, "charge", charge)]


def _retry_in_the_client() -> Patches:
    original = HttpProvider._perform

    def perform(self: HttpProvider, *request: Any) -> Any:
        result = original(self, *request)
        return original(self, *request) if isinstance(result, Unknown) else result

    return [patch.object(HttpProvider, "_perform", perform)]


def _timeout_means_not_sent() -> Patches:
    original = HttpProvider._perform

    def perform(self: HttpProvider, *request: Any) -> Any:
        result = original(self, *request)
        is_timeout = isinstance(result, Unknown) and result.code in {"read_timeout", "connection_lost"}
        return outcome.NotSent(code=result.code) if is_timeout else result

    return [patch.object(HttpProvider, "_perform", perform)]


def _steps_not_stored() -> Patches:
    def store(_payments: Any, session: Any, facts: Mapping[str, str]) -> Any:
        attempt = replace(session.attempt, progress={**session.attempt.progress, **facts})
        attempts = tuple(attempt if a.number == attempt.number else a for a in session.payment.attempts)
        return session.with_payment(replace(session.payment, attempts=attempts))

    return replaced(charge_session, "store_progress", store)


def _cancel_without_confirming() -> Patches:
    original = HttpProvider.cancel_and_confirm

    def cancel_and_confirm(self: HttpProvider, charge: Any, account: Any) -> Any:
        result = original(self, charge, account)
        return outcome.ConfirmedCancelled() if isinstance(result, Unknown) else result

    return [patch.object(HttpProvider, "cancel_and_confirm", cancel_and_confirm)]


def _verification(change: Callable[[Any, Any], Any]) -> Patches:
    """An outcome of a charge is changed before it is verified."""
    original = verification.verify_outcome

    def verified(outcome: Any, owner: Any, attempt: Any, *, first_send: bool) -> Any:
        of_charge = hasattr(owner, "route")
        return original(change(outcome, attempt) if of_charge else outcome, owner, attempt, first_send=first_send)

    return replaced(verification, "verify_outcome", verified)


def _two_not_found(result: Any, attempt: Any) -> Any:
    return outcome.ConfirmedCancelled() if isinstance(result, outcome.NotFound) and attempt.inquiries >= 1 else result


def _unknown_is_declined(result: Any, _attempt: Any) -> Any:
    return outcome.Declined(kind=DeclineKind.SOFT, code="timeout") if isinstance(result, Unknown) else result


def _never_reopens(result: Any, _attempt: Any) -> Any:
    return replace(result, reopens_for_seconds=0) if isinstance(result, outcome.Declined) else result


def _not_watched(result: Any, _attempt: Any) -> Any:
    if isinstance(result, outcome.Declined) and result.reopens_for_seconds:
        return replace(result, reopens_for_seconds=0, kind=DeclineKind.HARD)
    return result


def _fail_over_while_unknown() -> Patches:
    return [
        patch.object(attempt_module, "OPEN_STATES", OPEN_STATES - {AttemptState.UNKNOWN}),
        patch.object(attempt_module, "NO_CHARGE_STATES", NO_CHARGE_STATES | {AttemptState.UNKNOWN}),
    ]


def _event_outside_the_transaction() -> Patches:
    parts, commit = DynamoDBPayments._commit_parts, DynamoDBPayments.commit

    def without_event(self: DynamoDBPayments, change: Any, **options: bool) -> Any:
        return parts(self, change, **options)[:-1]

    def commit_then_put(self: DynamoDBPayments, change: Any) -> Any:
        result = commit(self, change)
        if isinstance(result, Stored):
            event: Any = parts(self, change)[-1][1]
            self.client.transact_write_items(TransactItems=[event])
        return result

    return [
        patch.object(DynamoDBPayments, "_commit_parts", without_event),
        patch.object(DynamoDBPayments, "commit", commit_then_put),
    ]


def _stale_reads() -> Patches:
    def get_item(self: Any, table: str, key: Mapping[str, str]) -> Any:
        with storage_errors():
            answer = self.client.get_item(TableName=table, Key=to_attributes(key))
        return from_attributes(answer["Item"]) if "Item" in answer else None

    return [patch.object(DynamoDBPayments, "_get_item", get_item)]


def _cancel_forgotten() -> Patches:
    """The client is told that the cancellation was requested, and nothing is stored."""

    def cancel(_self: CancelPayment, payment: Any) -> Any:
        return replace(payment, cancel_requested=True)

    return [patch.object(CancelPayment, "_cancel", cancel)]


_ROOM: Final = "payments"
_PENDING_FIRST: Final = "status=payment.status.value,"

CHARGING: Final[tuple[Mutant, ...]] = (
    # -- accepting
    broken(
        _ROOM,
        "put without condition",
        Edit(writes, "new_item", '"ConditionExpression": "attribute_not_exists(pk)",', ""),
    ),
    Mutant(_ROOM, "check, then put", _check_then_put),
    Mutant(_ROOM, "idempotency keys expire after a day", _keys_expire),
    broken(
        _ROOM,
        "the body is not compared",
        Edit(CreatePayment, "_replay", "not existing.is_of(request.fingerprint, request.content_fingerprint)", "False"),
    ),
    broken(
        _ROOM,
        "the amount is no part of a request's fingerprint",
        Edit(fingerprints, "fingerprint", 'if name != "idempotencyKey"', 'if name not in {"idempotencyKey", "amount"}'),
    ),
    Mutant(_ROOM, "only the beginning of an idempotency key counts", _keys_cut),
    broken(
        _ROOM,
        "merchants share a key space",
        Edit(keys, "idempotency_partition", 'f"M#{merchant_id}#payments#', 'f"M#all#payments#'),
        Edit(identifiers, "derive_transaction_id", "PAYMENT_PREFIX, merchant_id,", 'PAYMENT_PREFIX, "all",'),
    ),
    # -- claiming
    Mutant(_ROOM, "intent stored after the call", _intent_after_the_call),
    broken(
        _ROOM,
        "no epoch check",
        Edit(
            writes,
            "unmoved",
            'expression.equals("version", before.version),',
            "f\"attribute_exists({expression.name('pk')})\"] if True else [",
        ),
    ),
    Mutant(_ROOM, "a live lease is not respected", _lease_not_respected),
    Mutant(
        _ROOM,
        "lease shorter than a call",
        _short_lease,
        survives=(
            "The lease saves work. What an overtaken worker does is harmless by other means: its write is refused "
            "by the epoch, its request carries the key that is stored, and a step that it could not store it "
            "cannot build on."
        ),
    ),
    Mutant(
        _ROOM,
        "dead workers are not found",
        lambda: [patch.object(attempt_store, "DUE_AFTER_LEASE_MS", 1_000 * _DAY_MS)],
    ),
    Mutant(_ROOM, "version not compared", partial(_ignoring, "version")),
    broken(
        _ROOM,
        "a claim keeps the epoch of the lease before it",
        Edit(
            claim_item.ClaimItem,
            "_claim_as_decided",
            "epoch, append, reopen, is_closed = item.owner.lease.epoch + 1,",
            "epoch, append, reopen, is_closed = max(1, item.owner.lease.epoch),",
        ),
    ),
    broken(
        _ROOM,
        "each event begins a hash chain of its own",
        Edit(change, "change_of", "previous_hash=before.event_hash,", "previous_hash=GENESIS_HASH,"),
        GENESIS_HASH=GENESIS_HASH,
    ),
    # -- calling
    Mutant(_ROOM, "random provider key", _random_provider_key),
    Mutant(_ROOM, "a timeout means not sent", _timeout_means_not_sent),
    Mutant(_ROOM, "the HTTP client repeats", _retry_in_the_client),
    Mutant(_ROOM, "steps are not stored", _steps_not_stored),
    Mutant(_ROOM, "a cancellation is not read back", _cancel_without_confirming),
    broken(
        _ROOM,
        "a send from NOT_SENT without opening it",
        Edit(
            claim,
            "_further_attempt",
            "ReopenAttempt(attempt=unsent, candidate=candidate)",
            "ResolveOpenAttempt(attempt=unsent)",
        ),
        Edit(ChargeSession, "send", "check_may_send(self.attempt.state)", "pass"),
        Edit(recovery_plan, "recovery_step_for", "or not attempt.is_open:", "or False:"),
        Edit(
            recovery_plan, "recovery_step_for", "AttemptState.UNKNOWN}", "AttemptState.UNKNOWN, AttemptState.NOT_SENT}"
        ),
    ),
    broken(
        _ROOM,
        "our own capture leaves before its fact is stored",
        Edit(CompleteCharge, "__call__", "session.attempt.capture_sent_at_ms is None", "False"),
        Edit(ChargeSession, "complete", "check_may_capture(self.attempt)", "pass"),
    ),
    broken(
        _ROOM,
        "a cancellation goes on after our own capture has left",
        Edit(ResolveAttempt, "_inquire_or_act", "session.attempt.capture_sent_at_ms is not None", "False"),
        Edit(ChargeSession, "cancel_and_confirm", "self.attempt.capture_sent_at_ms is not None", "False"),
        Edit(recovery_plan, "recovery_step_for", "attempt.capture_sent_at_ms is not None", "False"),
        scenario="cancellations",
    ),
    # -- recording
    Mutant(_ROOM, "unknown means declined", partial(_verification, _unknown_is_declined)),
    Mutant(_ROOM, "two 'not found' close an attempt", partial(_verification, _two_not_found)),
    Mutant(_ROOM, "fail-over after a decline that may reopen", partial(_verification, _never_reopens)),
    Mutant(_ROOM, "a decline that may reopen is not watched", partial(_verification, _not_watched)),
    broken(
        _ROOM,
        "a refused re-send closes the attempt",
        Edit(verification, "verify_outcome", "case Rejected() if not first_send:", "case Rejected() if False:"),
    ),
    broken(
        _ROOM,
        "a re-send that could not be sent closes the attempt",
        Edit(verification, "verify_outcome", "case NotSent() if not first_send:", "case NotSent() if False:"),
    ),
    broken(
        _ROOM,
        "answers are not compared with the payment",
        Edit(
            verification,
            "verify_charge",
            "    if outcome.merchant_reference",
            "    return outcome\n    if outcome.merchant_reference",
        ),
        Edit(
            balances,
            "check_balance",
            'raise InvariantError("the change breaks',
            'return None or str("the change breaks',
        ),
        Edit(balances, "is_off_balance", "return payment", "return False and payment"),
    ),
    Mutant(_ROOM, "event outside the transaction", _event_outside_the_transaction),
    Mutant(_ROOM, "lease kept after the outcome", lambda: [patch.object(Lease, "released", lambda self: self)]),
    broken(
        _ROOM,
        "unknown fails in the end",
        Edit(
            state_machine,
            "send_to_review",
            "    due_at_ms =",
            '    return fail_payment(payment, FailureReason(code="unknown", message=""), context)\n    due_at_ms =',
        ),
    ),
    broken(
        _ROOM,
        "every unknown goes to review at once",
        Edit(
            recovery_plan,
            "_is_exhausted",
            "if attempt.deadline_ms is not None:",
            "if True:\n        return True\n    if False:",
        ),
    ),
    broken(
        _ROOM,
        "a late success is ignored",
        Edit(
            state_machine,
            "_succeeded",
            "status=PaymentStatus.SUCCESS,",
            "status=PaymentStatus.FAILED if payment.status is PaymentStatus.FAILED else PaymentStatus.SUCCESS,",
        ),
    ),
    broken(
        _ROOM,
        "two successes committed",
        Edit(state_machine, "_succeeded", "payment.charged_attempt is not None or", ""),
        Edit(writes, "_is_first_charge", "    return (", "    return False and ("),
        survives=(
            "It takes a second verified charge of one payment, which the rest of the design rules out (I1). The "
            "condition is the last net under it."
        ),
    ),
    # -- deciding
    Mutant(_ROOM, "fail-over while unknown", _fail_over_while_unknown),
    broken(
        _ROOM,
        "re-send after the provider's window",
        Edit(
            recovery_plan,
            "recovery_step_for",
            "age_ms < capabilities.idempotency_window_ms - _WINDOW_MARGIN_MS",
            "capabilities.idempotency_window_ms > 0",
        ),
        Edit(recovery_plan, "recovery_step_for", "and now_ms < payment.charge_deadline_ms", ""),
    ),
    broken(
        _ROOM,
        "a payment that its merchant has cancelled is tried once more",
        Edit(
            state_machine,
            "_uncharged",
            "if payment.cancel_requested or was_authorized:",
            "if before.state is AttemptState.AUTHORIZED:",
        ),
        Edit(claim, "decide_claim", "    if payment.cancel_requested:", "    if False:"),
        scenario="cancellations",
    ),
    broken(
        _ROOM,
        "cancel without proof",
        Edit(CancelPayment, "_cancel", "if unresolved is None:", "if True:"),
    ),
    Mutant(_ROOM, "a cancellation is confirmed and not stored", _cancel_forgotten),
    broken(
        _ROOM,
        "a hard decline is tried elsewhere",
        Edit(retry, "_why_no_attempt", "if DeclineKind.HARD in kinds:", "if False:"),
    ),
    broken(
        _ROOM,
        "a lack of funds is tried elsewhere",
        Edit(retry, "_why_no_attempt", "if DeclineKind.FUNDS in kinds:", "if False:"),
    ),
    broken(
        _ROOM,
        "no fail-over after a soft decline",
        Edit(retry, "_why_no_attempt", "if DeclineKind.HARD in kinds:", "if kinds:"),
    ),
    broken(
        _ROOM,
        "what was not sent counts as answered",
        Edit(not_sent, "answered", "attempt.state is not AttemptState.NOT_SENT", "True"),
        Edit(not_sent, "not_sent_since", "return now_ms if since_ms is None else since_ms", "return None"),
    ),
    broken(
        _ROOM,
        "no limit of retries",
        Edit(retry, "_why_no_attempt", "answered(payment.attempts) > policy.max_retries", "False"),
    ),
    broken(
        _ROOM,
        "attempts begin after the charge deadline",
        Edit(retry, "_why_no_attempt", "now_ms >= payment.charge_deadline_ms", "False"),
        Edit(not_sent, "next_send_at_ms", "return min(at_ms, times.deadline_ms)", "return at_ms"),
        Edit(SendCharge, "__call__", "session.clock.now_ms() >= session.payment.charge_deadline_ms", "False"),
    ),
    broken(
        _ROOM,
        "a provider that is switched off is used",
        Edit(retry, "choose_candidate", "candidate.provider not in disabled", "True"),
    ),
    broken(
        _ROOM,
        "inquiries do not back off",
        Edit(backoff, "inquiry_delay_ms", "return _INQUIRY_STEPS_MS[", "return _INQUIRY_STEPS_MS[0 and "),
    ),
    broken(
        _ROOM,
        "work begins before its time",
        Edit(claim, "decide_claim", "now_ms + EARLY_GRACE_MS < payment.ready_at_ms", "False"),
    ),
    broken(
        _ROOM,
        "the payer's time is cut short",
        Edit(
            recovery_plan,
            "recovery_step_for",
            "lapsed = attempt.deadline_ms is not None and now_ms >= attempt.deadline_ms",
            "lapsed = attempt.deadline_ms is not None",
        ),
    ),
    broken(
        _ROOM,
        "a failed cancellation waits until the authorization lapses",
        Edit(inquiry_times, "next_inquiry_at_ms", "and not cancel_requested and lapses", "and lapses"),
        scenario="cancellations",
    ),
    broken(
        _ROOM,
        "a cancellation whose void failed tries no other one",
        Edit(void_on_request, "_is_due", "or (later", "or (False and later"),
        scenario="cancellations",
    ),
    # -- telling
    broken(
        _ROOM,
        "pending is shown as failed",
        Edit(
            presenting,
            "present_payment",
            _PENDING_FIRST,
            'status="FAILED" if payment.status == "PENDING" else payment.status.value,',
        ),
    ),
    broken(
        _ROOM,
        "reserved amounts are shown as refundable",
        Edit(
            presenting,
            "present_payment",
            "refundable=payment.refundable,",
            "refundable=payment.refundable + payment.reserved,",
        ),
    ),
    broken(
        _ROOM,
        "a charge is sent again by a release that builds other bytes",
        Edit(
            ChargeSession,
            "same_request",
            "self.provider.request_hash(self.charge) == self.attempt.request_hash",
            "True",
        ),
    ),
    Mutant(_ROOM, "reads of payments are not consistent", _stale_reads),
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
        "payments",
        "a change counts as stored when another one took its version",
        Edit(
            DynamoDBPayments,
            "_own_or_moved",
            "found.event_hash == change.event.hash",
            "found.version == change.after.version",
        ),
    ),
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
        "payments",
        "a cancellation before the first attempt leaves the payment waiting",
        Edit(state_machine, "_ended", 'if stop.code == "cancelled" or payment.cancel_requested:', "if False:"),
        scenario="cancellations",
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
    broken(
        "payments",
        "the cents of an amount are cut off at acceptance",
        Edit(CreatePayment, "_new", "amount=request.amount,", "amount=max(100, request.amount // 100 * 100),"),
    ),
    broken(
        "payments",
        "a payment in euros is stored in dollars",
        Edit(
            CreatePayment,
            "_new",
            "currency=request.currency,",
            'currency="USD" if request.currency == "EUR" else request.currency,',
        ),
    ),
    broken(
        "payments",
        "a payment that was to be held is charged at once",
        Edit(CreatePayment, "_new", "capture=request.capture,", "capture=CaptureMode.AUTOMATIC,"),
    ),
    broken(
        "payments",
        "the metadata of a payment is lost",
        Edit(CreatePayment, "_new", "metadata=request.metadata,", "metadata={},"),
    ),
    broken(
        "payments",
        "a payment may be charged for two days",
        Edit(
            CreatePayment,
            "_new",
            "charge_deadline_ms=now_ms + self.policy.charge_deadline_ms,",
            "charge_deadline_ms=now_ms + 2 * self.policy.charge_deadline_ms,",
        ),
    ),
    broken(
        "payments",
        "a provider's Retry-After is not respected",
        Edit(
            not_sent,
            "_asked_to_wait_until_ms",
            "if attempt.retry_after_seconds == 0 or attempt.settled_at_ms is None:",
            "if True:",
        ),
        scenario="rate_limits",
    ),
    broken(
        "payments",
        "a provider that cannot be reached is tried again before the next one",
        Edit(
            retry, "choose_candidate", "(_last_claim_of(payment, candidate), place, candidate)", "(0, place, candidate)"
        ),
        scenario="rate_limits",
    ),
    Mutant(
        "payments",
        "a rejected request is tried again at once",
        lambda: replaced(backoff, "retry_delay_ms", lambda _r, _j: 0),
        scenario="rate_limits",
    ),
    Mutant("payments", "a lease lasts an hour", lambda: replaced(claim_item, "LEASE_MS", 3_600_000)),
    broken(
        "payments",
        "what cannot be sent is tried for ever",
        Edit(
            not_sent,
            "next_send_at_ms",
            "if times.now_ms >= ends_at_ms:\n            return None\n        at_ms = min(times.now_ms + "
            "resend_delay_ms(times.now_ms - times.since_ms, times.jitter), ends_at_ms)",
            "at_ms = times.now_ms + resend_delay_ms(times.now_ms - times.since_ms, times.jitter)",
        ),
        scenario="sick_provider",
    ),
    broken(
        "payments",
        "what no provider confirms is never sent to review",
        Edit(
            recovery_plan,
            "recovery_step_for",
            "exhausted=_is_exhausted(attempt, capabilities, in_window=in_window and same_request, now_ms=now_ms),",
            "exhausted=False,",
        ),
    ),
    broken(
        "payments",
        "an attempt that is opened again keeps the time of its first try",
        Edit(not_sent, "reopened", "started_at_ms=now_ms,", ""),
        scenario="rate_limits",
    ),
)
