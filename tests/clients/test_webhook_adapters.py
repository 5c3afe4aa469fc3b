"""The adapters of the webhook kit in their frameworks, with what the deliverer really posts to them."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.processes import free_port
from tests.support.handlers import Functions

ROOT = Path(__file__).resolve().parents[2]
ADAPTERS = ROOT / "clients" / "adapters"
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
GATE = ["python fastapi", "python lambda", "node express"]
REST = ["python flask", "python django", "node next", "node hono", "node lambda"]
CHOSEN = GATE + (REST if os.environ.get("CLIENT_ADAPTERS") == "all" else [])
"""`CLIENT_ADAPTERS=all` every night."""
MAX_LINES = 5
PATIENT_SECONDS = 60


@contextmanager
def running(name: str, secret: str, state: Path, port: int) -> Iterator[str]:
    language, framework = name.split()
    commands = {"python": [str(PYTHON), "serve.py"], "node": ["node", "serve.mjs"]}
    environment = {
        **os.environ,
        "WEBHOOK_SECRET": secret,
        "SHOP_STATE": str(state),
        "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
    }
    command = [*commands[language], framework, str(port)]
    process = subprocess.Popen(command, cwd=ADAPTERS / language, env=environment)
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}/webhook"
    finally:
        process.terminate()
        process.wait(PATIENT_SECONDS)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENT_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server does not answer"
        time.sleep(0.05)


def forged(url: str) -> int:
    headers = {
        "Content-Type": "application/json",
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(time.time())),
        "webhook-signature": "v1,AAAA",
    }
    try:
        with urllib.request.urlopen(urllib.request.Request(url, b"{}", headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.parametrize("name", CHOSEN)
def test_real_deliveries_are_handled_once_and_forged_ones_never(
    functions: Functions, tmp_path: Path, name: str
) -> None:
    functions.clock.at_ms = int(time.time() * 1000)
    functions.deploy(LOOPBACK_ALLOWED="true")
    port = free_port()
    url = f"http://127.0.0.1:{port}/webhook"
    status, endpoint, _ = functions.call("POST", "/webhook-endpoints", {"url": url})
    assert status == 201, endpoint
    transaction_id = functions.pay()[1]["transactionId"]
    functions.work()
    with running(name, endpoint["secret"], tmp_path, port):
        assert forged(url) == 400
        functions.deliver()
        (event,) = functions.call("GET", "/events")[1]["items"]
        assert [(each["state"], each["lastStatus"]) for each in event["deliveries"]] in (
            [("DELIVERED", 204)],
            [("DELIVERED", 200)],
        )
        functions.call("POST", f"/events/{event['id']}/redeliver")
        functions.deliver()
        assert functions.call("GET", f"/payments/{transaction_id}")[1]["status"] == "SUCCESS"
    handled = [json.loads(line) for line in (tmp_path / "handled").read_text().splitlines()]
    assert handled == [[event["id"], "payment.succeeded", 1]]


@pytest.mark.parametrize("name", GATE + REST)
def test_an_adapter_has_at_most_five_lines(name: str) -> None:
    """Without imports, the framework's own `app`, and closing braces."""
    language, framework = name.split()
    (path,) = (ADAPTERS / language).glob(f"with_{framework}.*")
    lines = [
        line for line in path.read_text().splitlines() if line.strip() and not re.match(r"(from|import|\}\)?;?$)", line)
    ]
    own = [line for line in lines if not re.match(r"(export const )?app = ", line)]
    assert 1 <= len(own) <= MAX_LINES, own
