"""The page "Start", walked as a stranger walks it: in an empty folder, from packages that are built."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from local.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "clients" / "start.md").read_text()
PYTHON, TYPESCRIPT, SELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
GARBAGE = """
refused() { curl --silent --output /dev/null --write-out 'refused with %{http_code}\\n' "$@" || true; }
refused http://127.0.0.1:8000/nowhere
refused --request DELETE http://127.0.0.1:8000/orders/1
refused --data '{' http://127.0.0.1:8000/orders
refused --data 'null' http://127.0.0.1:8000/orders
refused --data '{"amount": "x"}' http://127.0.0.1:8000/orders
refused --data '{}' http://127.0.0.1:8000/orders/99/pay
refused --data '{}' --header 'Content-Length: 1000000000000' http://127.0.0.1:8000/orders
refused --data '{}' --header 'Content-Length: -1' http://127.0.0.1:8000/orders
refused --data '{}' http://127.0.0.1:8000/webhook
curl --silent http://127.0.0.1:8000/orders/1
"""
MAX_SECONDS = 300
MAX_LINES = 60


@pytest.mark.parametrize(("name", "install"), [("Python", PYTHON), ("TypeScript", TYPESCRIPT)])
def test_from_an_empty_folder_to_a_paid_order(
    tmp_path: Path, name: str, install: str, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "set -e\n" + install + SELL + GARBAGE
    for port in ("8080", "8000"):
        script = script.replace(port, str(free_port()))
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    environment |= {"PAYFLOWX": str(ROOT), "HOME": str(tmp_path), "npm_config_cache": str(Path.home() / ".npm")}
    started = time.monotonic()
    with (tmp_path.parent / f"{name}.log").open("w+") as log:
        process = subprocess.Popen(
            ["bash", "-c", script], cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            status = process.wait(MAX_SECONDS)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
        log.seek(0)
        said = log.read()
    seconds = time.monotonic() - started
    assert status == 0, said
    orders = [json.loads(line) for line in said.splitlines() if line.startswith('{"id"')]
    refusals = re.findall(r"refused with (\d+)", said)
    assert len(refusals) == 9
    assert all(status.startswith("4") or status == "501" for status in refusals), refusals
    assert "Traceback" not in said
    assert orders.pop()["state"] == "refunded"
    assert [(each["id"], each["amount"], each["state"]) for each in orders[-7:]] == [
        (1, 1999, "new"),
        (1, 1999, "paid"),
        (1, 1999, "paid"),
        (1, 1999, "refunded"),
        (2, 4990, "new"),
        (2, 4990, "new"),
        (2, 4990, "paid"),
    ]
    assert [each["link"] is None for each in orders[-7:]] == [True] * 5 + [False] * 2
    assert seconds < MAX_SECONDS
    with capsys.disabled():
        print(f"\n{name}: {seconds:.0f} s from an empty folder to a paid and refunded order")


@pytest.mark.parametrize("path", ["shop-python/shop.py", "shop-typescript/shop.mts"])
def test_a_shop_has_at_most_60_lines_of_code(path: str) -> None:
    lines = [line.strip() for line in (ROOT / "examples" / path).read_text().splitlines()]
    assert sum(bool(line) and not line.startswith(('"""', "//")) for line in lines) <= MAX_LINES
