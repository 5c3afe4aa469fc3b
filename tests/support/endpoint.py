"""The end-to-end suite against an API that runs already: `pytest tests/e2e --endpoint=https://...`.

The key of a merchant with simulated providers is in `PAYFLOWX_API_KEY`. A test that needs more of the environment than
its API says so with `@pytest.mark.local_only("reason")`, and is skipped there.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

import pytest

from ops.deployed import LIVE_KEY

_MARK: Final = "local_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operators:
    """Whose operators' function and simulators' ledgers are read, with the shell's AWS credentials."""

    environment: str
    merchant: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None when none were named. Raises `UsageError`."""
        environment, _, merchant = text.partition("/")
        if not text:
            return None
        if not environment or not merchant:
            raise pytest.UsageError(f"--operators={text}: say ENVIRONMENT/MERCHANT, such as dev/demo.")
        return cls(environment=environment, merchant=merchant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`operators` is None when the API's key is the only access."""

    url: str
    api_key: str = field(repr=False)
    operators: Operators | None


def add_options(parser: pytest.Parser) -> None:
    parser.addoption(
        "--endpoint", default="", help="try the API at this address with the key in PAYFLOWX_API_KEY, and start nothing"
    )
    parser.addoption(
        "--operators",
        default="",
        metavar="ENVIRONMENT/MERCHANT",
        help="with --endpoint: compare with the ledgers of that environment's simulators, and verify audit logs",
    )


def register_mark(config: pytest.Config) -> None:
    """Raises `UsageError` for an endpoint that cannot be tried."""
    config.addinivalue_line("markers", f"{_MARK}(reason): needs more of the environment than its API")
    endpoint_of(config)


def endpoint_of(config: pytest.Config) -> Endpoint | None:
    """None: the suite starts a local environment. Raises `UsageError`."""
    url, operators = config.getoption("--endpoint").rstrip("/"), Operators.read(config.getoption("--operators"))
    if not url:
        if operators is not None:
            raise pytest.UsageError("--operators goes with --endpoint.")
        return None
    api_key = os.environ.get("PAYFLOWX_API_KEY", "")
    if not api_key:
        raise pytest.UsageError("--endpoint needs the key of a merchant in PAYFLOWX_API_KEY.")
    if api_key.startswith(LIVE_KEY):
        raise pytest.UsageError("PAYFLOWX_API_KEY is a key of production: nothing is tried there.")
    return Endpoint(url=url, api_key=api_key, operators=operators)


def skip_local_only(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """With an endpoint there is nothing local; without one nothing is skipped."""
    if endpoint_of(config) is None:
        return
    for item in items:
        mark = item.get_closest_marker(_MARK)
        if mark is not None:
            item.add_marker(pytest.mark.skip(reason=f"needs the local environment: {mark.args[0]}"))
