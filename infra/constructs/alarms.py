"""Alarms on what hurts: each can fire, tells a topic, and names the runbook that says what to do."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.burn_rate import BurnRate, Objective
from infra.constructs.function import PayFlowXFunction
from infra.constructs.metrics import own
from infra.constructs.symptom import Symptom, described

_MINUTE = Duration.minutes(1)
_SUCCESS_SHARE: Final = 0.995
"""Of the payments that end, so many end by an answer of the payer's side and not by our failure or a gateway's."""
_APART: Final = frozenset({"Deliveries"})
"""Queues in which no payment waits: merchants' servers may be slow without anybody being woken."""
_FIRES: Final = cloudwatch.AlarmState.ALARM


class WatchedQueue(Protocol):
    """A queue with its dead letters, whatever it is for."""

    @property
    def queue(self) -> sqs.IQueue:
        """Where messages wait."""
        ...

    @property
    def dead_letters(self) -> sqs.IQueue:
        """Where they end that nobody could handle."""
        ...


class Alarms(Construct):
    """All alarms of an environment. Queues and functions that are named here have theirs; a test finds who is not."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        topic: sns.ITopic,
        queues: Mapping[str, WatchedQueue],
        functions: Mapping[str, PayFlowXFunction],
        api: apigateway.RestApi,
        latency_limit: Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._action = actions.SnsAction(topic)
        self.by_name: dict[str, cloudwatch.IAlarm] = {}
        symptoms = self._payments() | self._webhooks() | self._reconciliation() | self._api(api, latency_limit)
        for name, symptom in symptoms.items():
            self._alarm(name, symptom)
        for name, queue in queues.items():
            for kind, symptom in self._queue(queue).items():
                self._alarm(f"{name}{kind}", symptom)
        for name, function in functions.items():
            for kind, symptom in self._function(function).items():
                self._alarm(f"{name}Function{kind}", symptom)
        self._composites(
            ["ApiErrors", "OldestDuePayment", *(f"{name}OldestMessageAge" for name in queues if name not in _APART)]
        )

    def _alarm(self, name: str, symptom: Symptom) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=described(symptom.says, symptom.runbook),
            metric=symptom.metric,
            threshold=symptom.threshold,
            evaluation_periods=symptom.periods,
            comparison_operator=symptom.comparison,
            treat_missing_data=symptom.missing,
        )
        alarm.add_alarm_action(self._action)
        self.by_name[name] = alarm

    def _composites(self, impairing: Sequence[str]) -> None:
        """The one to wake somebody with, and the one that can wait until the morning."""
        success = BurnRate(self, "Success", objective=self._success())
        parts = (cloudwatch.AlarmRule.from_alarm(self.by_name[name], _FIRES) for name in impairing)
        self.by_name |= {window.node.id: window for window in success.windows}
        self._composite(
            "SuccessBurnsSlowly",
            success.slow,
            described("Payments fail by us or by a provider, a few all the time.", "success-objective"),
        )
        self._composite(
            "PaymentsImpaired",
            cloudwatch.AlarmRule.any_of(success.fast, *parts),
            described("Payments fail, are refused or wait, and merchants notice.", "payments-impaired"),
        )

    def _composite(self, name: str, rule: cloudwatch.IAlarmRule, description: str) -> None:
        alarm = cloudwatch.CompositeAlarm(self, name, alarm_description=description, alarm_rule=rule)
        alarm.add_alarm_action(self._action)
        self.by_name = {name: alarm, **self.by_name}

    def _success(self) -> Objective:
        return Objective(
            share=_SUCCESS_SHARE,
            missed=lambda window: self._own("ObjectiveMissed", period=window),
            total=lambda window: self._own("ObjectiveMissed", statistic="SampleCount", period=window),
            runbook="success-objective",
            says="Payments end by a failure of ours or of a provider.",
        )

    def _own(self, name: str, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
        return own(name, self._environment, statistic=statistic, period=period)

    @staticmethod
    def _queue(watched: WatchedQueue) -> dict[str, Symptom]:
        return {
            "DeadLettersNotEmpty": Symptom(
                metric=watched.dead_letters.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=_MINUTE
                ),
                threshold=1,
                runbook="dead-letters",
                says="Five invocations in a row could not handle a message. No payment is lost by it.",
            ),
            "OldestMessageAge": Symptom(
                metric=watched.queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_MINUTE),
                threshold=300,
                periods=3,
                runbook="oldest-message",
                says="Messages wait for more than five minutes: their function is too slow, or failing.",
            ),
        }

    def _payments(self) -> dict[str, Symptom]:
        return {
            "OldestDuePayment": Symptom(
                metric=self._own("OldestDueAge", statistic="Maximum", period=_MINUTE),
                threshold=900,
                periods=3,
                runbook="oldest-due-payment",
                says="A payment has been due for more than fifteen minutes.",
            ),
            "SweeperNotRunning": Symptom(
                metric=self._own("OldestDueAge", statistic="SampleCount"),
                threshold=1,
                runbook="sweeper-not-running",
                says="The sweeper has not run for five minutes: nothing recovers by itself.",
                missing=cloudwatch.TreatMissingData.BREACHING,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            ),
            "PaymentsInReview": Symptom(
                metric=self._own("PaymentsInReview"),
                threshold=1,
                runbook="payments-in-review",
                says="A payment's outcome cannot be learned by any safe means: a person has to look.",
            ),
            "OperationsInReview": Symptom(
                metric=self._own("OperationsInReview"),
                threshold=1,
                runbook="operations-in-review",
                says="What became of a capture, void or refund cannot be learned: a person has to look.",
            ),
            "DrivesExhausted": Symptom(
                metric=self._own("DrivesExhausted"),
                threshold=1,
                runbook="drives-exhausted",
                says="Something was woken forty times without progress.",
            ),
            "Mismatches": Symptom(
                metric=self._own("Mismatches"),
                threshold=1,
                runbook="mismatch",
                says="A provider reports something else than it was asked for.",
            ),
            "LateSuccesses": Symptom(
                metric=self._own("LateSuccesses"),
                threshold=1,
                runbook="late-success",
                says="A provider charged after it had said no.",
            ),
            "ProviderMisconfigured": Symptom(
                metric=self._own("ProviderMisconfigured"),
                threshold=1,
                runbook="provider-misconfigured",
                says="A provider refuses our credentials.",
            ),
            "CardDataRefused": Symptom(
                metric=self._own("CardDataRefused", period=Duration.hours(1)),
                threshold=20,
                runbook="card-data-refused",
                says="A client keeps sending what looks like card numbers.",
            ),
        }

    def _webhooks(self) -> dict[str, Symptom]:
        return {
            "EndpointsDisabled": Symptom(
                metric=self._own("EndpointsDisabled"),
                threshold=1,
                runbook="endpoint-disabled",
                says="A merchant's webhook endpoint was given up: it is gone, or took nothing for three days.",
            ),
            "DeliveriesGivenUp": Symptom(
                metric=self._own("DeliveriesGivenUp"),
                threshold=1,
                runbook="delivery-given-up",
                says="An event was not taken by an endpoint in any try of three days; others were.",
            ),
        }

    def _reconciliation(self) -> dict[str, Symptom]:
        return {
            "ReconciliationDifferences": Symptom(
                metric=self._own("ReconciliationDifferences"),
                threshold=1,
                runbook="reconciliation-difference",
                says="A provider's book and ours differ.",
            ),
            "ReconciliationsFailed": Symptom(
                metric=self._own("ReconciliationsFailed"),
                threshold=1,
                runbook="reconciliation-stuck",
                says="A provider's list or file could not be read, many times in a row.",
            ),
            "ReconciliationLate": Symptom(
                # The schedule writes it every hour, zero where nothing is left to do.
                metric=self._own("ReconciliationAge", statistic="Maximum", period=Duration.hours(1)),
                threshold=12 * 3600,
                periods=3,
                runbook="reconciliation-stuck",
                says="A day is not reconciled yet, long after it could have been.",
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
