"""Tells merchants of events: one batch of the deliveries queue, its messages side by side."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from payflowx.adapters.platform import log_context
from payflowx.adapters.sqs.deliveries import decode_delivery, facts_of
from payflowx.bootstrap import Container
from payflowx.entrypoints.api.messages import compose_message


@cache
def container() -> Container:
    """One a function instance; tests replace it."""
    return Container()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Failed messages alone come back: partial batch responses. An endpoint that fails is no failed message."""
    failed: list[str] = []
    tasks: list[Callable[[], None]] = [partial(_deliver, record, failed) for record in event["Records"]]
    container().concurrency.run(tasks)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _deliver(record: dict[str, Any], failed: list[str]) -> None:
    """A message fails for any exception: it comes back, and the event is due besides."""
    wired = container()
    with log_context.message(record):
        try:
            job = decode_delivery(record["body"])
            log_context.add(facts_of(job))
            wired.deliver_event(job, compose_message)
        except Exception:
            failed.append(record["messageId"])
            wired.logger.exception("message failed")
