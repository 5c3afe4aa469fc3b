"""One dashboard that a person reads in a minute: are payments succeeding, where not, and what is waiting?"""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.metrics import NAMESPACE, grouped, own
from infra.constructs.work_queue import WorkQueue

_FIVE_MINUTES = Duration.minutes(5)
_BY_STATUS_AND_PROVIDER = "service,status,provider"


class Dashboard(Construct):
    """From left to right: what merchants see, what providers do, what is queued."""

    def __init__(self, scope: Construct, construct_id: str, *, api: apigateway.RestApi, jobs: WorkQueue) -> None:
        super().__init__(scope, construct_id)
        board = cloudwatch.Dashboard(self, "Payments", default_interval=Duration.hours(3))
        board.add_widgets(
            _graph("Payments by status", [grouped("PaymentsFinal", _BY_STATUS_AND_PROVIDER), _accepted()]),
            _graph("Success rate, percent", [_success_rate()]),
            _graph("Time to a final status, ms", [_time("p50"), _time("p99")]),
        )
        board.add_widgets(
            _graph("Outcomes by provider", [grouped("AttemptOutcomes", "service,provider,outcome")]),
            _graph("Provider latency p99, ms", [grouped("ProviderLatency", "service,provider", statistic="p99")]),
            _graph("API latency and errors", [api.metric_latency(statistic="p99"), api.metric_server_error()]),
        )
        board.add_widgets(
            _graph("Queue depth", [jobs.queue.metric_approximate_number_of_messages_visible()]),
            _graph("Dead letters", [jobs.dead_letters.metric_approximate_number_of_messages_visible()]),
            _graph("Oldest due payment, s", [own("OldestDueAge", "sweeper", statistic="Maximum")]),
        )
        board.add_widgets(
            _graph(
                "In review, mismatches, late successes",
                [_worker("PaymentsInReview"), _worker("Mismatches"), _worker("LateSuccesses")],
            ),
            _graph("Refused card data", [own("CardDataRefused", "api")]),
            _graph("Oldest message, s", [jobs.queue.metric_approximate_age_of_oldest_message()]),
        )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8, height=6, period=_FIVE_MINUTES)


def _worker(name: str) -> cloudwatch.Metric:
    return own(name, "worker")


def _accepted() -> cloudwatch.Metric:
    return own("PaymentsAccepted", "api")


def _time(statistic: str) -> cloudwatch.Metric:
    return own("TimeToFinal", "worker", statistic=statistic)


def _success_rate() -> cloudwatch.MathExpression:
    """Of the payments that became final: successes in a hundred."""
    head = f'{{{NAMESPACE},{_BY_STATUS_AND_PROVIDER}}} MetricName="PaymentsFinal"'
    succeeded = f"SUM(SEARCH('{head} status=\"SUCCESS\"', 'Sum', 300))"
    every = f"SUM(SEARCH('{head}', 'Sum', 300))"
    return cloudwatch.MathExpression(expression=f"100 * {succeeded} / {every}", using_metrics={}, label="success rate")
