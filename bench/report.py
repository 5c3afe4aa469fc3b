"""docs/performance.md as Markdown, from the suite's JSON."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bench.cold_start import BASE as BOTO3
from bench.cold_start import TARGETS, TRIALS
from bench.costs.page import IDLE_GOALS
from bench.costs.prices import COMPLETE
from bench.growth import LARGE, SMALL
from bench.hot_path import AWS_MS, BASE, TRIAL, VARIANTS
from bench.hot_path import WITH_ENDPOINT as NOTIFIED
from bench.hot_path import WITHOUT_ENDPOINTS as UNNOTIFIED
from bench.log_bytes import FULL_BATCH, MAX_BYTES_OF_PAYMENT
from bench.payment_counts import ORDERED, WITH_ENDPOINT, WITHOUT_ENDPOINTS
from simulation.calibration import MIN_SPEED

Found = Mapping[str, Any]

_NOT_OURS: Final = {BOTO3, *TRIALS}
"""Rows of handlers whose bytecode is not deployed."""

_HEAD: Final = """# Performance

Written by `make bench`, which also writes `docs/performance.json`. Counts are the same on every machine, and tests hold
them; only the count of all modules at a start has those of Python and of libraries, too. Times are CPU time, as ratios
to a baseline that ran in the same shuffled rounds on one machine, medians with quartiles; they are no gates. AWS and
the provider are models in another process.

Not measured here, because no machine but AWS can show it: milliseconds of a real cold start, latencies of DynamoDB and
SQS, SnapStart, arm64 against x86, and what API Gateway adds.
"""
_BASELINES: Final = """
- *boto3 and two clients*: `import boto3` and clients for DynamoDB and SQS, with the SDK as AWS ships it, compiled.
- *original*: the calls of the design that this product began with, by plain boto3 (`bench/baselines/original.py`):
  nine calls and 4 write units a payment, and its share of the polls of the queue, of which each takes up to ten
  messages: {calls} calls in the run below. Its provider is a function in the same process; ours is called over HTTP.
- *prototype*: one transaction to accept, two updates around the charge (`bench/baselines/prototype.py`). It has no
  audit log, no routing, no metrics, no webhooks, and no answer to a lost response.

