"""Two dashboards: payments, and the machinery behind them. New providers, queues and functions appear by themselves.

A dashboard of more than fifty metrics costs three dollars a month more: AWS's free tier ends there.
"""

from collections.abc import Iterable, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.api.checkout_api import CheckoutApi
from infra.constructs.api.rest_api import RestApi
from infra.constructs.monitoring.metrics import grouped, own, search
from infra.constructs.shared.function import PayFlowXFunction
from infra.constructs.shared.work_queue import WorkQueue

_FIVE_MINUTES = Duration.minutes(5)
_SHARED_LIMIT = ("ConcurrentExecutions", "Throttles")


def _graph(title: str, metrics: Iterable[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8, height=6, period=_FIVE_MINUTES)


def _of_account(name: str) -> cloudwatch.Metric:
    """Lambda's metric over all functions of the account and region, which share one limit."""
    return cloudwatch.Metric(namespace="AWS/Lambda", metric_name=name, statistic="Maximum", period=_FIVE_MINUTES)


class BusinessDashboard(Construct):
    """Success, outcomes and latency of payments, by provider; what merchants hear of them, and reconciliation."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: str, api: RestApi, checkout: CheckoutApi
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        board = cloudwatch.Dashboard(self, "Payments", default_interval=Duration.hours(3))
        final = self._grouped("PaymentsFinal", "status", "provider")
        board.add_widgets(
            _graph("Payments by status and provider", [self._own("PaymentsAccepted"), final]),
            _graph("Success rate, percent", [self._success_rate()]),
            _graph("Time to a final status, ms", self._percentiles("TimeToFinal")),
        )
        board.add_widgets(
            _graph("Outcomes of attempts", [self._grouped("AttemptOutcomes", "provider", "outcome")]),
            _graph("Provider latency p99, ms", [self._grouped("ProviderLatency", "provider", statistic="p99")]),
            _graph("Attempts a payment", [self._own("AttemptsToFinal", statistic="Average")]),
        )
        board.add_widgets(
            _graph("Failed by us or by a provider, share", [self._own("ObjectiveMissed", statistic="Average")]),
            _graph(
                "Requires manual review",
                map(
                    self._own,
                    ("PaymentsInReview", "OperationsInReview", "Mismatches", "LateSuccesses", "ObjectsChargedTwice"),
                ),
            ),
            _graph("Orders", map(self._own, ("OrdersChargedTwice", "OrderPartsLeftOut"))),
            _graph("Captures, voids, refunds", [self._grouped("OperationsFinal", "kind", "status")]),
        )
        board.add_widgets(
            _graph("API latency, ms", [api.metric("Latency", "p50"), api.metric("Latency", "p99")]),
            _graph("Requests repeated with a known key", [self._own("RequestsRepeated")]),
            _graph("Captures, voids, refunds accepted", [self._grouped("OperationsAccepted", "kind")]),
        )
        board.add_widgets(
            _graph("Webhooks out, by outcome", [self._grouped("Deliveries", "outcome")]),
            _graph("From event to merchant, ms", self._percentiles("DeliveryLag")),
            _graph("Given up, endpoints disabled", map(self._own, ("DeliveriesGivenUp", "EndpointsDisabled"))),
        )
        board.add_widgets(
            _graph("Lines reconciled", [self._grouped("ReconciledLines", "provider", "outcome")]),
            _graph(
                "Discrepancies, and reports that could not be read",
                map(self._own, ("ReconciliationDifferences", "ReconciliationsFailed")),
            ),
            _graph("Oldest reconciliation, s", [self._own("ReconciliationAge", statistic="Maximum")]),
        )
        board.add_widgets(
            _graph("API errors", [api.metric("5XXError", "Sum"), api.metric("4XXError", "Sum")]),
            _graph(
                "Requests that wait, refused credentials, refused card data",
                map(self._own, ("SendsPostponed", "ProviderMisconfigured", "CardDataRefused")),
            ),
            _graph(
                "Disputes reported, and near their deadline",
                map(self._own, ("DisputesReported", "DisputesNearDeadline")),
            ),
        )
        board.add_widgets(
            _graph("Payers' pages, errors", [checkout.metric("5XXError", "Sum"), checkout.metric("4XXError", "Sum")]),
            _graph("Payers' starts that were refused", [self._own("CheckoutStartsRefused")]),
            _graph("Provider accounts that new payments pass over", [self._own("BreakersOpened")]),
        )

    def _own(self, name: str, *, statistic: str = "Sum") -> cloudwatch.Metric:
        return own(name, self._environment, statistic=statistic)

    def _grouped(self, name: str, *dimensions: str, statistic: str = "Sum") -> cloudwatch.MathExpression:
        return grouped(name, self._environment, *dimensions, statistic=statistic)

    def _percentiles(self, name: str) -> list[cloudwatch.Metric]:
        return [self._own(name, statistic=statistic) for statistic in ("p50", "p99")]

    def _success_rate(self) -> cloudwatch.MathExpression:
        """Successes among the payments that became final, in percent."""
        dimensions = ("status", "provider")
        succeeded = search("PaymentsFinal", self._environment, *dimensions, where=' status="SUCCESS"')
        every = search("PaymentsFinal", self._environment, *dimensions)
        expression = f"100 * SUM({succeeded}) / SUM({every})"
        return cloudwatch.MathExpression(expression=expression, using_metrics={}, label="success rate")


class MachineryDashboard(Construct):
    """Alarms, queues, functions and inbound webhooks."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        queues: Sequence[WorkQueue],
        functions: Sequence[PayFlowXFunction],
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        aliases = [function.alias for function in functions]
        board = cloudwatch.Dashboard(self, "Operations", default_interval=Duration.hours(3))
        board.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24, height=6))
        board.add_widgets(
            _graph("Queue depth", [q.queue.metric_approximate_number_of_messages_visible() for q in queues]),
            _graph("Oldest message, s", [q.queue.metric_approximate_age_of_oldest_message() for q in queues]),
            _graph(
                "Dead letters",
                [q.dead_letters.metric_approximate_number_of_messages_visible() for q in queues],
            ),
        )
        board.add_widgets(
            _graph(
                "Oldest due, s; woken without progress",
                [
                    own("OldestDueAge", environment, statistic="Maximum"),
                    own("DrivesExhausted", environment),
                    own("DueItemsFailed", environment),
                ],
            ),
            _graph("Dead letters replayed", [grouped("DeadLettersReplayed", environment, "queue")]),
        )
        board.add_widgets(
            _graph("Function errors", [alias.metric_errors() for alias in aliases]),
            _graph("Duration p99, ms", [alias.metric_duration(statistic="p99") for alias in aliases]),
            _graph("All functions of the account at once, throttled", map(_of_account, _SHARED_LIMIT)),
        )
        board.add_widgets(
            _graph(
                "Webhooks in",
                [
                    grouped(f"Webhooks{what}", environment, "provider")
                    for what in ("Received", "Forged", "Ignored", "Unmatched", "WithoutNews")
                ],
            ),
            _graph("Webhook lag p99, ms", [grouped("WebhookLag", environment, "provider", statistic="p99")]),
        )
