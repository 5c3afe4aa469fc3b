"""Evaluates the alarms that the engine cannot hold: those on metric math, and composite alarms, from a template."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Properties = Mapping[str, Any]
Read = Callable[[Properties, int], float | None]
"""From a `MetricStat` and a number of periods back (0 is the present one) to its value; None without samples."""

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_ARITHMETIC: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_TESTS: Final[Mapping[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
}


def fires(alarm: Properties, read: Read) -> bool:
    """Whether a metric alarm, with or without math, is in ALARM for these series."""
    compare, periods = _COMPARE[alarm["ComparisonOperator"]], alarm["EvaluationPeriods"]
    breaching = 0
    for back in range(periods):
        value = _value(alarm, read, back)
        if value is None:
            breaching += alarm["TreatMissingData"] == "breaching"
        else:
            breaching += compare(value, alarm["Threshold"])
    return breaching >= int(alarm.get("DatapointsToAlarm", periods))


def composite_fires(rule: Any, firing: Callable[[str], bool]) -> bool:
    """Whether a composite alarm is in ALARM; `firing` takes the logical id of one of its parts."""
    text = re.sub(r"\b(AND|OR|NOT)\b", lambda word: word[1].lower(), rule_text(rule))
    return _rule(ast.parse(text, mode="eval").body, firing)


def rule_text(rule: Any) -> str:
    """The rule with logical ids where CloudFormation would put ARNs."""
    match rule:
        case str():
            return rule
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(rule_text(part) for part in parts)
        case {"Fn::GetAtt": [name, "Arn"]} | {"Ref": name}:
            return str(name)
        case _:
            raise ValueError(f"a composite alarm's rule holds what is not understood: {rule}")


def _rule(node: ast.expr, firing: Callable[[str], bool]) -> bool:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_rule(value, firing) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_rule(value, firing) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _rule(operand, firing)
        case ast.Call(func=ast.Name(id="ALARM"), args=[ast.Constant(value=str(name))]):
            return firing(name)
        case _:
            raise ValueError(f"a composite alarm's rule holds what is not understood: {ast.unparse(node)}")


def _value(alarm: Properties, read: Read, back: int) -> float | None:
    if "Metrics" not in alarm:
        return read(_metric_stat(alarm), back)
    queries = {query["Id"]: query for query in alarm["Metrics"]}
    (returned,) = (query for query in queries.values() if query.get("ReturnData", True))
    return _query(returned, queries, read, back)


def _metric_stat(alarm: Properties) -> Properties:
    """A plain alarm's metric in the form that one with math has it in."""
    metric = {name: alarm.get(name, []) for name in ("Namespace", "MetricName", "Dimensions")}
    return {"Metric": metric, "Period": alarm["Period"], "Stat": alarm.get("Statistic") or alarm["ExtendedStatistic"]}


def _query(query: Properties, queries: Mapping[str, Properties], read: Read, back: int) -> float | None:
    if "MetricStat" in query:
        return read(query["MetricStat"], back)
    tree = ast.parse(query["Expression"], mode="eval").body

    def named(name: str) -> float | None:
        return _query(queries[name], queries, read, back)

    return _computed(tree, named)


def _computed(node: ast.expr, named: Callable[[str], float | None]) -> float | None:
    """None when a part has no sample, and for a division by zero."""
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return named(name)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _computed(left, named), _computed(right, named)
            if a is None or b is None or (isinstance(op, ast.Div) and b == 0):
                return None
            return _ARITHMETIC[type(op)](a, b)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            a, b = _computed(left, named), _computed(right, named)
            return None if a is None or b is None else float(_TESTS[type(op)](a, b))
        case ast.Call(func=ast.Name(id="FILL"), args=[series, ast.Constant(value=int() | float() as default)]):
            found = _computed(series, named)
            return float(default) if found is None else found
        case ast.Call(func=ast.Name(id="IF"), args=[test, then, otherwise]):
            decided = _computed(test, named)
            return None if decided is None else _computed(then if decided else otherwise, named)
        case _:
            raise ValueError(f"an expression holds what is not understood: {ast.unparse(node)}")
