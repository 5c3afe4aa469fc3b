"""Proofs that were used: `pk = PROOF#{hash of the signature}` in the table whose items may expire."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.expressions import Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.domain.merchants.caller import Proof
from payflowx.domain.shared.ambient import Randomness
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SEEN: Final = "SEEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBSeenProofs:
    """Implements `SeenProofs`."""

    client: "DynamoDBClient"
    table: str
    randomness: Randomness

    def is_first(self, proof: Proof, now_ms: int) -> bool:
        """A put where nothing is, or our own of a moment ago: the SDK repeats what got no answer.

        A proof is too old long before its item expires.
        """
        digest = hashlib.sha256(proof.authorization.encode()).hexdigest()
        use = self.randomness.owner()
        expression = Expression()
        item = {
            "pk": f"PROOF#{digest}",
            "sk": _SEEN,
            "expiresAt": (now_ms + DAY_MS) // SECOND_MS,
            "usedBy": use,
            "schemaVersion": keys.SCHEMA_VERSION,
        }
        try:
            with storage_errors():
                self.client.put_item(
                    TableName=self.table,
                    Item=to_attributes(item),
                    ConditionExpression=f"{expression.absent('pk')} OR {expression.equals('usedBy', use)}",
                    **expression.arguments(),
                )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True
