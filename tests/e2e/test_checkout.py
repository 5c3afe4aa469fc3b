"""A payer without script pays checkouts: at a mock, and at the simulators of the four real providers."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import urllib3

from local.checkout_walkthrough import walk_through_checkout
from local.paths import ROOT
from local.payer import Payer
from local.processes import free_port
from local.scenarios import SCENARIOS
from tests.e2e.conftest import Client, poll


@pytest.mark.parametrize("provider", [None, *SCENARIOS])
def test_a_failed_try_and_a_paid_one_make_one_charge(
    client: Client, provider: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    done = walk_through_checkout(client.environment, provider, f"checkout-{time.time_ns()}")
    assert done, capsys.readouterr().out


def test_a_second_payment_of_the_order_is_refused_while_the_first_waits(client: Client) -> None:
    order = f"order-{time.time_ns()}"
    body = {"amount": 1999, "currency": "USD", "paymentMethod": {"type": "checkout"}, "orderId": order}
    status, first, _ = client.call("POST", "/payments", body, Idempotency_Key=f"{order}-1")
    assert (status, first["status"]) == (202, "REQUIRES_ACTION")
    status, problem, _ = client.call("POST", "/payments", body, Idempotency_Key=f"{order}-2")
    assert (status, problem["code"]) == (409, "order_not_free")
    status, again, _ = client.call("POST", "/payments", body, Idempotency_Key=f"{order}-1")
    assert (status, again["nextAction"]) == (202, first["nextAction"])


def test_unknown_addresses_say_nothing(client: Client) -> None:
    pages = set()
    for token in ("x", "a" * 80, "%00", "..%2f..", "é"):
        payer = Payer()
        payer.open(f"{client.environment.base_url}/checkout/{token}")
        assert payer.status in {400, 404}
        pages.add(payer.text)
    assert len(pages) <= 2


@pytest.fixture
def shop(client: Client) -> Iterator[str]:
    """The address of the shop without a library."""
    port = free_port()
    environment = {
        "PAYFLOWX_URL": client.environment.base_url,
        "PAYFLOWX_KEY": client.environment.api_key,
        "SHOP_URL": "https://shop.example.com/thanks",
        "PORT": str(port),
        "FIRST_ORDER": str(time.time_ns()),
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
    assert payer.url.startswith(f"{client.environment.base_url}/checkout/")
    payer.press("Continue", method="card")
    payer.press("Pay")
    (back,) = (url for text, url in payer.links.items() if text.startswith("Back to"))
    assert urlsplit(back).netloc == "shop.example.com"

    def thanked() -> bool:
        payer.open(f"{shop}/thanks?{urlsplit(back).query}")
        return payer.text == "Thank you!"

    poll(thanked)
