"""Broken designs of recovery: sweeper, queues, dead workers, items of another release."""

from typing import Any, Final
from unittest.mock import patch

from payflowx.application.recovery import wake_attempts, waking
from payflowx.application.recovery.sweep import SweepDueItems, Swept
from payflowx.application.recovery.wake_event import WakeEvent
from payflowx.entrypoints import worker
from simulation.mutants.mutant import Edit, Mutant, Patches, broken

_ROOM: Final = "recovery"


def _failed_messages_forgotten() -> Patches:
    original = worker.handler

    def handler(event: Any, context: Any) -> dict[str, Any]:
        original(event, context)
        return {"batchItemFailures": []}

    return [patch.object(worker, "handler", handler)]


RECOVERING: Final[tuple[Mutant, ...]] = (
    Mutant(_ROOM, "no sweeper", lambda: [patch.object(SweepDueItems, "__call__", lambda _self, _deadline: Swept())]),
    broken(
        _ROOM,
        "the sweeper sweeps half of the shards",
        Edit(
            SweepDueItems,
            "__call__",
            "for place in range(DUE_SHARDS)]",
            "for place in range(DUE_SHARDS) if (first + place) % 2]",
        ),
    ),
    broken(
        _ROOM,
        "the sweeper forgets events",
        Edit(WakeEvent, "__call__", "if merchant_event is None or", "if True or"),
    ),
    broken(
        _ROOM,
        "the sweeper forgets operations",
        Edit(
            wake_attempts.WakeAttempts,
            "__call__",
            "if owner is None or",
            "if due.owner_id.operation_id or owner is None or",
        ),
    ),
    broken(
        _ROOM,
        "three wake-ups are enough for a review",
        Edit(wake_attempts.WakeAttempts, "__call__", "owner.drives >= MAX_DRIVES", "owner.drives >= 3"),
    ),
    broken(
        _ROOM,
        "a due item is taken off the index when it is woken",
        Edit(waking, "wake", "due_at_ms=now_ms + wake_delay_ms(drives)", "due_at_ms=now_ms + 10**12"),
    ),
    Mutant(
        _ROOM,
        "failed messages are forgotten",
        _failed_messages_forgotten,
        survives="A message only wakes. The row is due, and the sweeper wakes it again.",
    ),
)
