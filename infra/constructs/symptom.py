"""What an alarm watches, and where its reader is sent."""

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """`runbook` is a file of docs/runbooks."""

    metric: cloudwatch.IMetric
    threshold: float
    runbook: str
    says: str
    periods: int = 1
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


def described(says: str, runbook: str) -> str:
    """The text that whoever is woken reads first."""
    return f"{says} Runbook: docs/runbooks/{runbook}.md"
