"""A rule or expression that cannot be evaluated raises; it must not count as "no alarm"."""

import pytest

from local.alarm_math import composite_fires, fires


@pytest.mark.parametrize("rule", ['OK("A")', "ALARM(A)", "1 + 1", {"Fn::Sub": "x"}])
def test_a_rule_that_is_not_understood_raises(rule: object) -> None:
    with pytest.raises(ValueError, match="not understood"):
        composite_fires(rule, lambda name: False)


@pytest.mark.parametrize("expression", ["SEARCH('x')", "m1 ** 2", "ANOMALY(m1)"])
def test_an_expression_that_is_not_understood_raises(expression: str) -> None:
    alarm = {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "Metrics": [{"Id": "e", "Expression": expression}, {"Id": "m1", "MetricStat": {}, "ReturnData": False}],
    }
    with pytest.raises((ValueError, KeyError)):
        fires(alarm, lambda stat, back: 1.0)
