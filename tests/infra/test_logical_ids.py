"""What must never move: ids of resources with state or with an address, output names, stack names.

CloudFormation makes a new, empty resource for a new id, and deletes or orphans the old one. `logical_ids.json` holds
the ids of release 0.1.0 and of everything that was added since. An entry is added there, and never changed.
"""

import json
from typing import Any, Final

from infra.settings import ROOT
from tests.infra.conftest import STACKS, application, template

PINNED: Final[dict[str, dict[str, Any]]] = json.loads((ROOT / "tests" / "infra" / "logical_ids.json").read_text())
TYPES: Final = frozenset(kind for stack in PINNED.values() for kind in stack["resources"].values())


def test_the_types_with_state_or_an_address_are_pinned() -> None:
    assert {
        *("AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"),
        *("AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::SNS::Topic"),
        *("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage"),
    } <= TYPES


def test_stacks_keep_their_names() -> None:
    _, stages = application()
    found = {
        stack.stack_name: f"{name}-{stack.node.id}"
        for name, stage in stages.items()
        for stack in (stage.data, stage.service, stage.sandbox)
        if stack is not None
    }
    assert found == {name: name for name in PINNED}
    assert set(STACKS) == set(PINNED)


def test_pinned_resources_keep_their_logical_ids_and_types() -> None:
    moved = {
        f"{stack}/{logical_id}": f"{kind}, now {types(stack).get(logical_id, 'gone')}"
        for stack, pinned in PINNED.items()
        for logical_id, kind in pinned["resources"].items()
        if types(stack).get(logical_id) != kind
    }
    assert moved == {}


def test_every_resource_of_a_pinned_type_is_pinned() -> None:
    new = [
        f"{stack}/{logical_id}: {kind}"
        for stack, pinned in PINNED.items()
        for logical_id, kind in types(stack).items()
        if kind in TYPES and logical_id not in pinned["resources"]
    ]
    assert new == [], "add them to tests/infra/logical_ids.json"


def test_outputs_keep_their_names() -> None:
    gone = {stack: set(pinned["outputs"]) - set(template(stack).get("Outputs", {})) for stack, pinned in PINNED.items()}
    assert {stack: names for stack, names in gone.items() if names} == {}


def types(stack: str) -> dict[str, str]:
    return {logical_id: resource["Type"] for logical_id, resource in template(stack)["Resources"].items()}
