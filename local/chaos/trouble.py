"""The chaos loop: it breaks something about every second, and mends it again after a while."""

import contextlib
import heapq
import itertools
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from local.chaos.load import RequestLog
from local.console import say
from local.engine import Engine
from local.environment import LocalEnvironment
from local.errors import LocalEnvironmentError
from local.process_table import FUNCTION_MARK, Process, own_processes
from local.seed import MERCHANT_ID

_WORKER_TIMEOUT_SECONDS: Final = 30
_PAST_TIMEOUT_SECONDS: Final = _WORKER_TIMEOUT_SECONDS + 3
_USUAL_LATENCY_SECONDS: Final = 0.3
"""Simulators are slower than these simulators; a worker that is killed should often be in the middle of something."""
_RESTARTS_PER_SECOND: Final = 1 / 60
_MEND_SECONDS: Final = 40
_OPERATION_TOKENS: Final = (
    "tok_slow_success",
    "tok_soft_decline",
    "tok_timeout_after_charge",
    "tok_500_after_charge",
    "tok_garbage",
    "tok_async_success",
    "tok_async_failure",
    "tok_rate_limited",
)
_PROVE_NOTHING: Final = "razorpay_mock"
"""Loses no requests: whether one was lost before its effect or after it can never be proven there."""


def workers_of(processes: Iterable[Process], function: str) -> list[Process]:
    """Return the processes in which the engine runs this function."""
    return [process for process in processes if f"{FUNCTION_MARK}{function}-" in process.command]


def job_message(transaction_id: str) -> str:
    """A job as the product's code reads it, without hints: the row decides what is to be done."""
    return json.dumps({"format": 1, "merchant_id": MERCHANT_ID, "transaction_id": transaction_id})


@dataclass(frozen=True, slots=True)
class Simulators:
    """The simulators' controls."""

    addresses: dict[str, str]
    pool: urllib3.PoolManager

    def control(self, name: str, **settings: Any) -> bool:
        """False where the port is closed."""
        address = f"{self.addresses[name]}/_control"
        try:
            answer = self.pool.request("POST", address, body=json.dumps(settings).encode(), retries=False, timeout=5)
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200

    def ledger(self) -> list[dict[str, Any]]:
        """Everything that was charged, and what was not, at all of them."""
        entries: list[dict[str, Any]] = []
        for name, address in self.addresses.items():
            found = json.loads(self.pool.request("GET", f"{address}/_ledger").data)["entries"]
            entries += [{**entry, "provider": name} for entry in found]
        return entries


