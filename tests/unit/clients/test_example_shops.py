"""The example shops that are Python, and the double, answer what they do not understand, and stay up."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from local.processes import free_port
from payflowx_client.testing import API_KEY, FakeApi
from payflowx_client.testing.serving import served

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
ADDRESS = {"checkout-http": "/", "shop-python": "/orders"}
ANSWERS = {"/": {200, 303, 404}, "/orders": {400, 404}}
"""By the path that takes orders. The shop without a library reads no body: whatever is posted, it sells a ticket."""


@pytest.fixture(params=ADDRESS)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, str, Path]]:
    """Its port, the path that takes orders, and what it says in its terminal."""
    port, name = free_port(), request.param
    said = tmp_path / "said"
    with served(FakeApi()) as url, said.open("w") as terminal:
        environment = {"PAYFLOWX_URL": url, "PAYFLOWX_API_KEY": API_KEY}
        environment |= {"SHOP_URL": "https://shop.example.com/", "PORT": str(port), "SHOP_PORT": str(port)}
        environment |= {"PYTHONPATH": str(ROOT / "clients/python/src"), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, str(EXAMPLES / name / "shop.py")]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=terminal, stderr=terminal)
        try:
            _wait_for(port)
            yield port, ADDRESS[name], said
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def status_of(port: int, request: str, *headers: str, body: str = "") -> int:
    """The answer's status; 0 without one."""
    text = "\r\n".join([request, "Host: shop", "Connection: close", *headers, "", body])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text.encode())
        line = connection.makefile("rb").readline().split()
    return int(line[1]) if len(line) > 1 else 0


@pytest.mark.parametrize("length", ["1000000000000", "9" * 5000, "-1", "abc", ""])
def test_the_double_refuses_a_length_that_makes_no_sense(length: str, capfd: pytest.CaptureFixture[str]) -> None:
    with served(FakeApi()) as url:
        port = int(url.rpartition(":")[2])
        assert status_of(port, "POST /payments HTTP/1.1", f"Content-Length: {length}", body="x") == 400
    assert "Traceback" not in capfd.readouterr().err


def test_garbage_is_refused_in_short(shop: tuple[int, str, Path]) -> None:
    port, path, said = shop
    form = "Content-Type: application/x-www-form-urlencoded"
    answers = {
        status_of(port, "GET /nowhere HTTP/1.1"),
        status_of(port, "GET /favicon.ico HTTP/1.0"),
        status_of(port, "POST /nowhere HTTP/1.1", "Content-Length: 0"),
        status_of(port, f"POST {path} HTTP/1.1", form, "Content-Length: 3", body="\xff{"),
        status_of(port, f"POST {path} HTTP/1.1", "Content-Length: 6", body="[1, 2]"),
        status_of(port, f"POST {path} HTTP/1.1", "Content-Length: 4", body="null"),
        status_of(port, f"POST {path} HTTP/1.1", "Content-Length: 14", body='{"amount":"x"}'),
        status_of(port, f"POST {path} HTTP/1.1", "Content-Length: 15", body='{"amount":1e99}'),
        *(
            status_of(port, f"POST {path} HTTP/1.1", f"Content-Length: {length}", body="x")
            for length in ("1000000000000", "9" * 5000, "-1", "abc", "1.5", "")
        ),
        status_of(port, "POST /orders/9/pay HTTP/1.1", "Content-Length: 2", body="{}"),
        status_of(port, "GET /orders/abc HTTP/1.1"),
        status_of(port, "GET /?transactionId=nope HTTP/1.1"),
        status_of(port, "GET /?transactionId=a%20b%0d%0a../events HTTP/1.1"),
        status_of(port, "GET /?transactionId=pay_aaaaaaaaaaaaaaaa HTTP/1.1"),
    }
    assert answers == ANSWERS[path]
    others = {status_of(port, f"{method} {path} HTTP/1.1") for method in ("HEAD", "PUT", "DELETE", "BREW")}
    assert others == {501}
    assert "Traceback" not in said.read_text()


def test_late_news_of_an_earlier_try_changes_nothing_of_a_paid_order(tmp_path: Path) -> None:
    api, port = FakeApi(start_seconds=time.time() - 120), free_port()
    with served(api) as url:
        environment = {"PAYFLOWX_URL": url, "PAYFLOWX_API_KEY": API_KEY, "SHOP_PORT": str(port)}
        environment |= {"PYTHONPATH": str(ROOT / "clients/python/src")}
        command = [sys.executable, str(EXAMPLES / "shop-python" / "shop.py")]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            told(port, "/orders", b'{"amount": 1999}')
            told(port, "/orders/1/pay", b'{"token": "tok_hard_decline"}')
            api.advance(60)
            told(port, "/orders/1/pay", b"{}")
            api.advance(60)
            failed, *others = api.deliveries()
            for each in [*others, failed]:
                told(port, "/webhook", each.body, dict(each.headers))
            order = json.loads(told(port, "/orders/1/pay", b"{}"))
        finally:
            process.kill()
            process.wait()
    assert json.loads(failed.body)["type"] == "payment.failed"
    assert (order["state"], order["payment"]) == (
        "paid",
        json.loads(others[-1].body)["data"]["payment"]["transactionId"],
    )


def told(port: int, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    request = Request(f"http://127.0.0.1:{port}{path}", body, dict(headers or {}))
    with urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


def test_the_shop_without_a_library_has_forty_lines_of_code() -> None:
    lines = (EXAMPLES / "checkout-http" / "shop.py").read_text().splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 40
