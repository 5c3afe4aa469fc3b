"""Tasks side by side: all of them end, never more at once than asked for, in threads that are kept."""

import threading
import time
from collections.abc import Callable

import pytest

from payflowx.adapters.platform.threads import Threads
from payflowx.domain.shared.limits import MAX_ENDPOINTS

_PATIENCE_SECONDS = 60


def test_all_tasks_end_before_an_exception_of_one_is_raised() -> None:
    done: list[int] = []

    def fail() -> None:
        raise ZeroDivisionError

    def slowly(number: int) -> None:
        time.sleep(0.01)
        done.append(number)

    with pytest.raises(ZeroDivisionError):
        Threads(3).run([fail, *(lambda n=n: slowly(n) for n in range(20))])  # type: ignore[misc]
    assert sorted(done) == list(range(20))


def test_no_task_is_nothing_to_do() -> None:
    Threads(10).run([])


@pytest.mark.parametrize(("most", "tasks"), [(1, 5), (3, 9), (10, 4)])
def test_as_many_run_at_once_as_allowed_and_no_more(most: int, tasks: int) -> None:
    running, seen, lock = 0, [0], threading.Lock()
    together = threading.Barrier(min(most, tasks))

    def task() -> None:
        nonlocal running
        with lock:
            running += 1
            seen.append(running)
        if len(seen) <= together.parties + 1:
            together.wait(_PATIENCE_SECONDS)
        time.sleep(0.002)
        with lock:
            running -= 1

    Threads(most).run([task] * tasks)
    assert max(seen) == together.parties


def test_ten_messages_post_to_all_their_endpoints_at_once() -> None:
    """An endpoint that hangs would otherwise take the time of another one."""
    threads, together = Threads(10), threading.Barrier(10 * MAX_ENDPOINTS)

    def post() -> None:
        together.wait(_PATIENCE_SECONDS)

    threads.run([lambda: threads.run([post] * MAX_ENDPOINTS)] * 10)


def test_tasks_that_run_tasks_end_however_deep_they_are() -> None:
    """Each caller does what no kept thread is free for, so nothing stands still with fewer threads than callers."""
    threads, ended, lock = Threads(10), [0], threading.Lock()

    def within(depth: int) -> Callable[[], None]:
        def task() -> None:
            if depth:
                threads.run([within(depth - 1)] * 5)
            else:
                with lock:
                    ended[0] += 1

        return task

    threads.run([within(4)] * 5)
    assert ended == [5**5]


def test_a_machine_that_gives_no_further_thread_does_all_in_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    done: list[int] = []
    monkeypatch.setattr(threading.Thread, "start", refuse)
    Threads(10).run([lambda n=n: done.append(n) for n in range(20)])  # type: ignore[misc]
    assert sorted(done) == list(range(20))


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, IndexError])
def test_no_task_goes_on_after_the_call(error: type[BaseException]) -> None:
    """Whatever one of them raises: the function's answer names the messages that failed, and must know all of them."""
    done: list[int] = []

    def fail() -> None:
        raise error

    def slowly() -> None:
        time.sleep(0.02)
        done.append(1)

    with pytest.raises(error):
        Threads(4).run([fail, *[slowly] * 6, fail])
    assert len(done) == 6


def test_a_second_batch_starts_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, together = Threads(10), threading.Barrier(10)
    threads.run([lambda: _meet(together)] * 10)
    started: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", started.append)
    threads.run([lambda: _meet(together)] * 10)
    assert not started


def _meet(barrier: threading.Barrier) -> None:
    barrier.wait(_PATIENCE_SECONDS)
