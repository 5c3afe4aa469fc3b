"""A payer without script pays checkouts: at a mock, and at the simulators of the four real providers."""

import time

import pytest

from local.checkout_walkthrough import walk_through_checkout
from local.payer import Payer
from local.scenarios import SCENARIOS
from tests.e2e.conftest import Client


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
