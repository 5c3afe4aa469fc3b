"""The sweeper: every minute, wake what is due."""

from functools import cache
from typing import Any

from payflowx.adapters.platform import log_context
from payflowx.adapters.platform.clock import LambdaDeadline
from payflowx.bootstrap import Container


@cache
def container() -> Container:
    """One a function instance; tests replace it."""
    return Container()


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    """The counts are for whoever invokes it by hand."""
    with log_context.invocation(context, container().trace):
        swept = container().sweep(LambdaDeadline(context))
    return {
        "due": swept.due,
        "woken": swept.woken,
        "toReview": swept.to_review,
        "unfinishedShards": swept.unfinished_shards,
    }
