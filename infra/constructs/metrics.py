"""The names of our own metrics, as functions/payflowx writes them (EMF, namespace PayFlowX)."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "PayFlowX"


def own(name: str, service: str, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
    """A metric that one function writes."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service},
        statistic=statistic,
        period=period or Duration.minutes(5),
    )


def grouped(
    name: str, dimensions: str, *, statistic: str = "Sum", period_seconds: int = 300
) -> cloudwatch.MathExpression:
    """A metric in all values of its dimensions, for a graph: new providers appear by themselves."""
    search = f"SEARCH('{{{NAMESPACE},{dimensions}}} MetricName=\"{name}\"', '{statistic}', {period_seconds})"
    return cloudwatch.MathExpression(expression=search, using_metrics={}, label="")
