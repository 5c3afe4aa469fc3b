"""A payer without script pays checkouts: at a mock, and at the simulators of the four real providers."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from local.checkout_walkthrough import walk_through_checkout
from local.paths import ROOT
from local.payer import Payer
from local.processes import free_port
from local.scenarios import SCENARIOS
from tests.e2e.conftest import Client, poll


def walks(client: Client, provider: str | None) -> bool:
    return walk_through_checkout(client.api(), provider, f"checkout-{time.time_ns()}")


def test_a_failed_try_and_a_paid_one_make_one_charge(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert walks(client, None), capsys.readouterr().out


@pytest.mark.local_only("the simulators of real providers run on this machine alone")
@pytest.mark.parametrize("provider", SCENARIOS)
def test_and_so_they_do_at_each_real_provider(
    client: Client, provider: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert walks(client, provider), capsys.readouterr().out


def checkout(client: Client, order: str, key: str) -> tuple[int, dict[str, Any]]:
    body = {"amount": 1999, "currency": "USD", "paymentMethod": {"type": "checkout"}, "orderId": order}
    status, answer, _ = client.call("POST", "/payments", body, Idempotency_Key=f"{order}-{key}")
    return status, answer


def test_a_second_payment_of_the_order_is_refused_while_the_first_waits(client: Client) -> None:
    order = f"order-{time.time_ns()}"
    status, first = checkout(client, order, "1")
    assert (status, first["status"]) == (202, "REQUIRES_ACTION")
    status, problem = checkout(client, order, "2")
    assert (status, problem["code"]) == (409, "order_not_free")
    status, again = checkout(client, order, "1")
    assert (status, again["nextAction"]) == (202, first["nextAction"])


def test_unknown_addresses_say_nothing(client: Client) -> None:
    _, payment = checkout(client, f"order-{time.time_ns()}", "1")
    directory = payment["nextAction"]["url"].rpartition("/")[0]
    pages = set()
    for token in ("x", "a" * 80, "%00", "..%2f..", "é"):
        payer = Payer()
        payer.open(f"{directory}/{token}")
        assert payer.status in {400, 404}
        pages.add(payer.text)
    assert len(pages) <= 2


@pytest.fixture
def shop(client: Client) -> Iterator[str]:
    """The address of the shop without a library."""
    port = free_port()
    environment = {
        "PAYFLOWX_URL": client.base_url,
        "PAYFLOWX_API_KEY": client.api_key,
        "SHOP_URL": f"http://127.0.0.1:{port}/thanks",
        "PORT": str(port),
        "PATH": os.environ["PATH"],
    }
    process = subprocess.Popen([sys.executable, str(ROOT / "examples/checkout-http/shop.py")], env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        poll(lambda: _answers(client, address))
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _answers(client: Client, address: str) -> bool:
    try:
        return client.pool.request("GET", address, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_the_shop_without_a_library_sells(client: Client, shop: str) -> None:
    payer = Payer()
    payer.open(shop)
    payer.press("Buy a ticket for 49.90 EUR")
    assert "/checkout/" in payer.url
    payer.press("Continue", method="card")
    payer.press("Pay")
    (back,) = (url for text, url in payer.links.items() if text.startswith("Back to"))
    assert back.startswith(f"{shop}/thanks?")

    def thanked() -> bool:
        payer.open(back)
        return payer.text == "Thank you!"

    poll(thanked)
