"""The mock provider: its capabilities and its requests."""

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
from payflowx.providers.mock import operations, requests, responses, webhooks
from payflowx.providers.mock.refusals import REFUSALS
from payflowx.providers.mock_sessions import Sessions
from payflowx.providers.refusals import RefusedCall


def _inquiry_steps(request: ChargeRequest) -> Sequence[Step]:
    """Search by our reference: it is known even when no answer arrived."""
    return (Step(name="find", build=requests.find, read=responses.found),)


def _cancel_steps(request: ChargeRequest) -> Sequence[Step]:
    """Find the charge, cancel it, read it back."""
    return (
        Step(name="find", build=requests.find, read=responses.found_to_cancel, yields=("charge_id",)),
        Step(name="cancel", build=requests.cancel, read=responses.cancelled, yields=("cancel_sent",)),
        Step(name="read", build=requests.read, read=responses.read_back),
    )


def _operation_steps(request: OperationRequest) -> Sequence[OperationStep]:
    return (OperationStep(name=request.kind.value, build=operations.move, read=operations.moved, moves=True),)


def _operation_inquiry_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """Read by the id, else search by our key: it is known even when no answer arrived."""
    if request.reference is not None:
        return (OperationStep(name="read", build=operations.read, read=operations.read_back),)
    return (OperationStep(name="find", build=operations.find, read=operations.found),)


CONNECTOR: Final = Connector(
    capabilities=Capabilities(
        provider="mock",
        simulated=True,
        capture_modes=frozenset(CaptureMode),
        idempotency_window_ms=DAY_MS,
        can_cancel_and_confirm=True,
        visibility_lag_ms=5 * SECOND_MS,
        absence_is_proof=True,
        refund_reversal_ms=30 * MINUTE_MS,
        action_lifetime_ms=15 * MINUTE_MS,
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
        hosted=HostedCapability(
            methods=frozenset(CHECKOUT_METHODS),
            min_lifetime_ms=MINUTE_MS,
            max_lifetime_ms=30 * DAY_MS,
            capture_modes=frozenset(CaptureMode),
            is_closing_proof=True,
        ),
    ),
    authenticate=requests.authenticate,
    charge_steps=(Step(name="charge", build=requests.charge, read=responses.charged, charges=True),),
    inquiry_steps=_inquiry_steps,
    cancel_steps=_cancel_steps,
    operation_steps=_operation_steps,
    operation_inquiry_steps=_operation_inquiry_steps,
    read_webhook=webhooks.read_webhook,
    hosted=Sessions(refused=partial(responses.refused, RefusedCall.CHARGE)).hosted(),
    refusals=REFUSALS,
)
"""Idempotency keys live for 24 hours; a charge that waits for the payer can be cancelled and read back."""
