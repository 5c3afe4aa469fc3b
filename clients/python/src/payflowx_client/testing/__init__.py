"""A test double of the API, in the process: `FakeApi`.

    api = FakeApi()
    client = api.client()
    payment = client.payments.create(..., payment_method=PaymentMethod(type="card", token="tok_soft_decline"))
    api.advance(60)
    for delivery in api.deliveries():
        my_shop(delivery.body, delivery.headers)

Its scenarios are chosen by token, see `SCENARIOS`; those of a checkout by `metadata.scenario`, see `CHECKOUTS`. Its
problem documents, statuses, events and idempotency are those of the real API: one suite of tests runs against both.
"""

from payflowx_client.testing.api import API_KEY, FakeApi
from payflowx_client.testing.data import CHECKOUTS, SCENARIOS, Scenario
from payflowx_client.testing.endpoints import Delivery
from payflowx_client.testing.serving import served

__all__ = ["API_KEY", "CHECKOUTS", "SCENARIOS", "Delivery", "FakeApi", "Scenario", "served"]
