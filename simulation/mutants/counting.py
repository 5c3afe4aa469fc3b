"""Broken designs of what is counted: an alarm that stays silent, and a number that is not true."""

from typing import Final

from payflowx.application.inbound_webhooks.receive_webhook import ReceiveWebhook
from payflowx.application.payments import status_metrics
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.payments.request_operation import RequestOperation
from simulation.mutants.mutant import Edit, Mutant, broken

COUNTING: Final[tuple[Mutant, ...]] = (
    broken(
        "metrics",
        "a payment that goes to review is not counted",
        Edit(status_metrics, "_count_payment", "if after.status is PaymentStatus.IN_REVIEW:", "if False:"),
        scenario="false_reports",
    ),
    broken(
        "metrics",
        "an operation that goes to review is not counted",
        Edit(status_metrics, "_count_operation", "if after.status is OperationStatus.IN_REVIEW:", "if False:"),
        scenario="operations",
    ),
    broken(
        "metrics",
        "a change is counted although another process has changed the payment first",
        Edit(
            OutcomeWriter,
            "apply",
            "    if isinstance(result, Stored):\n        self._follow(change, result.item)",
            "    if isinstance(result, Stored):\n        self._follow(change, result.item)\n"
            "    else:\n        count_change(self.telemetry, change)",
        ),
    ),
    broken(
        "metrics",
        "a further charge inside an object is not counted",
        Edit(status_metrics, "count_change", "if found > 0:", "if found > 1:"),
        scenario="closings",
    ),
    broken(
        "metrics",
        "accepted operations are not counted",
        Edit(
            RequestOperation,
            "__call__",
            "self.telemetry.count(Metric.OPERATIONS_ACCEPTED, kind=stored.kind.value)",
            "pass",
        ),
    ),
    broken(
        "metrics",
        "forged events are not counted",
        Edit(ReceiveWebhook, "__call__", "self.telemetry.count(Metric.WEBHOOKS_FORGED, provider=provider)", "pass"),
    ),
)
