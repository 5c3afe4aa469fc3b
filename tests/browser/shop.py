"""The shop's side of a checkout: creates it through the API, and reads how it stands."""

import time
from dataclasses import dataclass
from typing import Any, Final

from local.environment import LocalEnvironment
from local.scenarios import SCENARIOS
from local.seed import MERCHANT_ID
from tests.browser.screens import RETURN_URL

AMOUNT: Final = 49_900
_PATIENT_SECONDS: Final = 90
_FINAL: Final = {"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shop:
    """The demo merchant."""

    environment: LocalEnvironment

    def checkout(self, provider: str = "mock", **more: Any) -> Json:
        """A payment whose payer has to choose. `payment["nextAction"]["url"]` is the link."""
        name = f"browser-{time.time_ns()}"
        scenario = SCENARIOS.get(provider)
        body = {
            "amount": AMOUNT,
            "currency": scenario.currency if scenario else "USD",
            "paymentMethod": {"type": "checkout"},
            "description": "Two tickets for the late show",
            "orderId": name,
            "returnUrl": RETURN_URL,
            "metadata": {"gateway": provider},
            **more,
        }
        return self.environment.api().post("/payments", body, name)

    def cancel(self, payment: Json) -> None:
        self.environment.api().post(f"/payments/{payment['transactionId']}/cancel", {}, payment["orderId"] + "-cancel")

    def get(self, payment: Json) -> Json:
        return self.environment.api().get(f"/payments/{payment['transactionId']}")

    def events(self, payment: Json) -> list[str]:
        found = self.environment.api().get(f"/payments/{payment['transactionId']}/events")["items"]
        return [event["type"] for event in found]

    def wait(self, payment: Json) -> Json:
        """The payment when it is final, or after far more time than anything takes."""
        deadline = time.monotonic() + _PATIENT_SECONDS
        while (now := self.get(payment))["status"] not in _FINAL and time.monotonic() < deadline:
            time.sleep(0.5)
        return now

    def assert_charged_once(self, payment: Json) -> Json:
        """Fail unless the whole amount was taken exactly once."""
        now = self.wait(payment)
        assert (now["status"], now["captured"], now["extraCharges"]) == ("SUCCESS", payment["amount"], [])
        return now

    def let_expire(self, payment: Json) -> None:
        """Move the time at which the checkout expires into the past, as if the payer came that much later."""
        self.environment.engine.client("dynamodb").update_item(
            TableName=self.environment.outputs["TransactionsTableName"],
            Key={"pk": {"S": f"M#{MERCHANT_ID}#P#{payment['transactionId']}"}, "sk": {"S": "PAYMENT"}},
            UpdateExpression="SET checkout.expires_at_ms = :past",
            ConditionExpression="attribute_exists(checkout.expires_at_ms)",
            ExpressionAttributeValues={":past": {"N": str(int(time.time() * 1000) - 60_000)}},
        )
