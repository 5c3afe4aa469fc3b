from collections.abc import Iterator

import pytest

from payflowx_client import Client
from payflowx_client.sender import Clock
from tests.unit.clients.server import Server


class StillClock(Clock):
    """Time passes only in `sleep`, which returns at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.monotonic = lambda: self.now
        self.sleep = self._sleep

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def server() -> Iterator[Server]:
    with Server().running() as running:
        yield running


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def client(server: Server, clock: StillClock) -> Client:
    return Client(base_url=server.url, api_key="pfx_test_sk_secret", clock=clock, timeout_seconds=5)
