"""PayU India: its capabilities and its requests."""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.capabilities import Capabilities, ReportCapability
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.providers.contract import Connector, OperationStep, Refunds, Reports, Step
from payflowx.providers.payu import (
    hosted,
    hosts,
    operations,
    refunds,
    reports,
    requests,
    responses,
    settlement,
    webhooks,
)
from payflowx.providers.payu.refusals import REFUSALS


def _inquiry_steps(request: ChargeRequest) -> Sequence[Step]:
    """Read by our key, which is the transaction id."""
    return (Step(name="verify", build=requests.verify_payment, read=responses.found),)


def _operation_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """One command voids an authorized payment and refunds a captured one."""
    build = requests.capture if request.kind is OperationKind.CAPTURE else requests.cancel_or_refund
    return (OperationStep(name=request.kind.value, build=build, read=operations.queued, moves=True),)


def _operation_inquiry_steps(request: OperationRequest) -> Sequence[OperationStep]:
    """Read all actions of the payment; ours carries our key as its token."""
    return (OperationStep(name="actions", build=requests.actions_of_payment, read=operations.found),)


CONNECTOR: Final = Connector(
    capabilities=Capabilities(
        provider="payu",
        simulated=False,
        currencies=frozenset({responses.CURRENCY}),
        capture_modes=frozenset({CaptureMode.AUTOMATIC}),
        payment_method_types=frozenset({"card", "upi"}),
        idempotency_window_ms=0,
        can_cancel_and_confirm=False,
        visibility_lag_ms=15 * MINUTE_MS,
        absence_is_proof=True,
        inquiry_horizon_ms=5 * DAY_MS,
        # Not documented: three weeks are longer than banks take elsewhere in India.
        pending_horizon_ms=21 * DAY_MS,
        action_lifetime_ms=30 * MINUTE_MS,
        authorization_lifetime_ms=3 * DAY_MS,
        reports=ReportCapability(span_ms=15 * MINUTE_MS),
        # A token that was used is refused, for as long as the payment is known.
        operation_window_ms=dict.fromkeys(OperationKind, DAY_MS),
        hosted=hosted.CAPABILITY,
    ),
    authenticate=requests.authenticate,
    endpoint_of=hosts.endpoint_of,
    charge_steps=(Step(name="debit", build=requests.debit_mandate, read=responses.debited, charges=True),),
    hosted=hosted.HOSTED,
    inquiry_steps=_inquiry_steps,
    operation_steps=_operation_steps,
    operation_inquiry_steps=_operation_inquiry_steps,
    read_webhook=webhooks.read,
    refusals=REFUSALS,
    refunds=Refunds(request=refunds.request, read=refunds.read),
    reports=Reports(request=requests.report_page, read=reports.read, read_settlement=settlement.read),
)
"""PayU refuses a used transaction id, but the refusal does not say what became of the first request.

A debit cannot be cancelled. An unknown debit is read until its bank must have answered; then it goes to manual review.
"""
