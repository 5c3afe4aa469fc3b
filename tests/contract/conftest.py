"""The stores' contracts hold over the model of DynamoDB, which unit tests run on, and over the local engine."""

from typing import Any

import pytest

from tests.support.model_tables import model_database
from tests.support.world import World


@pytest.fixture(params=["model", "dynamodb"])
def database(request: pytest.FixtureRequest) -> Any:
    """A DynamoDB client with our tables, empty."""
    return model_database() if request.param == "model" else request.getfixturevalue("dynamodb")


@pytest.fixture
def world(database: Any) -> World:
    return World(database=database)
