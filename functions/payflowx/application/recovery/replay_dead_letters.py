"""Replay of dead letters in small batches; those without work are removed.

A replay charges nothing by itself: it sends a wake-up that only names an item, and the worker decides from the stored
item. It starts an attempt only if every earlier one is proven uncharged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from payflowx.application.recovery.plan_replay import PlanReplay, ReplayPlan, ReplayStep
from payflowx.application.reviews.resolve_payment import ResolvePayment
from payflowx.domain.inbound_webhooks.ports import ProviderEventQueue, ReceivedEvent
from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.outbound_webhooks.ports import Deliveries, DeliveryJob
from payflowx.domain.payments.ports import Job, Jobs
from payflowx.domain.reconciliation.ports import RunQueue
from payflowx.domain.recovery.ports import DeadLetter, DeadLetters, Message, RunWakeUp, WorkQueueName
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal

MAX_REPLAY_BATCH: Final = 10
_HIDE_SECONDS: Final = 300
"""A kept message, or one of a failed run, becomes visible after this: the next run takes it."""
_ORDER: Final = {step: place for place, step in enumerate((ReplayStep.RESOLVE, ReplayStep.APPLY, ReplayStep.END))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The result of one message. `sent`: it was sent to its queue again."""

    plan: ReplayPlan
    sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDeadLetters:
    """Resumable: replayed messages are removed from the dead letters, all others stay."""

    dead_letters: DeadLetters
    plan: PlanReplay
    resolve_payment: ResolvePayment
    jobs: Jobs
    provider_events: ProviderEventQueue
    deliveries: Deliveries
    run_queue: RunQueue
    merchant_directory: MerchantDirectory
    clock: Clock

    def __call__(self, queue: WorkQueueName, *, limit: int, operator_action: OperatorAction) -> Sequence[Replayed]:
        """Replay at most `limit` messages. An empty result: none is left to replay now."""
        letters = self.dead_letters.take(queue, limit=min(limit, MAX_REPLAY_BATCH), hide_seconds=_HIDE_SECONDS)
        if not letters:
            return []
        record = AuditEntry(
            action="dead_letters.replayed",
            at_ms=self.clock.now_ms(),
            operator_action=operator_action,
            facts={"queue": queue.value, "messages": len(letters)},
        )
        self.merchant_directory.record(record)
        planned = [(letter, self.plan(queue, letter)) for letter in letters]
        planned.sort(key=lambda pair: _ORDER.get(pair[1].step, len(_ORDER)))
        return [self._replay(queue, letter, plan, operator_action) for letter, plan in planned]

    def _replay(
        self, queue: WorkQueueName, letter: DeadLetter, plan: ReplayPlan, operator_action: OperatorAction
    ) -> Replayed:
        """Send first, then remove: a crash in between sends it twice, which is harmless."""
        if plan.step is ReplayStep.KEEP or plan.message is None:
            return Replayed(plan=plan, sent=False)
        sent = plan.step is not ReplayStep.SKIP and self._send(plan.message, operator_action)
        self.dead_letters.delete(queue, letter)
        return Replayed(plan=plan, sent=sent)

    def _send(self, message: Message, operator_action: OperatorAction) -> bool:
        """Send it to the ordinary lane, whichever it failed in: the worker knows which accounts are slow now."""
        match message:
            case ReceivedEvent():
                self.provider_events.send(message)
            case DeliveryJob():
                self.deliveries.send(replace(message, slow=False))
            case RunWakeUp(run_id=run_id):
                self.run_queue.send(run_id)
            case Job(read_refunds=True):
                self.jobs.send(replace(message, slow=False))
            case Job(operation_id=None):
                return self._resolve(message, operator_action)
            case Job(merchant_id=merchant_id, transaction_id=transaction_id, operation_id=operation_id):
                # Without the optional fields: the stored item decides.
                self.jobs.send(Job(merchant_id=merchant_id, transaction_id=transaction_id, operation_id=operation_id))
        return True

    def _resolve(self, job: Job, operator_action: OperatorAction) -> bool:
        try:
            self.resolve_payment(job.merchant_id, job.transaction_id, operator_action)
        except Refusal:
            return False  # resolved since it was planned
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeDeadLetters:
    """Removes dead letters for good.

    No payment is lost: each is due by its stored item, and inquiries replace every webhook.
    """

    dead_letters: DeadLetters
    merchant_directory: MerchantDirectory
    clock: Clock

    def __call__(self, queue: WorkQueueName, operator_action: OperatorAction) -> None:
        """Remove all messages of the dead-letter queue."""
        record = AuditEntry(
            action="dead_letters.purged",
            at_ms=self.clock.now_ms(),
            operator_action=operator_action,
            facts={"queue": queue.value},
        )
        self.merchant_directory.record(record)
        self.dead_letters.purge(queue)
