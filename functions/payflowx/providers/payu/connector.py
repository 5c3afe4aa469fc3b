"""PayU India's declaration and conversations."""

from collections.abc import Mapping, Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities, OwnList
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportAnswer, ReportEntry, ReportPage
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse
from payflowx.providers.contract import OperationStep, Step
from payflowx.providers.payu import operations, reports, requests, responses, settlement, webhooks


class PayuConnector:
    """A used transaction id is refused, which is no idempotency: the refusal does not tell what the first one did.

    Nor is there anything to cancel. An unknown debit is read until its bank must have answered, and then a person
    has to look.
    """

    capabilities: Final = Capabilities(
        provider="payu",
        simulated=False,
        currencies=frozenset({responses.CURRENCY}),
        capture_modes=frozenset({CaptureMode.AUTOMATIC}),
        payment_method_types=frozenset({"card", "upi"}),
        idempotency_window_ms=0,
        can_cancel_and_confirm=False,
        visibility_lag_ms=15 * MINUTE_MS,
        inquiry_horizon_ms=5 * DAY_MS,
        action_lifetime_ms=30 * MINUTE_MS,
        authorization_lifetime_ms=3 * DAY_MS,
        reports=OwnList(span_ms=15 * MINUTE_MS),
        # A token that was used is refused, for as long as the payment is known.
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
    )

    def authenticate(self, request: HttpRequest, credentials: Credentials) -> HttpRequest:
        """Key and hash."""
        return requests.authenticate(request, credentials)

    def charge_steps(self) -> Sequence[Step]:
        """One request: the mandate was registered, and its payer warned, before."""
        return (Step(name="debit", build=requests.debit_mandate, read=responses.debited, charges=True),)

    def inquiry_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """By our key, which is the transaction's id."""
        return (Step(name="verify", build=requests.verify_payment, read=responses.found),)

    def cancel_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """None: a debit cannot be called back before it has happened."""
        return ()

    def operation_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """One request; what it does to an authorized payment is a void, to a captured one a refund."""
        build = requests.capture if request.kind is OperationKind.CAPTURE else requests.cancel_or_refund
        return (OperationStep(name=request.kind.value, build=build, read=operations.queued, moves=True),)

    def operation_inquiry_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """All actions of the payment: ours bears our key as its token."""
        return (OperationStep(name="actions", build=requests.actions_of_payment, read=operations.found),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """The secrets are salts."""
        return webhooks.read(webhook, tuple(secrets))

    def report_request(self, page: ReportPage) -> HttpRequest:
        """A short span: there are no pages."""
        return requests.report_page(page)

    def read_report(self, page: ReportPage, response: HttpResponse) -> ReportAnswer:
        """Charges only; refunds are in PayU's settlement report, which is by the day of the settlement."""
        return reports.read(page, response)

    def read_settlement(self, row: Mapping[str, str]) -> ReportEntry | None:
        """A row of the vendor's settlement file."""
        return settlement.read(row)


CONNECTOR: Final = PayuConnector()
