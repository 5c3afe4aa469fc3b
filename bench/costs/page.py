"""docs/costs.md as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.costs import quantities as q
from bench.costs.bill import Bill, added, bill, times
from bench.costs.prices import COMPLETE, REGIONS, PriceList
from bench.log_bytes import FULL_BATCH
from bench.payment_counts import FULL_WITH_ENDPOINT, WITH_ENDPOINT

_MILLION: Final = 1_000_000
_CURVE: Final = (0, 10_000, 100_000, 300_000, _MILLION, 3 * _MILLION, 10 * _MILLION)
IDLE_GOALS: Final = {"Dev": 8, "Prod": 20}
"""Dollars of an idle month after the free tiers, by stage."""
_TASKS, _TASK_CPU, _TASK_GB, _ZONES = 4, 0.25, 0.5, 2
_BLOCKED_LOG_BYTES: Final = 1800
"""One request in the log of a web ACL."""

_HEAD: Final = """# What a deployment costs

Written by `make costs` from the synthesized templates, the counts of `make bench` and the price list at the end; a
test compares. In dollars a month, without taxes. Nothing here was read on a bill.
"""
_CONTAINERS: Final = f"""
The same product as four containers of {_TASK_CPU} vCPU and {_TASK_GB} GB on Fargate (arm64). *Alone* is the
containers only, without anything that they need. *Whole* adds what they would share with PayFlowX (key, secrets,
alarms, dashboards, tables, queues, logs, web ACL) and what they need in addition: a load balancer, and a public address
for each task and for each of two zones. Four are assumed to be enough for ten million payments a month, which is four a
second on average. Their operation, patches and scaling cost nothing in this table.
"""
_ASSUMED: Final = f"""
## Assumed, not counted

- A payment is one `POST`, one read, one charge that succeeds at the first attempt, one webhook of the provider, one to
  the merchant.
- Seconds of each function a payment: {{runs}}. The provider takes 0.7 of the worker's. A run of the sweeper takes 0.3.
- Each further message of an event adds {{more}} seconds, which is
  processor time: messages wait side by side.
- {q.OTHER_LOG_BYTES:,} bytes of log a payment besides those of accept, worker and deliverer, which are counted.
- {q.STORED_BYTES:,} bytes of items and index entries a payment. They never expire, so each million ever made costs
  {{stored}} a month.
- {q.KEY_CALLS} calls of KMS a payment, two secrets of provider accounts. The provider's webhook brings no news and
  writes nothing; the reads that match it to its payment are counted.
- Five long polls a queue that Lambda keeps open, twenty seconds each.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The stacks `Data` and `Service` of a stage, and its name as in `Prod-Service`."""

    stage: str
    templates: Mapping[str, q.Template]

    def idle(self, prices: PriceList, region: str) -> Bill:
        """A month without a payment."""
        return self.month(prices, region, q.idle(self.templates))

    def month(self, prices: PriceList, region: str, quantities: Mapping[str, float]) -> Bill:
        """A month of such quantities."""
        return bill(quantities, prices, region=region, free_dashboards=q.free_dashboards(self.templates))

    def payment(self, bench: Mapping[str, Any], *, batch: int = 1) -> dict[str, float]:
        """Pieces a payment, with so many messages an event."""
        watched = "web_acl" in q.idle(self.templates)
        share = q.traced_share(self.templates)
        return q.of_payment(bench, self.templates, traced_share=share, watched=watched, batch=batch)

    def with_payments(self, bench: Mapping[str, Any], count: float) -> dict[str, float]:
        """Pieces of a month with so many payments."""
        idle = q.idle(self.templates)
        metrics = {"own_metric": q.own_metrics() - idle["own_metric"]} if count else {}
        return added(idle, metrics, times(self.payment(bench), count))


def page(deployments: Sequence[Deployment], bench: Mapping[str, Any], prices: PriceList) -> str:
    """The whole page. The last deployment is production."""
    production = deployments[-1]
    parts = (
        _HEAD,
        *_idle(deployments, prices),
        *_payments(production, bench, prices),
        *_curve(production, bench, prices),
        *_savings(production, prices),
        *_settings(deployments, prices),
        _assumed(prices),
        *_prices(prices),
    )
    return "\n".join(parts) + "\n"


def _idle(deployments: Sequence[Deployment], prices: PriceList) -> Iterator[str]:
    yield "## Idle\n"
    yield f"Production in {COMPLETE}. AWS gives each account some of it for nothing, for ever: *after the free tiers*"
    yield "is for an account that uses them for nothing else.\n"
    yield from _table(deployments[-1].idle(prices, COMPLETE))
    yield "\n| environment | " + " | ".join(f"{region}, after the free tiers" for region in REGIONS) + " |"
    yield "| --- |" + " --- |" * len(REGIONS)
    for deployment in deployments:
        sums = (_both(deployment.idle(prices, region)) for region in REGIONS)
        yield f"| {deployment.stage} | " + " | ".join(sums) + " |"
    yield "\nA star marks a sum that holds prices of us-east-1, because the region's own were not read.\n"
    yield from _goals(deployments, prices)


def _goals(deployments: Sequence[Deployment], prices: PriceList) -> Iterator[str]:
    """The design's own goals, and by how much they are missed."""
    for deployment in deployments:
        goal = IDLE_GOALS.get(deployment.stage)
        if goal is None:
            continue
        found = deployment.idle(prices, COMPLETE).dollars_after_free
        verdict = "met" if found <= goal else f"missed by {_usd(found - goal)}"
        yield f"- The goal for {deployment.stage} is {goal} dollars after the free tiers: {verdict}."
    yield "\nAlarms are the largest part. Dev has only those that wake an operator (`ticket_alarms`); staging has all"
    yield "of production's, and is where they are tried."


