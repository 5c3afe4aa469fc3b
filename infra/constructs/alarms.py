"""Alarms on what hurts: each can fire, tells a topic, and names the runbook that says what to do."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.function import PayFlowXFunction
from infra.constructs.metrics import own
from infra.constructs.work_queue import WorkQueue

_QUIET = cloudwatch.TreatMissingData.NOT_BREACHING
_MINUTE = Duration.minutes(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What is watched. `runbook` is a file of docs/runbooks."""

    metric: cloudwatch.IMetric
    threshold: float
    runbook: str
    says: str
    periods: int = 1
    missing: cloudwatch.TreatMissingData = _QUIET
    comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class Alarms(Construct):
    """All alarms of an environment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        jobs: WorkQueue,
        notices: WorkQueue,
        deliveries: WorkQueue,
        api: apigateway.RestApi,
        functions: Mapping[str, PayFlowXFunction],
        latency_limit: Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self._action = actions.SnsAction(topic)
        for name, symptom in (self._payments() | self._webhooks() | self._api(api, latency_limit)).items():
            self._alarm(name, symptom)
        for prefix, queue in (("", jobs), ("Notices", notices), ("Deliveries", deliveries)):
            for name, symptom in self._queue(queue).items():
                self._alarm(f"{prefix}{name}", symptom)
        for name, function in functions.items():
            for kind, symptom in self._function(function).items():
                self._alarm(f"{name}Function{kind}", symptom)

    def _alarm(self, name: str, symptom: Symptom) -> None:
        cloudwatch.Alarm(
            self,
            name,
            alarm_description=f"{symptom.says} Runbook: docs/runbooks/{symptom.runbook}.md",
            metric=symptom.metric,
            threshold=symptom.threshold,
            evaluation_periods=symptom.periods,
            comparison_operator=symptom.comparison,
            treat_missing_data=symptom.missing,
        ).add_alarm_action(self._action)

    @staticmethod
    def _queue(queue: WorkQueue) -> dict[str, Symptom]:
        return {
            "DeadLettersNotEmpty": Symptom(
                metric=queue.dead_letters.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=_MINUTE
                ),
                threshold=1,
                runbook="dead-letters",
                says="Five invocations in a row could not handle a message. No payment is lost by it.",
            ),
            "OldestMessageAge": Symptom(
                metric=queue.queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_MINUTE),
                threshold=300,
                periods=3,
                runbook="oldest-message",
                says="Messages wait for more than five minutes: their function is too slow, or failing.",
            ),
        }

    @staticmethod
    def _payments() -> dict[str, Symptom]:
        sweeps = own("OldestDueAge", "sweeper", statistic="Maximum", period=_MINUTE)
        return {
            "OldestDuePayment": Symptom(
                metric=sweeps,
                threshold=900,
                periods=3,
                runbook="oldest-due-payment",
                says="A payment has been due for more than fifteen minutes.",
            ),
            "SweeperNotRunning": Symptom(
                metric=own("OldestDueAge", "sweeper", statistic="SampleCount"),
                threshold=1,
                runbook="sweeper-not-running",
                says="The sweeper has not run for five minutes: nothing recovers by itself.",
                missing=cloudwatch.TreatMissingData.BREACHING,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            ),
            "PaymentsInReview": Symptom(
                metric=own("PaymentsInReview", "worker"),
                threshold=1,
                runbook="payments-in-review",
                says="A payment's outcome cannot be learned by any safe means: a person has to look.",
            ),
            "PaymentsGivenUp": Symptom(
                metric=own("PaymentsInReview", "sweeper"),
                threshold=1,
                runbook="payments-in-review",
                says="A payment was woken forty times without progress: a person has to look.",
            ),
            "Mismatches": Symptom(
                metric=own("Mismatches", "worker"),
                threshold=1,
                runbook="mismatch",
                says="A provider reports a charge that differs from the one that was asked for.",
            ),
            "LateSuccesses": Symptom(
                metric=own("LateSuccesses", "worker"),
                threshold=1,
                runbook="late-success",
                says="A provider charged after it had said no.",
            ),
            "ProviderMisconfigured": Symptom(
                metric=own("ProviderMisconfigured", "worker"),
                threshold=1,
                runbook="provider-misconfigured",
                says="A provider refuses our credentials.",
            ),
        }

    @staticmethod
    def _webhooks() -> dict[str, Symptom]:
        return {
            "EndpointsDisabled": Symptom(
                metric=own("EndpointsDisabled", "deliverer"),
                threshold=1,
                runbook="endpoint-disabled",
                says="A merchant's webhook endpoint was given up: it is gone, or took nothing for three days.",
            ),
            "WebhooksGivenUp": Symptom(
                metric=own("WebhooksGivenUp", "deliverer"),
                threshold=1,
                runbook="webhook-given-up",
                says="An event was not taken by an endpoint in any try of three days; others were.",
            ),
        }

    @staticmethod
    def _api(api: apigateway.RestApi, latency_limit: Duration) -> dict[str, Symptom]:
        return {
            "ApiErrors": Symptom(
                # The average of a metric that is 0 or 1 a request is the rate.
                metric=api.metric_server_error(statistic="Average", period=Duration.minutes(5)),
                threshold=0.01,
                periods=2,
                runbook="api-errors",
                says="More than one request in a hundred fails on our side.",
            ),
            "ApiLatency": Symptom(
                metric=api.metric_latency(statistic="p99", period=Duration.minutes(5)),
                threshold=latency_limit.to_milliseconds(),
                periods=3,
                runbook="api-latency",
                says="One request in a hundred is slow.",
            ),
        }

    @staticmethod
    def _function(function: PayFlowXFunction) -> dict[str, Symptom]:
        return {
            "Errors": Symptom(
                metric=function.alias.metric_errors(period=Duration.minutes(5)),
                threshold=3,
                runbook="function-errors",
                says="A function failed three times in five minutes.",
            ),
            "Throttles": Symptom(
                metric=function.alias.metric_throttles(period=Duration.minutes(5)),
                threshold=1,
                periods=2,
                runbook="function-throttles",
                says="A function is refused by the account's concurrency limit.",
            ),
        }
