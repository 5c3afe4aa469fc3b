"""Merchants, their accounts, switches and API keys. Secrets are never here, only their ARNs and hashes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb import keys
from payflowx.adapters.dynamodb.account_directory import directory_item
from payflowx.adapters.dynamodb.expressions import Expression
from payflowx.adapters.dynamodb.failures import cancellation, storage_errors
from payflowx.adapters.dynamodb.values import Item, from_attributes, to_attributes
from payflowx.adapters.ttl_cache import TtlCache
from payflowx.domain.errors import StorageUnavailableError
from payflowx.domain.limits import MINUTE_MS
from payflowx.domain.notice_ports import WebhookAccount
from payflowx.domain.ports import Account, ApiKey, Merchant
from payflowx.domain.webhook_tokens import hash_webhook_token

MERCHANT_LIFETIME_MS: Final = MINUTE_MS
_MERCHANT: Final = "MERCHANT"
_KEY: Final = "KEY"
_ACCOUNT: Final = "ACCOUNT#"
_WEBHOOK: Final = "WEBHOOK"
_SWITCH: Final = "SWITCH#"
_EVERYONE: Final = "GLOBAL"
_MAX_ITEMS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBMerchants:
    """Implements `Merchants`: two queries a minute and merchant."""

    client: Any
    table: str
    cache: TtlCache[Merchant | None]

    def get(self, merchant_id: str) -> Merchant | None:
        """The merchant, at most a minute old; None if there is none."""
        return self.cache.get(merchant_id, lambda: self._load(merchant_id))

    def _load(self, merchant_id: str) -> Merchant | None:
        items = {item["sk"]: item for item in self._items(f"M#{merchant_id}")}
        head = items.get(_MERCHANT)
        if head is None:
            return None
        switched_off = {sk for sk, item in items.items() if sk.startswith(_SWITCH) and item["disabled"]}
        for item in self._items(_EVERYONE):
            if item["sk"].startswith(_SWITCH) and item["disabled"]:
                switched_off.add(item["sk"])
        accounts = [item for sk, item in sorted(items.items()) if sk.startswith(_ACCOUNT)]
        return Merchant(
            merchant_id=merchant_id,
            name=head["name"],
            accounts=tuple(_account(item) for item in accounts),
            disabled=frozenset(sk.removeprefix(_SWITCH) for sk in switched_off),
        )

    def _items(self, partition: str) -> Sequence[Item]:
        expression = Expression()
        with storage_errors():
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression=expression.equals("pk", partition),
                Limit=_MAX_ITEMS,
                **expression.arguments(),
            )
        return [from_attributes(item) for item in answer["Items"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBWebhookAccounts:
    """Implements `WebhookAccounts`. The row is found by the token's hash; the account is the merchant's current one."""

    client: Any
    table: str
    merchants: DynamoDBMerchants
    cache: TtlCache[tuple[str, str] | None]

    def find(self, provider: str, token: str) -> WebhookAccount | None:
        """A minute old at most; None for an address that nobody has."""
        token_hash = hash_webhook_token(token)
        owner = self.cache.get(f"{provider}#{token_hash}", lambda: self._load(provider, token_hash))
        if owner is None:
            return None
        merchant_id, account_id = owner
        merchant = self.merchants.get(merchant_id)
        account = merchant.account(provider, account_id) if merchant else None
        return WebhookAccount(merchant_id=merchant_id, account=account) if account else None

    def _load(self, provider: str, token_hash: str) -> tuple[str, str] | None:
        key = to_attributes({"pk": f"T#{token_hash}", "sk": _WEBHOOK})
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=key)
        item = from_attributes(answer["Item"]) if "Item" in answer else {}
        return (item["merchantId"], item["accountId"]) if item.get("provider") == provider else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBApiKeys:
    """Implements `ApiKeys`. A consistent read: a key that was just created works."""

    client: Any
    table: str

    def find(self, key_hash: str) -> ApiKey | None:
        """By SHA-256; None if there is no such key."""
        key = to_attributes({"pk": f"K#{key_hash}", "sk": _KEY})
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            return None
        item = from_attributes(answer["Item"])
        return ApiKey(
            merchant_id=item["merchantId"], revoked="revokedAt" in item, expires_at_ms=item.get("expiresAtMs")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBMerchantAdministration:
    """Implements `MerchantAdministration`: the merchant, its accounts and its key in one transaction."""

    client: Any
    table: str

    def create(self, merchant: Merchant, key_hash: str, now_ms: int) -> bool:
        """False if the id is taken; then nothing was written."""
        partition = f"M#{merchant.merchant_id}"
        items: list[Item] = [
            {"pk": partition, "sk": _MERCHANT, "name": merchant.name, "createdAt": now_ms},
            {"pk": f"K#{key_hash}", "sk": _KEY, "merchantId": merchant.merchant_id, "createdAt": now_ms},
            *(_account_item(partition, account) for account in merchant.accounts),
            *(_token_item(merchant.merchant_id, account) for account in merchant.accounts if account.webhook_token),
            *(directory_item(merchant.merchant_id, account) for account in merchant.accounts),
        ]
        try:
            with storage_errors():
                self.client.transact_write_items(TransactItems=[self._put(item) for item in items])
        except ClientError as error:
            cancelled = cancellation(error)
            if cancelled is None:
                raise
            if not cancelled.failed:
                raise StorageUnavailableError("the merchant could not be stored; try again") from error
            return False
        return True

    def _put(self, item: Item) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self.table,
                "Item": to_attributes({**item, "schemaVersion": keys.SCHEMA_VERSION}),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }


def _account_item(partition: str, account: Account) -> Item:
    return {
        "pk": partition,
        "sk": f"{_ACCOUNT}{account.provider}#{account.account_id}",
        "provider": account.provider,
        "accountId": account.account_id,
        "endpoint": account.endpoint,
        "secretArn": account.secret_arn,
        "webhookToken": account.webhook_token,
    }


def _token_item(merchant_id: str, account: Account) -> Item:
    return {
        "pk": f"T#{hash_webhook_token(account.webhook_token or '')}",
        "sk": _WEBHOOK,
        "merchantId": merchant_id,
        "provider": account.provider,
        "accountId": account.account_id,
    }


def _account(item: Item) -> Account:
    return Account(
        provider=item["provider"],
        account_id=item["accountId"],
        endpoint=item["endpoint"],
        secret_arn=item["secretArn"],
        webhook_token=item.get("webhookToken"),
    )
