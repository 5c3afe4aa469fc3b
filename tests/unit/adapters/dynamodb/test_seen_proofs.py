"""Used proofs: the first use is the first also where DynamoDB's answer was lost and the SDK asked again."""

from dataclasses import dataclass
from typing import Any

from payflowx.adapters.dynamodb.merchants.seen_proofs import DynamoDBSeenProofs
from payflowx.domain.merchants.caller import Proof
from testing.dynamodb.database import Database
from testing.dynamodb.tables import Schema, Table
from tests.support.memory import NOW_MS, CountingRandomness

PROOF = Proof(authorization="AWS4-HMAC-SHA256 ...", signed_at="20261128T162748Z", nonce="a random text of the caller")


@dataclass
class LosesTheFirstAnswer:
    """A client whose SDK repeats a put that was made."""

    database: Database
    loses: bool = True

    def put_item(self, **request: Any) -> Any:
        if self.loses:
            self.loses = False
            self.database.put_item(**request)
        return self.database.put_item(**request)


def seen_proofs(*, loses: bool) -> DynamoDBSeenProofs:
    database = Database({"Transactions": Table("Transactions", Schema("pk", "sk"), {})})
    client: Any = LosesTheFirstAnswer(database, loses)
    return DynamoDBSeenProofs(client=client, table="Transactions", randomness=CountingRandomness())


def test_a_proof_is_used_once() -> None:
    seen = seen_proofs(loses=False)
    assert seen.is_first(PROOF, NOW_MS)
    assert not seen.is_first(PROOF, NOW_MS)


def test_the_sdk_s_repetition_of_a_lost_answer_is_no_second_use() -> None:
    seen = seen_proofs(loses=True)
    assert seen.is_first(PROOF, NOW_MS)
    assert not seen.is_first(PROOF, NOW_MS)
