"""The worker: one batch of the jobs queue."""

from functools import partial
from typing import Any, Final

from payflowx.adapters.platform.clock import LambdaDeadline
from payflowx.adapters.sqs.messages import JOBS
from payflowx.domain.payments.ports import Job
from payflowx.domain.shared.ambient import Deadline
from payflowx.entrypoints.runtime import Wired, handle_batch
from payflowx.wiring.payments import WorkerWiring

wiring: Final = Wired(WorkerWiring.of_function)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A message that fails comes back, and what it is about is due besides."""
    wired = wiring()
    return handle_batch(event["Records"], wired.platform, JOBS, partial(_process, wired, LambdaDeadline(context)))


def _process(wired: WorkerWiring, deadline: Deadline, job: Job) -> None:
    wired.process_job(job, deadline)
