"""The reconciler: runs from its queue, every hour the days that are due, and operators' commands."""

from functools import partial
from typing import Any, Final

from payflowx.adapters.platform import log_context
from payflowx.adapters.platform.clock import LambdaDeadline
from payflowx.adapters.sqs.messages import RUNS
from payflowx.domain.shared.ambient import Deadline
from payflowx.entrypoints.operators import protocol
from payflowx.entrypoints.operators.commands.reconciliation import RUNNERS
from payflowx.entrypoints.runtime import Wired, handle_batch
from payflowx.wiring.reconciliation import ReconcilerWiring

wiring: Final = Wired(ReconcilerWiring.of_function)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of its queue, a command, or the schedule. A message that fails comes back, and its run goes on with the
    page it was at.
    """
    wired, deadline = wiring(), LambdaDeadline(context)
    if "Records" in event:
        return handle_batch(event["Records"], wired.platform, RUNS, partial(_reconcile, wired, deadline))
    with log_context.invocation(context, wired.platform.trace):
        if "command" in event:
            return protocol.answer(event, wired, RUNNERS)
        near = wired.warn_of_deadlines(deadline)
        return {"unfinished": wired.start_reconciliations.of_last_days(deadline), "disputesNearDeadline": near}


def _reconcile(wired: ReconcilerWiring, deadline: Deadline, run_id: str) -> None:
    wired.reconcile(run_id, deadline)
