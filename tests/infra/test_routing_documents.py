"""What an environment is deployed with must pass the validator that it is deployed with."""

import hashlib
import json

import pytest

from infra.settings import ENVIRONMENTS, EnvironmentSettings
from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.domain.routing.routing_check import document_faults
from payflowx.providers.registry import capabilities_of


@pytest.mark.parametrize("settings", ENVIRONMENTS, ids=lambda settings: settings.name)
def test_every_environments_document_is_one_that_it_would_accept(settings: EnvironmentSettings) -> None:
    document = decode_routing_document(settings.routing_document.read_bytes())
    assert document_faults(document, capabilities_of(settings.providers)) == []


@pytest.mark.parametrize("settings", ENVIRONMENTS, ids=lambda settings: settings.name)
def test_by_default_production_and_nobody_else_routes_to_providers_that_move_money(
    settings: EnvironmentSettings,
) -> None:
    """Elsewhere a provider, with its test keys, is reached only by a payment that asks for it by name."""
    rules = json.loads(settings.routing_document.read_text())["rules"]
    routed = {name for rule in rules if "metadata" not in rule["when"] for name in rule["use"]["providers"]}
    simulated = {able.simulated for able in capabilities_of(tuple(routed)).values()}
    assert simulated == {not settings.production}


FIRST = {
    "dev": "9e7bb01dfa4d2d68b5049dd1323bab33115a45a74b7fe30a4c20b7624880fead",
    "staging": "7fc16d060a9e0d18150899d9810b199547e1c0d7c16efc354ca9a6fe650890b6",
    "prod": "bb1888a0f00cf2c85f818bf2cb9a82cbaba855bcb4035c807d81776d9d2a114d",
}


@pytest.mark.parametrize("settings", ENVIRONMENTS, ids=lambda settings: settings.name)
def test_the_document_that_a_stack_is_created_with_does_not_change(settings: EnvironmentSettings) -> None:
    """CloudFormation would deploy a changed one over whatever operators have published, or fail beside their roll-out.

    Whoever has deployed nothing yet may change the document and this hash. Afterwards `payflowx routing publish` is the
    only writer.
    """
    assert hashlib.sha256(settings.routing_document.read_bytes()).hexdigest() == FIRST[settings.name]
