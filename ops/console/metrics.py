"""The CloudWatch metrics that the dashboards use, read with the caller's own rights."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from ops.console.charts import Series
from ops.target import Target

NAMESPACE: Final = "PayFlowX"
_MAX_QUERIES: Final = 500
_MAX_METRICS: Final = 500
_ENVIRONMENT: Final = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time until now, in steps of `period_seconds`."""

    name: str
    title: str
    steps: int
    period_seconds: int

    @property
    def seconds(self) -> int:
        return self.steps * self.period_seconds


HOUR: Final = Window(name="1h", title="1 hour", steps=60, period_seconds=60)
DAY: Final = Window(name="24h", title="24 hours", steps=96, period_seconds=900)
WEEK: Final = Window(name="7d", title="7 days", steps=84, period_seconds=7_200)
WINDOWS: Final = {window.name: window for window in (HOUR, DAY, WEEK)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One combination of dimensions, without the environment."""

    name: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A metric's statistic over a window."""

    metric: Metric
    statistic: str


@dataclass(frozen=True, slots=True)
class MetricReader:
    """Of one environment. It asks for plain metrics: each combination is listed first, and a new provider appears."""

    target: Target

    @property
    def environment(self) -> str:
        """The value of the dimension that every metric has."""
        return self.target.stack_prefix.lower()

    def combinations(self, name: str) -> list[Metric]:
        """The combinations of dimensions of a metric that had samples lately."""
        pages = (
            self.target.client("cloudwatch")
            .get_paginator("list_metrics")
            .paginate(
                Namespace=NAMESPACE,
                MetricName=name,
                Dimensions=[{"Name": _ENVIRONMENT, "Value": self.environment}],
                PaginationConfig={"MaxItems": _MAX_METRICS},
            )
        )
        found = [
            {one["Name"]: one["Value"] for one in metric["Dimensions"]} for page in pages for metric in page["Metrics"]
        ]
        return [
            Metric(name=name, dimensions={key: value for key, value in one.items() if key != _ENVIRONMENT})
            for one in sorted(found, key=lambda one: sorted(one.items()))
            if one.get(_ENVIRONMENT) == self.environment
        ]

    def series(self, queries: Sequence[Query], window: Window, now: datetime | None = None) -> list[list[float | None]]:
        """The values of each query, oldest first, in the window's steps."""
        if not queries:
            return []
        end = _rounded_up(now or datetime.now(UTC), window.period_seconds)
        start = end - timedelta(seconds=window.seconds)
        found: dict[str, list[float | None]] = {f"q{n}": [None] * window.steps for n in range(len(queries))}
        for answer in self._answers(queries, window.period_seconds, start, end):
            values = found[answer["Id"]]
            for at, value in zip(answer["Timestamps"], answer["Values"], strict=True):
                place = int((at - start).total_seconds() // window.period_seconds)
                if 0 <= place < window.steps:
                    values[place] = float(value)
        return list(found.values())

    def total(self, name: str, statistic: str, seconds: int, now: datetime | None = None) -> float | None:
        """One value over the last seconds; None without samples. `statistic` is `Sum`, `SampleCount` or `Maximum`."""
        period = 60 if seconds <= 3_600 else 300
        window = Window(name="", title="", steps=-(-seconds // period), period_seconds=period)
        (values,) = self.series([Query(metric=Metric(name=name, dimensions={}), statistic=statistic)], window, now)
        known = [value for value in values if value is not None]
        if not known:
            return None
        return max(known) if statistic == "Maximum" else sum(known)

    def _answers(
        self, queries: Sequence[Query], period_seconds: int, start: datetime, end: datetime
    ) -> Iterable[Mapping[str, Any]]:
        client = self.target.client("cloudwatch")
        for first in range(0, len(queries), _MAX_QUERIES):
            some = list(enumerate(queries))[first : first + _MAX_QUERIES]
            asked = [self._query(f"q{number}", query, period_seconds) for number, query in some]
            pages = client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=asked, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
            )
            for page in pages:
                yield from page["MetricDataResults"]

    def _query(self, identity: str, query: Query, period_seconds: int) -> dict[str, Any]:
        dimensions = {_ENVIRONMENT: self.environment, **query.metric.dimensions}
        return {
            "Id": identity,
            "ReturnData": True,
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": query.metric.name,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                },
                "Period": period_seconds,
                "Stat": query.statistic,
            },
        }


Rows = tuple[Sequence[Metric], Sequence[Sequence[float | None]]]
"""Metrics, and the values of each."""


def grouped(rows: Rows, dimension: str, where: Mapping[str, str] = MappingProxyType({})) -> list[Series]:
    """One series for each value of a dimension: the sums over the others. `where` leaves out other combinations."""
    sums: dict[str, list[float | None]] = {}
    for metric, row in zip(*rows, strict=True):
        if any(metric.dimensions.get(name) != value for name, value in where.items()):
            continue
        known = sums.setdefault(metric.dimensions.get(dimension, "-"), [None] * len(row))
        for place, value in enumerate(row):
            if value is not None:
                known[place] = (known[place] or 0.0) + value
    return [Series(name=name, values=sums[name]) for name in sorted(sums)]


def _rounded_up(at: datetime, period_seconds: int) -> datetime:
    """The end of the period that `at` is in, so that each step is a whole period."""
    seconds = int(at.timestamp()) // period_seconds * period_seconds + period_seconds
    return datetime.fromtimestamp(seconds, UTC)
