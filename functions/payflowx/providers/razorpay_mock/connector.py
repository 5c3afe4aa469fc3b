"""The Razorpay-like gateway's declaration and conversations."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest
from payflowx.providers.contract import OperationStep, Step
from payflowx.providers.no_reporting import NoReporting
from payflowx.providers.razorpay_mock import operations, requests, responses, webhooks


class RazorpayMockConnector(NoReporting):
    """Neither keys nor a fence: an unknown payment is read, for ten minutes here, and then a person has to look."""

    capabilities: Final = Capabilities(
        provider="razorpay_mock",
        simulated=True,
        capture_modes=frozenset(CaptureMode),
        visibility_lag_ms=30 * SECOND_MS,
        inquiry_horizon_ms=10 * MINUTE_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        operation_window_ms={OperationKind.CAPTURE: 0, OperationKind.REFUND: 0},
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

    def inquiry_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """Only asked once the order is stored: before, nothing can have been paid."""
        return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)

    def cancel_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """None: an order cannot be cancelled."""
        return ()

    def operation_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """A capture of all of it, or a refund. No void, and no capture of a part."""
        match request.kind:
            case OperationKind.REFUND:
                build, read = operations.refund, operations.refunded
            case OperationKind.CAPTURE if request.amount == request.charge_amount:
                build, read = operations.capture, operations.captured
            case _:
                return ()
        return (OperationStep(name=request.kind.value, build=build, read=read, moves=True),)

    def operation_inquiry_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """A capture is read on its payment; a refund by its id, or by our key among the payment's refunds."""
        match request.kind:
            case OperationKind.CAPTURE:
                build, read = operations.read_payment, operations.capture_found
            case OperationKind.REFUND if request.reference is not None:
                build, read = operations.read_refund, operations.refund_found
            case OperationKind.REFUND:
                build, read = operations.refunds_of_payment, operations.refund_listed
            case _:
                return ()
        return (OperationStep(name="read", build=build, read=read),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """Raises `InvalidSignatureError`."""
        return webhooks.read_webhook(webhook, secrets)


CONNECTOR: Final = RazorpayMockConnector()
