"""Inspection of dead letters: content, effect of a replay, and logged failures. Read-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.application.recovery.plan_replay import PlanReplay, ReplayPlan
from payflowx.domain.recovery.ports import DeadLetter, DeadLetters, FailureLog, QueueDepth, WorkQueueName
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import SECOND_MS

_TAKE: Final = 10
_LOG_TIME_MS: Final = 10 * SECOND_MS
"""A search of the log takes seconds, up to fifteen, and the command ends within the function's 30."""
_HIDE_SECONDS: Final = 60
"""Longer than one inspection takes: its next receive must not return the same messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A replay plan and the logged failures. `failures` None: the log was not queried, or did not answer in time."""

    plan: ReplayPlan
    receives: int
    failures: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectDeadLetters:
    """Hides the messages from other receivers briefly; afterwards they are visible again."""

    dead_letters: DeadLetters
    plan: PlanReplay
    failure_log: FailureLog
    clock: Clock

    def depths(self) -> Sequence[QueueDepth]:
        """Return the depth of every queue."""
        return self.dead_letters.depths()

    def __call__(self, queue: WorkQueueName, *, limit: int, with_log: bool) -> Sequence[Explanation]:
        """Return at most `limit` messages, oldest first as far as the queue reports."""
        letters = self._look(queue, limit)
        log = _Log(self.failure_log, self.clock, until_ms=self.clock.now_ms() + _LOG_TIME_MS) if with_log else None
        try:
            explained = [self._explain(queue, letter, log) for letter in letters]
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

    def _explain(self, queue: WorkQueueName, letter: DeadLetter, log: "_Log | None") -> Explanation:
        failures = log.failures(queue, letter) if log else None
        return Explanation(plan=self.plan(queue, letter), receives=letter.receives, failures=failures)


@dataclass(slots=True)
class _Log:
    """The log during one inspection. One that did not answer once, or took too long, is not asked again."""

    failure_log: FailureLog
    clock: Clock
    until_ms: int

    def failures(self, queue: WorkQueueName, letter: DeadLetter) -> Sequence[str] | None:
        if self.clock.now_ms() >= self.until_ms:
            return None
        try:
            return self.failure_log.failures(queue, letter.message_id, letter.sent_at_ms)
        except StorageUnavailableError:
            self.until_ms = 0
            return None
