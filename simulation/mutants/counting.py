"""Broken designs of what is counted: an alarm that stays silent, and a number that is not true."""

from typing import Final

from payflowx.application.payments import status_metrics
from payflowx.application.payments.outcome_writer import OutcomeWriter
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
)
