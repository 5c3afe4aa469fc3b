"""The Cashfree-like gateway's declaration and conversations."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.capabilities import Capabilities
from payflowx.domain.limits import HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.ports import Charge
from payflowx.domain.transport import Credentials, HttpRequest
from payflowx.providers.cashfree_mock import requests, responses
from payflowx.providers.contract import Step
from payflowx.providers.without import WithoutMovements


class CashfreeMockGateway(WithoutMovements):
    """An order is the fence: terminated and read back, it can never be paid."""

    capabilities: Final = Capabilities(
        provider="cashfree_mock",
        simulated=True,
        can_fence=True,
        visibility_lag_ms=10 * SECOND_MS,
        inquiry_horizon_ms=HOUR_MS,
        action_lifetime_ms=15 * MINUTE_MS,
    )

    def authenticate(self, request: HttpRequest, credentials: Credentials) -> HttpRequest:
        """Client id and secret."""
        return requests.authenticate(request, credentials)

    def charge_steps(self) -> Sequence[Step]:
        """An order, then its payment."""
        return (
            Step(
                name="order",
                build=requests.create_order,
                read=responses.ordered,
                yields=("payment_session_id",),
            ),
            Step(name="pay", build=requests.pay_session, read=responses.paid, charges=True),
        )

    def inquiry_steps(self, charge: Charge) -> Sequence[Step]:
        """By the order's id, which is our key."""
        return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)

    def fence_steps(self, charge: Charge) -> Sequence[Step]:
        """Terminate, read the order, then its payments: in this order a payment cannot slip in between."""
        return (
            Step(
                name="terminate",
                build=requests.terminate_order,
                read=responses.terminated,
                yields=("terminate_sent",),
            ),
            Step(name="order", build=requests.read_order, read=responses.closed, yields=("order_closed",)),
            Step(name="payments", build=requests.payments_of_order, read=responses.unpaid),
        )


GATEWAY: Final = CashfreeMockGateway()
