"""The commands as a person runs them. Named to come first: the environment of the other tests is not up yet.

A normal machine stops within ten seconds; that time is printed. The tests allow much more: another program may be busy.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from local.paths import ENVIRONMENT_FILE, ROOT
from local.processes import free_port

START_SECONDS = 300
STOP_SECONDS = 60
CLIENTS = 12

pytestmark = pytest.mark.local_only("it starts and stops environments")


@contextmanager
def started(mode: str, temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """Killed at the end if a test has failed before: the environment of the other tests could not start beside it."""
    environment = {**os.environ, "PORT": str(free_port()), "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "local", mode]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def alive(pid: int) -> bool:
    """A zombie has ended: whoever adopted it has only not read its status yet."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.returncode == 0 and not done.stdout.strip().startswith("Z")


def descendants(root: int) -> list[int]:
    """Of all processes below this one, whoever started them."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=", "-o", "ppid="], capture_output=True, text=True, check=True)
    parents = {int(pid): int(parent) for pid, parent in map(str.split, listing.stdout.splitlines())}
    found: list[int] = []
    generation = [root]
    while generation:
        generation = [pid for pid, parent in parents.items() if parent in generation]
        found += generation
    return found


def becomes_true(condition: Callable[[], bool], seconds: float = STOP_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


@pytest.fixture
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def read_until(process: subprocess.Popen[str], text: str, seconds: float = START_SECONDS) -> str:
    output, deadline = "", time.monotonic() + seconds
    assert process.stdout is not None
    while text not in output:
        line = process.stdout.readline()
        output += line
        assert line, output
        assert time.monotonic() < deadline, output
    return output


def test_run_stays_up_shows_everything_and_leaves_nothing(temporary: Path) -> None:
    with started("run", temporary) as process:
        output = read_until(process, "/_ledger")
        assert re.search(r"routed to razorpay_mock: rule inr: currency is INR", output)
        assert re.search(
            r"routed to cashfree_mock: rule high-value: currency is USD, amount is at least 1000000", output
        )
        assert re.search(r"routed to mock: rule default", output)
        assert output.count("#2 attempt.succeeded") == 3
        written = json.loads(ENVIRONMENT_FILE.read_text())
        assert {"baseUrl", "apiKey", "merchantId", "pids", "endpointUrl", "gateways"} <= set(written)
        assert ENVIRONMENT_FILE.stat().st_mode & 0o077 == 0
        assert all(alive(pid) for pid in written["pids"])
        pasted = output[output.index("  curl -s") :].split("\n  curl")[0]
        answer = subprocess.run(
            ["bash", "-c", pasted], capture_output=True, text=True, check=True, timeout=START_SECONDS
        )
        assert json.loads(answer.stdout)["status"] == "PENDING"

        with started("run", temporary) as second:
            said, _ = second.communicate(timeout=START_SECONDS)
        assert second.returncode == 1
        assert "A local environment of this checkout is running already" in said

        rest = stop(process, signal.SIGINT)
    assert process.returncode == 0
    assert rest.strip() == "Stopped."
    assert not ENVIRONMENT_FILE.exists()
    assert becomes_true(lambda: not any(temporary.iterdir())), list(temporary.iterdir())


def stop(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """What the launcher prints afterwards, but for alarms: a slow machine raises some. No process below it survives."""
    below = [process.pid, *descendants(process.pid)]
    assert len(below) > 5, "engine, guard, simulators and functions"
    began = time.monotonic()
    process.send_signal(number)
    said, _ = process.communicate(timeout=STOP_SECONDS)
    assert becomes_true(lambda: not any(map(alive, below)))
    print(f"stopped {len(below)} processes by {number.name} in {time.monotonic() - began:.1f} s")
    return "\n".join(line for line in said.splitlines() if not line.strip().startswith("ALARM "))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_stopping_under_load_leaves_no_process_and_no_folder(number: signal.Signals, temporary: Path) -> None:
    with started("run", temporary) as process:
        read_until(process, "/_ledger")
        written = json.loads(ENVIRONMENT_FILE.read_text())
        with Load(written["baseUrl"], written["apiKey"]) as load:
            assert becomes_true(lambda: load.accepted >= CLIENTS, START_SECONDS)
            said = stop(process, number)
    assert "Traceback" not in said
    assert "Error" not in said
    assert becomes_true(lambda: list(temporary.iterdir()) == [])
    assert ENVIRONMENT_FILE.exists() is (number is signal.SIGKILL)


class Load:
    """Clients that pay until the environment is gone."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self.accepted = 0
        self._url, self._key, self._over = f"{base_url}/payments", api_key, threading.Event()
        self._threads = [threading.Thread(target=self._pay, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _pay(self, client: int) -> None:
        body = {"amount": 1999, "currency": "USD", "paymentMethod": {"type": "card", "token": "tok_success"}}
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        number = 0
        with urllib3.PoolManager(retries=False, timeout=START_SECONDS) as pool:
            while not self._over.is_set():
                number += 1
                sent = {**headers, "Idempotency-Key": f"stop-{client}-{number}"}
                try:
                    answer = pool.request("POST", self._url, headers=sent, body=json.dumps(body).encode())
                except urllib3.exceptions.HTTPError:
                    return
                self.accepted += answer.status == 202


@pytest.mark.parametrize("port", ["busy", "0", "x", "70000"])
def test_a_port_that_cannot_be_used_is_one_sentence(port: str, temporary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = str(listener.getsockname()[1]) if port == "busy" else port
        environment = {**os.environ, "PORT": number, "TMPDIR": str(temporary)}
        done = subprocess.run(
            [sys.executable, "-m", "local", "demo"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert becomes_true(lambda: not any(temporary.iterdir())), list(temporary.iterdir())


def tools(tmp_path: Path, **versions: str | None) -> dict[str, str]:
    """A PATH with these tools only."""
    for name, version in versions.items():
        if version is not None:
            tool = tmp_path / name
            tool.write_text(f"#!/bin/sh\necho {version}\n")
            tool.chmod(0o755)
    return {"PATH": str(tmp_path), "HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("versions", "sentence"),
    [
        ({"node": None, "npm": "10"}, "Node.js 20 or newer is needed and was not found"),
        ({"node": "v18.1.0", "npm": "10"}, "Node.js 20 or newer is needed, this is v18.1.0"),
        ({"node": "v22.0.0", "npm": None}, "npm is needed and was not found"),
    ],
)
def test_a_missing_tool_is_one_sentence(versions: dict[str, str | None], sentence: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "local/setup.py"],
        cwd=ROOT,
        env=tools(tmp_path, **versions),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
