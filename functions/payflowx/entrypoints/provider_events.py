"""Providers' webhooks: one batch of the provider events' queue."""

from typing import Any, Final

from payflowx.adapters.sqs.messages import PROVIDER_EVENTS
from payflowx.entrypoints.runtime import Wired, handle_batch
from payflowx.wiring.provider_events import ProviderEventsWiring

wiring: Final = Wired(ProviderEventsWiring.of_function)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """A message that fails comes back, and ends as a dead letter."""
    wired = wiring()
    return handle_batch(event["Records"], wired.platform, PROVIDER_EVENTS, wired.process_provider_event)