def _payments(production: Deployment, bench: Mapping[str, Any], prices: PriceList) -> Iterator[str]:
    found = production.month(prices, COMPLETE, times(production.payment(bench), _MILLION))
    yield "\n## A million payments\n"
    metrics = _usd(prices.price("own_metric", COMPLETE).of(q.own_metrics()))
    yield f"In addition to the idle month, in {COMPLETE}. Own metrics do not grow with payments, but appear with the"
    yield f"first of them: at most {q.own_metrics()} with two providers, {metrics}.\n"
    yield from _table(found)
    thousand = found.dollars / 1000
    yield f"\n**{thousand:.3f} dollars a thousand payments.** The provider's fee is about a thousand times all of this."
    yield from _full_layout(bench, prices)
    yield from _batches(production, bench, prices, found)


def _full_layout(bench: Mapping[str, Any], prices: PriceList) -> Iterator[str]:
    """A new production has `compact_payments` off until no operator will go back to release 0.2.0."""
    compact, full = (int(bench["payments"][name]["writeUnits"]) for name in (WITH_ENDPOINT, FULL_WITH_ENDPOINT))
    more = prices.price("write_units", COMPLETE).of((full - compact) * _MILLION)
    yield "\nThis counts payments of the compact layout. As long as `compact_payments` is off, as in a new production"
    yield f"([upgrading](upgrading.md)), a payment takes {full} write units: {_usd(more)} dollars more."


def _batches(production: Deployment, bench: Mapping[str, Any], prices: PriceList, alone: Bill) -> Iterator[str]:
    """Compare the costs of full batches: the lines that differ, and the sum."""
    together = production.month(prices, COMPLETE, times(production.payment(bench, batch=FULL_BATCH), _MILLION))
    yield "\nThis assumes that each message comes alone, as at a few payments a second. Where payments come faster"
    yield f"than functions take messages, an event has up to {FULL_BATCH}:\n"
    yield f"| what | one message an event | {FULL_BATCH} messages an event |"
    yield "| --- | --- | --- |"
    for one, many in zip(alone.lines, together.lines, strict=True):
        if one.count != many.count:
            yield f"| {one.price.what} | {_usd(one.dollars)} | {_usd(many.dollars)} |"
    yield f"| **all of the table above** | **{_usd(alone.dollars)}** | **{_usd(together.dollars)}** |"


def _curve(production: Deployment, bench: Mapping[str, Any], prices: PriceList) -> Iterator[str]:
    yield "\n## Against four small containers"
    yield _CONTAINERS
    yield "| payments a month | PayFlowX | after the free tiers | containers alone | containers, whole |"
    yield "| --- | --- | --- | --- | --- |"
    dearer = 0
    for count in _CURVE:
        ours = production.month(prices, COMPLETE, production.with_payments(bench, count))
        alone = production.month(prices, COMPLETE, _tasks())
        whole = production.month(prices, COMPLETE, _whole(production.with_payments(bench, count)))
        cells = (ours.dollars, ours.dollars_after_free, alone.dollars, whole.dollars)
        yield f"| {count:,} | " + " | ".join(map(_usd, cells)) + " |"
        dearer = dearer or (count if ours.dollars > whole.dollars else 0)
    if dearer:
        yield f"\nFrom {dearer:,} payments a month on, of those above, PayFlowX costs more than the containers: API"
        yield "Gateway and Lambda are paid by request."


def _tasks() -> dict[str, float]:
    return {
        "container_cpu_hours": _TASKS * _TASK_CPU * q.HOURS,
        "container_gb_hours": _TASKS * _TASK_GB * q.HOURS,
    }


def _whole(ours: Mapping[str, float]) -> dict[str, float]:
    """Return the quantities that both need, and those that only containers need."""
    only_ours = {"api_requests", "gb_seconds", "invocations", "scheduled_runs", "nat_hours", "endpoint_hours"}
    shared = {name: count for name, count in ours.items() if name not in only_ours}
    needed = {
        "balancer_hours": q.HOURS,
        "balancer_units": q.HOURS,
        "address_hours": q.HOURS * (_TASKS + _ZONES),
    }
    return added(shared, _tasks(), needed)


