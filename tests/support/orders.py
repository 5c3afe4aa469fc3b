"""Orders in the tests' world."""

from typing import Final

import pytest

from payflowx.domain.orders.order import Order
from payflowx.domain.orders.order_hash import order_hash
from payflowx.domain.orders.order_not_free import OrderNotFree
from payflowx.wiring.api import ApiWiring
from tests.support.world import MERCHANT, World

ORDER: Final = "2026-000017"


def order_of(world: World, order_id: str = ORDER) -> Order:
    """The order as stored."""
    found = world.wired(ApiWiring).orders.get(MERCHANT, order_hash(MERCHANT, order_id))
    assert found is not None
    return found


def refused(world: World, key: str, order_id: str = ORDER) -> OrderNotFree:
    """The refusal of a further payment for the order."""
    with pytest.raises(OrderNotFree) as refusal:
        world.accept(key, order_id=order_id)
    return refusal.value
