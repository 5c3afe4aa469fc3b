"""Razorpay's declaration and conversations."""

from collections.abc import Mapping, Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities, OwnList
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportAnswer, ReportEntry, ReportPage
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse
from payflowx.providers.contract import OperationStep, Step
from payflowx.providers.razorpay import operations, reports, requests, responses, settlement, webhooks


class RazorpayConnector:
    """Neither keys nor a fence for a charge: what is unknown is read, for as long as the vendor may change its mind."""

    capabilities: Final = Capabilities(
        provider="razorpay",
        simulated=False,
        currencies=frozenset({"INR"}),
        capture_modes=frozenset(CaptureMode),
        payment_method_types=frozenset({"card", "upi"}),
        idempotency_window_ms=0,
        can_cancel_and_confirm=False,
        visibility_lag_ms=MINUTE_MS,
        inquiry_horizon_ms=6 * DAY_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        authorization_lifetime_ms=5 * DAY_MS,
        reports=OwnList(span_ms=HOUR_MS),
        # A payment is captured once. How long the refund header is remembered is not said: an hour is what it is for.
        operation_window_ms={OperationKind.CAPTURE: DAY_MS, OperationKind.REFUND: HOUR_MS},
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
        """By the stored order. Before it is stored nothing can have been paid, and nothing is asked."""
        if "order_id" not in request.progress:
            return ()
        return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)

    def cancel_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """None: neither an order nor a payment can be cancelled."""
        return ()

    def operation_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """A capture of all of it, or a refund. No void, and no capture of a part."""
        match request.kind:
            case OperationKind.REFUND:
                return (OperationStep(name="refund", build=requests.refund, read=operations.refunded, moves=True),)
            case OperationKind.CAPTURE if request.amount == request.charge_amount:
                return (OperationStep(name="capture", build=requests.capture, read=operations.captured, moves=True),)
            case _:
                return ()

    def operation_inquiry_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """A capture is read on its payment; a refund by its id, or by our key among the payment's refunds."""
        match request.kind:
            case OperationKind.CAPTURE:
                build, read = requests.read_payment, operations.capture_found
            case OperationKind.REFUND if request.reference is not None:
                build, read = requests.read_refund, operations.refund_found
            case OperationKind.REFUND:
                build, read = requests.refunds_of_payment, operations.refund_listed
            case _:
                return ()
        return (OperationStep(name="read", build=build, read=read),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """Raises `InvalidSignatureError`."""
        return webhooks.read_webhook(webhook, secrets)

    def report_request(self, page: ReportPage) -> HttpRequest:
        """All payments, then all refunds."""
        return reports.request(page)

    def read_report(self, page: ReportPage, response: HttpResponse) -> ReportAnswer:
        """By the page that was asked for: an answer does not say which list it is of, nor how far."""
        return reports.read(page, response)

    def read_settlement(self, row: Mapping[str, str]) -> ReportEntry | None:
        """A row of the vendor's settlement file."""
        return settlement.read(row)


CONNECTOR: Final = RazorpayConnector()
