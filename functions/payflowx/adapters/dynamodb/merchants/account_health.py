"""The health of provider accounts: an item an account, in a partition of its own beside the merchant's configuration.

A worker may write these items and nothing else of the table: its rights name the partitions' prefix. Release 0.2.0
neither reads nor writes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import condition_failed, storage_errors
from payflowx.adapters.dynamodb.core.reading import decodes, or_unreadable, readable
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.merchants.configuration import query_partition
from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.domain.providers.health import AccountHealth, AccountName, Calls
from payflowx.domain.shared.limits import SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HEALTH_LIFETIME_MS: Final = 15 * SECOND_MS
PARTITION_PREFIX: Final = "H#"
_ACCOUNT: Final = "ACCOUNT#"


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBAccountHealth:
    """Implements `HealthStore`."""

    client: "DynamoDBClient"
    table: str
    cache: TtlCache[Mapping[AccountName, AccountHealth]]

    def of(self, merchant_id: str) -> Mapping[AccountName, AccountHealth]:
        """One query a merchant and fifteen seconds. A state that this release cannot read is none."""
        return self.cache.get(merchant_id, lambda: self._load(merchant_id))

    def _load(self, merchant_id: str) -> Mapping[AccountName, AccountHealth]:
        items = query_partition(self.client, self.table, f"{PARTITION_PREFIX}{merchant_id}")
        found, _ = readable(map(or_unreadable(_from_item), items))
        return {health.name: health for health in found}

    def get(self, name: AccountName) -> AccountHealth | None:
        """A consistent read."""
        with storage_errors():
            answer = self.client.get_item(TableName=self.table, Key=to_attributes(_key(name)), ConsistentRead=True)
        return _from_item(from_attributes(answer["Item"])) if "Item" in answer else None

    def save(self, before: AccountHealth, after: AccountHealth) -> bool:
        """Afterwards the instance reads the merchant's states anew."""
        expression = Expression()
        condition = expression.absent("pk") if before.version == 0 else expression.equals("version", before.version)
        changed = _fields(after)
        removed = [name for name, value in changed.items() if value is None]
        update = f"SET {expression.assignments({k: v for k, v in changed.items() if v is not None})}"
        if removed:
            update += f" REMOVE {', '.join(expression.name(name) for name in removed)}"
        try:
            with storage_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=to_attributes(_key(before.name)),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    **expression.arguments(),
                )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        self.cache.forget(before.name.merchant_id)
        return True


def _key(name: AccountName) -> dict[str, str]:
    return {"pk": f"{PARTITION_PREFIX}{name.merchant_id}", "sk": f"{_ACCOUNT}{name.provider}#{name.account_id}"}


def _fields(health: AccountHealth) -> Item:
    return {
        "schemaVersion": keys.SCHEMA_VERSION,
        "version": health.version,
        "windowStart": health.window_start_ms,
        "answered": health.window.answered,
        "failed": health.window.failed,
        "slow": health.window.slow,
        "failuresInARow": health.failures_in_a_row,
        "lastFailureAt": health.last_failure_ms,
        "slowUntil": health.slow_until_ms,
        "openSince": health.open_since_ms,
        "trialAt": health.trial_at_ms,
        "trials": health.trials,
        "answersInARow": health.answers_in_a_row,
    }


@decodes("health of a provider account")
def _from_item(item: Item) -> AccountHealth:
    provider, account_id = item["sk"].removeprefix(_ACCOUNT).split("#", maxsplit=1)
    merchant_id = item["pk"].removeprefix(PARTITION_PREFIX)
    return AccountHealth(
        name=AccountName(merchant_id=merchant_id, provider=provider, account_id=account_id),
        version=item["version"],
        window_start_ms=item["windowStart"],
        window=Calls(answered=item["answered"], failed=item["failed"], slow=item["slow"]),
        failures_in_a_row=item["failuresInARow"],
        last_failure_ms=item["lastFailureAt"],
        slow_until_ms=item["slowUntil"],
        open_since_ms=item.get("openSince"),
        trial_at_ms=item["trialAt"],
        trials=item["trials"],
        answers_in_a_row=item["answersInARow"],
    )
