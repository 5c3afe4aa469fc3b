"""The worker: one batch of the jobs queue, its messages side by side."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from payflowx.adapters.platform import log_context
from payflowx.adapters.platform.clock import LambdaDeadline
from payflowx.adapters.sqs.jobs import decode_job, facts_of
from payflowx.bootstrap import Container
from payflowx.domain.shared.ambient import Deadline


@cache
def container() -> Container:
    """One a function instance; tests replace it."""
    return Container()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Failed messages alone come back: partial batch responses."""
    failed: list[str] = []
    deadline = LambdaDeadline(context)
    records = event["Records"]
    tasks: list[Callable[[], None]] = [partial(_process, record, deadline, failed) for record in records]
    container().concurrency.run(tasks)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _process(record: dict[str, Any], deadline: Deadline, failed: list[str]) -> None:
    """A message fails for any exception: it comes back, and what it is about is due besides."""
    wired, message_id = container(), record["messageId"]
    with log_context.message(record):
        try:
            job = decode_job(record["body"])
            log_context.add(facts_of(job))
            process = wired.process_operation if job.operation_id else wired.process_payment
            process(job, deadline)
        except Exception:
            failed.append(message_id)
            wired.logger.exception("message failed")
