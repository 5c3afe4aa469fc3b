"""The mock provider in the style of Cashfree: its capabilities and its requests."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.hosted import CHECKOUT_METHODS, HostedCapability
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.providers.cashfree_mock import operations, requests, responses, webhooks
from payflowx.providers.cashfree_mock.refusals import REFUSALS
from payflowx.providers.contract import Connector, OperationStep, Step
from payflowx.providers.mock_sessions import Sessions
from payflowx.providers.refusals import RefusedCall


def _inquiry_steps(request: ChargeRequest) -> Sequence[Step]:
    """Read by the order id, which is our key."""
    return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)


def _cancel_steps(request: ChargeRequest) -> Sequence[Step]:
    """Terminate, read the order, then read its payments: in this order no payment can start unnoticed."""
    return (
        Step(
            name="terminate",
            build=requests.terminate_order,
            read=responses.terminated,
            yields=("terminate_sent",),
        ),
        Step(name="order", build=requests.read_order, read=responses.closed, yields=("order_closed",)),
        Step(name="payments", build=requests.payments_of_order, read=responses.unpaid),
    )


def _operation_steps(request: OperationRequest) -> Sequence[OperationStep]:
    if request.kind is OperationKind.REFUND:
        return (OperationStep(name="refund", build=operations.refund, read=operations.refunded, moves=True),)
    return (
        OperationStep(
            name=request.kind.value,
            build=operations.capture_or_void,
            read=operations.captured_or_voided,
            moves=True,
        ),
    )


def _operation_inquiry_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """A refund is read by its id, which is our key; a capture or void is read on the payment."""
    if request.kind is OperationKind.REFUND:
        return (OperationStep(name="read", build=operations.read_refund, read=operations.refund_found),)
    return (OperationStep(name="read", build=operations.payments_of_order, read=operations.capture_or_void_found),)


CONNECTOR: Final = Connector(
    capabilities=Capabilities(
        provider="cashfree_mock",
        simulated=True,
        capture_modes=frozenset(CaptureMode),
        can_cancel_and_confirm=True,
        visibility_lag_ms=10 * SECOND_MS,
        absence_is_proof=True,
        refund_reversal_ms=30 * MINUTE_MS,
        inquiry_horizon_ms=HOUR_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
        operations_read_from_charge=frozenset({OperationKind.CAPTURE, OperationKind.VOID}),
        hosted=HostedCapability(
            methods=frozenset(CHECKOUT_METHODS),
            min_lifetime_ms=5 * MINUTE_MS,
            max_lifetime_ms=30 * DAY_MS,
            capture_modes=frozenset(CaptureMode),
            needs=frozenset({"customer.phone"}),
            is_closing_proof=True,
        ),
    ),
    authenticate=requests.authenticate,
    charge_steps=(
        Step(
            name="order",
            build=requests.create_order,
            read=responses.ordered,
            yields=("payment_session_id",),
        ),
        Step(name="pay", build=requests.pay_session, read=responses.paid, charges=True),
    ),
    inquiry_steps=_inquiry_steps,
    cancel_steps=_cancel_steps,
    operation_steps=_operation_steps,
    operation_inquiry_steps=_operation_inquiry_steps,
    read_webhook=webhooks.read_webhook,
    hosted=Sessions(refused=partial(responses.refused, RefusedCall.CHARGE)).hosted(),
    refusals=REFUSALS,
)
"""Cancelling terminates the order: once terminated and read back, it can never be paid."""
