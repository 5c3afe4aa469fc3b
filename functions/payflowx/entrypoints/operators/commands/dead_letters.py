"""Dead letters: counted, explained, replayed, purged."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.application.recovery.plan_replay import ReplayPlan
from payflowx.application.recovery.replay_dead_letters import MAX_REPLAY_BATCH
from payflowx.domain.recovery.ports import WorkQueueName
from payflowx.domain.shared.limits import MAX_DEAD_LETTERS_PER_READ
from payflowx.domain.shared.metrics import Metric
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import Command, MutatingCommand
from payflowx.wiring.operators import OperatorsWiring


class CountDeadLettersCommand(Command, tag="count_dead_letters"):
    """Of every queue."""


class ExplainDeadLettersCommand(Command, tag="explain_dead_letters"):
    """Explain each message and what a replay would do with it; with `withLog`, also why it failed."""

    queue: WorkQueueName
    limit: Annotated[int, Meta(ge=1, le=MAX_DEAD_LETTERS_PER_READ)] = 10
    with_log: bool = True


class ReplayDeadLettersCommand(MutatingCommand, tag="replay_dead_letters"):
    """A few at a time: the caller sets the pace."""

    queue: WorkQueueName
    limit: Annotated[int, Meta(ge=1, le=MAX_REPLAY_BATCH)] = MAX_REPLAY_BATCH


class PurgeDeadLettersCommand(MutatingCommand, tag="purge_dead_letters"):
    """All of a queue's."""

    queue: WorkQueueName


COMMANDS = (CountDeadLettersCommand, ExplainDeadLettersCommand, ReplayDeadLettersCommand, PurgeDeadLettersCommand)


def run(
    wired: OperatorsWiring,
    command: CountDeadLettersCommand | ExplainDeadLettersCommand | ReplayDeadLettersCommand | PurgeDeadLettersCommand,
) -> dict[str, Any]:
    """The answer's fields."""
    match command:
        case CountDeadLettersCommand():
            depths = wired.inspect_dead_letters.depths()
            return {
                "items": [
                    {"queue": d.queue.value, "waiting": d.waiting, "dead": d.dead, "deadHidden": d.dead_hidden}
                    for d in depths
                ]
            }
        case ExplainDeadLettersCommand():
            explained = wired.inspect_dead_letters(command.queue, limit=command.limit, with_log=command.with_log)
            return {
                "items": [
                    {
                        **_present(e.plan),
                        "receives": e.receives,
                        "failures": list(e.failures) if e.failures is not None else None,
                    }
                    for e in explained
                ]
            }
        case ReplayDeadLettersCommand():
            replayed = wired.replay_dead_letters(
                command.queue, limit=command.limit, operator_action=command.operator_action()
            )
            wired.telemetry.count(Metric.DEAD_LETTERS_REPLAYED, len(replayed), queue=command.queue.value)
            return {"items": [{**_present(r.plan), "sent": r.sent} for r in replayed]}
        case PurgeDeadLettersCommand():
            wired.purge_dead_letters(command.queue, command.operator_action())
            return {"purged": True}


def _present(plan: ReplayPlan) -> dict[str, Any]:
    return {
        "messageId": plan.message_id,
        "sentAt": timestamp(plan.sent_at_ms),
        "what": plan.what,
        "step": plan.step.value,
        "why": plan.why,
        "transactionId": plan.transaction_id,
        "status": plan.status,
    }
