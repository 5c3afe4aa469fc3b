"""Payment links at the command line: one order, one link, and the API's own words when it refuses."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

from ops.cli import payflowx
from ops.errors import Exit
from ops.session import Session
from ops.target import Target

URL = "https://pay.example/checkout/abc"
ARGUMENTS = ("--amount", "4990", "--currency", "EUR", "--order", "4711")


class Api(BaseHTTPRequestHandler):
    """Answers what the test says, and remembers what came."""

    status = 202
    answer: ClassVar[dict[str, Any]] = {}
    before: ClassVar[list[dict[str, Any]]] = []
    """Answers that come first, one a request."""
    came: ClassVar[list[tuple[dict[str, str], dict[str, Any]]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(json.dumps(self.before.pop(0) if self.before else self.answer).encode())

    def log_message(self, *_arguments: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def api() -> Iterator[tuple[type[Api], str]]:
    class Own(Api):
        came: ClassVar[list[tuple[dict[str, str], dict[str, Any]]]] = []
        answer: ClassVar[dict[str, Any]] = {
            "transactionId": "pay_aaaaaaaaaaaaaaaa",
            "status": "REQUIRES_ACTION",
            "nextAction": {"type": "redirect", "url": URL, "expiresAt": "2026-11-29T00:00:00Z"},
        }

    server = HTTPServer(("127.0.0.1", 0), Own)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Own, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(address: str, *arguments: str, key: str | None = "pfx_test_key") -> Result:
    target = Target(name="local", outputs={}, options={}, base_url=address, stack_prefix="Dev", api_key=key)
    session = Session(find_target=lambda _name, _region: target)
    return CliRunner(env={"PAYFLOWX_API_KEY": ""}).invoke(payflowx, ["links", "create", *arguments], obj=session)


def test_a_link_is_a_checkout_of_the_order(api: tuple[type[Api], str]) -> None:
    kind, address = api
    result = run(address, *ARGUMENTS, "--method", "upi", "--method", "card", "--description", "A ticket")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[0] == URL
    ((headers, body),) = kind.came
    assert headers["authorization"] == "Bearer pfx_test_key"
    assert re.fullmatch(r"link-[0-9a-f]{32}-1", headers["idempotency-key"])
    assert body == {
        "amount": 4990,
        "currency": "EUR",
        "orderId": "4711",
        "description": "A ticket",
        "paymentMethod": {"type": "checkout", "methods": ["upi", "card"]},
    }


def test_the_qr_code_is_drawn_below(api: tuple[type[Api], str]) -> None:
    _, address = api
    plain, drawn = run(address, *ARGUMENTS), run(address, *ARGUMENTS, "--qr")
    assert drawn.output.startswith(plain.output)
    assert len(drawn.output.splitlines()) > 15
    assert run(address, *ARGUMENTS, "--qr", "--json").output == run(address, *ARGUMENTS, "--json").output


def test_a_refusal_is_the_apis_own_sentence(api: tuple[type[Api], str]) -> None:
    kind, address = api
    kind.status, kind.answer = 409, {"code": "order_not_free", "detail": "Another payment holds this order."}
    result = run(address, *ARGUMENTS)
    assert (result.exit_code, "Another payment holds this order." in result.output) == (Exit.REFUSED, True)


def test_an_order_that_is_paid_has_no_link(api: tuple[type[Api], str]) -> None:
    kind, address = api
    kind.answer = {"transactionId": "pay_aaaaaaaaaaaaaaaa", "status": "SUCCESS", "nextAction": None}
    result = run(address, *ARGUMENTS)
    assert result.exit_code == Exit.REFUSED
    assert "SUCCESS" in result.output


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_an_order_whose_link_ended_unpaid_gets_a_new_one(api: tuple[type[Api], str], status: str) -> None:
    kind, address = api
    kind.before[:] = [{"transactionId": "pay_aaaaaaaaaaaaaaaa", "status": status, "nextAction": None}] * 2
    result = run(address, *ARGUMENTS)
    assert result.output.splitlines()[0] == URL
    keys = [headers["idempotency-key"] for headers, _ in kind.came]
    assert [key.rpartition("-")[2] for key in keys] == ["1", "2", "3"]
    assert len({key.rpartition("-")[0] for key in keys}) == 1


def test_links_that_always_end_unpaid_come_to_an_end(api: tuple[type[Api], str]) -> None:
    kind, address = api
    kind.answer = {"transactionId": "pay_aaaaaaaaaaaaaaaa", "status": "FAILED", "nextAction": None}
    result = run(address, *ARGUMENTS)
    assert (result.exit_code, len(kind.came)) == (Exit.REFUSED, 20)


def test_another_amount_is_another_request_which_the_order_decides_about(api: tuple[type[Api], str]) -> None:
    kind, address = api
    for amount in ("4990", "4990", "5990"):
        run(address, "--amount", amount, *ARGUMENTS[2:])
    first, again, other = (headers["idempotency-key"] for headers, _ in kind.came)
    assert first == again != other


def test_no_key_and_no_answer_say_what_to_do() -> None:
    assert "PAYFLOWX_API_KEY" in run("http://127.0.0.1:9", *ARGUMENTS, key=None).output
    result = run("http://127.0.0.1:9", *ARGUMENTS)
    assert (result.exit_code, "no answer" in result.output) == (Exit.NO_ACCESS, True)
