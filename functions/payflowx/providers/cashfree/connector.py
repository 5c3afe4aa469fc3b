"""Cashfree's declaration and conversations."""

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
from payflowx.providers.cashfree import operations, reports, requests, responses, settlement, webhooks
from payflowx.providers.contract import OperationStep, Step


class CashfreeConnector:
    """An order is the fence: the vendor terminates it only when no payment of it is open, and then for good.

    Idempotency keys are sent, but nobody says for how long they live: no re-send is built on them.
    """

    capabilities: Final = Capabilities(
        provider="cashfree",
        simulated=False,
        currencies=frozenset({"INR", "USD", "EUR", "GBP", "AED", "AUD", "JPY"}),
        capture_modes=frozenset({CaptureMode.AUTOMATIC}),
        payment_method_types=frozenset({"card", "upi"}),
        idempotency_window_ms=0,
        can_cancel_and_confirm=True,
        visibility_lag_ms=2 * MINUTE_MS,
        inquiry_horizon_ms=3 * DAY_MS,
        action_lifetime_ms=30 * MINUTE_MS,
        authorization_lifetime_ms=2 * DAY_MS,
        reports=OwnList(lag_ms=6 * HOUR_MS),
        # A refund's id is refused the second time, and what was captured or voided is not captured or voided again.
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
    )

    def authenticate(self, request: HttpRequest, credentials: Credentials) -> HttpRequest:
        """Client id and secret."""
        return requests.authenticate(request, credentials)

    def charge_steps(self) -> Sequence[Step]:
        """An order, its session where the order was there before, and the payment of the session."""
        return (
            Step(name="order", build=requests.create_order, read=responses.ordered, yields=("order",)),
            Step(
                name="read_order",
                build=requests.read_order,
                read=responses.order_read,
                yields=("payment_session_id",),
            ),
            Step(name="pay", build=requests.pay_session, read=responses.paid, charges=True),
        )

    def inquiry_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """By the order's id, which is our key."""
        return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)

    def cancel_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """Terminate, read the order, then its payments: in this order a payment cannot slip in between.

        What may be held by an authorization is given free first.
        """
        void = Step(name="void", build=requests.void_charge, read=responses.sent, yields=("void_sent",))
        steps = (
            Step(
                name="terminate",
                build=requests.terminate_order,
                read=responses.terminated,
                yields=("terminate_sent",),
            ),
            Step(name="order", build=requests.read_order, read=responses.closed, yields=("order_closed",)),
            Step(name="payments", build=requests.payments_of_order, read=responses.unpaid),
        )
        return (void, *steps) if request.capture is CaptureMode.MANUAL else steps

    def operation_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """One request each."""
        if request.kind is OperationKind.REFUND:
            return (OperationStep(name="refund", build=requests.refund, read=operations.refunded, moves=True),)
        name = request.kind.value
        return (OperationStep(name=name, build=requests.authorize, read=operations.authorized, moves=True),)

    def operation_inquiry_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """A refund by our key; a capture or void by the payment that it changed."""
        if request.kind is OperationKind.REFUND:
            return (OperationStep(name="refund", build=requests.read_refund, read=operations.refund_found),)
        return (OperationStep(name="payments", build=requests.payments_of_charge, read=operations.authorization_found),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """The secrets are client secrets: the vendor signs with the one that authenticates us."""
        return webhooks.read(webhook, tuple(secrets))

    def report_request(self, page: ReportPage) -> HttpRequest:
        """The reconciliation of all events, by pages."""
        return requests.report_page(page)

    def read_report(self, page: ReportPage, response: HttpResponse) -> ReportAnswer:
        """Payments and refunds; what else happens to money there is skipped."""
        return reports.read(page, response)

    def read_settlement(self, row: Mapping[str, str]) -> ReportEntry | None:
        """A row of the vendor's settlement file."""
        return settlement.read(row)


CONNECTOR: Final = CashfreeConnector()
