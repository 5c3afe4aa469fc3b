"""What a checkout costs that is paid at once: its object is created by a claim from a read."""

import pytest

from tests.support.metered import REQUEST, Metered, metered_deployment
from tests.unit.application.checkout.conftest import Shop, hosted_providers


@pytest.fixture
def metered() -> Metered:
    return metered_deployment(providers=hosted_providers())


def sold_and_paid(shop: Shop, key: str) -> None:
    payment = shop.choose(shop.sell(key, **REQUEST))
    shop.at("alpha").is_paid = True
    shop.wait(payment, 60)
    shop.at("alpha").is_paid = False


def test_a_checkout_that_is_paid_at_once(metered: Metered) -> None:
    shop = Shop(world=metered.world)
    shop.sell("warm-up", **REQUEST)
    accepted = metered.cost(lambda: shop.sell("order-1", **REQUEST))
    assert accepted == ({"put_item": 1}, 3)
    calls, units = metered.cost(lambda: sold_and_paid(shop, "order-2"))
    del calls["query"]  # the minute is over in which functions remember merchants
    assert (calls, units) == (
        {"put_item": 1, "update_item": 2, "transact_write_items": 3, "get_item": 7, "send_message": 3},
        38,
    ), "the choice, the object's creation and the charge are a transaction each; two claims; reads of page and worker"
