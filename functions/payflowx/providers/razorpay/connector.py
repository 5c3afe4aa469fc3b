"""Razorpay: its capabilities and its requests."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities, ReportCapability
from payflowx.domain.payments.outcome import Rejected
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.providers.contract import Connector, OperationStep, Refunds, Reports, Step
from payflowx.providers.razorpay import (
    hosted_responses,
    operations,
    refunds,
    reports,
    requests,
    responses,
    settlement,
    webhooks,
)
from payflowx.providers.razorpay.hosted import CAPABILITY, HOSTED
from payflowx.providers.razorpay.refusals import REFUSALS


def _inquiry_steps(request: ChargeRequest) -> Sequence[Step]:
    """Read by the stored order. Before it is stored nothing can have been paid, so there is nothing to read."""
    if "order_id" not in request.progress:
        return ()
    return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)


def _unable(request: ChargeRequest) -> Rejected | None:
    """A saved token is charged with its customer, which is part of our token or the customer's id."""
    if request.payment_method_type == requests.UPI or requests.customer_of(request):
        return None
    message = "A saved token needs its customer: cust_...:token_... or the customer's id at Razorpay."
    return Rejected(code="customer_id_missing", message=message)


def _completion_step(request: ChargeRequest) -> Step | None:
    """Our capture, for payments with automatic capture whose order waits for it, and for authorizations of a link."""
    if request.hosted is not None:
        return Step(name="capture", build=requests.capture_charge, read=hosted_responses.captured)
    if not responses.is_captured_by_us(request):
        return None
    return Step(name="capture", build=requests.capture_charge, read=responses.charged)


def _cancel_steps(request: ChargeRequest) -> Sequence[Step]:
    """Nothing is sent to cancel: what we do not capture is returned. The read shows that nobody captured it."""
    if not responses.is_captured_by_us(request):
        return ()
    return (Step(name="left", build=requests.payments_of_order, read=responses.left),)


def _operation_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """A capture of the whole amount, or a refund. Razorpay has no void and no partial capture."""
    match request.kind:
        case OperationKind.REFUND:
            return (OperationStep(name="refund", build=requests.refund, read=operations.refunded, moves=True),)
        case OperationKind.CAPTURE if request.amount == request.charge_amount:
            return (OperationStep(name="capture", build=requests.capture, read=operations.captured, moves=True),)
        case _:
            return ()


def _operation_inquiry_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """A capture is read on its payment; a refund by its id, or by our key among the refunds of the payment."""
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


CONNECTOR: Final = Connector(
    capabilities=Capabilities(
        provider="razorpay",
        simulated=False,
        currencies=frozenset({"INR"}),
        capture_modes=frozenset(CaptureMode),
        payment_method_types=frozenset({"card", "upi"}),
        needs=frozenset({"customer.email", "customer.phone"}),
        idempotency_window_ms=0,
        can_cancel_and_confirm=False,
        visibility_lag_ms=MINUTE_MS,
        inquiry_horizon_ms=6 * DAY_MS,
        # Refunds take five to seven working days; the rest is for a balance that must be filled up first.
        pending_horizon_ms=30 * DAY_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        authorization_lifetime_ms=5 * DAY_MS,
        reports=ReportCapability(span_ms=HOUR_MS),
        # A payment is captured once. How long the refund header is remembered is not said: an hour is what it is for.
        operation_window_ms={OperationKind.CAPTURE: DAY_MS, OperationKind.REFUND: HOUR_MS},
        operations_read_from_charge=frozenset({OperationKind.CAPTURE}),
        hosted=CAPABILITY,
    ),
    authenticate=requests.authenticate,
    charge_steps=(
        Step(name="order", build=requests.create_order, read=responses.ordered, yields=("order_id",)),
        Step(name="pay", build=requests.pay_order, read=responses.paid, charges=True),
    ),
    unable=_unable,
    hosted=HOSTED,
    completion_step=_completion_step,
    inquiry_steps=_inquiry_steps,
    cancel_steps=_cancel_steps,
    operation_steps=_operation_steps,
    operation_inquiry_steps=_operation_inquiry_steps,
    read_webhook=webhooks.read_webhook,
    refusals=REFUSALS,
    refunds=Refunds(request=refunds.request, read=refunds.read),
    reports=Reports(request=reports.request, read=reports.read, read_settlement=settlement.read),
)
"""No idempotency key and no cancel. But only we capture, so a charge that we have not captured can be left."""
