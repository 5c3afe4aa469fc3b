"""Applies webhooks of providers: one batch of the notices queue, its messages side by side."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from payflowx.adapters.platform import log_context
from payflowx.adapters.sqs.provider_events import decode_provider_event, facts_of
from payflowx.bootstrap import Container


@cache
def container() -> Container:
    """One a function instance; tests replace it."""
    return Container()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Failed messages alone come back: partial batch responses."""
    failed: list[str] = []
    tasks: list[Callable[[], None]] = [partial(_apply, record, failed) for record in event["Records"]]
    container().concurrency.run(tasks)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _apply(record: dict[str, Any], failed: list[str]) -> None:
    """A message fails for any exception: it comes back, and ends as a dead letter."""
    wired = container()
    with log_context.message(record):
        try:
            inbound = decode_provider_event(record["body"])
            log_context.add(facts_of(inbound))
            wired.process_provider_event(inbound)
        except Exception:
            failed.append(record["messageId"])
            wired.logger.exception("message failed")
