"""Stripe's declaration and conversations."""

from collections.abc import Mapping, Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities, OwnList
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.reconciliation.reports import ReportAnswer, ReportEntry, ReportPage
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse
from payflowx.providers.contract import OperationStep, Step
from payflowx.providers.stripe import operations, reports, requests, responses, settlement, webhooks

_TAKEN: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP"
    " CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR"
    " ILS INR JMD JPY KES KGS KHR KMF KRW KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN"
    " MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RWF SAR SBD SCR SEK SGD SHP SLE"
    " SOS SRD SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW"
)
"""What Stripe takes in the very units of ISO 4217.

Left out, because its unit is another one (ISK, UGX, MGA), because the last digit must be zero (BHD, JOD, KWD, OMR,
TND), or because it is uncertain whether it is still taken (BGN, RUB).
"""


class StripeConnector:
    """A lost answer is read, then asked for again with the same key for a day, then fenced by cancelling."""

    capabilities: Final = Capabilities(
        provider="stripe",
        simulated=False,
        currencies=frozenset(_TAKEN.split()),
        capture_modes=frozenset(CaptureMode),
        idempotency_window_ms=DAY_MS,
        can_cancel_and_confirm=True,
        visibility_lag_ms=HOUR_MS,
        inquiry_horizon_ms=2 * DAY_MS,
        action_lifetime_ms=HOUR_MS,
        authorization_lifetime_ms=4 * DAY_MS,
        reports=OwnList(),
        # The idempotency key, which works the same for every POST.
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
    )

    def authenticate(self, request: HttpRequest, credentials: Credentials) -> HttpRequest:
        """The secret key as bearer."""
        return requests.authenticate(request, credentials)

    def charge_steps(self) -> Sequence[Step]:
        """One request creates and confirms."""
        return (Step(name="charge", build=requests.charge, read=responses.charged, charges=True),)

    def inquiry_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """By the intent's id; without it by our key, first where it is current, then where it is indexed."""
        read = Step(name="read", build=requests.read, read=responses.read_back)
        if request.reference is not None:
            return (read,)
        return (
            Step(name="recent", build=requests.recent, read=responses.found_recent),
            Step(
                name="search",
                build=requests.search,
                read=responses.found_by_search,
                yields=(requests.INTENT_FACT,),
            ),
            read,
        )

    def cancel_steps(self, request: ChargeRequest) -> Sequence[Step]:
        """Find it, cancel, read back."""
        finish = (
            Step(name="cancel", build=requests.cancel, read=responses.cancelled, yields=("cancel_sent",)),
            Step(name="read", build=requests.read, read=responses.read_back),
        )
        if request.reference is not None:
            return finish
        fact = (requests.INTENT_FACT,)
        return (
            Step(name="recent", build=requests.recent, read=responses.located_recent, yields=fact),
            Step(name="search", build=requests.search_unless_known, read=responses.located, yields=fact),
            *finish,
        )

    def operation_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """One request each."""
        match request.kind:
            case OperationKind.CAPTURE:
                build, read = operations.capture, operations.captured
            case OperationKind.VOID:
                build, read = operations.void, operations.voided
            case OperationKind.REFUND:
                build, read = operations.refund, operations.refunded
        return (OperationStep(name=request.kind.value, build=build, read=read, moves=True),)

    def operation_inquiry_steps(self, request: OperationRequest) -> Sequence[OperationStep]:
        """A refund by its id or our key; captures and voids from the intent."""
        match request.kind:
            case OperationKind.CAPTURE:
                build, read = operations.read_intent, operations.found_capture
            case OperationKind.VOID:
                build, read = operations.read_intent, operations.found_void
            case OperationKind.REFUND:
                build, read = operations.find_refund, operations.found_refund
        return (OperationStep(name=f"read_{request.kind.value}", build=build, read=read),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """HMAC with time, over the raw bytes."""
        return webhooks.read(webhook, secrets)

    def report_request(self, page: ReportPage) -> HttpRequest:
        """A page of balance transactions."""
        return reports.request(page)

    def read_report(self, page: ReportPage, response: HttpResponse) -> ReportAnswer:
        """Charges and refunds with the amounts that the payer saw."""
        return reports.read(page, response)

    def read_settlement(self, row: Mapping[str, str]) -> ReportEntry | None:
        """A row of the vendor's settlement file."""
        return settlement.read(row)


CONNECTOR: Final = StripeConnector()
