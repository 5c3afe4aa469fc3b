"""One running stage for all tests of this folder but those that start their own."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

from local.environment import LocalEnvironment, running_environment
from local.processes import free_port

FINAL = {"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"}


@dataclass(frozen=True)
class Client:
    """Talks to the stage as a merchant, and to the gateways as whoever looks at their books."""

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

    def wait(self, payment: dict[str, Any], *, until: set[str] = FINAL, seconds: float = 45) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            now = self.get(payment)
            if now["status"] in until or time.monotonic() > deadline:
                return now
            time.sleep(0.2)

    def ledger(self) -> list[dict[str, Any]]:
        entries = []
        for name, address in self.environment.gateways.items():
            found = json.loads(self.pool.request("GET", f"{address}/_ledger").data)["entries"]
            entries += [{**entry, "gateway": name} for entry in found]
        return entries

    def control(self, gateway: str, **settings: Any) -> None:
        address = self.environment.gateways[gateway]
        answer = self.pool.request("POST", f"{address}/_control", body=json.dumps(settings).encode())
        assert answer.status == 200, answer.data


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
