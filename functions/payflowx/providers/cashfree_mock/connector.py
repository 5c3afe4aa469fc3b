"""The Cashfree-like gateway's declaration and conversations."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest
from payflowx.providers.cashfree_mock import operations, requests, responses, webhooks
from payflowx.providers.contract import OperationStep, Step
from payflowx.providers.no_reporting import NoReporting


class CashfreeMockConnector(NoReporting):
    """An order is the fence: terminated and read back, it can never be paid."""

    capabilities: Final = Capabilities(
        provider="cashfree_mock",
        simulated=True,
        capture_modes=frozenset(CaptureMode),
        can_cancel_and_confirm=True,
        visibility_lag_ms=10 * SECOND_MS,
        inquiry_horizon_ms=HOUR_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
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

    def inquiry_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """By the order's id, which is our key."""
        return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)

    def cancel_steps(self, request: ChargeRequest) -> Sequence[Step]:
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

    def operation_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """One request each; captures and refunds of a part as well."""
        if request.kind is OperationKind.REFUND:
            return (OperationStep(name="refund", build=operations.refund, read=operations.refunded, moves=True),)
        return (
            OperationStep(
                name=request.kind.value,
                build=operations.capture_or_void,
                read=operations.captured_or_voided,
                moves=True,
            ),
        )

    def operation_inquiry_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """A refund by its id, which is our key; a capture or void on the payment."""
        if request.kind is OperationKind.REFUND:
            return (OperationStep(name="read", build=operations.read_refund, read=operations.refund_found),)
        return (OperationStep(name="read", build=operations.payments_of_order, read=operations.capture_or_void_found),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """Raises `InvalidSignatureError`."""
        return webhooks.read_webhook(webhook, secrets)


CONNECTOR: Final = CashfreeMockConnector()
