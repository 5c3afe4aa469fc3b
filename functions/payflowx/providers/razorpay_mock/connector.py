"""The Razorpay-like gateway's declaration and conversations."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.providers.events import Notice, Webhook
from payflowx.domain.providers.ports import Charge
from payflowx.domain.shared.limits import MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import Movement, MovementKind
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest
from payflowx.providers.contract import MovementStep, Step
from payflowx.providers.no_reporting import WithoutOwnList
from payflowx.providers.razorpay_mock import operations, requests, responses, webhooks


class RazorpayMockGateway(WithoutOwnList):
    """Neither keys nor a fence: an unknown payment is read, for ten minutes here, and then a person has to look."""

    capabilities: Final = Capabilities(
        provider="razorpay_mock",
        simulated=True,
        capture_modes=frozenset(CaptureMode),
        visibility_lag_ms=30 * SECOND_MS,
        inquiry_horizon_ms=10 * MINUTE_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        movement_window_ms={MovementKind.CAPTURE: 0, MovementKind.REFUND: 0},
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

    def movement_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """A capture of all of it, or a refund. No void, and no capture of a part."""
        match movement.kind:
            case MovementKind.REFUND:
                build, read = operations.refund, operations.refunded
            case MovementKind.CAPTURE if movement.amount == movement.charge_amount:
                build, read = operations.capture, operations.captured
            case _:
                return ()
        return (MovementStep(name=movement.kind.value, build=build, read=read, moves=True),)

    def movement_inquiry_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """A capture is read on its payment; a refund by its id, or by our key among the payment's refunds."""
        match movement.kind:
            case MovementKind.CAPTURE:
                build, read = operations.read_payment, operations.capture_found
            case MovementKind.REFUND if movement.reference is not None:
                build, read = operations.read_refund, operations.refund_found
            case MovementKind.REFUND:
                build, read = operations.refunds_of_payment, operations.refund_listed
            case _:
                return ()
        return (MovementStep(name="read", build=build, read=read),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> Notice:
        """Raises `ForgedWebhookError`."""
        return webhooks.read_webhook(webhook, secrets)


GATEWAY: Final = RazorpayMockGateway()
