"""Stripe's declaration and conversations."""

from collections.abc import Mapping, Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities, OwnList
from payflowx.domain.providers.events import Notice, Webhook
from payflowx.domain.providers.ports import Charge
from payflowx.domain.reconciliation.reports import StatementAnswer, StatementEntry, StatementPage
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS
from payflowx.domain.shared.operation_request import Movement, MovementKind
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse
from payflowx.providers.contract import MovementStep, Step
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


class StripeGateway:
    """A lost answer is read, then asked for again with the same key for a day, then fenced by cancelling."""

    capabilities: Final = Capabilities(
        provider="stripe",
        simulated=False,
        currencies=frozenset(_TAKEN.split()),
        capture_modes=frozenset(CaptureMode),
        idempotency_window_ms=DAY_MS,
        can_fence=True,
        visibility_lag_ms=HOUR_MS,
        inquiry_horizon_ms=2 * DAY_MS,
        action_lifetime_ms=HOUR_MS,
        authorization_lifetime_ms=4 * DAY_MS,
        own_list=OwnList(),
        # The idempotency key, which works the same for every POST.
        movement_window_ms=dict.fromkeys(MovementKind, DAY_MS),
    )

    def authenticate(self, request: HttpRequest, credentials: Credentials) -> HttpRequest:
        """The secret key as bearer."""
        return requests.authenticate(request, credentials)

    def charge_steps(self) -> Sequence[Step]:
        """One request creates and confirms."""
        return (Step(name="charge", build=requests.charge, read=responses.charged, charges=True),)

    def inquiry_steps(self, charge: Charge) -> Sequence[Step]:
        """By the intent's id; without it by our key, first where it is current, then where it is indexed."""
        read = Step(name="read", build=requests.read, read=responses.read_back)
        if charge.reference is not None:
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

    def fence_steps(self, charge: Charge) -> Sequence[Step]:
        """Find it, cancel, read back."""
        finish = (
            Step(name="cancel", build=requests.cancel, read=responses.cancelled, yields=("cancel_sent",)),
            Step(name="read", build=requests.read, read=responses.read_back),
        )
        if charge.reference is not None:
            return finish
        fact = (requests.INTENT_FACT,)
        return (
            Step(name="recent", build=requests.recent, read=responses.located_recent, yields=fact),
            Step(name="search", build=requests.search_unless_known, read=responses.located, yields=fact),
            *finish,
        )

    def movement_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """One request each."""
        match movement.kind:
            case MovementKind.CAPTURE:
                build, read = operations.capture, operations.captured
            case MovementKind.VOID:
                build, read = operations.void, operations.voided
            case MovementKind.REFUND:
                build, read = operations.refund, operations.refunded
        return (MovementStep(name=movement.kind.value, build=build, read=read, moves=True),)

    def movement_inquiry_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """A refund by its id or our key; captures and voids from the intent."""
        match movement.kind:
            case MovementKind.CAPTURE:
                build, read = operations.read_intent, operations.found_capture
            case MovementKind.VOID:
                build, read = operations.read_intent, operations.found_void
            case MovementKind.REFUND:
                build, read = operations.find_refund, operations.found_refund
        return (MovementStep(name=f"read_{movement.kind.value}", build=build, read=read),)

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> Notice:
        """HMAC with time, over the raw bytes."""
        return webhooks.read(webhook, secrets)

    def statement_request(self, page: StatementPage) -> HttpRequest:
        """A page of balance transactions."""
        return reports.request(page)

    def read_statement(self, page: StatementPage, response: HttpResponse) -> StatementAnswer:
        """Charges and refunds with the amounts that the payer saw."""
        return reports.read(page, response)

    def read_settlement(self, row: Mapping[str, str]) -> StatementEntry | None:
        """A row of the vendor's settlement file."""
        return settlement.read(row)


GATEWAY: Final = StripeGateway()
