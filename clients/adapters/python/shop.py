"""What the adapters share: the kit, and a handler that writes a line for each event."""

import json
import os
from pathlib import Path

from payflowx_client import Received, SqliteEventStore, Webhook

_STATE = Path(os.environ["SHOP_STATE"])
webhook = Webhook(os.environ["WEBHOOK_SECRET"], store=SqliteEventStore(_STATE / "events.db"))


def handle(received: Received) -> None:
    """The merchant's work."""
    with (_STATE / "handled").open("a") as file:
        file.write(json.dumps([received.event.id, received.event.type, received.event.sequence]) + "\n")
