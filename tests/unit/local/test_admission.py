"""At most so many requests at the engine, at most so many in the queue; the others are refused."""

import asyncio

import pytest

from local.admission import Admission, Limits, QueueFullError
from local.errors import LocalEnvironmentError


def test_places_are_given_in_order_and_never_more_than_there_are() -> None:
    async def run() -> tuple[list[int], int]:
        admission, order, most, inside = Admission(Limits(at_once=2, waiting=10)), [], 0, 0

        async def request(number: int) -> None:
            nonlocal most, inside
            await admission.enter()
            inside += 1
            most = max(most, inside)
            order.append(number)
            await asyncio.sleep(0)
            inside -= 1
            admission.leave()

        await asyncio.gather(*(request(number) for number in range(12)))
        return order, most

    assert asyncio.run(run()) == (list(range(12)), 2)


def test_a_full_queue_refuses_and_a_place_that_is_left_is_taken_by_who_waits() -> None:
    async def run() -> None:
        admission = Admission(Limits(at_once=1, waiting=1))
        await admission.enter()
        waiting = asyncio.create_task(admission.enter())
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await admission.enter()
        admission.leave()
        await waiting
        with pytest.raises(QueueFullError):
            await asyncio.gather(admission.enter(), admission.enter())

    asyncio.run(run())


def test_one_that_waits_too_long_is_refused_and_takes_no_place_afterwards() -> None:
    async def run() -> None:
        admission = Admission(Limits(at_once=1, waiting=5), wait_seconds=0.01)
        await admission.enter()
        with pytest.raises(QueueFullError):
            await admission.enter()
        admission.leave()
        await admission.enter()

    asyncio.run(run())


def test_the_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert Limits.read() == Limits(at_once=4, waiting=64)
    monkeypatch.setenv("API_CONCURRENCY", "3")
    monkeypatch.setenv("API_QUEUE", "0")
    assert Limits.read() == Limits(at_once=3, waiting=0)


@pytest.mark.parametrize(("name", "value"), [("API_CONCURRENCY", "0"), ("API_CONCURRENCY", "x"), ("API_QUEUE", "-1")])
def test_a_wrong_limit_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(LocalEnvironmentError, match=f"{name} must be a whole number"):
        Limits.read()
