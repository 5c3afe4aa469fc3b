"""The schedules of an environment, in a group of their own: metrics of schedules bear their group's name."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.shared.function import PayFlowXFunction

_FAILURES = ("InvocationDroppedCount", "InvocationThrottleCount")


class Schedules(Construct):
    """Nothing repeats a missed run: the next one finds all that the missed one would have found."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._group = scheduler.ScheduleGroup(self, "Group", removal_policy=RemovalPolicy.DESTROY)

    def every(
        self,
        interval: Duration,
        function: PayFlowXFunction,
        *,
        scope: Construct,
        construct_id: str,
        description: str,
        max_age: Duration,
    ) -> None:
        """Invoke the function's alias at this interval. A run that could not start within `max_age` is left out.

        The scheduler hands the event to Lambda's own queue and is done: the function's asynchronous configuration, and
        not the schedule's, decides whether an error is tried again.
        """
        function.never_repeat_events(max_age=max_age)
        scheduler.Schedule(
            scope,
            construct_id,
            description=description,
            schedule=scheduler.ScheduleExpression.rate(interval),
            schedule_group=self._group,
            target=targets.LambdaInvoke(function.alias, retry_attempts=0, max_event_age=max_age),
        )

    def alarms(self) -> dict[str, Symptom]:
        """Runs that the scheduler could not hand over."""
        names = {f"m{number}": name for number, name in enumerate(_FAILURES)}
        return {
            "SchedulesDropped": Symptom(
                metric=cloudwatch.MathExpression(
                    expression=" + ".join(f"FILL({short}, 0)" for short in names),
                    using_metrics={short: self._metric(name) for short, name in names.items()},
                    period=Duration.minutes(5),
                    label="runs that were dropped or throttled",
                ),
                threshold=1,
                periods=2,
                runbook="schedules-dropped",
                says="The scheduler cannot start the sweeper or the reconciler.",
            )
        }

    def _metric(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Scheduler",
            metric_name=name,
            dimensions_map={"ScheduleGroup": self._group.schedule_group_name},
            statistic="Sum",
            period=Duration.minutes(5),
        )
