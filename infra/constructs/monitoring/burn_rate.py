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
    """The share of `total` events that must not be `missed`. Each function makes its metric for a window."""

    share: float
    missed: Callable[[Duration], cloudwatch.IMetric]
    total: Callable[[Duration], cloudwatch.IMetric]
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


_BURNS: Final = (
    _Burn(
        name="Fast",
        long=Duration.hours(1),
        short=Duration.minutes(5),
        times=14.4,
        says="A month's budget of failures would be gone in two days.",
    ),
    _Burn(
        name="Slow",
        long=Duration.hours(6),
        short=Duration.minutes(30),
        times=6,
        says="A month's budget of failures would be gone in five days.",
    ),
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
        self.fast, self.slow = map(self._rule, _BURNS)

    def _rule(self, burn: _Burn) -> cloudwatch.IAlarmRule:
        windows = (
            self._window(f"{burn.name}Long", burn, burn.long, _MIN_MISSED),
            self._window(f"{burn.name}Short", burn, burn.short, 1),
        )
        self.windows += windows
        return cloudwatch.AlarmRule.all_of(
            *(cloudwatch.AlarmRule.from_alarm(window, cloudwatch.AlarmState.ALARM) for window in windows)
        )

    def _window(self, name: str, burn: _Burn, window: Duration, min_missed: int) -> cloudwatch.Alarm:
        objective = self._objective
        rate = cloudwatch.MathExpression(
            expression=f"IF(missed >= {min_missed}, missed / total, 0)",
            using_metrics={"missed": objective.missed(window), "total": objective.total(window)},
            period=window,
            label="share of failures",
        )
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
