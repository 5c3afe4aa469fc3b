"""Releases beside each other: each in a process of its own, over the same tables, queues and provider."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.children import StandIn, function_environment, stand_in
from tests.support.handlers import payment_body, rest_event

ROOT: Final = Path(__file__).resolve().parent.parent.parent
OLDER: Final = ROOT / "tests" / "data" / "releases" / "payflowx-0.2.0.tar.xz"
MERCHANT: Final = "acme"
_PROGRAM: Final = Path(__file__).parent / "scripts" / "release.py"


@dataclass(frozen=True, slots=True)
class Release:
    """A release's handlers."""

    process: subprocess.Popen[str]

    def run(self, handler: str, event: Any) -> Any:
        """The handler's answer. Raises `AssertionError` where the process has ended."""
        return self._ask(handler=handler, event=event)

    def advance(self, seconds: int) -> None:
        """Its clock goes on."""
        self._ask(advanceSeconds=seconds)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and body of an API call of the merchant."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"Idempotency-Key": key} if key else {}
        text = None if body is None else json.dumps(body)
        answer = self.run("api.handler", rest_event(method, path, headers, query or {}, text, MERCHANT))
        return answer["statusCode"], json.loads(answer["body"])

    def pay(self, key: str, **changes: Any) -> str:
        """Accept a payment; its id."""
        status, body = self.call("POST", "/payments", payment_body(**changes), key=key)
        assert status in {201, 202}, body
        return str(body["transactionId"])

    def status(self, transaction_id: str) -> str:
        """What it tells the merchant."""
        status, body = self.call("GET", f"/payments/{transaction_id}")
        assert status == 200, body
        return str(body["status"])

    def _ask(self, **asked: Any) -> Any:
        if self.process.stdin is None or self.process.stdout is None:
            raise AssertionError("unreachable: both are pipes")
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the release's process has ended"
        return json.loads(line)


@dataclass(frozen=True, slots=True)
class Releases:
    """`older` and `newer` share everything but their code and memory."""

    older: Release
    newer: Release
    world: StandIn

    def work(self, release: Release) -> None:
        """Give the release's worker all jobs, until none follows from another."""
        while records := self.jobs():
            answer = release.run("worker", {"Records": records})
            assert answer["batchItemFailures"] == []

    def jobs(self) -> list[dict[str, Any]]:
        """Take all messages of the queue of jobs: what nobody then works on is lost."""
        found: list[dict[str, Any]] = self.world.control(
            "messages", {"queue": self.world.environment["JOBS_QUEUE_URL"]}
        )
        return found

    def advance(self, seconds: int) -> None:
        """Both clocks go on."""
        for release in (self.older, self.newer):
            release.advance(seconds)

    def ledger(self) -> list[dict[str, Any]]:
        """The provider's charges and operations."""
        found: list[dict[str, Any]] = self.world.control("ledger", {})
        return found


@contextmanager
def releases(folder: Path, **settings: str) -> Iterator[Releases]:
    """Both over a new stand-in. `settings` are those of the newer one's functions."""
    with tarfile.open(OLDER) as archive:
        archive.extractall(folder, filter="data")
    with stand_in() as world, ExitStack() as stack:
        older = stack.enter_context(_release(folder, world, {}))
        newer = stack.enter_context(_release(ROOT / "functions", world, settings))
        yield Releases(older, newer, world)


@contextmanager
def deployed_anew(both: Releases, **settings: str) -> Iterator[Releases]:
    """Today's code with other settings in the place of the newer one, over the same tables."""
    with _release(ROOT / "functions", both.world, settings) as again:
        yield Releases(both.older, again, both.world)


@contextmanager
def _release(functions: Path, world: StandIn, settings: Mapping[str, str]) -> Iterator[Release]:
    path = os.pathsep.join((str(functions), sysconfig.get_path("purelib")))
    environment = {**function_environment(path, world), **settings}
    command = [sys.executable, "-S", "-s", str(_PROGRAM)]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Release(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
