"""A proxy before the API that kills the caller: when its request has come, or when its answer is there."""

import os
import random
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from clients.crash.buyers import Program, programs
from payflowx_client import Client
from payflowx_client.transport import HttpTransport, Request

_TIMEOUT_SECONDS: Final = 60.0
_HOP_HEADERS: Final = frozenset({"host", "content-length", "connection", "accept-encoding", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`charges` counts the payments of all orders. It is as large as `orders`, or an order was paid twice."""

    crashes: int
    orders: int
    charges: int
    after_execution: int
    programs: int

    def __str__(self) -> str:
        return (
            f"{self.crashes} processes were killed between key and answer, {self.after_execution} of them after their"
            f" request was executed: {self.orders} orders, {self.charges} payments,"
            f" {self.charges - self.orders} too many ({self.programs} combinations of language and key store)"
        )


class _Killer:
    """Shared by the proxy's threads. `victim` is killed once, at its next request."""

    def __init__(self, randomness: random.Random) -> None:
        self.victim: subprocess.Popen[str] | None = None
        self.executed = 0
        self._randomness = randomness

    def takes(self) -> bool:
        return self.victim is not None

    def is_before(self) -> bool:
        """One in five dies before its request is executed."""
        return self._randomness.random() < 0.2

    def kill(self, *, executed: bool) -> None:
        victim, self.victim = self.victim, None
        self.executed += executed
        if victim is not None:
            os.kill(victim.pid, signal.SIGKILL)


def crash(base_url: str, api_key: str, *, times: int, seed: int, kinds: Sequence[Program] = ()) -> Report:
    """Pay `times` orders, each by a process that is killed on the way and started again."""
    killer = _Killer(random.Random(seed))  # noqa: S311 - repeatable on purpose
    kinds = kinds or programs()
    run = f"crash-{os.getpid()}-{seed}"
    paid: list[str] = []
    with _proxy(base_url, killer) as url, tempfile.TemporaryDirectory() as folder:
        for number in range(times):
            order = f"{run}-{number}"
            program = kinds[number % len(kinds)]
            killer.victim = victim = _started(program, url, api_key, folder, order)
            victim.communicate(timeout=_TIMEOUT_SECONDS)
            if victim.returncode != -signal.SIGKILL:
                raise RuntimeError(f"{program[0]} was not killed: {victim.returncode}")
            again = _started(program, url, api_key, folder, order)
            answer, _ = again.communicate(timeout=_TIMEOUT_SECONDS)
            paid.append(answer.strip())
    charges = sum(
        1
        for each in Client(base_url=base_url, api_key=api_key).payments.list(page_size=100)
        if each.metadata.get("order", "").startswith(run)
    )
    if len(set(paid)) != times:
        raise RuntimeError("an order has no payment, or two have the same")
    return Report(crashes=times, orders=times, charges=charges, after_execution=killer.executed, programs=len(kinds))


def _started(program: Program, url: str, api_key: str, folder: str, order: str) -> "subprocess.Popen[str]":
    _, command, store = program
    arguments = [*command, url, api_key, store, folder, order]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own programs


@contextmanager
def _proxy(base_url: str, killer: _Killer) -> Iterator[str]:
    forward = HttpTransport(base_url)

    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_SECONDS

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if killer.takes() and killer.is_before():
                self.close_connection = True
                killer.kill(executed=False)
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_HEADERS}
            answer = forward(Request(self.command, self.path, headers, body or None), timeout_seconds=_TIMEOUT_SECONDS)
            if killer.takes():
                self.close_connection = True
                killer.kill(executed=True)
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name not in _HOP_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - names of the base class

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
