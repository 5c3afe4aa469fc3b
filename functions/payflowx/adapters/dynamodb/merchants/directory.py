"""Merchants, keys, accounts and switches as operators change them: each change and its record in one transaction.

| item | `pk` | `sk` |
| --- | --- | --- |
| in the list of merchants | `MERCHANTS` | the merchant's id |
| a key, as the authorizer finds it | `K#{hash}` | `KEY` |
| a key, as operators list it | `M#{merchant}#K` | the key's id |
| an account at a provider, by the hash of its identity | `ACCOUNT#{hash}` | `OWNER` |
| a provider's switch | `M#{merchant}` or `GLOBAL` | `SWITCH#{provider}` |
| an entry of the operators' audit log | `AUDIT#{month}` | time and a hash of the entry |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.reading import decodes
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.merchants.accounts import directory_item
from payflowx.adapters.dynamodb.merchants.api_keys import KEY
from payflowx.adapters.dynamodb.merchants.configuration import (
    APPROVAL_LIMITS,
    AUTOMATIC_REFUND,
    CHECKOUT,
    EVERYONE,
    MERCHANT,
    RESTORE,
    SWITCH,
    account_item,
    checkout_attribute,
    for_everyone,
    merchant_from_items,
    query_partition,
    restore_window_from_item,
    restore_window_to_item,
    token_item,
    with_everyones,
)
from payflowx.adapters.dynamodb.merchants.proposals import finished_part
from payflowx.adapters.dynamodb.merchants.recorded_changes import RecordedChanges, record_item
from payflowx.domain.merchants.caller import Identity
from payflowx.domain.merchants.checkout_profile import CheckoutProfile
from payflowx.domain.merchants.directory import ApiKeyRecord, AuditEntry, MerchantPage, MerchantSummary, ProviderStatus
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import ApprovalLimits, Merchant
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.providers.ports import Account

_MERCHANTS: Final = "MERCHANTS"
_CLAIM: Final = "ACCOUNT#"
_OWNER: Final = "OWNER"
_REVIEWS_INDEXED: Final = "reviewsIndexedAt"
"""Since this time the index of reviews holds all of the merchant's; absent on what release 0.2.0 created."""
_KEYS: Final = "keyCount"
"""How many API keys the merchant had when the last one was added; absent before, and behind after an older release."""
_ACCOUNTS: Final = "accountCount"
"""The same of the accounts that were added after its creation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBMerchantDirectory(RecordedChanges):
    """Implements `MerchantDirectory`."""

    # -- merchants

    def create_merchant(
        self, merchant: Merchant, key: ApiKeyRecord, record: AuditEntry, *, claims: Sequence[str] = ()
    ) -> bool:
        """False if the id is taken, or an account is another merchant's."""
        partition = f"M#{merchant.merchant_id}"
        created = {"name": merchant.name, "createdAt": key.created_at_ms}
        return self.write(
            self.new({"pk": partition, "sk": MERCHANT, **created, _REVIEWS_INDEXED: key.created_at_ms}),
            self.new({"pk": _MERCHANTS, "sk": merchant.merchant_id, **created}),
            *self._new_key(key),
            *(self.new(account_item(partition, account)) for account in merchant.accounts),
            *(
                self.new(token_item(merchant.merchant_id, account))
                for account in merchant.accounts
                if account.webhook_token
            ),
            *(self.new(directory_item(merchant.merchant_id, account)) for account in merchant.accounts),
            *(self._claimed(merchant.merchant_id, identity) for identity in sorted(set(claims))),
            self.new(record_item(record)),
        )

    def merchants(self, *, after: str | None, limit: int) -> MerchantPage:
        """By id."""
        expression = Expression()
        condition = expression.equals("pk", _MERCHANTS)
        if after is not None:
            condition += f" AND {expression.name('sk')} > {expression.value(after)}"
        with storage_errors():
            answer = self.client.query(
                TableName=self.table, KeyConditionExpression=condition, Limit=limit, **expression.arguments()
            )
        items = [from_attributes(item) for item in answer["Items"]]
        heads = [MerchantSummary(merchant_id=i["sk"], name=i["name"], created_at_ms=i["createdAt"]) for i in items]
        return MerchantPage(items=heads, next_after=heads[-1].merchant_id if "LastEvaluatedKey" in answer else None)

    def merchant(self, merchant_id: str) -> Merchant | None:
        """As stored now."""
        own = query_partition(self.client, self.table, f"M#{merchant_id}", consistent=True)
        merchant = merchant_from_items(merchant_id, own)
        if merchant is None:
            return None
        everyone = query_partition(self.client, self.table, EVERYONE, consistent=True)
        return with_everyones(merchant, for_everyone(everyone))

    def account_owner(self, identity: str) -> str | None:
        """As stored now."""
        with storage_errors():
            answer = self.client.get_item(
                TableName=self.table, Key=to_attributes(_claim_key(identity)), ConsistentRead=True
            )
        return str(from_attributes(answer["Item"])["merchantId"]) if "Item" in answer else None

    def claim_account(self, merchant_id: str, identity: str) -> str:
        """One update of a row of its own: the first merchant stays its owner."""
        expression = Expression()
        owner, ours = expression.name("merchantId"), expression.value(merchant_id)
        version = expression.assignments({"schemaVersion": keys.SCHEMA_VERSION})
        with storage_errors():
            answer = self.client.update_item(
                TableName=self.table,
                Key=to_attributes(_claim_key(identity)),
                UpdateExpression=f"SET {owner} = if_not_exists({owner}, {ours}), {version}",
                ReturnValues="ALL_NEW",
                **expression.arguments(),
            )
        return str(from_attributes(answer["Attributes"])["merchantId"])

    def put_account(self, merchant_id: str, account: Account, record: AuditEntry, *, number: int) -> bool:
        """False if the merchant has it already, or as many accounts by now, or is gone."""
        return self.write(
            self._counted(merchant_id, _ACCOUNTS, number),
            self.new(account_item(f"M#{merchant_id}", account)),
            self.new(token_item(merchant_id, account)),
            self.new(directory_item(merchant_id, account)),
            self.new(record_item(record)),
        )

    def reviews_indexed(self, merchant_id: str) -> bool | None:
        """None if there is no such merchant."""
        key = to_attributes({"pk": f"M#{merchant_id}", "sk": MERCHANT})
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return _REVIEWS_INDEXED in answer["Item"] if "Item" in answer else None

    def mark_reviews_indexed(self, merchant_id: str, record: AuditEntry) -> bool:
        """False if there is no such merchant."""
        place = {"pk": f"M#{merchant_id}", "sk": MERCHANT}
        return self.write(self.changed(place, {_REVIEWS_INDEXED: record.at_ms}), self.new(record_item(record)))

    def set_checkout(self, merchant_id: str, profile: CheckoutProfile, record: AuditEntry) -> bool:
        """False if there is no such merchant."""
        place = {"pk": f"M#{merchant_id}", "sk": MERCHANT}
        return self.write(self.changed(place, {CHECKOUT: checkout_attribute(profile)}), self.new(record_item(record)))

    def set_approval_limits(
        self, merchant_id: str, limits: ApprovalLimits, record: AuditEntry, *, before: ApprovalLimits
    ) -> bool:
        """False if there is no such merchant, or the limits or the proposal are not what they were."""
        place = {"pk": f"M#{merchant_id}", "sk": MERCHANT}
        proposal_id = record.operator_action.proposal_id
        finished = (finished_part(self.table, merchant_id, proposal_id, record.at_ms),) if proposal_id else ()
        return self.write(
            self.changed(place, _limits(limits), before=_limits(before)), *finished, self.new(record_item(record))
        )

    def set_automatic_refund(self, merchant_id: str, record: AuditEntry, *, enabled: bool) -> bool:
        """False if there is no such merchant."""
        place = {"pk": f"M#{merchant_id}", "sk": MERCHANT}
        return self.write(self.changed(place, {AUTOMATIC_REFUND: enabled}), self.new(record_item(record)))

    # -- keys

    def keys(self, merchant_id: str) -> Sequence[ApiKeyRecord]:
        """All that the merchant ever had."""
        items = query_partition(self.client, self.table, f"M#{merchant_id}#K", consistent=True)
        return [
            ApiKeyRecord(
                key_id=item["sk"],
                merchant_id=merchant_id,
                key_hash=item["keyHash"],
                created_at_ms=item["createdAt"],
                expires_at_ms=item.get("expiresAtMs"),
                revoked_at_ms=item.get("revokedAt"),
            )
            for item in items
        ]

    def add_key(
        self, key: ApiKeyRecord, record: AuditEntry, *, number: int, replaced: ApiKeyRecord | None = None
    ) -> bool:
        """False if the merchant has as many keys by now, or the replaced one was revoked or ends earlier by now."""
        ending = self._ended_key(replaced) if replaced is not None else ()
        counted = self._counted(key.merchant_id, _KEYS, number)
        return self.write(counted, *self._new_key(key), *ending, self.new(record_item(record)))

    def change_key(self, key: ApiKeyRecord, record: AuditEntry) -> bool:
        """False if it was revoked meanwhile."""
        return self.write(*self._ended_key(key), self.new(record_item(record)))

    def _new_key(self, key: ApiKeyRecord) -> Sequence[dict[str, Any]]:
        fates = {"createdAt": key.created_at_ms, "expiresAtMs": key.expires_at_ms}
        return (
            self.new({"pk": f"K#{key.key_hash}", "sk": KEY, "merchantId": key.merchant_id, **fates}),
            self.new({"pk": f"M#{key.merchant_id}#K", "sk": key.key_id, "keyHash": key.key_hash, **fates}),
        )

    def _ended_key(self, key: ApiKeyRecord) -> Sequence[dict[str, Any]]:
        """A revocation leaves the expiry alone. An expiry never moves to a later time, whatever was read before."""
        places = ({"pk": f"K#{key.key_hash}", "sk": KEY}, {"pk": f"M#{key.merchant_id}#K", "sk": key.key_id})
        if key.revoked_at_ms is not None:
            return [self.changed(place, {"revokedAt": key.revoked_at_ms}, absent="revokedAt") for place in places]
        expiry = {"expiresAtMs": key.expires_at_ms}
        return [self.changed(place, expiry, absent="revokedAt", lowered="expiresAtMs") for place in places]

    # -- switches

    def set_provider_status(self, switch: ProviderStatus, record: AuditEntry) -> bool:
        """Over whatever was there; what a newer release stored beside it stays."""
        partition = f"M#{switch.merchant_id}" if switch.merchant_id else EVERYONE
        expression = Expression()
        values = {
            "disabled": switch.disabled,
            "changedAt": switch.changed_at_ms,
            "schemaVersion": keys.SCHEMA_VERSION,
        }
        update = {
            "Update": {
                "TableName": self.table,
                "Key": to_attributes({"pk": partition, "sk": f"{SWITCH}{switch.provider}"}),
                "UpdateExpression": expression.update({}, values),
                **expression.arguments(),
            }
        }
        return self.write(update, self.new(record_item(record)))

    def provider_statuses(self, merchant_id: str | None) -> Sequence[ProviderStatus]:
        """The merchant's own, or everyone's."""
        partition = f"M#{merchant_id}" if merchant_id else EVERYONE
        return [
            ProviderStatus(
                provider=item["sk"].removeprefix(SWITCH),
                merchant_id=merchant_id,
                disabled=item["disabled"],
                changed_at_ms=item.get("changedAt", 0),
            )
            for item in query_partition(self.client, self.table, partition, consistent=True)
            if item["sk"].startswith(SWITCH)
        ]

    # -- restores

    def restore_window(self) -> RestoreWindow | None:
        """Read consistently."""
        items = query_partition(self.client, self.table, EVERYONE, consistent=True)
        return next((restore_window_from_item(item) for item in items if item["sk"] == RESTORE), None)

    def set_restore_window(self, window: RestoreWindow, record: AuditEntry) -> bool:
        """Over whatever was there."""
        item = {**restore_window_to_item(window), "schemaVersion": keys.SCHEMA_VERSION}
        put = {"Put": {"TableName": self.table, "Item": to_attributes(item)}}
        return self.write(put, self.new(record_item(record)))

    # -- audit log

    def record(self, record: AuditEntry) -> None:
        """The same entry twice is one entry."""
        self.write(self.new(record_item(record)))

    def records(self, month: str, *, limit: int) -> Sequence[AuditEntry]:
        """Newest first."""
        expression = Expression()
        with storage_errors():
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression=expression.equals("pk", f"AUDIT#{month}"),
                ScanIndexForward=False,
                Limit=limit,
                **expression.arguments(),
            )
        return [_record(from_attributes(item)) for item in answer["Items"]]

    def _counted(self, merchant_id: str, count: str, number: int) -> dict[str, Any]:
        """Only one of those who read the same number of things adds the next one, so that their limit holds."""
        return self.changed({"pk": f"M#{merchant_id}", "sk": MERCHANT}, {count: number}, raised=count)

    def _claimed(self, merchant_id: str, identity: str) -> dict[str, Any]:
        """Where nothing is, or the merchant's own claim."""
        expression = Expression()
        item = {**_claim_key(identity), "merchantId": merchant_id, "schemaVersion": keys.SCHEMA_VERSION}
        condition = f"{expression.absent('pk')} OR {expression.equals('merchantId', merchant_id)}"
        return {
            "Put": {
                "TableName": self.table,
                "Item": to_attributes(item),
                "ConditionExpression": condition,
                **expression.arguments(),
            }
        }


def _limits(limits: ApprovalLimits) -> Item:
    return {APPROVAL_LIMITS: dict(limits.by_currency) if limits.by_currency is not None else None}


def _claim_key(identity: str) -> dict[str, str]:
    return {"pk": f"{_CLAIM}{identity}", "sk": _OWNER}


@decodes("entry of the operators' audit log")
def _record(item: Item) -> AuditEntry:
    return AuditEntry(
        action=item["action"],
        at_ms=int(item["sk"].split("#")[0]),
        operator_action=OperatorAction(
            who=item["operator"],
            why=item["reason"],
            identity=Identity(item.get("identity", Identity.CLAIMED)),
            proposed_by=item.get("proposedBy"),
        ),
        merchant_id=item.get("merchantId"),
        facts=item["facts"],
    )
