"""Operators: they set merchants up, erase, and decide what only people can decide."""

import json
from dataclasses import dataclass
from typing import Final

from simulation.api import Api
from simulation.endpoints import ENDPOINTS, url_of
from simulation.faults import Faults
from simulation.kernel import Kernel
from simulation.providers import SimulatedProviders
from simulation.workload import MERCHANTS

_TRIES: Final = 4
_PAUSE_MS: Final = 3_600_000


@dataclass(slots=True)
class Operators:
    """Everything here runs in tasks."""

    kernel: Kernel
    faults: Faults
    api: Api
    providers: SimulatedProviders

    def set_up(self) -> None:
        """Create the merchants with their accounts."""
        for merchant in MERCHANTS:
            shops = [shop for shop in self.providers.shops.values() if shop.account.merchant == merchant]
            fields = {
                "command": "create_merchant",
                "merchantId": merchant,
                "name": merchant,
                "accounts": [shop.account.configured() for shop in shops],
            }
            answer = self.api.command(fields).answer or {}
            self.api.api_keys[merchant] = [answer["apiKey"]]
            for told in answer["webhooks"]:
                self.providers.shop(merchant, told["provider"]).account.webhook_path = told["path"]
            for number in range(1, ENDPOINTS[merchant] + 1):
                wanted = json.dumps({"url": url_of(merchant, number)})
                self.api.request(merchant, "POST", "/webhook-endpoints", key=f"endpoint-{number}", body=wanted)

    def erase(self, merchant: str, transaction_id: str) -> None:
        """A payer's wish; again later as long as the payment is not final."""
        names = {"merchantId": merchant, "transactionId": transaction_id}
        for _ in range(_TRIES):
            if self.api.command({"command": "erase_personal_data", **names}).ok:
                break
            self.kernel.sleep(_PAUSE_MS)
