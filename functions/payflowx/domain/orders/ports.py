"""Ports of orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.orders.order import Order
from payflowx.domain.orders.ordered_change import OrderedChange
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import (
    AlreadySeen,
    Created,
    Existing,
    PaymentPage,
    ReferenceTaken,
    Stored,
    VersionConflict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMoved:
    """The order, or its holder, is not as it was read; nothing was written.

    `order`: as it is now, where it is known.
    """

    order: Order | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The holder before and after it was released, in the transaction that accepts another payment."""

    before: Payment
    after: Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """The order before and after a payment is accepted, and its former holder. `before` None: it has no item."""

    before: Order | None
    after: Order
    released: Released | None = None


class Orders(Protocol):
    """The store of orders. Every write is the part of a payment's transaction."""

    def get(self, merchant_id: str, order_hash: str) -> Order | None:
        """Return the order by a consistent read."""
        ...

    def create(
        self, payment: Payment, event: Event, idempotency_key: str, taking: Taking
    ) -> Created[Payment] | Existing | OrderMoved:
        """Store a payment and its part in the order: all or nothing."""
        ...

    def commit(
        self, ordered: OrderedChange
    ) -> Stored[Payment] | VersionConflict[Payment] | ReferenceTaken | AlreadySeen | OrderMoved:
        """Store a change with its part in the order, and the change of the order's holder: all or nothing."""
        ...


class PaymentLookup(Protocol):
    """Finds payments by other names than their ids. Reads a bounded number of items, and no index."""

    def by_ids(self, merchant_id: str, transaction_ids: Sequence[str]) -> PaymentPage:
        """Return the payments with these ids, in their order; those that cannot be read by their ids."""
        ...

    def owners(self, merchant_id: str, accounts: Sequence[tuple[str, str]], reference: str) -> Sequence[str]:
        """Return the ids of the merchant's payments that own a provider's id, by themselves or by an operation.

        `accounts`: provider and account of each, in the order of the answer.
        """
        ...
