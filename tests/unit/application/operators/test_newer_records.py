"""What a newer release wrote about operators: it hides nothing else, and is refused by its name."""

from collections.abc import Callable

import pytest

from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.merchants.proposals import DynamoDBProposals
from payflowx.application.operators.proposals import ListProposals
from payflowx.domain.merchants.approvals import Proposal
from payflowx.domain.merchants.directory import AuditEntry
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.shared.errors import UnreadableItemError
from tests.support.tables import CONFIGURATION
from tests.support.world import World

ADA = OperatorAction(who="ada", why="T-1")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def proposals(world: World) -> DynamoDBProposals:
    return DynamoDBProposals(client=world.dynamodb, table=CONFIGURATION)  # type: ignore[arg-type]


@pytest.fixture
def add(proposals: DynamoDBProposals) -> Callable[[int], Proposal]:
    def added(at_ms: int) -> Proposal:
        proposal = Proposal(
            proposal_id=f"prop_{at_ms:013d}_aaaaaaaaaaaaaaaa",
            merchant_id="acme",
            content="{}",
            amount=1,
            currency="USD",
            proposed_by="ada",
            why="T-1",
            created_at_ms=at_ms,
            expires_at_ms=at_ms + 1,
        )
        assert proposals.add(proposal, ADA)
        return proposal

    return added


def write_word(world: World, key: dict[str, str], name: str) -> None:
    world.dynamodb.update_item(
        TableName=CONFIGURATION,
        Key=to_attributes(key),
        UpdateExpression="SET #n = :w",
        ExpressionAttributeNames={"#n": name},
        ExpressionAttributeValues=to_attributes({":w": "DELEGATED"}),
    )


def test_a_proposal_hides_no_other_one(
    world: World, proposals: DynamoDBProposals, add: Callable[[int], Proposal]
) -> None:
    first, second = add(1), add(2)
    write_word(world, {"pk": "M#acme#PROPOSALS", "sk": second.proposal_id}, "state")
    listed = ListProposals(proposals=proposals)("acme")
    assert ([one.proposal_id for one in listed.items], listed.unreadable) == (
        [first.proposal_id],
        [second.proposal_id],
    )
    with pytest.raises(UnreadableItemError):
        proposals.get("acme", second.proposal_id)


def test_an_entry_of_the_audit_log_is_refused_by_its_name(world: World) -> None:
    directory = DynamoDBMerchantDirectory(client=world.dynamodb, table=CONFIGURATION)  # type: ignore[arg-type]
    directory.record(AuditEntry(action="key.rotated", at_ms=world.clock.now_ms(), operator_action=ADA))
    (item,) = world._partition(CONFIGURATION, "AUDIT#2026-09")
    write_word(world, {"pk": item["pk"], "sk": item["sk"]}, "identity")
    with pytest.raises(UnreadableItemError):
        directory.records("2026-09", limit=10)