class Trouble:
    """Everything it does is counted in `tally`."""

    def __init__(
        self, environment: LocalEnvironment, log: RequestLog, simulators: Simulators, rng: random.Random
    ) -> None:
        self.tally: Counter[str] = Counter()
        self._engine: Engine = environment.engine
        self._function = environment.outputs["WorkerFunctionName"].partition(":")[0]
        self._queue_url = environment.outputs["JobsQueueUrl"]
        self._sqs = environment.engine.client("sqs")
        self._log, self._simulators, self._random = log, simulators, rng
        self._paused: dict[int, Process] = {}
        self._troubled: set[str] = set()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._kinds: dict[Callable[[], None], int] = {
            self._kill: 8,
            self._pause_within_timeout: 3,
            self._pause_past_timeout: 1,
            self._lose_answers: 2,
            self._lose_requests: 1,
            self._spoil_answers: 1,
            self._delay_answers: 2,
            self._close_port: 2,
            self._send_twice: 4,
            self._spoil_operations: 3,
        }

    def run(self, seconds: float, stopped: threading.Event) -> None:
        """For so long; restarts of the engine are spread evenly, everything else comes at random."""
        for name in self._simulators.addresses:
            self._simulators.control(name, latencySeconds=_USUAL_LATENCY_SECONDS, seed=self._random.randrange(2**32))
        started = time.monotonic()
        restarts = max(1, round(seconds * _RESTARTS_PER_SECOND))
        for number in range(1, restarts + 1):
            self._do_later(seconds * number / (restarts + 1), self._restart)
        while (time.monotonic() - started) < seconds and not stopped.wait(self._random.uniform(0.3, 1.5)):
            self._do_due()
            (kind,) = self._random.choices(list(self._kinds), list(self._kinds.values()))
            kind()

    def calm(self) -> None:
        """Mend everything. Raises `LocalEnvironmentError` for a simulator whose port stays closed."""
        self._later.clear()
        self._resume_all()
        deadline = time.monotonic() + _MEND_SECONDS
        for name in self._simulators.addresses:
            while not self._simulators.control(name, latencySeconds=0, faults={}):
                if time.monotonic() > deadline:
                    raise LocalEnvironmentError(f"The simulator {name} did not open its port again.")
                time.sleep(0.5)

    # -- processes

    def _workers(self) -> list[Process]:
        return workers_of(own_processes(), self._function)

    def _kill(self) -> None:
        """One, or all that there are: a machine that goes takes all of them."""
        found = self._workers()
        if not found:
            return
        for worker in found if self._random.random() < 0.3 else [self._random.choice(found)]:
            if _signal(worker, signal.SIGKILL):
                self.tally["workers killed"] += 1

    def _pause_within_timeout(self) -> None:
        self._pause(self._random.uniform(1, _WORKER_TIMEOUT_SECONDS / 2), "workers paused within their timeout")

    def _pause_past_timeout(self) -> None:
        self._pause(_PAST_TIMEOUT_SECONDS, "workers paused past their timeout")

    def _pause(self, seconds: float, what: str) -> None:
        found = [worker for worker in self._workers() if worker.pid not in self._paused]
        if not found:
            return
        worker = self._random.choice(found)
        if _signal(worker, signal.SIGSTOP):
            self.tally[what] += 1
            self._paused[worker.pid] = worker
            self._do_later(seconds, lambda: self._resume(worker))

    def _resume(self, worker: Process) -> None:
        """Unless the engine has killed it meanwhile and its number belongs to another process."""
        if self._paused.pop(worker.pid, None) is not None and worker in self._workers():
            _signal(worker, signal.SIGCONT)

    def _resume_all(self) -> None:
        for worker in list(self._paused.values()):
            self._resume(worker)

    def _restart(self) -> None:
        """With its persistence. Workers that are in the middle of something outlive it and come back to a new one."""
        self._resume_all()
        if self._engine.process is None:
            return
        started = time.monotonic()
        self._engine.process.restart()
        self.tally["engine restarts"] += 1
        say(f"  engine restarted, away for {time.monotonic() - started:.1f} s")

    # -- simulators

    def _lose_answers(self) -> None:
        self._fault("answers lost", faults={"drop_after": 0.5})

    def _lose_requests(self) -> None:
        self._fault("requests lost", spare=_PROVE_NOTHING, faults={"drop_before": 0.4})

    def _spoil_answers(self) -> None:
        self._fault("answers turned into errors", faults={"error_after": 0.5})

    def _delay_answers(self) -> None:
        self._fault("answers delayed", latencySeconds=self._random.choice([2, 4, 11]))

    def _spoil_operations(self) -> None:
        """The next captures, voids and refunds at a simulator end in another way, or without an answer."""
        name = self._random.choice(list(self._simulators.addresses))
        if self._simulators.control(name, nextOperations=self._random.choices(_OPERATION_TOKENS, k=2)):
            self.tally["provider: operations spoiled"] += 2

    def _fault(self, what: str, *, spare: str | None = None, **settings: Any) -> None:
        """For a few seconds, at a simulator that has no fault yet."""
        name = self._choose_simulator(spare)
        if name is None or not self._simulators.control(name, **settings):
            return
        self._count_fault(name, what)
        self._do_later(self._random.uniform(4, 10), lambda: self._mend(name))

    def _mend(self, name: str) -> None:
        self._simulators.control(name, faults={}, latencySeconds=_USUAL_LATENCY_SECONDS)
        self._troubled.discard(name)

    def _close_port(self) -> None:
        name, seconds = self._choose_simulator(None), round(self._random.uniform(3, 10), 1)
        if name is None or not self._simulators.control(name, closePortSeconds=seconds):
            return
        self._count_fault(name, "ports closed")
        self._do_later(seconds + 1, lambda: self._troubled.discard(name))

    def _choose_simulator(self, spare: str | None) -> str | None:
        free = [name for name in self._simulators.addresses if name not in self._troubled and name != spare]
        return self._random.choice(free) if free else None

    def _count_fault(self, name: str, what: str) -> None:
        self.tally[f"provider: {what}"] += 1
        self._troubled.add(name)

    # -- messages

    def _send_twice(self) -> None:
        """Queues deliver at least once; here it is three times at once for some."""
        recent = self._log.recent()
        for transaction_id in self._random.choices(recent, k=3) if recent else []:
            with contextlib.suppress(ClientError, BotoCoreError):
                self._sqs.send_message(
                    QueueUrl=self._queue_url, MessageBody=job_message(transaction_id), MessageGroupId=MERCHANT_ID
                )
                self.tally["messages sent again"] += 1

    # -- the clock

    def _do_later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), action))

    def _do_due(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()


def _signal(worker: Process, number: signal.Signals) -> bool:
    try:
        os.kill(worker.pid, number)
    except ProcessLookupError:
        return False
    return True
