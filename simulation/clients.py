"""The merchants' software: it repeats what got lost, with the same key, and now and then does worse."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from simulation.faults import Faults
from simulation.functions import Platform
from simulation.history import Call, History
from simulation.kernel import EPOCH_MS, Kernel
from simulation.providers import KINDS, SimulatedProviders, endpoint_of
from simulation.workload import MERCHANTS, Order

_TRIES: Final = 6
_AUTHORIZER_CACHE_MS: Final = 60_000
_DAY_MS: Final = 24 * 3_600_000
_DECISION: Final = {"operator": "the simulation", "reason": "Set-up and clean-up"}
_LOOKS_MS: Final = (5_000, 60_000, 1_200_000)


@dataclass(slots=True)
class Merchants:
    """Every merchant has a key, shown once. `busy` counts the clients that still do something."""

    kernel: Kernel
    faults: Faults
    history: History
    platform: Platform
    providers: SimulatedProviders
    api_keys: dict[str, str] = field(default_factory=dict)
    busy: int = 0
    _authorized: dict[str, tuple[int, str]] = field(default_factory=dict)
    _requests: int = 0

    def set_up(self) -> None:
        """Create the merchants through the operations function."""
        for merchant in MERCHANTS:
            accounts = [
                {"provider": name, "accountId": "main", "endpoint": endpoint_of(name), "secretArn": "arn:gateway"}
                for name in KINDS
            ]
            command = {
                "command": "create_merchant",
                "merchantId": merchant,
                "name": merchant,
                "accounts": accounts,
                **_DECISION,
            }

            def created(answer: Any, merchant: str = merchant) -> None:
                self.api_keys[merchant] = answer["apiKey"]

            self.platform.invoke("operations", command, created)

    def start(self, order: Order) -> None:
        """Let the client software of an order begin when it is time."""
        self.busy += 1
        self.kernel.at(order.at_ms, lambda: self.kernel.spawn(lambda: self._client(order)))

    # -- one order

    def _client(self, order: Order) -> None:
        body = json.dumps(order.body)
        rates, extras = self.faults.rates, order.extras
        if extras["concurrent"] < rates["client_concurrent"]:
            self.faults.counts["client_concurrent"] += 1
            for _ in range(2):
                self._beside(lambda: self._create(order, body))
        if extras["other"] < rates["client_other_body"]:
            self.faults.counts["client_other_body"] += 1
            other = json.dumps({**order.body, "amount": order.body["amount"] + 1})
            self._beside(lambda: self._create(order, other))
        if extras["later"] < rates["client_repeats_later"]:
            self.faults.counts["client_repeats_later"] += 1
            delay_ms = int(extras["pause"] ** 3 * 2 * _DAY_MS)
            self._beside(lambda: self._repeat_later(order, body, delay_ms))
        call = self._create(order, body)
        if call.status == 202:
            self._check_after(order, call.answer["transactionId"])
        self.busy -= 1

    def _beside(self, action: Callable[[], Any]) -> None:
        self.busy += 1

        def run() -> None:
            action()
            self.busy -= 1

        self.kernel.spawn(run)

    def _repeat_later(self, order: Order, body: str, delay_ms: int) -> None:
        self.kernel.sleep(delay_ms)
        self._create(order, body)

    def _create(self, order: Order, body: str) -> Call:
        """POST until there is an answer that says what happened; 503 and silence say nothing."""
        for tries in range(_TRIES):
            call = self.request(order.merchant, "POST", "/payments", key=order.key, body=body)
            if call.status not in {0, 502, 503, 500}:
                break
            self.kernel.sleep(1_000 << tries)
        return call

    def _check_after(self, order: Order, transaction_id: str) -> None:
        """Read it a few times; the payer approves, or the merchant cancels."""
        path = f"/payments/{transaction_id}"
        if order.extras["cancel"] < self.faults.rates["client_cancels"]:
            self.faults.counts["client_cancels"] += 1
            self.kernel.sleep(int(order.extras["pause"] * 30_000))
            self.request(order.merchant, "POST", f"{path}/cancel")
        for delay_ms in _LOOKS_MS:
            self.kernel.sleep(delay_ms)
            call = self.request(order.merchant, "GET", path)
            action = call.answer.get("nextAction") if call.status == 200 else None
            if action and order.approves:
                self.providers.approve(action["url"])
            if call.status == 200 and call.answer["status"] in {"SUCCESS", "FAILED", "CANCELLED"}:
                break
        if self.faults.strikes("client_erases"):
            names = {"merchantId": order.merchant, "transactionId": transaction_id}
            command = {"command": "erase_personal_data", **names, **_DECISION}
            self._invoke("operations", command)
        other = MERCHANTS[1 - MERCHANTS.index(order.merchant)]
        if order.extras["pause"] < 0.1:
            self.request(other, "GET", path)
            self.request(order.merchant, "GET", "/payments", query={"limit": "5"})
            self.request(order.merchant, "GET", f"{path}/events")

    # -- API Gateway

    def request(  # noqa: PLR0917 - in the order of a request line
        self,
        merchant: str,
        method: str,
        path: str,
        key: str | None = None,
        body: str | None = None,
        query: dict[str, str] | None = None,
    ) -> Call:
        """From a task: one request through the provider and its authorizer."""
        call = Call(self.kernel.now_ms, merchant, method, path, key, body)
        self.history.calls.append(call)
        self.kernel.sleep(self.faults.random.randint(5, 60))
        merchant_id = self._authorize(merchant)
        if merchant_id is None:
            call.status = 500
            return call
        answer = self._invoke("api", self._event(call, merchant_id, query or {}))
        self.kernel.sleep(self.faults.random.randint(5, 60))
        if self.faults.strikes("client_lost_answer"):
            return call
        if answer is None:
            call.status = 502
            return call
        call.status, call.answer = answer["statusCode"], json.loads(answer["body"])
        self.history.steps.append((self.kernel.now_ms, merchant, f"{method} {path} {key or ''}", str(call.status)))
        return call

    def _authorize(self, merchant: str) -> str | None:
        asked_ms, merchant_id = self._authorized.get(merchant, (EPOCH_MS - _DAY_MS, ""))
        if self.kernel.now_ms - asked_ms < _AUTHORIZER_CACHE_MS:
            return merchant_id
        event = {
            "type": "REQUEST",
            "methodArn": "arn:aws:execute-api:eu-west-1:000000000000:api1/v1/GET/payments",
            "headers": {"Authorization": f"Bearer {self.api_keys[merchant]}"},
        }
        answer = self._invoke("authorizer", event)
        if answer is None or "merchantId" not in answer["context"]:
            return None
        self._authorized[merchant] = (self.kernel.now_ms, answer["context"]["merchantId"])
        return str(answer["context"]["merchantId"])

    def _invoke(self, function: str, event: Any) -> Any:
        """From a task: wait for the function's answer; None if it died."""
        task, answers = self.kernel.current, list[Any]()
        if task is None:
            raise RuntimeError("only a task can wait")

        def done(answer: Any) -> None:
            answers.append(answer)
            self.kernel.after(0, lambda: self.kernel.resume(task))

        self.platform.invoke(function, event, done)
        self.kernel.wait()
        return answers[0]

    def _event(self, call: Call, merchant_id: str, query: dict[str, str]) -> dict[str, Any]:
        self._requests += 1
        headers = {"Content-Type": "application/json"} if call.body is not None else {}
        if call.key is not None:
            headers["Idempotency-Key"] = call.key
        return {
            "resource": call.path,
            "path": call.path,
            "httpMethod": call.method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": query or None,
            "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
            "pathParameters": None,
            "stageVariables": None,
            "requestContext": {
                "requestId": f"request-{self._requests}",
                "stage": "v1",
                "authorizer": {"merchantId": merchant_id},
                "identity": {"sourceIp": "127.0.0.1"},
            },
            "body": call.body,
            "isBase64Encoded": False,
        }
