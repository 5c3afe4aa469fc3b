"""The mock provider in the style of Razorpay: its capabilities and its requests."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.hosted import CHECKOUT_METHODS, HostedCapability
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.providers.contract import Connector, OperationStep, Step
from payflowx.providers.mock_sessions import Sessions
from payflowx.providers.razorpay_mock import operations, requests, responses, webhooks
from payflowx.providers.razorpay_mock.refusals import REFUSALS
from payflowx.providers.refusals import RefusedCall


def _inquiry_steps(request: ChargeRequest) -> Sequence[Step]:
    """Read by the stored order. Before it is stored, nothing can have been paid; after a restore, nothing is known."""
    if "order_id" not in request.progress:
        return ()
    return (Step(name="payments", build=requests.payments_of_order, read=responses.found),)


def _operation_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """A capture of the whole amount, or a refund. There is no void and no partial capture."""
    match request.kind:
        case OperationKind.REFUND:
            build, read = operations.refund, operations.refunded
        case OperationKind.CAPTURE if request.amount == request.charge_amount:
            build, read = operations.capture, operations.captured
        case _:
            return ()
    return (OperationStep(name=request.kind.value, build=build, read=read, moves=True),)


def _operation_inquiry_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """A capture is read on its payment; a refund by its id, or by our key among the refunds of the payment."""
    match request.kind:
        case OperationKind.CAPTURE:
            build, read = operations.read_payment, operations.capture_found
        case OperationKind.REFUND if request.reference is not None:
            build, read = operations.read_refund, operations.refund_found
        case OperationKind.REFUND:
            build, read = operations.refunds_of_payment, operations.refund_listed
        case _:
            return ()
    return (OperationStep(name="read", build=build, read=read),)


CONNECTOR: Final = Connector(
    capabilities=Capabilities(
        provider="razorpay_mock",
        simulated=True,
        capture_modes=frozenset(CaptureMode),
        visibility_lag_ms=30 * SECOND_MS,
        refund_reversal_ms=30 * MINUTE_MS,
        inquiry_horizon_ms=10 * MINUTE_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        operation_window_ms={OperationKind.CAPTURE: 0, OperationKind.REFUND: 0},
        operations_read_from_charge=frozenset({OperationKind.CAPTURE}),
        hosted=HostedCapability(
            methods=frozenset(CHECKOUT_METHODS),
            min_lifetime_ms=15 * MINUTE_MS,
            max_lifetime_ms=30 * DAY_MS,
        ),
    ),
    authenticate=requests.authenticate,
    charge_steps=(
        Step(name="order", build=requests.create_order, read=responses.ordered, yields=("order_id",)),
        Step(name="pay", build=requests.pay_order, read=responses.paid, charges=True),
    ),
    inquiry_steps=_inquiry_steps,
    operation_steps=_operation_steps,
    operation_inquiry_steps=_operation_inquiry_steps,
    read_webhook=webhooks.read_webhook,
    hosted=Sessions(
        refused=partial(responses.refused, RefusedCall.CHARGE), reopens_for_seconds=responses.REOPENS_FOR_SECONDS
    ).hosted(),
    refusals=REFUSALS,
)
"""No idempotency keys and no cancel: an unknown payment is read for ten minutes, then it goes to manual review."""
