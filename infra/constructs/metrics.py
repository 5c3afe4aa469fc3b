"""The names of our own metrics, as functions/payflowx writes them (EMF, namespace PayFlowX). A test compares."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "PayFlowX"


def own(name: str, environment: str, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
    """A metric without further dimensions: the only kind that an alarm can watch."""
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
    """A metric in all values of its dimensions, for a graph: new providers appear by themselves."""
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
    """A SEARCH expression. Alarms cannot use it, graphs can."""
    schema = ",".join((NAMESPACE, "environment", *dimensions))
    found = f'{{{schema}}} MetricName="{name}" environment="{environment}"{where}'
    return f"SEARCH('{found}', '{statistic}', {period_seconds})"
