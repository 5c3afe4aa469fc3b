"""Reads the items that a page of a provider's report may concern, a hundred at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.batches import get_items, put_items
from payflowx.adapters.dynamodb.core.reading import Unreadable, or_unreadable
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.adapters.dynamodb.payments.operation_items import operation_from_item
from payflowx.adapters.dynamodb.payments.payment_items import from_item
from payflowx.adapters.dynamodb.payments.references import owner_from_item
from payflowx.domain.inbound_webhooks.ports import ReferenceOwner
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.reconciliation.run import Source
from payflowx.domain.shared.limits import SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBLookups:
    """Implements `Lookups`."""

    client: "DynamoDBClient"
    table: str

    def owners(
        self, merchant_id: str, provider: str, account_id: str, references: Sequence[str]
    ) -> Mapping[str, ReferenceOwner]:
        """By the provider's ids. Those that another merchant has are looked up under the merchant's own keys too."""
        common = self._owners({name: keys.reference_key(provider, account_id, name) for name in references})
        others = [name for name, owner in common.items() if owner.merchant_id != merchant_id]
        own = {name: keys.own_reference_key(merchant_id, provider, account_id, name) for name in others}
        return {**common, **self._owners(own)}

    def _owners(self, by_name: Mapping[str, Mapping[str, str]]) -> dict[str, ReferenceOwner]:
        names = {key["pk"]: name for name, key in by_name.items()}
        return {names[item["pk"]]: owner_from_item(item) for item in self._get(list(by_name.values()))}

    def payments(self, merchant_id: str, transaction_ids: Sequence[str]) -> Mapping[str, Payment | None]:
        """By their ids. One that cannot be read must not hide the others."""
        names = {_key_of(keys.payment_key(merchant_id, name)): name for name in transaction_ids}
        return self._read(names, from_item)

    def located(self, merchant_id: str, operation_ids: Sequence[str]) -> Mapping[str, str]:
        """Which payment an operation belongs to."""
        by_pk = {keys.locator_key(merchant_id, name)["pk"]: name for name in operation_ids}
        found = self._get([keys.locator_key(merchant_id, name) for name in operation_ids])
        return {by_pk[item["pk"]]: item["transactionId"] for item in found}

    def operations(self, merchant_id: str, of: Sequence[tuple[str, str]]) -> Mapping[str, Operation | None]:
        """By payment and id."""
        names = {_key_of(keys.operation_key(merchant_id, payment, name)): name for payment, name in of}
        return self._read(names, operation_from_item)

    def listed(
        self, merchant_id: str, source: Source, provider: str, account_id: str, references: Sequence[str]
    ) -> Mapping[str, str]:
        """With the line or the run that saw it; also as release 0.2.0 noted it, under a key without the merchant."""
        before = {keys.listed_key_before(source, provider, account_id, name)["pk"]: name for name in references}
        now = {keys.listed_key(merchant_id, source, provider, account_id, name)["pk"]: name for name in references}
        found = {item["pk"]: item["line"] for item in self._get([{"pk": pk, "sk": keys.LISTED} for pk in before | now])}
        return {names[pk]: line for names in (before, now) for pk, line in found.items() if pk in names}

    def note_listed(
        self,
        merchant_id: str,
        source: Source,
        provider: str,
        account_id: str,
        lines: Mapping[str, str],
        *,
        expires_at_ms: int,
    ) -> None:
        """Written over an older sight of the same. The clean-up by DynamoDB only saves space."""
        put_items(
            self.client,
            self.table,
            [
                {
                    **keys.listed_key(merchant_id, source, provider, account_id, name),
                    "schemaVersion": keys.SCHEMA_VERSION,
                    "line": line,
                    "expiresAt": expires_at_ms // SECOND_MS,
                }
                for name, line in lines.items()
            ],
        )

    def _read(self, names: Mapping[tuple[str, str], str], decode: Callable[[Item], T]) -> Mapping[str, T | None]:
        found = {names[_key_of(item)]: item for item in self._get([{"pk": pk, "sk": sk} for pk, sk in names])}
        read = {name: or_unreadable(decode)(item) for name, item in found.items()}
        return {name: None if isinstance(one, Unreadable) else one for name, one in read.items()}

    def _get(self, item_keys: Sequence[Mapping[str, str]]) -> list[Item]:
        return list(get_items(self.client, self.table, item_keys))


def _key_of(item: Mapping[str, str]) -> tuple[str, str]:
    """Return an item's key: the only attributes that every release can read."""
    return item["pk"], item["sk"]
