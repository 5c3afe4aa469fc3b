"""Broken designs of recovery: sweeper, queues, dead workers, items of another release."""

from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.merchants import account_health
from payflowx.adapters.dynamodb.merchants.account_health import DynamoDBAccountHealth
from payflowx.adapters.dynamodb.payments import payment_items
from payflowx.adapters.dynamodb.payments.due_items import DynamoDBDueItems
from payflowx.adapters.sqs.queue_room import QueueRoom
from payflowx.application.outbound_webhooks.deliver_event import DeliverEvent
from payflowx.application.payments.charge_session import ChargeSession
from payflowx.application.payments.claim_item import ClaimItem
from payflowx.application.payments.create_payment import CreatePayment
from payflowx.application.payments.hand_over_job import HandOverJob
from payflowx.application.payments.operation_session import OperationSession
from payflowx.application.payments.search_forgotten import SearchForgotten
from payflowx.application.recovery import wake_attempts, waking
from payflowx.application.recovery.notify_restore import NotifyRestore
from payflowx.application.recovery.sweep import SweepDueItems, Swept
from payflowx.application.recovery.wake_event import WakeEvent
from payflowx.domain.payments import change, recovery_plan, restored, verification
from payflowx.domain.payments.claim import ResolveOpenAttempt, StartAttempt
from payflowx.domain.payments.outcome import Accepted, Declined
from payflowx.domain.providers import health
from payflowx.domain.routing import routing
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.entrypoints import worker
from simulation.mutants.mutant import Edit, Mutant, Patches, broken

_ROOM: Final = "recovery"


def _failed_messages_forgotten() -> Patches:
    original = worker.handler

    def handler(event: Any, context: Any) -> dict[str, Any]:
        original(event, context)
        return {"batchItemFailures": []}

    return [patch.object(worker, "handler", handler)]


def _moved(claim_item: Any, item: Any, decision: Any) -> Any:
    """The breaker as a fail-over: an open attempt at a slow account gets a successor at the next provider."""
    if not isinstance(decision, ResolveOpenAttempt) or item.operation is not None or item.payment.checkout is not None:
        return decision
    attempt, payment = decision.attempt, item.payment
    name = health.AccountName(merchant_id=payment.merchant_id, provider=attempt.provider, account_id=attempt.account_id)
    others = [candidate for candidate in payment.route.candidates if candidate.provider != attempt.provider]
    if not others or len(payment.attempts) > 1 or not claim_item.hand_over.health.is_slow(name):
        return decision
    return StartAttempt(number=len(payment.attempts) + 1, candidate=others[0])


def _declined_after_a_day(inquiry: str, kind: str) -> str:
    """The source of an inquiry that believes in "pending" for a day only."""
    return (
        f"outcome = {inquiry}\n"
        "    is_old = self.clock.now_ms() - self.attempt.started_at_ms > 86_400_000\n"
        f"    declined = Declined({kind}code='pending_too_long')\n"
        "    return declined if is_old and isinstance(outcome, Accepted) else outcome"
    )


