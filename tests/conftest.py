"""Fixtures that several folders use."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import endpoint, left_out
from tests.support.tables import create_tables, delete_tables

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine


# On a busy machine an example may take long, and making examples too: neither says anything about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what starts the local engine, however indirectly, and leave out what needs files that are absent."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        chosen = list(callspec.params.values()) if callspec else []  # a fixture's parameter names what it runs over
        if "engine" in getattr(item, "fixturenames", ()) or "dynamodb" in chosen or "engine" in chosen:
            item.add_marker("engine")
    left_out.leave_out(config, items)
    endpoint.skip_local_only(config, items)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--provider` confines the conformance suite to one; `--require` forbids to leave tests out."""
    parser.addoption("--provider", default="", help="the provider that the conformance suite is to examine")
    left_out.add_option(parser)
    endpoint.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    left_out.register_mark(config)
    endpoint.register_mark(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in left_out.lines(config):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def engine() -> "Iterator[InProcessEngine]":
    """The local engine inside this process."""
    from tests.support.engine import InProcessEngine

    running = InProcessEngine()
    yield running
    running.close()


@pytest.fixture
def dynamodb(engine: "InProcessEngine") -> Iterator[Any]:
    """A DynamoDB client with our tables, empty."""
    client = engine.client("dynamodb")
    create_tables(client)
    yield client
    delete_tables(client)
