"""The sweeper: every minute, wake what is due."""

from typing import Any, Final

from payflowx.adapters.platform import log_context
from payflowx.adapters.platform.clock import LambdaDeadline
from payflowx.entrypoints.runtime import Wired
from payflowx.wiring.recovery import SweeperWiring

wiring: Final = Wired(SweeperWiring.of_function)


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    """The counts are for an operator who invokes it by hand."""
    wired = wiring()
    with log_context.invocation(context, wired.platform.trace):
        swept = wired.sweep(LambdaDeadline(context))
    return {
        "due": swept.due,
        "woken": swept.woken,
        "toReview": swept.to_review,
        "failed": swept.failed,
        "unfinishedShards": swept.unfinished_shards,
    }
