"""The condition that an alarm watches, and the runbook that it names."""

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """`runbook` is the name of a file in `docs/runbooks`; `says` is the alarm's text for the operator on call."""

    metric: cloudwatch.IMetric
    threshold: float
    runbook: str
    says: str
    periods: int = 1
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
    impairs_payments: bool = False
    """Whether the composite alarm PaymentsImpaired, which wakes an operator, contains this one."""
    pages: bool = False
    """Whether this alarm itself wakes an operator."""

    @property
    def can_wait(self) -> bool:
        """Whether nobody is woken, neither by it nor by the composite alarm."""
        return not (self.pages or self.impairs_payments)


def described(says: str, runbook: str) -> str:
    """The alarm's description, which the operator on call reads first."""
    return f"{says} Runbook: docs/runbooks/{runbook}.md"
