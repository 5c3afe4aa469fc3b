"""Our own metrics, as `functions/payflowx` writes them (EMF, namespace PayFlowX). A test compares the names."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "PayFlowX"


def own(name: str, environment: str, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
    """A metric with the environment as its only dimension, which is the only kind that an alarm can watch."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"environment": environment},
        statistic=statistic,
        period=period or Duration.minutes(5),
    )


def grouped(
    name: str, environment: str, *dimensions: str, statistic: str = "Sum", period_seconds: int = 300
) -> cloudwatch.MathExpression:
    """A metric for every value of its dimensions, for a graph: a new provider appears without a deployment."""
    expression = search(name, environment, *dimensions, statistic=statistic, period_seconds=period_seconds)
    return cloudwatch.MathExpression(expression=expression, using_metrics={}, label="")


def search(
    name: str,
    environment: str,
    *dimensions: str,
    statistic: str = "Sum",
    period_seconds: int = 300,
    where: str = "",
) -> str:
    """A SEARCH expression, which graphs accept and alarms do not."""
    schema = ",".join((NAMESPACE, "environment", *dimensions))
    found = f'{{{schema}}} MetricName="{name}" environment="{environment}"{where}'
    return f"SEARCH('{found}', '{statistic}', {period_seconds})"
