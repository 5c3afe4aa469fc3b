"""Inspection of dead letters: content, effect of a replay, and logged failures. Read-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.application.recovery.plan_replay import PlanReplay, ReplayPlan
from payflowx.domain.recovery.ports import DeadLetter, DeadLetters, FailureLog, QueueDepth, WorkQueueName
from payflowx.domain.shared.errors import StorageUnavailableError

_TAKE: Final = 10
_HIDE_SECONDS: Final = 60
"""Longer than one inspection takes: its next receive must not return the same messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A replay plan and the logged failures. `failures` None: the log was not queried."""

    plan: ReplayPlan
    receives: int
    failures: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectDeadLetters:
    """Hides the messages from other receivers briefly; afterwards they are visible again."""

    dead_letters: DeadLetters
    plan: PlanReplay
    failure_log: FailureLog

    def depths(self) -> Sequence[QueueDepth]:
        """Return the depth of every queue."""
        return self.dead_letters.depths()

    def __call__(self, queue: WorkQueueName, *, limit: int, with_log: bool) -> Sequence[Explanation]:
        """Return at most `limit` messages, oldest first as far as the queue reports."""
        letters = self._look(queue, limit)
        try:
            explained = [self._explain(queue, letter, with_log=with_log) for letter in letters]
        finally:
            self.dead_letters.put_back(queue, letters)
        return sorted(explained, key=lambda e: (e.plan.sent_at_ms, e.plan.message_id))

    def _look(self, queue: WorkQueueName, limit: int) -> Sequence[DeadLetter]:
        letters: dict[str, DeadLetter] = {}
        while len(letters) < limit:
            some = self.dead_letters.take(queue, limit=min(_TAKE, limit - len(letters)), hide_seconds=_HIDE_SECONDS)
            fresh = [letter for letter in some if letter.message_id not in letters]
            letters |= {letter.message_id: letter for letter in some}
            if not fresh:
                break
        return list(letters.values())

    def _explain(self, queue: WorkQueueName, letter: DeadLetter, *, with_log: bool) -> Explanation:
        plan = self.plan(queue, letter)
        if not with_log:
            return Explanation(plan=plan, receives=letter.receives)
        try:
            failures: Sequence[str] | None = self.failure_log.failures(queue, letter.message_id, letter.sent_at_ms)
        except StorageUnavailableError:
            failures = None
        return Explanation(plan=plan, receives=letter.receives, failures=failures)
