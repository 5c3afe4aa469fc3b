"""Counts of what AWS bills: while nothing happens from the templates, and of a payment from `make bench`.

Neither templates nor counts say how long a function runs or how much it logs. These few figures are assumptions, and
the page lists them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.payment_counts import READ, WEBHOOK, WITH_ENDPOINT
from payflowx.domain.shared.limits import MAX_DUE_SHARDS
from payflowx.domain.shared.metrics import DIMENSIONS, Metric

HOURS: Final = 730
"""A month."""
_MINUTES: Final = HOURS * 60
_POLLS_A_MONTH: Final = 5 * HOURS * 3600 / 20
"""Of one queue: Lambda keeps five long polls of twenty seconds each open."""
_SWEEP_SECONDS: Final = 0.3
_SWEEP_LOG_BYTES: Final = 350
_IDLE_METRICS: Final = 3
"""Those that the sweeper and the reconciler write without any payment."""
_ACCOUNT_SECRETS: Final = 2
_KEY_CALLS_IDLE: Final = 10_000
"""DynamoDB and SQS keep data keys for five minutes and an hour."""
_VALUES: Final[Mapping[str, int]] = {"status": 4, "outcome": 4, "kind": 3, "queue": 4, "provider": 2}
"""Values of a metric's dimension in use, with two providers."""

Template = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Invocations of a function a payment, and the seconds of each.

    `seconds_more`: what each further message of an event adds, which is processor time; messages wait side by side.
    None for a function that no queue calls.
    """

    function: str
    invocations: int
    seconds: float
    seconds_more: float | None = None

    def events(self, batch: int) -> float:
        """Invocations a payment, with so many messages an event."""
        return self.invocations if self.seconds_more is None else self.invocations / batch

    def billed_seconds(self, batch: int) -> float:
        """A payment."""
        return self.events(batch) * (self.seconds + (batch - 1) * (self.seconds_more or 0))


RUNS: Final = (
    Run(function="Authorizer", invocations=1, seconds=0.05),
    Run(function="Api", invocations=2, seconds=0.08),
    Run(function="Worker", invocations=1, seconds=0.95, seconds_more=0.06),
    Run(function="Webhooks", invocations=1, seconds=0.1),
    Run(function="Notices", invocations=1, seconds=0.15, seconds_more=0.06),
    Run(function="Deliverer", invocations=1, seconds=0.3, seconds_more=0.06),
)
"""A charge that takes its provider 0.7 s. Not measured on AWS."""
API_REQUESTS: Final = 3
"""A POST, one read, and the provider's webhook."""
MESSAGES: Final = 3
"""To the worker, from the provider's webhook, and to the merchant. Each is sent alone; an event's are received and
deleted together."""
OTHER_LOG_BYTES: Final = 2_150
"""The provider's webhook in two functions, and three lines of API Gateway's access log."""
STORED_BYTES: Final = 3600
"""Items and index entries. They never expire."""
KEY_CALLS: Final = 0.5
SECRET_CALLS: Final = 0.02


def idle(templates: Mapping[str, Template]) -> dict[str, float]:
    """Pieces a month by the price's name, of one environment's `Data` and `Service` stacks."""
    resources = [r for template in templates.values() for r in template["Resources"].values()]

    def of(kind: str) -> list[dict[str, Any]]:
        return [r.get("Properties", {}) for r in resources if r["Type"] == kind]

    sweeps = sum(_runs(s["ScheduleExpression"]) for s in of("AWS::Scheduler::Schedule"))
    acls = of("AWS::WAFv2::WebACL")
    found: dict[str, float] = {
        "key": len(of("AWS::KMS::Key")),
        "key_calls": _KEY_CALLS_IDLE,
        "secret": len(of("AWS::SecretsManager::Secret")) + _ACCOUNT_SECRETS,
        "alarm_metric": sum(map(_metrics, of("AWS::CloudWatch::Alarm"))),
        "composite_alarm": len(of("AWS::CloudWatch::CompositeAlarm")),
        "dashboard": len(of("AWS::CloudWatch::Dashboard")),
        "own_metric": _IDLE_METRICS,
        "queue_requests": len(of("AWS::Lambda::EventSourceMapping")) * _POLLS_A_MONTH,
        "scheduled_runs": sweeps,
        "invocations": sweeps,
        "gb_seconds": sweeps * _SWEEP_SECONDS * memory_gb(templates, "Sweeper"),
        "read_units": sweeps * _shards_of_a_sweep(templates) * 0.5,
        "log_gb": sweeps * _SWEEP_LOG_BYTES / 1e9,
        "traces": sweeps,
        "web_acl": len(acls),
        "web_acl_rule": sum(len(acl["Rules"]) for acl in acls),
        "nat_hours": HOURS * len(of("AWS::EC2::NatGateway")),
        "address_hours": HOURS * len(of("AWS::EC2::EIP")),
        "endpoint_hours": HOURS * sum(_zones(endpoint) for endpoint in of("AWS::EC2::VPCEndpoint")),
    }
    return {name: count for name, count in found.items() if count}


