"""Merchants' webhook endpoints: some answer late, some fail for a while, some disappear."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from payflowx.domain.outbound_webhooks.merchant_events import Answered, NotAnswered, Posted
from simulation.faults import Faults
from simulation.functions import Platform
from simulation.history import Delivered, History
from simulation.kernel import Kernel

POST_TIMEOUT_MS: Final = 15_000
HOST: Final = "example.com"
ENDPOINTS: Final = {"acme": 1, "globex": 2}
"""How many endpoints each merchant has."""


def url_of(merchant: str, number: int) -> str:
    """A merchant's endpoint; the merchant can be read from it."""
    return f"https://{merchant}-{number}.{HOST}/webhooks"


@dataclass(slots=True)
class Endpoints:
    """Implements `WebhookClient`."""

    kernel: Kernel
    faults: Faults
    history: History
    platform: Platform | None = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """From a task: one post, and the endpoint's answer."""
        if self.platform is None:
            raise RuntimeError("the endpoints have no platform yet")
        self.platform.travel(5, 60)
        merchant = url.removeprefix("https://").split("-", 1)[0]
        status = self._status()
        process, at_ms = self.platform.process, self.kernel.now_ms
        self.history.deliveries.append(
            Delivered(at_ms, merchant, url, json.loads(body), dict(headers), status, process)
        )
        if self.faults.strikes("endpoint_late"):
            self.kernel.sleep(POST_TIMEOUT_MS)
            return NotAnswered(code="too_slow")
        self.platform.travel(5, 60)
        return Answered(status=status) if status else NotAnswered(code="connection_refused")

    def _status(self) -> int:
        if self.faults.strikes("endpoint_refuses"):
            return 0
        if self.faults.strikes("endpoint_fails"):
            return 500
        if self.faults.strikes("endpoint_redirects"):
            return self.faults.random.choice((301, 302, 307, 308))
        return 410 if self.faults.strikes("endpoint_gone") else 200
