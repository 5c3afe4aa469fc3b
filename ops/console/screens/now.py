"""Is everything well now: the objective, payments, providers, queues, what is due, reviews, alarms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ops.commands.doctor import alarms
from ops.commands.review import reviews_of
from ops.console import charts
from ops.console.charts import Series
from ops.console.metrics import HOUR, WINDOWS, Metric, MetricReader, Query, Rows, Window, grouped
from ops.console.parts import gather
from ops.console.screen import Page, Screen, ScreenRequest, View
from ops.console.screens.runbooks import runbook_names
from ops.session import Session

_OBJECTIVE: Final = 0.995
_MAX_MERCHANTS: Final = 20
_RUNBOOK: Final = re.compile(r"runbooks/([a-z-]+)")
_RUNBOOK_SENTENCE: Final = re.compile(r"\s*Runbook: \S+")
_NAME: Final = re.compile(r"-Service-(?:Alarms)?([A-Z]\w+?)[0-9A-F]{8}-\w+ ")
"""An alarm's name is made by CloudFormation: the logical id, its hash, and another hash."""
_BURN_WINDOWS: Final = (("1 hour", 3_600, 14.4), ("6 hours", 21_600, 6.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """How fast the month's budget of failures is used up: 1 uses it up in exactly a month."""

    window: str
    missed: int
    total: int
    limit: float

    @property
    def rate(self) -> float:
        return self.missed / self.total / (1 - _OBJECTIVE) if self.total else 0.0

    @property
    def share(self) -> float:
        """Of payments that met the objective."""
        return 1 - self.missed / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider's payments and latency in the window."""

    name: str
    ended: Series
    succeeded: int
    total: int
    median: Series
    slowest: Series


def _show(request: ScreenRequest) -> Page:
    window = WINDOWS.get(request.query.get("window", ""), HOUR)
    session, reader = request.session, MetricReader(request.session.target)
    parts = gather(
        {
            "alarms": lambda: _alarms(session),
            "objective": lambda: [_burn(reader, *one) for one in _BURN_WINDOWS],
            "payments": lambda: _payments(reader, window),
            "latency": lambda: _latency(reader, window),
            "due": lambda: _due(reader, window),
            "queues": lambda: session.ask("count_dead_letters")["items"],
            "reviews": lambda: _reviews(session),
            "health": lambda: session.ask("diagnose")["items"],
        }
    )
    payments, latency = parts["payments"].value, parts["latency"].value
    return Page(
        template="now.html",
        title="Now",
        values={
            "parts": parts,
            "window": window,
            "windows": WINDOWS.values(),
            "charts": charts,
            "statuses": grouped(payments, "status") if payments else [],
            "providers": _providers(payments, latency) if payments and latency else [],
            "objective": _OBJECTIVE,
        },
        commands=(
            request.command("doctor"),
            request.command("dlq", "ls"),
            request.command("review", "list"),
            request.command("providers", "status"),
        ),
    )


def _alarms(session: Session) -> list[dict[str, Any]]:
    return [_alarm(found) for found in alarms(session.target.client, session.target)]


def _alarm(found: Mapping[str, Any]) -> dict[str, Any]:
    """With the name that the runbooks use, and the runbook's address."""
    named, runbook = _NAME.search(str(found["words"])), _RUNBOOK.search(str(found["advice"]))
    known = runbook is not None and runbook[1] in runbook_names()
    return {
        **found,
        "name": named[1] if named else None,
        "advice": _RUNBOOK_SENTENCE.sub("", str(found["advice"])) if known else found["advice"],
        "runbook": f"/runbooks/{runbook[1]}" if runbook and known else None,
    }


def _burn(reader: MetricReader, title: str, seconds: int, limit: float) -> Burn:
    missed = reader.total("ObjectiveMissed", "Sum", seconds)
    total = reader.total("ObjectiveMissed", "SampleCount", seconds)
    return Burn(window=title, missed=int(missed or 0), total=int(total or 0), limit=limit)


def _payments(reader: MetricReader, window: Window) -> Rows:
    found = [
        metric for metric in reader.combinations("PaymentsFinal") if set(metric.dimensions) == {"status", "provider"}
    ]
    return found, reader.series([Query(metric=metric, statistic="Sum") for metric in found], window)


def _latency(reader: MetricReader, window: Window) -> Mapping[str, tuple[Series, Series]]:
    found = [metric for metric in reader.combinations("ProviderLatency") if set(metric.dimensions) == {"provider"}]
    queries = [Query(metric=metric, statistic=statistic) for metric in found for statistic in ("p50", "p99")]
    values = reader.series(queries, window)
    return {
        metric.dimensions["provider"]: (
            Series(name="p50", values=values[2 * place]),
            Series(name="p99", values=values[2 * place + 1]),
        )
        for place, metric in enumerate(found)
    }


def _providers(payments: Rows, latency: Mapping[str, tuple[Series, Series]]) -> list[Provider]:
    ended = {series.name: series for series in grouped(payments, "provider")}
    succeeded = {series.name: series for series in grouped(payments, "provider", {"status": "SUCCESS"})}
    names = sorted({*ended, *latency})
    nothing = Series(name="-", values=[])
    return [
        Provider(
            name=name,
            ended=ended.get(name, nothing),
            succeeded=int(sum(succeeded.get(name, nothing).known)),
            total=int(sum(ended.get(name, nothing).known)),
            median=latency.get(name, (nothing, nothing))[0],
            slowest=latency.get(name, (nothing, nothing))[1],
        )
        for name in names
    ]


def _due(reader: MetricReader, window: Window) -> Series:
    metric = Metric(name="OldestDueAge", dimensions={})
    (values,) = reader.series([Query(metric=metric, statistic="Maximum")], window)
    return Series(name="Oldest due item, seconds", values=values)


def _reviews(session: Session) -> dict[str, Any]:
    merchants = session.merchants(None)
    items = [item for name in merchants[:_MAX_MERCHANTS] for item in reviews_of(session, name)[1]]
    oldest = max((int(item["ageSeconds"]) for item in items), default=0)
    return {"count": len(items), "oldest": oldest, "left_out": len(merchants) > _MAX_MERCHANTS}


NOW: Final = Screen(
    name="now",
    title="Now",
    path="/",
    key="n",
    summary="objective, payments, providers, queues, alarms",
    views=(View("/", _show),),
)
