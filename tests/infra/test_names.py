"""The stacks know simulated providers by their name; the providers themselves declare it."""

from infra.settings import ENVIRONMENTS, SIMULATED_SUFFIX
from payflowx.providers.registry import _MODULES, connector


def test_the_name_tells_what_the_declaration_says() -> None:
    for name in _MODULES:
        assert connector(name).capabilities.simulated is name.endswith(SIMULATED_SUFFIX)
        assert connector(name).capabilities.provider == name


def test_every_simulated_provider_of_the_settings_exists() -> None:
    for environment in ENVIRONMENTS:
        for name in environment.providers:
            assert name in _MODULES or not name.endswith(SIMULATED_SUFFIX)
