"""One environment for all tests of this folder but those that start their own: a local one, or that of `--endpoint`."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
import urllib3

from local.api import Api
from local.environment import LocalEnvironment, running_environment
from local.processes import free_port
from local.seed import MERCHANT_ID
from ops.invoker import LambdaInvoker, function_of
from ops.target import LOCAL, Target, find_target, stack_outputs
from sandbox.simulators import SIMULATORS
from tests.support.endpoint import Operators, endpoint_of

PATIENT_SECONDS = 240
"""Far more than anything takes: a busy machine must not break a test."""
FINAL = {"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"}
_TIMEOUT: Final = urllib3.Timeout(connect=10, read=PATIENT_SECONDS)
_NO_RETRIES: Final = urllib3.Retry(0, redirect=False)
_AS_A_MERCHANT: Final = urllib3.Retry(
    5, redirect=False, status_forcelist={429, 503}, allowed_methods=None, backoff_factor=1, raise_on_status=False
)
"""An API with limits says that it is busy. The same request under the same key may be sent again."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """What operators see beside the API: the simulators' ledgers, and the audit logs of one merchant's payments."""

    target: Target
    merchant: str

    @classmethod
    def of(cls, operators: Operators) -> "Access":
        return cls(target=find_target(operators.environment, None), merchant=operators.merchant)

    def ledger(self, pool: urllib3.PoolManager) -> list[dict[str, Any]]:
        addresses, headers = self._ledgers()
        entries = []
        for name, address in addresses.items():
            found = json.loads(pool.request("GET", f"{address}/_ledger", headers=headers).data)["entries"]
            entries += [{**entry, "provider": name} for entry in found]
        return entries

    def _ledgers(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Addresses by provider, and the headers that open them: deployed ledgers are open to the providers' key."""
        if self.target.is_local:
            return {name: self.target.simulators[name] for name in SIMULATORS}, {}
        outputs = stack_outputs(self.target, f"{self.target.stack_prefix}-Sandbox")
        secret = self.target.client("secretsmanager").get_secret_value(SecretId=outputs["SandboxSecretArn"])
        key = json.loads(secret["SecretString"])["keySecret"]
        return {name: outputs["SandboxUrl"] + name for name in SIMULATORS}, {"Authorization": f"Bearer {key}"}

    def audit_log_is_whole(self, payment: dict[str, Any]) -> bool:
        command = {"command": "verify_trail", "merchantId": self.merchant, "transactionId": payment["transactionId"]}
        return bool(LambdaInvoker(target=self.target, function=function_of("verify_trail"))(command)["whole"])


@dataclass(frozen=True, kw_only=True)
class Client:
    """Calls the API as a merchant. `access` is None where the API's key is all that the suite was given."""

    base_url: str
    api_key: str = field(repr=False)
    pool: urllib3.PoolManager
    access: Access | None
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    """A part of this run's keys: an environment may remember those of earlier runs."""

    def call(
        self, method: str, path: str, body: Any = None, *, authorization: str | None = "own", **headers: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if authorization is not None:
            sent["Authorization"] = f"Bearer {self.api_key}" if authorization == "own" else authorization
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        answer = self.pool.request(method, self.base_url + path, headers=sent, body=data)
        return answer.status, json.loads(answer.data or b"null"), {k.lower(): v for k, v in answer.headers.items()}

    def pay(self, token: str, key: str, *, amount: int = 1999, currency: str = "USD") -> dict[str, Any]:
        """Under a key of this run."""
        body = {"amount": amount, "currency": currency, "paymentMethod": {"type": "card", "token": token}}
        status, payment, _ = self.call("POST", "/payments", body, Idempotency_Key=f"{self.run}-{key}")
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
        """Of all mocks."""
        assert self.access is not None
        return self.access.ledger(self.pool)

    def api(self) -> Api:
        """For the walks, which raise what the API refuses."""
        return Api(self.base_url, self.api_key, self.pool)


def poll(condition: Callable[[], bool], seconds: float = PATIENT_SECONDS) -> None:
    """Until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def environment(request: pytest.FixtureRequest) -> Iterator[LocalEnvironment]:
    """With rights enforced: each function has its own role's policies and nothing more."""
    if endpoint_of(request.config) is not None:
        pytest.fail("a test that needs the local environment has to say so: @pytest.mark.local_only")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTH", "true")
        with running_environment(free_port()) as running:
            yield running


@pytest.fixture(scope="session")
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """Of the endpoint that was given, or else of the local environment."""
    endpoint = endpoint_of(request.config)
    retries = _NO_RETRIES if endpoint is None else _AS_A_MERCHANT
    with urllib3.PoolManager(maxsize=64, timeout=_TIMEOUT, retries=retries) as pool:
        if endpoint is None:
            local: LocalEnvironment = request.getfixturevalue("environment")
            access = Access(target=find_target(LOCAL, None), merchant=MERCHANT_ID)
            yield Client(base_url=local.base_url, api_key=local.api_key, pool=pool, access=access)
        else:
            access = Access.of(endpoint.operators) if endpoint.operators else None
            yield Client(base_url=endpoint.url, api_key=endpoint.api_key, pool=pool, access=access)
