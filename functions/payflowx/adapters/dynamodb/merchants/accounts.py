"""All accounts of all merchants in one partition: nothing that has to be done for each of them needs a scan."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import Item, from_attributes
from payflowx.domain.providers.ports import Account
from payflowx.domain.reconciliation.ports import AccountOwner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DIRECTORY: Final = "ACCOUNTS"
_PAGE: Final = 500
_MAX_PAGES: Final = 200


def directory_item(merchant_id: str, account: Account) -> Item:
    """Written in the transaction that gives the merchant the account."""
    return {
        "pk": _DIRECTORY,
        "sk": f"{account.provider}#{merchant_id}#{account.account_id}",
        "merchantId": merchant_id,
        "provider": account.provider,
        "accountId": account.account_id,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBAccountDirectory:
    """Implements `AccountDirectory`."""

    client: "DynamoDBClient"
    table: str

    def accounts(self) -> Iterator[AccountOwner]:
        """By provider, page by page."""
        start: dict[str, Any] = {}
        for _ in range(_MAX_PAGES):
            expression = Expression()
            with storage_errors():
                answer = self.client.query(
                    TableName=self.table,
                    KeyConditionExpression=expression.equals("pk", _DIRECTORY),
                    Limit=_PAGE,
                    **expression.arguments(),
                    **start,
                )
            for attributes in answer["Items"]:
                item = from_attributes(attributes)
                yield AccountOwner(
                    merchant_id=item["merchantId"], provider=item["provider"], account_id=item["accountId"]
                )
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
