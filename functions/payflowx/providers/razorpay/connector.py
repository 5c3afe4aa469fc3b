"""Razorpay's declaration and conversations."""

from collections.abc import Mapping, Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities, OwnList
from payflowx.domain.providers.events import Notice, Webhook
from payflowx.domain.providers.ports import Charge
from payflowx.domain.reconciliation.reports import StatementAnswer, StatementEntry, StatementPage
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS
from payflowx.domain.shared.operation_request import Movement, MovementKind
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse
from payflowx.providers.contract import MovementStep, Step
from payflowx.providers.razorpay import operations, reports, requests, responses, settlement, webhooks


class RazorpayGateway:
    """Neither keys nor a fence for a charge: what is unknown is read, for as long as the vendor may change its mind."""

    capabilities: Final = Capabilities(
        provider="razorpay",
        simulated=False,
        currencies=frozenset({"INR"}),
        capture_modes=frozenset(CaptureMode),
        payment_method_types=frozenset({"card", "upi"}),
        idempotency_window_ms=0,
        can_fence=False,
        visibility_lag_ms=MINUTE_MS,
        inquiry_horizon_ms=6 * DAY_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        authorization_lifetime_ms=5 * DAY_MS,
        own_list=OwnList(span_ms=HOUR_MS),
        # A payment is captured once. How long the refund header is remembered is not said: an hour is what it is for.
        movement_window_ms={MovementKind.CAPTURE: DAY_MS, MovementKind.REFUND: HOUR_MS},
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
        """By the stored order. Before it is stored nothing can have been paid, and nothing is asked."""
        if "order_id" not in charge.progress:
            return ()
        return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)

    def fence_steps(self, charge: Charge) -> Sequence[Step]:
        """None: neither an order nor a payment can be cancelled."""
        return ()

    def movement_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """A capture of all of it, or a refund. No void, and no capture of a part."""
        match movement.kind:
            case MovementKind.REFUND:
                return (MovementStep(name="refund", build=requests.refund, read=operations.refunded, moves=True),)
            case MovementKind.CAPTURE if movement.amount == movement.charge_amount:
                return (MovementStep(name="capture", build=requests.capture, read=operations.captured, moves=True),)
            case _:
                return ()

    def movement_inquiry_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """A capture is read on its payment; a refund by its id, or by our key among the payment's refunds."""
        match movement.kind:
            case MovementKind.CAPTURE:
                build, read = requests.read_payment, operations.capture_found
            case MovementKind.REFUND if movement.reference is not None:
                build, read = requests.read_refund, operations.refund_found
            case MovementKind.REFUND:
                build, read = requests.refunds_of_payment, operations.refund_listed
            case _:
                return ()
        return (MovementStep(name="read", build=build, read=read),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> Notice:
        """Raises `ForgedWebhookError`."""
        return webhooks.read_webhook(webhook, secrets)

    def statement_request(self, page: StatementPage) -> HttpRequest:
        """All payments, then all refunds."""
        return reports.request(page)

    def read_statement(self, page: StatementPage, response: HttpResponse) -> StatementAnswer:
        """By the page that was asked for: an answer does not say which list it is of, nor how far."""
        return reports.read(page, response)

    def read_settlement(self, row: Mapping[str, str]) -> StatementEntry | None:
        """A row of the vendor's settlement file."""
        return settlement.read(row)


GATEWAY: Final = RazorpayGateway()
