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
    "dev": "401bff78c9816997970c16e6fb723c5b3106066e09879f6447d94688d8f05303",
    "staging": "c3ad8c37d352cbfa939466f65072bca63d170f9d973be60b1eaa5231df2ce57f",
    "prod": "ff5a093e3f99d6fea6032673bc982eb2b967ac9663057413b7324b67a7605634",
}


@pytest.mark.parametrize("settings", ENVIRONMENTS, ids=lambda settings: settings.name)
def test_the_document_that_a_stack_is_created_with_does_not_change(settings: EnvironmentSettings) -> None:
    """CloudFormation would deploy a changed one over whatever operators have published, or fail beside their roll-out.

    Whoever has deployed nothing yet may change the document and this hash. Afterwards `payflowx routing publish` is the
    only writer.
    """
    assert hashlib.sha256(settings.routing_document.read_bytes()).hexdigest() == FIRST[settings.name]
