"""The Razorpay-like gateway's declaration and conversations."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.capabilities import Capabilities
from payflowx.domain.limits import MINUTE_MS, SECOND_MS
from payflowx.domain.ports import Charge
from payflowx.domain.transport import Credentials, HttpRequest
from payflowx.providers.contract import Step
from payflowx.providers.razorpay_mock import requests, responses
from payflowx.providers.without import WithoutMovements


class RazorpayMockGateway(WithoutMovements):
    """Neither keys nor a fence: an unknown payment is read, for ten minutes here, and then a person has to look."""

    capabilities: Final = Capabilities(
        provider="razorpay_mock",
        simulated=True,
        visibility_lag_ms=30 * SECOND_MS,
        inquiry_horizon_ms=10 * MINUTE_MS,
        action_lifetime_ms=15 * MINUTE_MS,
    )

    def authenticate(self, request: HttpRequest, credentials: Credentials) -> HttpRequest:
        """HTTP Basic."""
        return requests.authenticate(request, credentials)

    def charge_steps(self) -> Sequence[Step]:
        """An order that is never paid does no harm; its payment is the step that charges."""
        return (
            Step(name="order", build=requests.create_order, read=responses.ordered, yields=("order_id",)),
            Step(name="pay", build=requests.pay_order, read=responses.paid, charges=True),
        )

    def inquiry_steps(self, charge: Charge) -> Sequence[Step]:
        """Only asked once the order is stored: before, nothing can have been paid."""
        return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)

    def fence_steps(self, charge: Charge) -> Sequence[Step]:
        """None: an order cannot be cancelled."""
        return ()


GATEWAY: Final = RazorpayMockGateway()
