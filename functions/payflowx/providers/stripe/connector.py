"""Stripe: its capabilities and its requests."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities, ReportCapability
from payflowx.domain.payments.outcome import NotFound, Unknown
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.providers.contract import Connector, OperationStep, Refunds, Reports, Step
from payflowx.providers.stripe import (
    operations,
    refunds,
    reports,
    requests,
    responses,
    search,
    settlement,
    webhooks,
)
from payflowx.providers.stripe.hosted import CAPABILITY, HOSTED
from payflowx.providers.stripe.refusals import REFUSALS

_TAKEN: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP"
    " CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR"
    " ILS INR JMD JPY KES KGS KHR KMF KRW KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN"
    " MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RWF SAR SBD SCR SEK SGD SHP SLE"
    " SOS SRD SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW"
)
"""Currencies whose unit at Stripe is the unit of ISO 4217.

Left out, because the unit differs (ISK, UGX, MGA), because the last digit must be zero (BHD, JOD, KWD, OMR, TND),
or because support is uncertain (BGN, RUB).
"""


_READ: Final = Step(name="read", build=requests.read, read=responses.read_back)


def _inquiry_steps(request: ChargeRequest) -> Sequence[Step]:
    """Read the intent by its id, which is searched by our key where no answer gave it."""
    found = () if request.reference is not None else search.steps(NotFound())
    return (*found, _READ)


def _cancel_steps(request: ChargeRequest) -> Sequence[Step]:
    """Find the intent, cancel it, read it back. A missing intent proves nothing."""
    found = () if request.reference is not None else search.steps(Unknown(code="nothing_to_cancel"))
    cancel = Step(name="cancel", build=requests.cancel, read=responses.cancelled, yields=("cancel_sent",))
    return (*found, cancel, _READ)


def _operation_steps(request: OperationRequest) -> Sequence[OperationStep]:
    match request.kind:
        case OperationKind.CAPTURE:
            build, read = operations.capture, operations.captured
        case OperationKind.VOID:
            build, read = operations.void, operations.voided
        case OperationKind.REFUND:
            build, read = operations.refund, operations.refunded
    return (OperationStep(name=request.kind.value, build=build, read=read, moves=True),)


def _operation_inquiry_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """A refund is read by its id or by our key; captures and voids are read from the intent."""
    match request.kind:
        case OperationKind.CAPTURE:
            build, read = operations.read_intent, operations.found_capture
        case OperationKind.VOID:
            build, read = operations.read_intent, operations.found_void
        case OperationKind.REFUND:
            build, read = operations.find_refund, operations.found_refund
    return (OperationStep(name=f"read_{request.kind.value}", build=build, read=read),)


CONNECTOR: Final = Connector(
    capabilities=Capabilities(
        provider="stripe",
        simulated=False,
        currencies=frozenset(_TAKEN.split()),
        capture_modes=frozenset(CaptureMode),
        saves_payment_methods=True,
        idempotency_window_ms=DAY_MS,
        can_cancel_and_confirm=True,
        visibility_lag_ms=HOUR_MS,
        absence_is_proof=True,
        inquiry_horizon_ms=2 * DAY_MS,
        # Stripe itself fails a refund that is pending for 45 days.
        pending_horizon_ms=46 * DAY_MS,
        action_lifetime_ms=HOUR_MS,
        authorization_lifetime_ms=4 * DAY_MS,
        reports=ReportCapability(),
        # The idempotency key, which works the same for every POST.
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
        operations_read_from_charge=frozenset({OperationKind.CAPTURE, OperationKind.VOID}),
        hosted=CAPABILITY,
    ),
    authenticate=requests.authenticate,
    charge_steps=(Step(name="charge", build=requests.charge, read=responses.charged, charges=True),),
    inquiry_steps=_inquiry_steps,
    cancel_steps=_cancel_steps,
    hosted=HOSTED,
    operation_steps=_operation_steps,
    operation_inquiry_steps=_operation_inquiry_steps,
    read_webhook=webhooks.read,
    refusals=REFUSALS,
    refunds=Refunds(request=refunds.request, read=refunds.read),
    reports=Reports(request=reports.request, read=reports.read, read_settlement=settlement.read),
)
"""After a lost answer: read the intent, send again with the same key within 24 h, then cancel and confirm."""
