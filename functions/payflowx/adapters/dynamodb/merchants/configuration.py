"""Merchants, their accounts and switches. Secrets are never here, only their ARNs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.domain.inbound_webhooks.ports import WebhookAccount
from payflowx.domain.inbound_webhooks.tokens import hash_webhook_token
from payflowx.domain.merchants.checkout_profile import CheckoutProfile
from payflowx.domain.merchants.ports import ApprovalLimits, Merchant
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.providers.ports import Account
from payflowx.domain.shared.limits import MINUTE_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MERCHANT_LIFETIME_MS: Final = MINUTE_MS
MERCHANT: Final = "MERCHANT"
ACCOUNT: Final = "ACCOUNT#"
_WEBHOOK: Final = "WEBHOOK"
SWITCH: Final = "SWITCH#"
EVERYONE: Final = "GLOBAL"
AUTOMATIC_REFUND: Final = "automaticRefund"
"""A merchant's switch; absent: off."""
APPROVAL_LIMITS: Final = "approvalLimits"
"""Amounts by currency. Absent on a merchant without limits, and on one of release 0.2.0, which ignores it."""
CHECKOUT: Final = "checkout"
"""The merchant's part of the payers' page. Absent on a merchant of release 0.2.0, which ignores it."""
RESTORE: Final = "RESTORE"
"""The last restore, beside everyone's switches: it is read with them. Release 0.2.0 passes over it."""
_MAX_ITEMS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ForEveryone:
    """Settings of all merchants alike: providers that are disabled, and the deployment's last restore."""

    disabled: frozenset[str] = frozenset()
    restored: RestoreWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBMerchantConfiguration:
    """Implements `MerchantConfiguration`: one query a minute and merchant, and one a minute for everyone's switches."""

    client: "DynamoDBClient"
    table: str
    cache: TtlCache[Merchant | None]
    """Merchants with their own switches only."""
    everyone: TtlCache[ForEveryone]

    def get(self, merchant_id: str) -> Merchant | None:
        """The merchant with everyone's switches, each at most a minute old; None if there is none."""
        merchant = self.cache.get(merchant_id, lambda: self._load(merchant_id))
        return with_everyones(merchant, self.everyone.get(EVERYONE, self._load_everyones)) if merchant else None

    def _load(self, merchant_id: str) -> Merchant | None:
        return merchant_from_items(merchant_id, query_partition(self.client, self.table, f"M#{merchant_id}"))

    def _load_everyones(self) -> ForEveryone:
        return for_everyone(query_partition(self.client, self.table, EVERYONE))


def query_partition(
    client: "DynamoDBClient", table: str, partition: str, *, consistent: bool = False
) -> Sequence[Item]:
    """All that lies there, up to a bound that no partition reaches."""
    expression = Expression()
    with storage_errors():
        answer = client.query(
            TableName=table,
            KeyConditionExpression=expression.equals("pk", partition),
            ConsistentRead=consistent,
            Limit=_MAX_ITEMS,
            **expression.arguments(),
        )
    return [from_attributes(item) for item in answer["Items"]]


def switched_off(items: Sequence[Item]) -> frozenset[str]:
    """The providers that the switches among a partition's items disable."""
    return frozenset(
        item["sk"].removeprefix(SWITCH) for item in items if item["sk"].startswith(SWITCH) and item["disabled"]
    )


def for_everyone(items: Sequence[Item]) -> ForEveryone:
    """The switches and the last restore among everyone's items."""
    restored = next((restore_window_from_item(item) for item in items if item["sk"] == RESTORE), None)
    return ForEveryone(disabled=switched_off(items), restored=restored)


def with_everyones(merchant: Merchant, everyone: ForEveryone) -> Merchant:
    """The merchant with the providers that are disabled for everyone, and the deployment's last restore."""
    if everyone.disabled <= merchant.disabled and everyone.restored is None:
        return merchant
    return replace(merchant, disabled=merchant.disabled | everyone.disabled, restored=everyone.restored)


