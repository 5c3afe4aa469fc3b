"""Whether a merchant may have webhook endpoints: asked for once a minute and merchant."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.domain.shared.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBEndpointPresence:
    """Implements `EndpointPresence`.

    It reads the endpoints' own item, and no flag beside it: every release that registers an endpoint writes that item.
    A merchant whose last endpoint was deleted still has the item, and counts as one with endpoints.
    """

    client: "DynamoDBClient"
    table: str
    cache: TtlCache[bool]

    def may_have_endpoints(self, merchant_id: str) -> bool:
        """The answer of a database that cannot be asked is yes: an event that nobody wants costs little."""
        try:
            return self.cache.get(merchant_id, lambda: self._load(merchant_id))
        except StorageUnavailableError:
            return True

    def _load(self, merchant_id: str) -> bool:
        """A query, because that is what every function with merchants may do; the secrets stay where they are."""
        expression = Expression()
        with storage_errors():
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression=expression.equals("pk", keys.endpoints_partition(merchant_id)),
                ProjectionExpression=expression.name("version"),
                ConsistentRead=True,
                Limit=1,
                **expression.arguments(),
            )
        return bool(answer["Items"])


@dataclass(frozen=True, slots=True)
class EndpointsUnknown:
    """Implements `EndpointPresence` for a function that may not read merchants."""

    def may_have_endpoints(self, _merchant_id: str) -> bool:
        """Events are announced, as if there were endpoints."""
        return True
