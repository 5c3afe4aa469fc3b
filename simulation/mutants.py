"""Designs broken on purpose. Whoever trusts the simulator wants to see it find each of them.

A mutant is a set of patches for the time of a run. Those that change nothing that anybody could see carry the argument
why, and must survive: one that is found after all had a wrong argument.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any, Final
from unittest.mock import patch

from payflowx.adapters.dynamodb.core import keys, writes
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.adapters.dynamodb.payments import payments as payments_module
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.webhooks import merchant_event_items
from payflowx.application.payments import cancel_payment, outcome_writer, process_job, resolve_attempt
from payflowx.application.payments.cancel_payment import CancelPayment
from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.create_payment import CreatePayment
from payflowx.application.payments.send_charge import SendCharge
from payflowx.application.recovery.sweep import SweepDueItems, Swept
from payflowx.domain.payments import attempt as attempt_module
from payflowx.domain.payments import recovery_plan, state_machine, verification
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.outcome import ConfirmedCancelled, Declined, NotFound, NotSent, Outcome, Unknown
from payflowx.domain.payments.payment import Lease
from payflowx.domain.payments.ports import Existing, Stored
from payflowx.domain.payments.retry import FailureReason
from payflowx.domain.payments.state_machine import fail_payment
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.payments.work_item import OwnerId
from payflowx.domain.shared.statuses import NO_CHARGE_STATES, OPEN_STATES, AttemptState, DeclineKind, PaymentStatus
from payflowx.entrypoints import worker
from payflowx.providers.http_provider import HttpProvider

Patches = Callable[[], list[AbstractContextManager[Any]]]

_DAY_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Mutant:
    """`survives`: the argument why nobody can tell it from the real design; empty for all that must be found."""

    name: str
    patches: Patches
    survives: str = ""


@contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """Broken like that for a while."""
    with ExitStack() as stack:
        for each in mutant.patches():
            stack.enter_context(each)
        yield


# --- accepting


def _put_without_condition() -> list[AbstractContextManager[Any]]:
    original = writes.new_item

    def put(table: str, item: Any) -> dict[str, Any]:
        action = original(table, item)
        del action["Put"]["ConditionExpression"]
        return action

    return [patch.object(writes, "new_item", put)]


def _check_then_put() -> list[AbstractContextManager[Any]]:
    (unconditional,) = _put_without_condition()
    original = DynamoDBPayments.create

    def create(self: DynamoDBPayments, payment: Any, event: Any, key: str) -> Any:
        found = self.find_key(payment.merchant_id, key)
        if found is not None:
            return Existing(transaction_id=found.transaction_id, fingerprint=found.fingerprint)
        return original(self, payment, event, key)

    return [unconditional, patch.object(DynamoDBPayments, "create", create)]


def _keys_expire() -> list[AbstractContextManager[Any]]:
    original = CreatePayment.__call__

    def call(self: CreatePayment, request: Any) -> Any:
        day = self.clock.now_ms() // _DAY_MS
        return original(self, replace(request, idempotency_key=f"{request.idempotency_key}@{day}"))

    return [patch.object(CreatePayment, "__call__", call)]


def _fingerprint_ignored() -> list[AbstractContextManager[Any]]:
    original = CreatePayment._replay

    def replay(self: CreatePayment, request: Any, existing: Existing) -> Any:
        return original(self, request, replace(existing, fingerprint=request.fingerprint))

    return [patch.object(CreatePayment, "_replay", replay)]


def _keys_shared_by_merchants() -> list[AbstractContextManager[Any]]:
    return [patch.object(keys, "idempotency_partition", lambda _merchant, key: f"payments#{key}")]


# --- claiming


def _intent_after_the_call() -> list[AbstractContextManager[Any]]:
    original = DynamoDBPayments.claim

    def claim(self: DynamoDBPayments, owner_id: OwnerId, *, append: Any, **known: Any) -> Any:
        result = original(self, owner_id, append=None, **known)
        if append is None or not isinstance(result, Stored):
            return result
        payment = result.item
        return Stored(item=replace(payment, attempts=(*payment.attempts, append)))

    return [patch.object(DynamoDBPayments, "claim", claim)]


def _no_epoch_check() -> list[AbstractContextManager[Any]]:
    def unmoved(expression: Expression, _before: Any) -> list[str]:
        return [f"attribute_exists({expression.name('pk')})"]

    return [patch.object(writes, "unmoved", unmoved)]


def _ignoring(path: str) -> list[AbstractContextManager[Any]]:
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


def _lease_not_respected() -> list[AbstractContextManager[Any]]:
    return [*_ignoring("lease.expiresAt"), patch.object(Lease, "is_live", lambda _self, _now_ms: False)]


def _short_lease() -> list[AbstractContextManager[Any]]:
    """Five seconds, and nobody looks whether it lasts for a call."""
    return [
        patch.object(process_job, "LEASE_MS", 5_000),
        patch.object(ChargeSession, "has_time_to_send", lambda _self: True),
    ]


def _dead_workers_not_found() -> list[AbstractContextManager[Any]]:
    return [patch.object(payments_module, "DUE_AFTER_LEASE_MS", 1_000 * _DAY_MS)]


# --- calling


def _random_provider_key() -> list[AbstractContextManager[Any]]:
    original, random = HttpProvider.charge, Random(0)

    def charge(self: HttpProvider, charge: Any, account: Any) -> Any:
        key = f"{charge.provider_key[:-1]}{random.randint(1, 9)}"
        return original(self, replace(charge, provider_key=key), account)

    return [patch.object(HttpProvider, "charge", charge)]


def _timeout_means_not_sent() -> list[AbstractContextManager[Any]]:
    original = HttpProvider._perform

    def perform(self: HttpProvider, step: Any, charge: Any, account: Any) -> Any:
        result = original(self, step, charge, account)
        if isinstance(result, Unknown) and result.code in {"read_timeout", "connection_lost"}:
            return NotSent(code=result.code)
        return result

    return [patch.object(HttpProvider, "_perform", perform)]


def _retry_in_the_client() -> list[AbstractContextManager[Any]]:
    original = HttpProvider._perform

    def perform(self: HttpProvider, step: Any, charge: Any, account: Any) -> Any:
        result = original(self, step, charge, account)
        return original(self, step, charge, account) if isinstance(result, Unknown) else result

    return [patch.object(HttpProvider, "_perform", perform)]


def _steps_not_stored() -> list[AbstractContextManager[Any]]:
    def store(_self: SendCharge, session: ChargeSession, progress: dict[str, str]) -> ChargeSession:
        attempt = replace(session.attempt, progress=progress)
        attempts = tuple(attempt if a.number == attempt.number else a for a in session.payment.attempts)
        return session.with_payment(replace(session.payment, attempts=attempts))

    return [patch.object(SendCharge, "_store", store)]


def _cancel_without_confirming() -> list[AbstractContextManager[Any]]:
    original = HttpProvider.cancel_and_confirm

    def cancel_and_confirm(self: HttpProvider, charge: Any, account: Any) -> Outcome:
        result = original(self, charge, account)
        return ConfirmedCancelled() if isinstance(result, Unknown) else result

    return [patch.object(HttpProvider, "cancel_and_confirm", cancel_and_confirm)]


# --- recording


def _verification(change: Callable[[Outcome, Any], Outcome]) -> list[AbstractContextManager[Any]]:
    """An outcome is changed before it is verified."""

    def verified(outcome: Outcome, payment: Any, attempt: Any, *, first_send: bool) -> Outcome:
        return verify_outcome(change(outcome, attempt), payment, attempt, first_send=first_send)

    return [patch.object(outcome_writer, "verify_outcome", verified)]


def _refused_resend_closes() -> list[AbstractContextManager[Any]]:
    def verified(outcome: Outcome, payment: Any, attempt: Any, *, first_send: bool) -> Outcome:
        del first_send
        return verify_outcome(outcome, payment, attempt, first_send=True)

    return [patch.object(outcome_writer, "verify_outcome", verified)]


def _two_not_found_close() -> list[AbstractContextManager[Any]]:
    return _verification(
        lambda outcome, a: ConfirmedCancelled() if isinstance(outcome, NotFound) and a.inquiries >= 1 else outcome
    )


def _unknown_means_declined() -> list[AbstractContextManager[Any]]:
    declined = Declined(kind=DeclineKind.SOFT, code="timeout")
    return _verification(lambda outcome, _attempt: declined if isinstance(outcome, Unknown) else outcome)


def _fail_over_after_reopening_decline() -> list[AbstractContextManager[Any]]:
    def forget(outcome: Outcome, _attempt: Any) -> Outcome:
        return replace(outcome, reopens_for_seconds=0) if isinstance(outcome, Declined) else outcome

    return _verification(forget)


def _reopening_decline_not_watched() -> list[AbstractContextManager[Any]]:
    def final(outcome: Outcome, _attempt: Any) -> Outcome:
        if isinstance(outcome, Declined) and outcome.reopens_for_seconds:
            return replace(outcome, reopens_for_seconds=0, kind=DeclineKind.HARD)
        return outcome

    return _verification(final)


def _answers_not_compared() -> list[AbstractContextManager[Any]]:
    return [patch.object(verification, "_verified", lambda outcome, _payment, _attempt: outcome)]


def _event_outside_the_transaction() -> list[AbstractContextManager[Any]]:
    parts, commit = DynamoDBPayments._commit_parts, DynamoDBPayments.commit

    def without_event(self: DynamoDBPayments, change: Any) -> Any:
        return parts(self, change)[:-1]

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


def _lease_kept_after_the_outcome() -> list[AbstractContextManager[Any]]:
    return [patch.object(Lease, "released", lambda self: self)]


def _unknown_fails_in_the_end() -> list[AbstractContextManager[Any]]:
    def fail(payment: Any, code: str, message: str, context: Context) -> Any:
        return fail_payment(payment, FailureReason(code=code, message=message), context)

    return [patch.object(outcome_writer, "send_to_review", fail)]


def _late_success_ignored() -> list[AbstractContextManager[Any]]:
    """FAILED stays FAILED, whatever the provider says later."""
    original = state_machine._succeeded

    def succeeded(payment: Any, settled: Any) -> Any:
        after = original(payment, settled)
        return replace(after, status=PaymentStatus.FAILED) if payment.status is PaymentStatus.FAILED else after

    return [patch.object(state_machine, "_succeeded", succeeded)]


def _two_successes_committed() -> list[AbstractContextManager[Any]]:
    original = state_machine._succeeded

    def succeeded(payment: Any, settled: Any) -> Any:
        return original(replace(payment, charged_attempt=None), settled)

    absent = Expression.absent

    def always(self: Expression, path: str) -> str:
        return f"attribute_exists({self.name('pk')})" if path == "chargedAttempt" else absent(self, path)

    return [patch.object(state_machine, "_succeeded", succeeded), patch.object(Expression, "absent", always)]


# --- deciding


def _fail_over_while_unknown() -> list[AbstractContextManager[Any]]:
    return [
        patch.object(attempt_module, "OPEN_STATES", OPEN_STATES - {AttemptState.UNKNOWN}),
        patch.object(attempt_module, "NO_CHARGE_STATES", NO_CHARGE_STATES | {AttemptState.UNKNOWN}),
    ]


def _resend_after_the_window() -> list[AbstractContextManager[Any]]:
    original = recovery_plan.recovery_step_for

    def recovery_step_for(payment: Any, attempt: Any, able: Any, **known: Any) -> Any:
        means = original(payment, attempt, able, **known)
        undecided = attempt.state in {AttemptState.STARTED, AttemptState.UNKNOWN}
        return replace(means, resend=undecided and known["may_have_charged"] and able.idempotency_window_ms > 0)

    return [patch.object(resolve_attempt, "recovery_step_for", recovery_step_for)]


def _cancel_without_proof() -> list[AbstractContextManager[Any]]:
    def cancel(self: CancelPayment, payment: Any) -> Any:
        context = Context(now_ms=self.clock.now_ms(), actor="api", policy=self.policy)
        return self.outcome_writer.commit(fail_payment(payment, cancel_payment._CANCELLED, context))

    return [patch.object(CancelPayment, "_cancel", cancel)]


# --- recovering


def _no_sweeper() -> list[AbstractContextManager[Any]]:
    return [patch.object(SweepDueItems, "__call__", lambda _self, _deadline: Swept())]


def _failed_messages_forgotten() -> list[AbstractContextManager[Any]]:
    original = worker.handler

    def handler(event: Any, context: Any) -> dict[str, Any]:
        original(event, context)
        return {"batchItemFailures": []}

    return [patch.object(worker, "handler", handler)]


def _stale_reads() -> list[AbstractContextManager[Any]]:
    def get_item(self: DynamoDBPayments, table: str, key: Mapping[str, str]) -> Any:
        with storage_errors():
            answer = self.client.get_item(TableName=table, Key=to_attributes(key))
        return from_attributes(answer["Item"]) if "Item" in answer else None

    return [patch.object(DynamoDBPayments, "_get_item", get_item)]


# --- telling merchants


def _merchant_event_without_due() -> list[AbstractContextManager[Any]]:
    """Only the message knows, and messages get lost."""
    original = merchant_event_items.merchant_event_fields

    def fields(merchant_event: Any) -> Any:
        return original(merchant_event) | {"dueAt": None, "dueShard": None}

    return [patch.object(writes, "merchant_event_fields", fields)]


MUTANTS: Final[tuple[Mutant, ...]] = (
    Mutant("put without condition", _put_without_condition),
    Mutant("check, then put", _check_then_put),
    Mutant("idempotency keys expire after a day", _keys_expire),
    Mutant("the body is not compared", _fingerprint_ignored),
    Mutant("merchants share a key space", _keys_shared_by_merchants),
    Mutant("intent stored after the call", _intent_after_the_call),
    Mutant("no epoch check", _no_epoch_check),
    Mutant(
        "a live lease is not respected",
        _lease_not_respected,
        survives=(
            "The lease saves work. What an overtaken worker does is harmless by other means: its write is refused "
            "by the epoch, its request carries the key that is stored, and a step that it could not store it "
            "cannot build on."
        ),
    ),
    Mutant(
        "lease shorter than a call",
        _short_lease,
        survives=("As above: a lease that ends too soon is a lease that is not respected."),
    ),
    Mutant("dead workers are not noticed", _dead_workers_not_found),
    Mutant("random provider key", _random_provider_key),
    Mutant("a timeout means not sent", _timeout_means_not_sent),
    Mutant("unknown means declined", _unknown_means_declined),
    Mutant("the HTTP client repeats", _retry_in_the_client),
    Mutant("steps are not stored", _steps_not_stored),
    Mutant("a fence is not read back", _cancel_without_confirming),
    Mutant("a refused re-send closes the attempt", _refused_resend_closes),
    Mutant("two 'not found' close an attempt", _two_not_found_close),
    Mutant("fail-over after a decline that may reopen", _fail_over_after_reopening_decline),
    Mutant("a decline that may reopen is not watched", _reopening_decline_not_watched),
    Mutant("answers are not compared with the payment", _answers_not_compared),
    Mutant("event outside the transaction", _event_outside_the_transaction),
    Mutant("lease kept after the outcome", _lease_kept_after_the_outcome),
    Mutant("unknown fails in the end", _unknown_fails_in_the_end),
    Mutant("a late success is ignored", _late_success_ignored),
    Mutant("fail-over while unknown", _fail_over_while_unknown),
    Mutant("re-send after the gateway's window", _resend_after_the_window),
    Mutant("cancel without proof", _cancel_without_proof),
    Mutant("no sweeper", _no_sweeper),
    Mutant("what is announced is not due", _merchant_event_without_due),
    Mutant(
        "reads of payments are not consistent",
        _stale_reads,
        survives=(
            "Whatever was read, a write holds only for the version that is stored; a stale read costs a try. "
            "Consistent reads let a client see its own writes, which is no matter of money."
        ),
    ),
    Mutant("version not compared", partial(_ignoring, "version")),
    Mutant(
        "two successes committed",
        _two_successes_committed,
        survives=(
            "It takes a second verified charge of one payment, which the rest of the design rules out (I1). The "
            "condition is the last net under it."
        ),
    ),
    Mutant(
        "failed messages are forgotten",
        _failed_messages_forgotten,
        survives=("A message only wakes. The row is due, and the sweeper wakes it again."),
    ),
)