def merchant_from_items(merchant_id: str, own: Sequence[Item]) -> Merchant | None:
    """A merchant's partition, without everyone's switches. None if the merchant is not there."""
    items = {item["sk"]: item for item in own}
    head = items.get(MERCHANT)
    if head is None:
        return None
    accounts = [item for sk, item in sorted(items.items()) if sk.startswith(ACCOUNT)]
    return Merchant(
        merchant_id=merchant_id,
        name=head["name"],
        accounts=tuple(_account(item) for item in accounts),
        disabled=switched_off(own),
        automatic_refund=head.get(AUTOMATIC_REFUND, False),
        checkout=_checkout_profile(head.get(CHECKOUT, {})),
        approval_limits=ApprovalLimits(by_currency=head.get(APPROVAL_LIMITS)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBWebhookAccounts:
    """Implements `WebhookAccounts`. The row is found by the token's hash; the account is the merchant's current one."""

    client: "DynamoDBClient"
    table: str
    merchants: DynamoDBMerchantConfiguration
    cache: TtlCache[tuple[str, str] | None]

    def find(self, provider: str, token: str) -> WebhookAccount | None:
        """Return the account, at most a minute old; None for an unknown address."""
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


def account_item(partition: str, account: Account) -> Item:
    """An account in its merchant's partition."""
    return {
        "pk": partition,
        "sk": f"{ACCOUNT}{account.provider}#{account.account_id}",
        "provider": account.provider,
        "accountId": account.account_id,
        "endpoint": account.endpoint,
        "secretArn": account.secret_arn,
        "webhookToken": account.webhook_token,
    }


def token_item(merchant_id: str, account: Account) -> Item:
    """Leads from a webhook's address to the account."""
    return {
        "pk": f"T#{hash_webhook_token(account.webhook_token or '')}",
        "sk": _WEBHOOK,
        "merchantId": merchant_id,
        "provider": account.provider,
        "accountId": account.account_id,
    }


def restore_window_to_item(window: RestoreWindow) -> Item:
    """The item of the last restore; what is not known yet is left out."""
    values = {
        "pk": EVERYONE,
        "sk": RESTORE,
        "restoredTo": window.restored_to_ms,
        "stoppedAt": window.stopped_at_ms,
        "recordedAt": window.recorded_at_ms,
        "openedAt": window.opened_at_ms,
        "ordersKnown": window.orders_known,
    }
    return {name: value for name, value in values.items() if value is not None}


def restore_window_from_item(item: Item) -> RestoreWindow:
    """The window that `restore_window_to_item` was given."""
    return RestoreWindow(
        restored_to_ms=item["restoredTo"],
        stopped_at_ms=item["stoppedAt"],
        recorded_at_ms=item["recordedAt"],
        opened_at_ms=item.get("openedAt"),
        orders_known=item["ordersKnown"],
    )


def checkout_attribute(profile: CheckoutProfile) -> Item:
    """The settings as one attribute, without those that are not set."""
    values = {
        "shownName": profile.shown_name,
        "support": profile.support,
        "accent": profile.accent,
        "newCheckouts": profile.new_checkouts,
        "maxRefusedStarts": profile.max_refused_starts,
    }
    return {name: value for name, value in values.items() if value is not None}


def _checkout_profile(stored: Item) -> CheckoutProfile:
    return CheckoutProfile(
        shown_name=stored.get("shownName"),
        support=stored.get("support"),
        accent=stored.get("accent"),
        new_checkouts=stored.get("newCheckouts", True),
        max_refused_starts=stored.get("maxRefusedStarts"),
    )


def _account(item: Item) -> Account:
    return Account(
        provider=item["provider"],
        account_id=item["accountId"],
        endpoint=item["endpoint"],
        secret_arn=item["secretArn"],
        webhook_token=item.get("webhookToken"),
    )
