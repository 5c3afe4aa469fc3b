"""Calls to AWS and write units of a payment, of every function that it takes: gates, because nothing here varies.

Units are those of the table, twice in a transaction, and of the index entries; the model counts them by the sizes of
the items. Reads of configuration, which a warm function remembers, are made before.
"""

from collections import Counter

import pytest

from payflowx.application.outbound_webhooks.manage_endpoints import NewEndpoint
from payflowx.domain.payments.outcome import Declined
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.statuses import DeclineKind, PaymentStatus
from payflowx.wiring.api import ApiWiring
from tests.support.metered import REQUEST, Metered, metered_deployment
from tests.support.world import MERCHANT


@pytest.fixture
def metered() -> Metered:
    deployment = metered_deployment()
    deployment.whole("warm-up")
    return deployment


@pytest.fixture
def with_endpoint(metered: Metered) -> Metered:
    metered.world.wired(ApiWiring).manage_endpoints.create(
        NewEndpoint(merchant_id=MERCHANT, url="https://shop.example/hook")
    )
    metered.world.clock.advance(61)
    metered.whole("warm-up with an endpoint")
    return metered


def test_a_plain_payment_costs_4_calls_and_12_units(metered: Metered) -> None:
    assert metered.whole("order-1") == (4, 12)
    assert metered.harness.listed()[0].due_at_ms is None


def test_its_steps(metered: Metered) -> None:
    accepted = metered.cost(lambda: metered.world.accept("order-1", **REQUEST))
    assert accepted == ({"put_item": 1, "send_message": 1}, 3), "the item, its due time, the merchant's list"
    processed = metered.cost(metered.work)
    assert processed == (
        {"update_item": 1, "transact_write_items": 1},
        1 + 9 - 1,
    ), "the claim; payment, reference and event twice each, the due time's end, the merchant's list"


def test_with_an_endpoint_it_costs_7_calls_and_15_units_with_the_deliverer(with_endpoint: Metered) -> None:
    calls, units = with_endpoint.whole("order-1")
    assert (calls, units) == (7, 15)
    assert len(with_endpoint.harness.webhook_client.posts) == 2


def test_an_order_costs_3_units_more_on_acceptance_and_no_call(metered: Metered) -> None:
    plain = metered.cost(lambda: metered.world.accept("plain", **REQUEST))
    ordered = metered.cost(lambda: metered.world.accept("ordered", order_id="A-1", **REQUEST))
    assert ordered == ({"transact_write_items": 1, "send_message": 1}, plain[1] + 3)


def test_the_success_of_an_order_costs_nothing_more(metered: Metered) -> None:
    metered.world.accept("plain", **REQUEST)
    plain = metered.cost(metered.work)
    metered.world.accept("ordered", order_id="A-1", **REQUEST)
    assert metered.cost(metered.work) == plain


def test_a_freeing_end_costs_2_units_and_one_call_more(metered: Metered) -> None:
    def declined(key: str, **changes: object) -> tuple[Counter[str], int]:
        metered.world.providers.get("alpha").charges = [Declined(kind=DeclineKind.HARD, code="stolen_card")]
        metered.world.accept(key, **{**REQUEST, **changes})
        return metered.cost(metered.work)

    plain, freeing = declined("plain"), declined("ordered", order_id="A-1")
    assert freeing[1] == plain[1] + 2
    assert freeing[0] - plain[0] == {"get_item": 1}


def test_a_replay_costs_one_call(metered: Metered) -> None:
    first = metered.world.accept("order-1", **REQUEST)
    metered.work()
    again: list[Payment] = []
    cost = metered.cost(lambda: again.append(metered.world.accept("order-1", **REQUEST)))
    assert cost == ({"put_item": 1}, 0), "the item that was found is the answer"
    assert (again[0].transaction_id, again[0].status) == (first.transaction_id, PaymentStatus.SUCCESS)


def test_in_the_full_layout_it_costs_what_release_020_wrote(metered: Metered) -> None:
    """But for the claim's due time, the delivery that nobody wants, and a replay's second call."""
    metered.world.compact = False
    metered.world.deploy()
    metered.whole("warm-up in full")
    accepted = metered.cost(lambda: metered.world.accept("order-1", **REQUEST))
    assert accepted == ({"transact_write_items": 1, "send_message": 1}, 8)
