"""`make conformance PROVIDER=name`: what a provider must survive before routing may fail over to it."""

import pytest

from tests.support.providers import NAMES


def pytest_configure(config: pytest.Config) -> None:
    """A name that nobody knows is said in one line."""
    wanted = config.getoption("--provider")
    if wanted and wanted not in NAMES:
        raise pytest.UsageError(f"There is no provider {wanted} with a simulator; known are {', '.join(NAMES)}.")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every scenario for every provider with a simulator, or for the one that was asked for."""
    if "provider" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--provider")
        metafunc.parametrize("provider", [wanted] if wanted else NAMES)
