"""The mock gateway's declaration and conversations."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest
from payflowx.providers.contract import OperationStep, Step
from payflowx.providers.mock import operations, requests, responses, webhooks
from payflowx.providers.no_reporting import NoReporting


class MockConnector(NoReporting):
    """Keys live for 24 hours; a charge that waits for the payer can be cancelled and read back."""

    capabilities: Final = Capabilities(
        provider="mock",
        simulated=True,
        capture_modes=frozenset(CaptureMode),
        idempotency_window_ms=DAY_MS,
        can_cancel_and_confirm=True,
        visibility_lag_ms=5 * SECOND_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
    )

    def authenticate(self, request: HttpRequest, credentials: Credentials) -> HttpRequest:
        """A bearer key."""
        return requests.authenticate(request, credentials)

    def charge_steps(self) -> Sequence[Step]:
        """One request."""
        return (Step(name="charge", build=requests.charge, read=responses.charged, charges=True),)

    def inquiry_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """By our reference: it is known even when no answer ever came."""
        return (Step(name="find", build=requests.find, read=responses.found),)

    def cancel_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """Find, cancel, read back."""
        return (
            Step(name="find", build=requests.find, read=responses.found_to_cancel, yields=("charge_id",)),
            Step(name="cancel", build=requests.cancel, read=responses.cancelled, yields=("cancel_sent",)),
            Step(name="read", build=requests.read, read=responses.read_back),
        )

    def operation_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """One request each; captures and refunds of a part as well."""
        return (OperationStep(name=request.kind.value, build=operations.move, read=operations.moved, moves=True),)

    def operation_inquiry_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """By its id, else by our key: it is known even when no answer ever came."""
        if request.reference is not None:
            return (OperationStep(name="read", build=operations.read, read=operations.read_back),)
        return (OperationStep(name="find", build=operations.find, read=operations.found),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """Raises `InvalidSignatureError`."""
        return webhooks.read_webhook(webhook, secrets)


CONNECTOR: Final = MockConnector()
