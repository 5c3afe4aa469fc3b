"""One local environment for all tests of this folder but those that start their own."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

from local.environment import LocalEnvironment, running_environment
from local.processes import free_port

PATIENT_SECONDS = 240
"""Far more than anything takes: a busy machine must not break a test."""
FINAL = {"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"}


@dataclass(frozen=True)
class Client:
    """Calls the API as a merchant, and reads and configures the provider simulators."""

    environment: LocalEnvironment
    pool: urllib3.PoolManager

    def call(
        self, method: str, path: str, body: Any = None, *, authorization: str | None = "own", **headers: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if authorization is not None:
            sent["Authorization"] = f"Bearer {self.environment.api_key}" if authorization == "own" else authorization
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = self.pool.request(method, self.environment.base_url + path, headers=sent, body=data, retries=False)
        return answer.status, json.loads(answer.data or b"null"), {k.lower(): v for k, v in answer.headers.items()}

    def pay(self, token: str, key: str, *, amount: int = 1999, currency: str = "USD") -> dict[str, Any]:
        body = {"amount": amount, "currency": currency, "paymentMethod": {"type": "card", "token": token}}
        status, payment, _ = self.call("POST", "/payments", body, Idempotency_Key=key)
        assert status == 202, payment
        return payment

    def get(self, payment: dict[str, Any]) -> dict[str, Any]:
        return self.call("GET", f"/payments/{payment['transactionId']}")[1]

    def wait(
        self, payment: dict[str, Any], *, until: set[str] = FINAL, seconds: float = PATIENT_SECONDS
    ) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            now = self.get(payment)
            if now["status"] in until or time.monotonic() > deadline:
                return now
            time.sleep(0.2)

    def ledger(self) -> list[dict[str, Any]]:
        entries = []
        for name, address in self.environment.mocks.items():
            found = json.loads(self.pool.request("GET", f"{address}/_ledger").data)["entries"]
            entries += [{**entry, "provider": name} for entry in found]
        return entries

    def control(self, provider: str, **settings: Any) -> None:
        address = self.environment.mocks[provider]
        answer = self.pool.request("POST", f"{address}/_control", body=json.dumps(settings).encode())
        assert answer.status == 200, answer.data


def poll(condition: Callable[[], bool], seconds: float = PATIENT_SECONDS) -> None:
    """Until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """With rights enforced: each function has its own role's policies and nothing more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTH", "true")
        yield from _client()


def _client() -> Iterator[Client]:
    with running_environment(free_port()) as environment:
        pool = urllib3.PoolManager(maxsize=64)
        yield Client(environment, pool)
        pool.clear()
