"""The handlers over the in-process engine."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.handlers import Functions, functions_over

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine


@pytest.fixture
def functions(engine: "InProcessEngine", dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with functions_over(engine) as running:
        yield running