def _savings(production: Deployment, prices: PriceList) -> Iterator[str]:
    methods = sum(
        resource["Type"] == "AWS::ApiGateway::Method"
        for template in production.templates.values()
        for resource in template["Resources"].values()
    )
    share = q.traced_share(production.templates)
    detailed = prices.price("own_metric", COMPLETE).of(methods * 5)
    traces = prices.price("traces", COMPLETE).of(q.API_REQUESTS * (1 - share) * _MILLION)
    logged = prices.price("log_gb", COMPLETE).of(q.API_REQUESTS * _BLOCKED_LOG_BYTES * _MILLION / 1e9)
    yield "\n## What is left out, and what it would cost\n"
    yield "| left out | dollars |"
    yield "| --- | --- |"
    yield f"| detailed metrics of {methods} methods, which no alarm reads | up to {_usd(detailed)} a month |"
    yield f"| traces of all requests instead of {share:.0%} | up to {_usd(traces)} a million payments |"
    yield f"| the web ACL's log of requests that no rule counted or blocked | {_usd(logged)} a million payments |"


def _settings(deployments: Sequence[Deployment], prices: PriceList) -> Iterator[str]:
    """List the switches of `infra/settings.py`. The three environments have most of these switched off."""

    def cost(**pieces: float) -> str:
        return _usd(sum(prices.price(name, COMPLETE).of(count) for name, count in pieces.items()))

    development, staging, *_ = (q.idle(deployment.templates) for deployment in deployments)
    tickets = {name: staging[name] - development[name] for name in ("alarm_metric", "composite_alarm")}
    egress = cost(nat_hours=_ZONES * q.HOURS, address_hours=_ZONES * q.HOURS)
    endpoints = cost(endpoint_hours=5 * _ZONES * q.HOURS)
    yield "\n## Settings with a price\n"
    yield "| setting | dollars a month |"
    yield "| --- | --- |"
    requests = cost(web_acl_requests=_MILLION)
    yield f"| `firewall` | {cost(web_acl=1, web_acl_rule=3)}, and {requests} a million requests |"
    yield f"| `fixed_egress`: a NAT gateway and an address in each of two zones | {egress}, and {cost(nat_gb=1)} a GB |"
    yield f"| interface endpoints for five services in two zones, which `fixed_egress` does without | {endpoints} |"
    yield f"| `domain`: a hosted zone; the certificate costs nothing | {cost(hosted_zone=1)} |"
    yield "| `monthly_budget`, `notify_costs_to`: a budget and a monitor of anomalies | 0.00 |"
    yield f"| `ticket_alarms`: alarms that can wait until the morning | {cost(**tickets)} |"
    yield "| `canary`, `gradual_routing`, `usage_plans` (a merchant's throttle) | 0.00 |"


def _assumed(prices: PriceList) -> str:
    runs = ", ".join(f"`{run.function}` {run.invocations} x {run.seconds}" for run in q.RUNS)
    gigabytes = q.STORED_BYTES * _MILLION / 1e9
    stored = sum(prices.price(name, COMPLETE).of(gigabytes) for name in ("table_gb", "recovery_gb"))
    more = ", ".join(f"{run.seconds_more} (`{run.function}`)" for run in q.RUNS if run.seconds_more is not None)
    return _ASSUMED.format(runs=runs, more=more, stored=_usd(stored))


def _prices(prices: PriceList) -> Iterator[str]:
    yield f"## The price list\n\nRead on {prices.read_on}. *Not read*: {COMPLETE}'s price"
    yield "stands in for one that was not found.\n"
    yield "| price of | " + " | ".join(REGIONS) + " | source | list of |"
    yield "| --- |" + " --- |" * (len(REGIONS) + 2)
    for entry in prices.prices.values():
        per = f" (each {entry['per']:,})" if entry["per"] > 1 else ""
        cells = [f"{entry[region]['usd']:.10g}" if entry[region] else "not read" for region in REGIONS]
        used = dict.fromkeys(entry[region]["source"] for region in REGIONS if entry[region])
        dates = ", ".join(dict.fromkeys(prices.sources[source]["date"] for source in used))
        yield f"| {entry['what']}{per} | " + " | ".join(cells) + f" | {', '.join(used)} | {dates} |"
    yield "\n| source | |\n| --- | --- |"
    for name, source in prices.sources.items():
        yield f"| {name} | {source['what']} |"
    yield f"\nFree in each month, for ever ({prices.free_source}):\n"
    for name, count in prices.free.items():
        yield f"- {prices.prices[name]['what'].removesuffix(', a month')}: {count:,}"


def _table(found: Bill) -> Iterator[str]:
    yield "| what | count | dollars | after the free tiers |"
    yield "| --- | --- | --- | --- |"
    for line in found.lines:
        yield f"| {line.price.what} | {_count(line.count)} | {_usd(line.dollars)} | {_usd(line.dollars_after_free)} |"
    yield f"| **all** | | **{_usd(found.dollars)}** | **{_usd(found.dollars_after_free)}** |"


def _both(found: Bill) -> str:
    star = "*" if found.guessed else ""
    return f"{_usd(found.dollars)}{star}, {_usd(found.dollars_after_free)}{star}"


def _usd(dollars: float) -> str:
    return f"{dollars:,.2f}"


def _count(count: float) -> str:
    return f"{count:,.0f}" if count >= 10 else f"{count:.3g}"
