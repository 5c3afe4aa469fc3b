"""The mock gateway's declaration and conversations."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.capabilities import Capabilities
from payflowx.domain.limits import DAY_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.ports import Charge
from payflowx.domain.transport import Credentials, HttpRequest
from payflowx.providers.contract import Step
from payflowx.providers.mock import requests, responses


class MockGateway:
    """Keys live for 24 hours; a charge that waits for the payer can be cancelled and read back."""

    capabilities: Final = Capabilities(
        provider="mock",
        simulated=True,
        idempotency_window_ms=DAY_MS,
        can_fence=True,
        visibility_lag_ms=5 * SECOND_MS,
        action_lifetime_ms=15 * MINUTE_MS,
    )

    def authenticate(self, request: HttpRequest, credentials: Credentials) -> HttpRequest:
        """A bearer key."""
        return requests.authenticate(request, credentials)

    def charge_steps(self) -> Sequence[Step]:
        """One request."""
        return (Step(name="charge", build=requests.charge, read=responses.charged, charges=True),)

    def inquiry_steps(self, charge: Charge) -> Sequence[Step]:
        """By our reference: it is known even when no answer ever came."""
        return (Step(name="find", build=requests.find, read=responses.found),)

    def fence_steps(self, charge: Charge) -> Sequence[Step]:
        """Find, cancel, read back."""
        return (
            Step(name="find", build=requests.find, read=responses.found_to_cancel, yields=("charge_id",)),
            Step(name="cancel", build=requests.cancel, read=responses.cancelled, yields=("cancel_sent",)),
            Step(name="read", build=requests.read, read=responses.read_back),
        )


GATEWAY: Final = MockGateway()
