"""Webhooks to merchants: one batch of the deliveries queue."""

from functools import partial
from typing import Any, Final

from payflowx.adapters.sqs.messages import DELIVERIES
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.entrypoints.api.messages import compose_message
from payflowx.entrypoints.runtime import Wired, handle_batch
from payflowx.wiring.outbound_webhooks import DelivererWiring

wiring: Final = Wired(DelivererWiring.of_function)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """A message that fails comes back, and its event is due besides. An endpoint that fails is no failed message."""
    wired = wiring()
    return handle_batch(event["Records"], wired.platform, DELIVERIES, partial(_deliver, wired))


def _deliver(wired: DelivererWiring, job: DeliveryJob) -> None:
    wired.deliver_event(job, compose_message)
