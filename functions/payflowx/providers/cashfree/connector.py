"""Cashfree: its capabilities and its requests."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities, ReportCapability
from payflowx.domain.payments.outcome import Rejected
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import AttemptState, CaptureMode
from payflowx.providers.cashfree import hosted, operations, refunds, reports, requests, responses, settlement, webhooks
from payflowx.providers.cashfree.refusals import REFUSALS
from payflowx.providers.contract import Connector, OperationStep, Refunds, Reports, Step


def _inquiry_steps(request: ChargeRequest) -> Sequence[Step]:
    """Read by the order id, which is our key."""
    return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)


def _cancel_steps(request: ChargeRequest) -> Sequence[Step]:
    """Terminate, read the order, then read its payments: in this order no payment can start unnoticed.

    With manual capture, an authorization that may exist is voided first.
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


def _unable(request: ChargeRequest) -> Rejected | None:
    """Cashfree creates no order without a telephone number of this form; nothing is sent to learn that."""
    if requests.phone_of(request.customer) is not None:
        return None
    message = "Cashfree needs the payer's phone: ten digits of India, or a plus, the country code and the number."
    return Rejected(code="customer_phone_invalid", message=message)


def _operation_steps(request: OperationRequest) -> Sequence[OperationStep]:
    if request.kind is OperationKind.REFUND:
        return (OperationStep(name="refund", build=requests.refund, read=operations.refunded, moves=True),)
    name = request.kind.value
    return (OperationStep(name=name, build=requests.authorize, read=operations.authorized, moves=True),)


def _operation_inquiry_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """A refund is found by our key in the list of all; a capture or void is read on the payment that it changed."""
    if request.kind is OperationKind.REFUND:
        return (OperationStep(name="refunds", build=requests.refunds_of_charge, read=operations.refund_listed),)
    return (OperationStep(name="payments", build=requests.payments_of_charge, read=operations.authorization_found),)


CONNECTOR: Final = Connector(
    capabilities=Capabilities(
        provider="cashfree",
        simulated=False,
        currencies=frozenset({"INR", "USD", "EUR", "GBP", "AED", "AUD", "JPY"}),
        capture_modes=frozenset({CaptureMode.AUTOMATIC}),
        payment_method_types=frozenset({"card", "upi"}),
        needs=frozenset({"customer.phone"}),
        idempotency_window_ms=0,
        can_cancel_and_confirm=True,
        visibility_lag_ms=2 * MINUTE_MS,
        absence_is_proof=True,
        inquiry_horizon_ms=3 * DAY_MS,
        # Refunds take up to ten working days, and are on hold while the balance does not suffice.
        pending_horizon_ms=30 * DAY_MS,
        # The account may list payments 100 times a minute and refunds 30 times: the webhook comes first.
        first_inquiry_after_ms={AttemptState.REQUIRES_ACTION: MINUTE_MS, AttemptState.ACCEPTED: MINUTE_MS},
        action_lifetime_ms=30 * MINUTE_MS,
        authorization_lifetime_ms=2 * DAY_MS,
        reports=ReportCapability(lag_ms=6 * HOUR_MS),
        # A refund's id is refused the second time, and what was captured or voided is not captured or voided again.
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
        operations_read_from_charge=frozenset({OperationKind.CAPTURE, OperationKind.VOID}),
        hosted=hosted.CAPABILITY,
    ),
    authenticate=requests.authenticate,
    charge_steps=(
        Step(name="order", build=requests.create_order, read=responses.ordered, yields=("order",)),
        Step(
            name="read_order",
            build=requests.read_order,
            read=responses.order_read,
            yields=("payment_session_id",),
        ),
        Step(name="pay", build=requests.pay_session, read=responses.paid, charges=True),
    ),
    hosted=hosted.HOSTED,
    unable=_unable,
    inquiry_steps=_inquiry_steps,
    cancel_steps=_cancel_steps,
    operation_steps=_operation_steps,
    operation_inquiry_steps=_operation_inquiry_steps,
    read_webhook=webhooks.read,
    refusals=REFUSALS,
    refunds=Refunds(request=refunds.request, read=refunds.read),
    reports=Reports(request=requests.report_page, read=reports.read, read_settlement=settlement.read),
)
"""Cancelling terminates the order: Cashfree accepts that only while no payment of the order is open, and it is final.

No re-send relies on an idempotency key: Cashfree stores every answer with it, also a server error, and returns the
copy. An order and a refund have ids of ours instead.
"""