RECOVERING: Final[tuple[Mutant, ...]] = (
    Mutant(_ROOM, "no sweeper", lambda: [patch.object(SweepDueItems, "__call__", lambda _self, _deadline: Swept())]),
    broken(
        _ROOM,
        "the sweeper sweeps half of the shards",
        Edit(
            SweepDueItems,
            "_shards",
            "for place in range(self.due_shards)]",
            "for place in range(self.due_shards) if (minute + place) % 2]",
        ),
    ),
    broken(
        _ROOM,
        "the sweeper reads the sixteen shards alone",
        Edit(
            SweepDueItems,
            "_shards",
            "minute = now_ms // MINUTE_MS",
            "return [_Shard(n, is_moved=False, pages=self._pages(n, now_ms)) for n in range(16)]\n    minute = 0",
        ),
        scenario="more_partitions",
    ),
    broken(
        _ROOM,
        "no run of the sweeper reads the shards beyond the setting",
        Edit(SweepDueItems, "_shards", "if minute % _MINUTES_BETWEEN_MOVES:", "if True:"),
        scenario="more_partitions",
    ),
    broken(
        _ROOM,
        "what lies in shards that are not written any more is moved where nobody reads",
        Edit(DynamoDBDueItems, "move", "self.partitions.due_shard(keys.due_id(due))", "'due#99'"),
        scenario="more_partitions",
    ),
    broken(
        _ROOM,
        "an item that cannot be handled stops its shard",
        Edit(SweepDueItems, "_take_page", "self._set_aside(due, error, shard.swept)", "raise"),
    ),
    broken(
        _ROOM,
        "an unknown state of an attempt means not sent",
        Edit(
            payment_items,
            "attempt_from_item",
            'AttemptState(fields["state"])',
            'AttemptState(fields["state"]) if fields["state"] in list(AttemptState) else AttemptState.NOT_SENT',
        ),
    ),
    broken(
        _ROOM,
        "an attempt in an unknown state is dropped",
        Edit(
            payment_items,
            "_from_full_item",
            'attempt_from_item(attempt) for attempt in item["attempts"]',
            'attempt_from_item(a) for a in item["attempts"] if a["state"] in list(AttemptState)',
        ),
    ),
    broken(
        _ROOM,
        "a writer drops the attributes that it does not know",
        Edit(
            Expression,
            "update",
            "changed, removed = changes(before, after)",
            'changed, removed = changes(before, after)\n    removed.append(("addedLater",))',
        ),
    ),
    broken(
        _ROOM,
        "the sweeper forgets events",
        Edit(WakeEvent, "take", "return take(due, now_ms, due_items=self.due_items)", "return waking.WakeResult.STALE"),
    ),
    broken(
        _ROOM,
        "the sweeper forgets operations",
        Edit(
            wake_attempts.WakeAttempts,
            "take",
            "taken = take(",
            "taken = waking.WakeResult.STALE if due.owner_id.operation_id else take(",
        ),
    ),
    broken(
        _ROOM,
        "three wake-ups are enough for a review",
        Edit(wake_attempts.WakeAttempts, "take", "max_drives=MAX_DRIVES", "max_drives=3"),
    ),
    broken(
        _ROOM,
        "a due item is taken off the index when it is woken",
        Edit(waking, "take", "due_at_ms = now_ms + wake_delay_ms(drives)", "due_at_ms = now_ms + 10**12"),
    ),
    broken(
        _ROOM,
        "a due item is taken whatever its due time is",
        Edit(DynamoDBDueItems, "take", 'expression.equals("dueAt", due.due_at_ms), ', ""),
    ),
    broken(
        _ROOM,
        "a queue that was late once gets no wake-ups any more",
        Edit(QueueRoom, "admits", "if 0 <= age_ms < _ASK_INTERVAL_MS:", "if self._asked_at_ms and self._room == 0:"),
    ),
    broken(
        _ROOM,
        "an item in work is taken as well",
        Edit(DynamoDBDueItems, "take", "if due.kind in _LEASED:", "if False:"),
        survives="The claim has the same condition: a worker that is woken beside the lease's holder does nothing.",
    ),
    broken(
        _ROOM,
        "a job that is handed to the slow lane is dropped",
        Edit(HandOverJob, "_is_handed_over", "self.slow_lane.take(", "(lambda *_args, **_is_due: None)("),
    ),
    broken(
        _ROOM,
        "a job of the slow lane takes no lease",
        Edit(
            ClaimItem,
            "_claim_as_decided",
            "lease=self._lease(epoch=epoch),",
            "lease=replace(self._lease(epoch=epoch), owner='') if job.slow else self._lease(epoch=epoch),",
        ),
        scenario="slow_providers",
        replace=replace,
    ),
    broken(
        _ROOM,
        "the slow lane hands its own jobs over again",
        Edit(HandOverJob, "_is_handed_over", "if not is_slow or job.slow:", "if not is_slow:"),
        Edit(HandOverJob, "if_slow", "if target is None or job.slow:", "if target is None:"),
        scenario="restores",
    ),
    broken(
        _ROOM,
        "the breaker moves an unknown to the next provider",
        Edit(
            ClaimItem,
            "_claim_as_decided",
            "decision = self._decide(item, merchant)",
            "decision = _moved(self, item, self._decide(item, merchant))",
        ),
        _moved=_moved,
    ),
    broken(
        _ROOM,
        "the breaker empties a route",
        Edit(routing, "_without_failing", "if not well:", "if False:"),
        Edit(routing, "_without_failing", "if is_probe(facts.transaction_id):", "if False:"),
        Edit(health, "after_calls", "counted.failures_in_a_row >= _MIN_FAILED", "True"),
    ),
    broken(
        _ROOM,
        "the breaker stops the resolve of an accepted payment",
        Edit(
            HandOverJob,
            "_is_handed_over",
            "self.slow_lane.take(replace(job, slow=True)",
            "(lambda *_a, **_b: None)(job",
        ),
        Edit(health.AccountHealth, "is_slow", "return self.open_since_ms is not None or", "return True or"),
    ),
    broken(
        _ROOM,
        "a breaker that is open never closes",
        Edit(health, "_while_open", "if answers >= _ANSWERS_TO_CLOSE:", "if False:"),
        survives="A route is never emptied, and the slow lane works as the other one: nothing is lost, only slower.",
    ),
    broken(
        _ROOM,
        "an event for a slow endpoint is taken off the sweeper's list and dropped",
        Edit(
            DeliverEvent,
            "__call__",
            "self.slow_lane.take(replace(job, slow=True))",
            "self.merchant_events.save(merchant_event, replace(merchant_event, due_at_ms=None))",
        ),
    ),
    broken(
        _ROOM,
        "a pending answer is given up when silence would be",
        Edit(
            recovery_plan,
            "inquiries_end_at_ms",
            "capabilities.pending_horizon_ms",
            "capabilities.inquiry_horizon_ms",
        ),
        scenario="slow_banks",
    ),
    broken(
        _ROOM,
        "a pending answer is given up after twelve hours",
        Edit(recovery_plan, "inquiries_end_at_ms", "capabilities.pending_horizon_ms", "12 * HOUR_MS"),
        scenario="slow_banks",
    ),
    broken(
        _ROOM,
        "what was pending before a lost answer counts as unknown",
        Edit(
            verification,
            "changes_state",
            "if isinstance(outcome, Unknown) and attempt.state in _KNOWN and attempt.capture_sent_at_ms is None:",
            "if False:",
        ),
        scenario="slow_banks",
    ),
    broken(
        _ROOM,
        "a charge that is pending for a day counts as declined",
        Edit(
            ChargeSession,
            "inquire",
            "return self.provider.inquire(self.charge, self.account)",
            _declined_after_a_day("self.provider.inquire(self.charge, self.account)", "kind=DeclineKind.HARD, "),
        ),
        scenario="slow_banks",
        Accepted=Accepted,
        Declined=Declined,
        DeclineKind=DeclineKind,
    ),
    broken(
        _ROOM,
        "a refund that is pending for a day counts as failed",
        Edit(
            OperationSession,
            "inquire",
            "return self.provider.inquire_operation(self.operation_request, self.account)",
            _declined_after_a_day("self.provider.inquire_operation(self.operation_request, self.account)", ""),
        ),
        scenario="slow_banks",
        Accepted=Accepted,
        Declined=Declined,
    ),
    Mutant(
        _ROOM,
        "failed messages are forgotten",
        _failed_messages_forgotten,
        survives="A message only wakes. The row is due, and the sweeper wakes it again.",
    ),
    broken(
        "recovery",
        "after a restore, merchant events are numbered from what is known",
        Edit(
            restored, "raise_numbers", "announced=max(payment.announced, used_number),", "announced=payment.announced,"
        ),
        scenario="restores",
    ),
    broken(
        "recovery",
        "progress does not end the count of wake-ups",
        Edit(change, "change_of", "drives=0 if changed is None else before.drives,", "drives=before.drives,"),
        Edit(change, "operation_change", "drives=0,", ""),
    ),
    broken(
        "recovery",
        "merchants are told of an earlier time than was forgotten",
        Edit(
            NotifyRestore,
            "__call__",
            "from_ms=window.restored_to_ms, until_ms=window.stopped_at_ms",
            "from_ms=window.restored_to_ms - 3_600_000, until_ms=window.restored_to_ms",
        ),
        scenario="restores",
    ),
    Mutant("recovery", "the breaker opens at the first failure", lambda: [patch.object(health, "_MIN_FAILED", 1)]),
    broken(
        "recovery",
        "the route of a new payment ignores an open breaker",
        Edit(
            CreatePayment,
            "_route",
            "failing=self.health.passed_over(merchant.merchant_id, merchant.preferred_accounts()),",
            "",
        ),
        scenario="sick_provider",
    ),
    broken(
        "recovery",
        "the state of breakers is cached for all merchants together",
        Edit(DynamoDBAccountHealth, "of", "self.cache.get(merchant_id,", 'self.cache.get("",'),
        Edit(
            DynamoDBAccountHealth,
            "save",
            "self.cache.forget(before.name.merchant_id)",
            'self.cache.forget("")',
        ),
        scenario="sick_provider",
    ),
    broken(
        "recovery",
        "all merchants share the state of a breaker",
        Edit(DynamoDBAccountHealth, "_load", 'f"{PARTITION_PREFIX}{merchant_id}"', 'f"{PARTITION_PREFIX}acme"'),
        Edit(account_health, "_key", 'f"{PARTITION_PREFIX}{name.merchant_id}"', 'f"{PARTITION_PREFIX}acme"'),
        scenario="sick_provider",
    ),
    broken(
        "recovery",
        "after a restore, a provider that does not answer counts as one that knows nothing",
        Edit(
            SearchForgotten,
            "__call__",
            "case Unknown():\n                return Search(complete=False, proven=False)",
            "case Unknown():\n                continue",
        ),
        scenario="restores",
    ),
)
