"""A background thread repeats its action until it is stopped, and begins it no more after that."""

import threading
import time

import pytest

from local.background import Background

PATIENT_SECONDS = 60


@pytest.mark.parametrize("at_once", [True, False])
def test_it_repeats_the_action_until_it_is_stopped(at_once: bool) -> None:
    repeated, calls = threading.Event(), []

    def action() -> None:
        calls.append(1)
        if len(calls) == 3:
            repeated.set()

    background = Background(action=action, interval_seconds=0.001, at_once=at_once)
    background.start()
    assert repeated.wait(PATIENT_SECONDS)
    background.stop()
    ended_at = len(calls)
    time.sleep(0.05)
    assert len(calls) == ended_at


def test_at_once_does_not_wait_for_the_first_interval() -> None:
    called = threading.Event()
    background = Background(action=called.set, interval_seconds=PATIENT_SECONDS, at_once=True)
    background.start()
    assert called.wait(PATIENT_SECONDS / 2)
    background.stop()


def test_without_it_a_stop_before_the_first_interval_leaves_the_action_out() -> None:
    calls: list[int] = []
    background = Background(action=lambda: calls.append(1), interval_seconds=PATIENT_SECONDS)
    background.start()
    background.stop()
    assert calls == []


def test_a_stop_waits_for_the_action_that_runs() -> None:
    began, goes_on, done = threading.Event(), threading.Event(), []

    def action() -> None:
        began.set()
        goes_on.wait(PATIENT_SECONDS)
        done.append(1)

    background = Background(action=action, interval_seconds=PATIENT_SECONDS, at_once=True)
    background.start()
    assert began.wait(PATIENT_SECONDS)
    background.stop(0.001)
    assert done == []
    goes_on.set()
    background.stop()
    assert done == [1]


def test_a_stop_without_a_start_does_nothing() -> None:
    Background(action=lambda: None, interval_seconds=PATIENT_SECONDS).stop()
