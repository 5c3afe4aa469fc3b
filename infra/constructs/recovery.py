"""Recovery: the sweeper, which wakes every payment, operation and merchant event that is due, and its schedule."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.monitoring.metrics import own
from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.outbound_webhooks import OutboundWebhooks
from infra.constructs.payments import Payments
from infra.constructs.shared.function import PayFlowXFunction
from infra.constructs.shared.platform import PARTITIONS, RETRIES, Platform
from infra.constructs.shared.room import Room

TIMEOUT = Duration.seconds(50)
ONE_PROCESSOR_MB = 1_769
"""Lambda gives a whole processor from here on. A backlog's wake-ups take processor time: `python -m bench.backlog`."""


class Recovery(Room):
    """Nothing repeats a missed run: the next one, a minute later, finds all that the missed one would have found."""

    def __init__(self, platform: Platform, *, payments: Payments, outbound_webhooks: OutboundWebhooks) -> None:
        self._platform = platform
        self.sweeper = self._sweeper(payments, outbound_webhooks)
        platform.schedules.every(
            Duration.minutes(1),
            self.sweeper,
            scope=Construct(platform.scope, "SweeperSchedule"),
            construct_id="EveryMinute",
            description="Wakes payments, operations and events that are due",
            max_age=Duration.seconds(60),
        )
        self.functions = (self.sweeper,)

    def _sweeper(self, payments: Payments, outbound_webhooks: OutboundWebhooks) -> PayFlowXFunction:
        transactions = self._platform.tables.transactions
        sweeper = self._platform.function(
            "Sweeper",
            handler="sweeper",
            service="sweeper",
            reads=(*PARTITIONS, *RETRIES),
            description="Wakes what is due",
            timeout=TIMEOUT,
            memory_mb=ONE_PROCESSOR_MB,
        )
        # An item is read at the end of its wake-ups, for its review; and the events that a new endpoint missed. The
        # balance of a payment that release 0.2.0 wrote takes all of its operations.
        sweeper.may_read(transactions, "GetItem", "BatchGetItem", "Query")
        sweeper.may_query(transactions, index="due")
        sweeper.may_query(transactions, index="byMerchant")
        sweeper.may_write(transactions, "PutItem", "UpdateItem")
        sweeper.may_fill(payments.jobs)
        sweeper.may_fill(outbound_webhooks.queue)
        return sweeper

    def symptoms(self) -> dict[str, Symptom]:
        """The sweeper's own report: how late the oldest due item is, and whether the sweeper runs at all."""
        return {
            "OldestDuePayment": Symptom(
                metric=self._metric("OldestDueAge", statistic="Maximum", period=Duration.minutes(1)),
                threshold=900,
                periods=3,
                runbook="oldest-due-payment",
                says="A payment has been due for more than fifteen minutes.",
                impairs_payments=True,
            ),
            "SweeperNotRunning": Symptom(
                metric=self._metric("OldestDueAge", statistic="SampleCount"),
                threshold=1,
                runbook="sweeper-not-running",
                says="The sweeper did not run for five minutes, or cannot read what is due: nothing recovers then.",
                missing=cloudwatch.TreatMissingData.BREACHING,
                impairs_payments=True,
                comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            ),
            "DrivesExhausted": Symptom(
                metric=self._metric("DrivesExhausted"),
                threshold=1,
                runbook="drives-exhausted",
                says="A payment, operation or event was woken forty times without progress.",
            ),
            "DueItemsFailed": Symptom(
                metric=self._metric("DueItemsFailed"),
                threshold=1,
                runbook="due-items-failed",
                says="A due payment, operation or event cannot be read or woken; it was postponed.",
            ),
        }

    def _metric(self, name: str, *, statistic: str = "Sum", period: Duration | None = None) -> cloudwatch.Metric:
        return own(name, self._platform.settings.name, statistic=statistic, period=period)

    def outputs(self) -> dict[str, str]:
        """The sweeper, which operators and tests may invoke at once."""
        return {"SweeperFunctionName": f"{self.sweeper.function.function_name}:live"}
