"""A merchant's payments by its order, by a provider's id, or by whatever name somebody has of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from payflowx.domain.merchants.ports import MerchantConfiguration
from payflowx.domain.orders.order_hash import order_hash
from payflowx.domain.orders.ports import Orders, PaymentLookup
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.ports import PaymentPage
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import (
    OPERATION_ID_PATTERN,
    OPERATION_PREFIXES,
    PAYMENT_PREFIX,
    TRANSACTION_ID_PATTERN,
    parse_provider_key,
)

MAX_ACCOUNTS_READ: Final = 20
"""Accounts of one look-up of a provider's id: two items are read for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindPayments:
    """Nothing here scans, and no index is read: a name leads to an item, and that names the payments."""

    orders: Orders
    lookup: PaymentLookup
    operations: Operations
    merchants: MerchantConfiguration

    def by_order(self, merchant_id: str, order_id: str) -> PaymentPage:
        """Return the newest payments of the order, newest first, whatever their status."""
        order = self.orders.get(merchant_id, order_hash(merchant_id, order_id))
        return self.lookup.by_ids(merchant_id, order.payments if order else [])

    def by_reference(self, merchant_id: str, reference: str, provider: str | None) -> PaymentPage:
        """Return the payments that own a provider's id of a charge or a refund, at any of the merchant's accounts.

        Raises `Refusal` (`parameter_invalid`) for a merchant with too many accounts, where no provider is named.
        """
        ids = self.lookup.owners(merchant_id, self._accounts(merchant_id, provider), reference)
        return self.lookup.by_ids(merchant_id, ids)

    def by_text(self, merchant_id: str, text: str) -> PaymentPage:
        """Return the payments that the text may name: an id or key of ours, a provider's id, or an order."""
        ids = dict.fromkeys([*self._by_our_id(merchant_id, text), *self._by_their_id(merchant_id, text)])
        return self.lookup.by_ids(merchant_id, list(ids))

    def _by_our_id(self, merchant_id: str, text: str) -> Iterator[str]:
        if TRANSACTION_ID_PATTERN.fullmatch(text):
            yield text
        key = parse_provider_key(text)
        operation_ids = [text] if OPERATION_ID_PATTERN.fullmatch(text) else []
        if key is not None:
            yield PAYMENT_PREFIX + key[0]
            operation_ids = [prefix + key[0] for prefix in OPERATION_PREFIXES.values()]
        for operation_id in operation_ids:
            transaction_id = self.operations.locate(merchant_id, operation_id)
            if transaction_id is not None:
                yield transaction_id

    def _by_their_id(self, merchant_id: str, text: str) -> Iterator[str]:
        order = self.orders.get(merchant_id, order_hash(merchant_id, text))
        yield from order.payments if order else []
        yield from self.lookup.owners(merchant_id, self._all_accounts(merchant_id), text)

    def _accounts(self, merchant_id: str, provider: str | None) -> list[tuple[str, str]]:
        accounts = [(p, a) for p, a in self._all_accounts(merchant_id) if provider in {None, p}]
        if len(accounts) > MAX_ACCOUNTS_READ and provider is None:
            detail = f"This merchant has more than {MAX_ACCOUNTS_READ} accounts. Name the provider as well."
            raise Refusal("parameter_invalid", detail, field="provider")
        return accounts

    def _all_accounts(self, merchant_id: str) -> list[tuple[str, str]]:
        merchant = self.merchants.get(merchant_id)
        return [(a.provider, a.account_id) for a in merchant.accounts] if merchant else []
