"""The commands as a person runs them. Named to come first: the stage of the other tests is not up yet."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.paths import ENVIRONMENT_FILE, ROOT
from local.processes import free_port


def start(mode: str, port: int, temporary: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PORT": str(port), "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "local", mode]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return not Path(f"/proc/{pid}/stat").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def gone(pids: list[int], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not any(map(alive, pids))


@pytest.fixture
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def read_until(process: subprocess.Popen[str], text: str, seconds: float = 90) -> str:
    output, deadline = "", time.monotonic() + seconds
    assert process.stdout is not None
    while text not in output:
        line = process.stdout.readline()
        output += line
        assert line, output
        assert time.monotonic() < deadline, output
    return output


def test_run_stays_up_shows_everything_and_leaves_nothing(temporary: Path) -> None:
    port = free_port()
    process = start("run", port, temporary)
    output = read_until(process, "/_ledger")
    assert re.search(r"routed to razorpay_mock: rule inr: currency is INR", output)
    assert re.search(r"routed to cashfree_mock: rule high-value: amount is at least 1000000", output)
    assert re.search(r"routed to mock: rule default", output)
    assert output.count("#2 attempt.succeeded") == 3
    stage = json.loads(ENVIRONMENT_FILE.read_text())
    assert {"baseUrl", "apiKey", "merchantId", "pids", "endpointUrl", "gateways"} <= set(stage)
    assert ENVIRONMENT_FILE.stat().st_mode & 0o077 == 0
    assert all(alive(pid) for pid in stage["pids"])
    pasted = output[output.index("  curl -s") :].split("\n  curl")[0]
    answer = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(answer.stdout)["status"] == "PENDING"

    second = start("run", free_port(), temporary)
    assert second.wait(30) == 1
    assert "A stage of this checkout is running already" in (second.stdout.read() if second.stdout else "")

    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert gone(stage["pids"])
    assert not ENVIRONMENT_FILE.exists()
    assert list(temporary.iterdir()) == []
    if process.stdout:
        process.stdout.close()
    if second.stdout:
        second.stdout.close()


def test_a_stage_that_is_killed_leaves_no_process(temporary: Path) -> None:
    process = start("run", free_port(), temporary)
    read_until(process, "Three payments")
    pids = json.loads(ENVIRONMENT_FILE.read_text())["pids"]
    process.kill()
    process.wait()
    assert gone(pids, 15)
    if process.stdout:
        process.stdout.close()


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
    assert list(temporary.iterdir()) == []


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
