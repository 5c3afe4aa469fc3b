"""The verdict of `make soak`: growth is found under noise and outliers, and noise alone is no growth."""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import httpx
import pytest

from local.load.clients import Clients, Measured
from local.merchant_endpoint import Message, Received
from local.process_table import Process
from local.soak.__main__ import Soak
from local.soak.samples import TOLERANCES, of_processes, queue_name, series_of
from local.soak.steady import SteadyLoad
from local.soak.verdict import Finding, Series, Tolerance, Verdict, judge, robust_slope, second_half, table

TIMES = [10.0 * number for number in range(61)]
MEMORY = Tolerance(absolute=5, share=0.05)


def judged(values: list[float], tolerance: Tolerance = MEMORY) -> Finding:
    samples = list(zip(TIMES, values, strict=False))
    return judge(Series(name="memory", unit="MiB", tolerance=tolerance, samples=samples))


def noisy(amplitude: float, seed: int, *, per_second: float = 0.0) -> list[float]:
    rng = random.Random(seed)
    return [100 + per_second * at + rng.uniform(-amplitude, amplitude) for at in TIMES]


def test_a_constant_is_flat() -> None:
    found = judged([100.0] * 61)
    assert (found.verdict, found.growth, found.median) == (Verdict.FLAT, 0.0, 100.0)


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_flat(seed: int) -> None:
    assert judged(noisy(5, seed)).verdict is Verdict.FLAT


@pytest.mark.parametrize("seed", range(20))
def test_a_steady_growth_is_found_under_the_same_noise(seed: int) -> None:
    """15 MiB over the judged 300 s."""
    assert judged(noisy(5, seed, per_second=0.05)).verdict is Verdict.GROWING


