"""Runs the sweeper every minute."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct


class SweeperSchedule(Construct):
    """A missed run is not repeated: the next one, a minute later, finds all that the missed one would have."""

    def __init__(self, scope: Construct, construct_id: str, *, sweeper: lambda_.IFunction) -> None:
        super().__init__(scope, construct_id)
        self.schedule = scheduler.Schedule(
            self,
            "EveryMinute",
            description="Wakes what is due and was not woken",
            schedule=scheduler.ScheduleExpression.rate(Duration.minutes(1)),
            target=targets.LambdaInvoke(sweeper, retry_attempts=0, max_event_age=Duration.seconds(60)),
        )