def free_dashboards(templates: Mapping[str, Template]) -> int:
    """Return the number of dashboards that a free tier covers: it ends at fifty metrics a dashboard."""
    bodies = [
        r["Properties"]["DashboardBody"]
        for template in templates.values()
        for r in template["Resources"].values()
        if r["Type"] == "AWS::CloudWatch::Dashboard"
    ]
    return sum(_metrics_shown(body) <= 50 for body in bodies)


def of_payment(
    bench: Mapping[str, Any], templates: Mapping[str, Template], *, traced_share: float, watched: bool, batch: int = 1
) -> dict[str, float]:
    """Pieces a payment: accepted, charged at the first attempt, read once, reported by a webhook of the provider that
    brings no news, and reported to the merchant.

    `batch`: the messages of one event, 1 or 10, the two whose log lines are counted.
    """
    charged, *reads = (bench["payments"][name] for name in (WITH_ENDPOINT, READ, WEBHOOK))
    found = {
        "api_requests": API_REQUESTS,
        "web_acl_requests": API_REQUESTS if watched else 0,
        "write_units": charged["writeUnits"],
        "read_units": charged["readUnits"] + sum(row["readUnits"] for row in reads),
        "queue_requests": MESSAGES + 2 * MESSAGES / batch,
        "invocations": sum(run.events(batch) for run in RUNS),
        "gb_seconds": sum(run.billed_seconds(batch) * memory_gb(templates, run.function) for run in RUNS),
        "key_calls": KEY_CALLS,
        "secret_calls": SECRET_CALLS,
        "log_gb": (bench["logBytes"][str(batch)]["bytes"] + OTHER_LOG_BYTES) / 1e9,
        "traces": API_REQUESTS * traced_share,
        "table_gb": STORED_BYTES / 1e9,
        "recovery_gb": STORED_BYTES / 1e9,
    }
    return {name: count for name, count in found.items() if count}


def own_metrics() -> int:
    """Combinations of names and values in use: the most that two providers cause."""
    total = 0
    for metric in Metric:
        combinations = 1
        for dimension in DIMENSIONS.get(metric, ()):
            combinations *= _VALUES[dimension]
        total += combinations
    return total


def memory_gb(templates: Mapping[str, Template], function: str) -> float:
    """Of a function, by its construct's id."""
    return float(_function(templates, function)["MemorySize"]) / 1024


def _shards_of_a_sweep(templates: Mapping[str, Template]) -> float:
    """The setting, and a sixtieth of the others: those are read once an hour."""
    shards = int(_function(templates, "Sweeper")["Environment"]["Variables"]["DUE_SHARDS"])
    return shards + (MAX_DUE_SHARDS - shards) / 60


def _function(templates: Mapping[str, Template], function: str) -> Mapping[str, Any]:
    (found,) = (
        resource["Properties"]
        for template in templates.values()
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function" and re.fullmatch(rf"{function}Function[0-9A-F]{{8}}", name)
    )
    properties: Mapping[str, Any] = found
    return properties


def traced_share(templates: Mapping[str, Template]) -> float:
    """The share of the API's requests that X-Ray records."""
    (rule,) = (
        resource["Properties"]["SamplingRule"]
        for template in templates.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::XRay::SamplingRule"
    )
    return float(rule["FixedRate"])


def _runs(expression: str) -> float:
    """A month, of `rate(1 minute)` or `rate(1 hour)`."""
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if match is None:
        raise ValueError(f"nobody has counted the runs of {expression}")
    return _MINUTES / (int(match[1]) * {"minute": 1, "hour": 60, "day": 1440}[match[2]])


def _metrics(alarm: Mapping[str, Any]) -> int:
    """An alarm on metric math is billed for each metric that it reads."""
    return sum("MetricStat" in query for query in alarm["Metrics"]) if "Metrics" in alarm else 1


def _zones(endpoint: Mapping[str, Any]) -> int:
    return len(endpoint.get("SubnetIds", [])) if endpoint.get("VpcEndpointType") == "Interface" else 0


def _metrics_shown(body: Any) -> int:
    parts = body["Fn::Join"][1] if isinstance(body, dict) else [body]
    text = "".join(part if isinstance(part, str) else "x" for part in parts)
    return sum(1 for _ in _shown(json.loads(text)))


def _shown(dashboard: Mapping[str, Any]) -> Iterator[Any]:
    for widget in dashboard["widgets"]:
        yield from widget["properties"].get("metrics", ())