Rows with *signed client* are a trial that is not deployed: our code, with clients that sign requests themselves instead
of botocore's (`bench/trials/signed_aws.py`, [decision 39](decisions/0039-the-well-kept-client.md)).
"""


def report(found: Found) -> str:
    """The whole page. `found` has `counted` and `measured`, as docs/performance.json."""
    counted, measured = found["counted"], found["measured"]
    parts = (
        _HEAD,
        *_summary(counted, measured),
        "\n## The baselines",
        _BASELINES.format(calls=measured["cpu"][BASE]["callsAPayment"]),
        *_cold_starts(measured),
        *_hot_path(measured),
        *_checkouts(measured),
        *_calls(counted),
        *_logs(counted),
        *_dollars(counted),
        *_growth(counted),
        *_others(measured),
        *_modules(counted),
    )
    return "\n".join(parts) + "\n"


def _summary(counted: Found, measured: Found) -> Iterator[str]:
    machine = measured["machine"]
    yield "## A payment\n"
    yield (
        f"One run on {machine['processors']} processors ({machine['architecture']}), Python {machine['python']}, "
        f"{machine['rounds']} rounds of {machine['payments']} payments.\n"
    )
    yield from _row("measure", "now", "goal", "held by")
    yield from _row("---", "---", "---", "---")
    cpu = {name: _spread(row["ratio"]) for name, row in measured["cpu"].items()}
    accept = {name: _spread(row["ratio"]) for name, row in measured["acceptTimes"].items()}
    rows = counted["payments"]
    plain, hooked, ordered = rows[WITHOUT_ENDPOINTS], rows[WITH_ENDPOINT], rows[ORDERED]
    logged = counted["logBytes"][str(FULL_BATCH)]["bytes"]
    dollars, batched = (sum(counted[name].values()) for name in ("dollarsAMillion", "dollarsInFullBatches"))
    flat = "yes" if _is_flat(counted["growth"]) else "no"
    yield from _row(
        "CPU a payment, ratio to the original's calls",
        f"{cpu[UNNOTIFIED]} without an endpoint, {cpu[NOTIFIED]} with one",
        "0.8, 1.0",
        "",
    )
    yield from _row(
        "calls of AWS",
        f"{plain['total']} without an endpoint, {hooked['total']} with one",
        "5, 7",
        _TESTS["counts"],
    )
    yield from _row(
        "write units, index entries counted",
        f"{_number(plain['writeUnits'])} without an endpoint, {_number(hooked['writeUnits'])} with one, "
        f"{_number(ordered['writeUnits'])} with an order",
        "12, 15, 17",
        _TESTS["counts"],
    )
    yield from _row("time to accept, median, ratio to the original's calls", accept[UNNOTIFIED], "0.60", "")
    yield from _row("bytes of log, in full batches", str(logged), f"{MAX_BYTES_OF_PAYMENT:,}", _TESTS["logs"])
    yield from _row(
        "list price of a million, dollars", f"{dollars:.2f}, in full batches {batched:.2f}", "20", _TESTS["costs"]
    )
    idle = counted["idleMonth"]
    yield from _row(
        f"an idle month in {COMPLETE} after the free tiers, dollars",
        ", ".join(f"{dollars:.2f} in {stage}" for stage, dollars in idle.items()),
        ", ".join(str(IDLE_GOALS[stage]) for stage in idle),
        _TESTS["costs"],
    )
    yield from _row(
        f"calls and units are the same with {LARGE // SMALL} times the payments", flat, "yes", _TESTS["growth"]
    )
    yield from _row("sources and texts compiled at a start", str(_compiled(measured)), "0", _TESTS["start"])
    yield "\nEach row is made by `make bench`; the counts alone by `python -m bench counts`."
    yield from _misses(measured, counted)


def _misses(measured: Found, counted: Found) -> Iterator[str]:
    """Why a goal is missed, and what would reach it."""
    trial = measured["cpu"][TRIAL]["ratio"]["median"]
    dollars, batched = counted["dollarsAMillion"], counted["dollarsInFullBatches"]
    fixed = dollars["api_requests"] + dollars["write_units"]
    yield (
        "\n*CPU a payment.* About two thirds of it are botocore's calls. A client that signs requests itself would "
        f"take {trial:.2f} without an endpoint; [decision 39](decisions/0039-the-well-kept-client.md) says why "
        "functions keep botocore."
    )
    yield (
        f"\n*List price.* Three requests of a REST API and the write units alone are {fixed:.2f} dollars. An HTTP API "
        "would save 7.50, and takes no web ACL ([decision 6](decisions/0006-rest-api.md)). The largest part, "
        f"{dollars['gb_seconds']:.2f}, is time in which functions wait for a provider or an endpoint, where each "
        f"message comes alone; in full batches of {FULL_BATCH} they wait side by side, and it is "
        f"{batched['gb_seconds']:.2f}."
    )


_TESTS: Final = {
    "counts": "`tests/unit/bench/test_units.py`",
    "logs": "`tests/integration/test_log_bytes.py`",
    "costs": "`tests/infra/test_costs.py`",
    "growth": "`tests/unit/bench/test_growth.py`",
    "start": "`tests/infra/test_bytecode.py`",
}


def _row(*cells: str) -> Iterator[str]:
    yield f"| {' | '.join(cells)} |"


def _is_flat(growth: Found) -> bool:
    return all(len({str(row) for row in sizes.values()}) == 1 for sizes in growth.values())


def _compiled(measured: Found) -> int:
    return sum(
        row["compiled"] + row["generated"] for name, row in measured["coldStarts"].items() if name not in _NOT_OURS
    )


def _cold_starts(measured: Found) -> Iterator[str]:
    yield "## Cold starts\n"
    yield "Import and first event of each handler in the deployed layout. The first event of `api.handler` accepts a"
    yield "payment, that of `worker` charges one; queues without history get an empty batch.\n"
    yield "| handler | ratio to boto3 and two clients | goal | import ms | first event ms | modules, ours | MB |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for name, row in measured["coldStarts"].items():
        goal = f"{TARGETS[name]}" if name in TARGETS else ""
        parts = f"{row['importMs']['median']:.0f} | {row['firstMs']['median']:.0f}"
        size = f"{row['modules']}, {row['ours']} | {row['rssMb']:.0f}"
        yield f"| `{name}` | {_spread(row['ratio'])} | {goal} | {parts} | {size} |"


def _hot_path(measured: Found) -> Iterator[str]:
    yield "\n## CPU time and time to accept\n"
    yield "Milliseconds of CPU a payment, warm, ten messages an event. *Finish*: our deliverer, its webhook."
    waits = " and ".join(f"{ms:.0f} ms for {service}" for service, ms in AWS_MS.items())
    yield f"The time to accept is that of one client, with {waits}.\n"
    yield "| | ratio | accept | work | finish | calls | time to accept, ratio | p50 ms | p99 ms |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for name in VARIANTS:
        cpu, accept = measured["cpu"][name], measured["acceptTimes"][name]
        steps = " | ".join(f"{cpu[step]['median']:.2f}" for step in ("accept", "work", "finish"))
        yield (
            f"| {name} | {_spread(cpu['ratio'])} | {steps} | {cpu['callsAPayment']} | {_spread(accept['ratio'])} "
            f"| {accept['p50Ms']['median']:.1f} | {accept['p99Ms']:.1f} |"
        )


def _checkouts(measured: Found) -> Iterator[str]:
    yield "\n## Checkouts\n"
    found = measured["checkout"]
    yield "Milliseconds of CPU a request, warm, by `PYTHONPATH=functions:. python -m bench checkout`;"
    yield f"{found['rounds']} rounds of {found['checkouts']} checkouts. The payer's page has"
    yield f"{found['pageBytes']:,} bytes, without its style and script. The other steps are counted below.\n"
    yield "| request | CPU ms | calls of AWS |\n| --- | --- | --- |"
    for step, name in {"create": "create a checkout", "page": "show its page to the payer"}.items():
        row = found[step]
        yield f"| {name} | {_spread(row['cpuMs'])} | {row['calls']:g} |"


def _calls(counted: Found) -> Iterator[str]:
    yield "\n## Calls and units\n"
    yield "Warm functions, a provider that answers in one request, a payment with customer and metadata. Index"
    yield "entries are counted; Lambda's own calls of the queues are not.\n"
    yield "| | calls | write units | read units | bytes of writes | which |\n| --- | --- | --- | --- | --- | --- |"
    for name, row in counted["payments"].items():
        which = ", ".join(f"{count} {call}" for call, count in row["calls"].items())
        units = f"{_number(row['writeUnits'])} | {_number(row['readUnits'])}"
        yield f"| {name} | {row['total']} | {units} | {row['bytesWritten']} | {which} |"


def _logs(counted: Found) -> Iterator[str]:
    yield "\n## Log lines\n"
    yield "Bytes a payment of accept, worker and deliverer. The messages of an event share one line of metrics.\n"
    yield "| messages an event | bytes | lines | of these |\n| --- | --- | --- | --- |"
    for batch, row in counted["logBytes"].items():
        kinds = ", ".join(f"{kind} {count}" for kind, count in row["byKind"].items())
        yield f"| {batch} | {row['bytes']} | {row['lines']} | {kinds} |"


def _dollars(counted: Found) -> Iterator[str]:
    yield "\n## Dollars a million payments\n"
    yield "In production, without the idle month, in the compact layout; [the bill](costs.md) says what is assumed."
    yield "Each line is rounded by itself, and so is the sum.\n"
    yield f"| what | one message an event | {FULL_BATCH} messages an event |\n| --- | --- | --- |"
    alone, batched = counted["dollarsAMillion"], counted["dollarsInFullBatches"]
    yield from (f"| {name.replace('_', ' ')} | {alone[name]:.2f} | {batched[name]:.2f} |" for name in alone)
    yield f"| **all** | **{sum(alone.values()):.2f}** | **{sum(batched.values()):.2f}** |"


def _growth(counted: Found) -> Iterator[str]:
    yield "\n## Growth\n"
    yield "Calls, write units and read units of a request, by payments of the merchant. The suite does not go to a"
    yield "million: the model holds all items in memory, which takes about a minute of a processor and 4 GB then."
    yield "`PYTHONPATH=functions:. python -m bench.growth 1000000` does, with the same counts when it was run last.\n"
    sizes = list(next(iter(counted["growth"].values())))
    yield "| | " + " | ".join(f"{int(size):,}" for size in sizes) + " |"
    yield "| --- |" + " --- |" * len(sizes)
    for name, by_size in counted["growth"].items():
        cells = (f"{r['calls']}, {_number(r['writeUnits'])}, {_number(r['readUnits'])}" for r in by_size.values())
        yield f"| {name} | " + " | ".join(cells) + " |"


def _others(measured: Found) -> Iterator[str]:
    drained, routed, simulator = measured["drain"], measured["routing"], measured["simulator"]
    yield "\n## Backlog, routing, simulator\n"
    yield (
        f"A full batch with a provider of 300 ms takes {drained['batchMs']:.0f} ms; the rest is calculated, with "
        f"{drained['concurrency']} instances.\n"
    )
    yield "| jobs | seconds | ideal | one message after the other |\n| --- | --- | --- | --- |"
    for size, row in drained["backlogs"].items():
        yield f"| {int(size):,} | {row['ours']:,} | {row['ideal']:,} | {row['oneByOne']:,} |"
    decisions = ", ".join(f"{spread['median']:.0f} with {rules} rules" for rules, spread in routed.items())
    yield f"\nA routing decision takes {decisions}, in microseconds; a document may have no more."
    yield (
        f"\nThe simulator: {simulator['perCpuSecond']} payments and operations a CPU-second, {simulator['perLoop']} a "
        f"calibration loop (floor {MIN_SPEED}, [proof](proof.md))."
    )


def _modules(counted: Found) -> Iterator[str]:
    yield "\n## Modules at a start\n"
    yield "`tests/architecture/test_cold_start.py` holds the bounds, and `tests/unit/bench/test_performance_page.py`"
    yield "compares *ours* with today's. *All* has the modules of Python and of libraries, too, and is not compared.\n"
    yield "| handler | ours | bound | all |\n| --- | --- | --- | --- |"
    for name, row in counted["modules"].items():
        yield f"| `{name}` | {row['ours']} | {row['bound']} | {row['all']} |"


def _spread(document: Found) -> str:
    return f"{document['median']:.2f} ({document['low']:.2f} to {document['high']:.2f})"


def _number(value: float) -> str:
    return f"{value:g}"
