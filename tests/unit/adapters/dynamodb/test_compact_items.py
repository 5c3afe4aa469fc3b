"""The compact layout: small, and the same payment as in the full one."""

from dataclasses import replace
from typing import Any, Final

import pytest

from payflowx.adapters.dynamodb.core.values import from_attributes, to_attributes
from payflowx.adapters.dynamodb.payments.compact_items import expanded
from payflowx.adapters.dynamodb.payments.payment_items import from_item, to_item
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.payment import Customer, Layout, Lease, Payment
from payflowx.domain.shared.identifiers import derive_provider_key
from testing.dynamodb.sizes import item_bytes
from tests.data.items import write
from tests.support.world import World

DOCUMENTED: Final[dict[str, Any]] = {
    "customer": Customer(id="cust_81723", email="ada@example.com"),
    "description": "Order 81723",
    "metadata": {"cart": "81723", "channel": "web"},
    "fingerprint": "a" * 64,
    "content_fingerprint": f"2:{'c' * 32}",
}
"""As docs/api.md describes a request: with a customer, a description and two entries of metadata."""
MOST_BYTES: Final = 900

COMPACT: Final = [replace(payment, layout=Layout.COMPACT) for payment in write.payments()]


def stored(payment: Payment) -> dict[str, Any]:
    return to_attributes(to_item(payment))


def test_the_documented_payment_stays_below_900_bytes_in_every_version() -> None:
    """Beyond one kilobyte, each write costs another unit. The rest is room for longer texts."""
    world, sizes = World(), []
    payment = world.accept(**DOCUMENTED)
    sizes.append(item_bytes(stored(world.now(payment))))
    world.before_next("transact_write_items", lambda: sizes.append(item_bytes(stored(world.now(payment)))))
    world.work()
    sizes.append(item_bytes(stored(world.now(payment))))
    assert world.now(payment).layout is Layout.COMPACT
    assert max(sizes) < MOST_BYTES, sizes


@pytest.mark.parametrize("payment", COMPACT, ids=lambda payment: payment.transaction_id)
def test_the_compact_item_is_the_same_payment(payment: Payment) -> None:
    """The fingerprint of the body is left out, where that of the content compares requests."""
    expected = payment if payment.content_fingerprint is None else replace(payment, fingerprint="")
    assert from_item(from_attributes(stored(payment))) == expected


@pytest.mark.parametrize("payment", COMPACT, ids=lambda payment: payment.transaction_id)
def test_it_is_smaller_than_the_full_one(payment: Payment) -> None:
    full = replace(payment, layout=Layout.FULL)
    assert item_bytes(stored(payment)) < item_bytes(stored(full)) - 100


@pytest.mark.parametrize("payment", list(write.payments())[:8], ids=lambda payment: payment.transaction_id)
def test_an_item_in_full_is_read_as_it_is(payment: Payment) -> None:
    item = from_attributes(to_attributes(to_item(replace(payment, layout=Layout.FULL))))
    assert expanded(item) == item


def test_the_epoch_of_a_released_lease_stays() -> None:
    payment = replace(COMPACT[0], lease=Lease(epoch=7))
    assert stored(payment)["lease"] == {"M": {"epoch": {"N": "7"}}}
    assert from_item(from_attributes(stored(payment))).lease == Lease(epoch=7)


def test_a_provider_key_is_stored_unless_it_is_the_derived_one() -> None:
    payment = COMPACT[0]
    derived = replace(payment.attempts[0], provider_key=derive_provider_key(payment.transaction_id, 1))
    other = replace(payment.attempts[1], provider_key="pfx-another-2")
    found = _attempts_of(replace(payment, attempts=(derived, other)))
    assert "provider_key" not in found[0]
    assert found[1]["provider_key"] == {"S": "pfx-another-2"}


def test_hashes_that_are_none_stay_as_they_are() -> None:
    attempt: Attempt = replace(COMPACT[0].attempts[0], request_hash="newer-format")
    payment = replace(COMPACT[0], content_fingerprint="10:zz", event_hash="", attempts=(attempt,))
    assert from_item(from_attributes(stored(payment))) == replace(payment, fingerprint="")
    assert _attempts_of(payment)[0]["request_hash"] == {"S": "newer-format"}


def _attempts_of(payment: Payment) -> list[dict[str, Any]]:
    return [attempt["M"] for attempt in stored(payment)["attempts"]["L"]]
