"""What an environment is deployed with must pass the validator that it is deployed with."""

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
