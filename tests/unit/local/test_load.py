"""The load's clients repeat as they are told, and its report names each broken condition."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
import pytest

from local.load.clients import Clients, Measured, final_after_ms, retry_after_seconds
from local.load.result import Report, charges_by_key, percentile


def measured(**changes: Any) -> Measured:
    values: dict[str, Any] = {
        "statuses": Counter({202: 2, 200: 2, 429: 1}),
        "latencies_ms": [10.0, 20.0],
        "accepted": {"a": "pay_a", "b": "pay_b"},
        "accepted_after_seconds": [1.5, 2.5],
        "final": {"pay_a": "SUCCESS", "pay_b": "SUCCESS"},
        "provider_keys": {"pfx-a-1": "pay_a", "pfx-b-1": "pay_b"},
        "final_ms": [100.0, 300.0],
    }
    return Measured(**values | changes)


GOOD = Report(
    payments=2,
    measured=measured(),
    charged={"pfx-a-1": 1, "pfx-b-1": 1},
    function_processes=24,
    total_rss_kib=1024 * 1500,
    function_rss_kib=1024 * 60,
    seconds=4.0,
)


def test_a_load_that_held_has_no_failure_and_a_table() -> None:
    assert GOOD.failures() == []
    lines = [line.split() for line in GOOD.table().splitlines()]
    for line in (["payments", "2"], ["answered", "429", "1"], ["answered", "5xx", "0"], ["final:", "SUCCESS", "2"]):
        assert line in lines
    assert ["peak", "function", "processes", "24"] in lines
    assert ["accepted", "per", "second", "0.8"] in lines
    assert ["first", "payment", "accepted", "after", "1.5", "s"] in lines


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"statuses": Counter({202: 2, 503: 1})}, "1 answers were server errors"),
        ({"statuses": Counter({202: 2, 0: 3})}, "3 requests got no answer"),
        ({"accepted": {"a": "pay_a"}}, "1 payments were not accepted"),
        ({"accepted": {"a": "pay_a", "b": "pay_a"}}, "1 keys share a payment with another key"),
        ({"final": {"pay_a": "SUCCESS"}}, "1 accepted payments are lost or not final"),
        ({"final": {"pay_a": "SUCCESS", "pay_b": "FAILED"}}, "1 payments did not succeed"),
    ],
)
def test_the_report_names_each_failure(changes: dict[str, Any], failure: str) -> None:
    assert failure in replace(GOOD, measured=measured(**changes)).failures()


def test_the_report_names_charges_and_processes() -> None:
    wrong = "1 payments do not have exactly one charge at the providers"
    assert replace(GOOD, charged={"pfx-a-1": 2, "pfx-b-1": 1}).failures() == [wrong]
    assert replace(GOOD, charged={"pfx-a-1": 1}).failures() == [wrong]
    assert replace(GOOD, function_processes=26).failures() == ["2 function processes more than 24"]


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([7.0], 99) == 7
    assert percentile([], 50) == 0


def test_only_what_was_charged_counts() -> None:
    entries = [{"reference": "k", "status": status} for status in ("charged", "charged", "declined")]
    assert charges_by_key(entries) == {"k": 2}


def test_times_come_from_the_payment_and_waits_from_the_answer() -> None:
    payment = {"createdAt": "2026-11-28T01:00:00.100Z", "updatedAt": "2026-11-28T01:00:01.600Z"}
    assert final_after_ms(payment) == pytest.approx(1500)
    assert retry_after_seconds({"retry-after": "3"}) == 3
    assert retry_after_seconds({}) == 1
    assert retry_after_seconds({"retry-after": "soon"}) == 1


def run(handler: Any, *, payments: int, clients: int, seconds: float = 60) -> tuple[Measured, list[float]]:
    waits: list[float] = []
    result = Measured()

    async def sleep(wait: float) -> None:
        waits.append(wait)
        await asyncio.sleep(0)

    async def whole() -> None:
        transport = httpx.MockTransport(handler)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
            load = Clients(http, result, deadline=time.monotonic() + seconds, sleep=sleep)
            await load.pay(payments=payments, clients=clients, run="1")
            await load.settle()

    asyncio.run(whole())
    return result, waits


def test_a_refused_payment_is_repeated_with_its_key_after_the_wait() -> None:
    seen: Counter[str] = Counter()

    def api(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            times = {"createdAt": "2026-11-28T01:00:00Z", "updatedAt": "2026-11-28T01:00:01Z"}
            stem = request.url.path.rpartition("_")[2]
            attempts = [{"providerKey": f"pfx-{stem}-1"}]
            status = "SUCCESS" if seen[request.url.path] else "PENDING"
            seen[request.url.path] += 1
            return httpx.Response(200, json={"status": status, "attempts": attempts, **times})
        key = request.headers["idempotency-key"]
        seen[key] += 1
        if seen[key] == 1:
            return httpx.Response(429, headers={"Retry-After": "2"})
        if seen[key] == 2:
            raise httpx.ReadError("reset")
        assert json.loads(request.content)["paymentMethod"]["token"] == "tok_success"
        return httpx.Response(202, json={"transactionId": f"pay_{key}"})

    result, waits = run(api, payments=7, clients=3)
    assert len(result.accepted) == len(result.final) == 7
    assert (result.statuses[429], result.statuses[0], result.statuses[202]) == (7, 7, 7)
    assert waits.count(2.0) == 7


def test_the_deadline_ends_it() -> None:
    result, _ = run(lambda _request: httpx.Response(429), payments=5, clients=2, seconds=0.05)
    assert not result.accepted