def test_growth_in_steps_is_found() -> None:
    assert judged([100 + 4.0 * (number // 10) for number in range(61)]).verdict is Verdict.GROWING


def test_a_fifth_of_outliers_is_no_growth() -> None:
    late = [100.0] * 49 + [100.0, 400.0] * 6
    assert judged(late).verdict is Verdict.FLAT


def test_outliers_do_not_hide_growth() -> None:
    values = [100 + 0.1 * at for at in TIMES]
    values[35], values[45] = 900.0, 0.0
    assert judged(values).verdict is Verdict.GROWING


def test_warming_up_in_the_first_half_is_no_growth() -> None:
    assert judged([float(min(number, 25)) * 10 for number in range(61)]).verdict is Verdict.FLAT


def test_shrinking_is_flat() -> None:
    assert judged([500 - 5.0 * number for number in range(61)]).verdict is Verdict.FLAT


def test_the_tolerance_is_the_larger_of_both() -> None:
    values = [100 + 0.02 * at for at in TIMES]  # 6 over the judged half
    assert judged(values, Tolerance(absolute=7)).verdict is Verdict.FLAT
    assert judged(values, Tolerance(absolute=0, share=0.1)).verdict is Verdict.FLAT
    assert judged(values, Tolerance(absolute=5)).verdict is Verdict.GROWING


def test_a_single_dead_letter_is_too_many_even_if_it_was_there_from_the_beginning() -> None:
    assert judged([1.0] * 61, Tolerance(absolute=0, at_most=0)).verdict is Verdict.TOO_MANY


@pytest.mark.parametrize("count", [0, 1, 2, 8])
def test_too_few_samples_are_no_success(count: int) -> None:
    found = judged([100.0] * count)
    assert found.verdict is Verdict.TOO_FEW
    assert not found.is_good


def test_slopes_and_halves() -> None:
    assert robust_slope([(0, 0), (2, 1), (4, 2)]) == 0.5
    assert robust_slope([(1, 5)]) == 0.0
    assert second_half([(0, 1), (10, 2), (20, 3)]) == [(10, 2), (20, 3)]


def test_the_table_names_every_figure_with_its_verdict() -> None:
    lines = table([judged([100.0] * 61)], {"payments": "7"}).splitlines()
    assert lines[0].split() == ["payments", "7"]
    assert lines[-1].split() == ["memory,", "MiB", "100.0", "100.0", "100.0", "0.0", "5.0", "flat"]


PROCESSES = [
    Process(pid=1, rss_kib=100 * 1024, command="python -m local.soak"),
    Process(pid=2, rss_kib=300 * 1024, command="python -m ministack"),
    Process(pid=3, rss_kib=60 * 1024, command="python /t/ministack-lambda-Dev-Worker-1/_worker.py"),
    Process(pid=4, rss_kib=50 * 1024, command="python /t/ministack-lambda-Dev-Api-1/_worker.py"),
]


def test_processes_are_counted_by_part() -> None:
    figures = of_processes(PROCESSES, lambda pid: 10 * pid, root=1)
    assert figures == {
        "memory of the functions": 110,
        "largest function process": 60,
        "memory of the launcher": 100,
        "memory of the engine and simulators": 300,
        "function processes": 2,
        "other processes": 2,
        "open files of the functions": 70,
        "largest function's open files": 40,
        "other open files": 30,
    }
    assert set(TOLERANCES) <= set(figures)


def test_queues_have_a_series_each_and_a_missing_figure_is_not_flat() -> None:
    assert queue_name("NoticesQueueUrl") == "queue: provider events"
    assert queue_name("JobsDeadLetterQueueUrl") == "dead letters: jobs"
    samples = [(at, {"queue: jobs": 0.0, "dead letters: jobs": 1.0}) for at in TIMES]
    found = {finding.name: finding.verdict for finding in map(judge, series_of(samples, TOLERANCES))}
    assert found["queue: jobs"] is Verdict.FLAT
    assert found["dead letters: jobs"] is Verdict.TOO_MANY
    assert found["memory of the functions"] is Verdict.TOO_FEW


# -- the load


def steady(answer: httpx.Response, *, at_a_second: float = 10.0) -> tuple[SteadyLoad, list[float]]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    http = httpx.AsyncClient(base_url="http://x", transport=httpx.MockTransport(lambda _: answer))
    clients = Clients(http, Measured(), deadline=time.monotonic() + 0.5, sleep=sleep)
    return SteadyLoad(clients, payments_per_second=at_a_second), slept


def test_a_payment_that_is_accepted_is_read_until_it_is_final() -> None:
    payment = {
        "transactionId": "pay_a",
        "status": "SUCCESS",
        "attempts": [],
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:01Z",
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(202 if request.method == "POST" else 200, json=payment)

    load, slept = steady(httpx.Response(200))
    object.__setattr__(
        load.clients, "http", httpx.AsyncClient(base_url="http://x", transport=httpx.MockTransport(answer))
    )
    asyncio.run(load.run(seconds=0.3, run="r"))
    assert (load.placed, load.held_back) == (3, 0)
    assert load.clients.measured.final == {"pay_a": "SUCCESS"}
    assert 0.0 < max(slept) <= 2.0


# -- the conditions


def soak(**changes: Any) -> Soak:
    load, _ = steady(httpx.Response(200))
    load.placed = 2
    values: dict[str, Any] = {
        "load": load,
        "measured": Measured(final={"pay_a": "SUCCESS", "pay_b": "SUCCESS"}),
        "received": Received(
            accepted=Counter([Message(event_id="e", transaction_id="pay_a", sequence=1, kind="payment.succeeded")])
        ),
        "findings": [judged([100.0] * 61)],
        "stored_kib": 3.0,
    }
    return Soak(**values | changes)


def test_a_soak_that_held() -> None:
    assert soak().failures() == []
    assert "flat" in soak().table()


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"measured": Measured(final={"pay_a": "SUCCESS"})}, "1 payments were not accepted or did not succeed"),
        ({"received": Received(forged=2)}, "2 webhooks had no valid signature"),
        ({"findings": [judged([100 + at for at in TIMES])]}, "memory: growing"),
        ({"findings": [judged([1.0])]}, "memory: too few samples"),
    ],
)
def test_each_broken_condition_is_named(changes: dict[str, Any], failure: str) -> None:
    assert failure in soak(**changes).failures()


def test_payments_that_were_held_back_are_named() -> None:
    report = soak()
    report.load.held_back = 1
    assert "1 were held back" in report.failures()
