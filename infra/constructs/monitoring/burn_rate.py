"""Alarms on how fast a service uses up the failures that its objective allows for a month.

Each alarm has two windows. The long one shows that the failures matter, the short one that they continue, so that the
alarm ends soon after the failures do. A metric alarm has one window; a composite alarm joins two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.monitoring.symptom import described


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The share of events that must not be missed.

    `missed` makes the metric of a window, by its length and statistic. Its samples are 1 for a missed event and 0 for
    another, so that its sum counts the missed ones, and its mean is their share.
    """

    share: float
    missed: Callable[[Duration, str], cloudwatch.IMetric]
    runbook: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Burn:
    name: str
    long: Duration
    short: Duration
    times: float
    """The burn rate at which it fires: 1 would use up a month's budget in exactly a month."""
    says: str


_FAST: Final = _Burn(
    name="Fast",
    long=Duration.hours(1),
    short=Duration.minutes(5),
    times=14.4,
    says="A month's budget of failures would be gone in two days.",
)
_SLOW: Final = _Burn(
    name="Slow",
    long=Duration.hours(6),
    short=Duration.minutes(30),
    times=6,
    says="A month's budget of failures would be gone in five days.",
)
_MIN_MISSED: Final = 3
"""Failures in the long window that an alarm needs: one failed payment at night is 100 percent, but no outage."""


class BurnRate(Construct):
    """Rules for two composite alarms: `fast` wakes an operator, `slow` is work for the same day.

    The alarms of the single windows have no action.
    """

    def __init__(self, scope: Construct, construct_id: str, *, objective: Objective) -> None:
        super().__init__(scope, construct_id)
        self._objective = objective
        self.windows: list[cloudwatch.Alarm] = []

    def fast(self) -> cloudwatch.IAlarmRule:
        """Make the rule for failures that would use up a month's budget in two days."""
        return self._rule(_FAST)

    def slow(self) -> cloudwatch.IAlarmRule:
        """Make the rule for failures that would use it up in five days."""
        return self._rule(_SLOW)

    def _rule(self, burn: _Burn) -> cloudwatch.IAlarmRule:
        windows = (
            self._window(f"{burn.name}Long", burn, self._share_of_many(burn.long)),
            self._window(f"{burn.name}Short", burn, self._objective.missed(burn.short, "Average")),
        )
        self.windows += windows
        return cloudwatch.AlarmRule.all_of(
            *(cloudwatch.AlarmRule.from_alarm(window, cloudwatch.AlarmState.ALARM) for window in windows)
        )

    def _share_of_many(self, window: Duration) -> cloudwatch.IMetric:
        """No failures as long as they are few."""
        missed = self._objective.missed
        return cloudwatch.MathExpression(
            expression=f"IF(missed >= {_MIN_MISSED}, missed / total, 0)",
            using_metrics={"missed": missed(window, "Sum"), "total": missed(window, "SampleCount")},
            period=window,
            label="share of failures",
        )

    def _window(self, name: str, burn: _Burn, rate: cloudwatch.IMetric) -> cloudwatch.Alarm:
        objective = self._objective
        return cloudwatch.Alarm(
            self,
            name,
            alarm_description=described(f"{objective.says} {burn.says} One of two windows.", objective.runbook),
            metric=rate,
            threshold=round(burn.times * (1 - objective.share), 6),
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
