"""A simulator as a server: holds, drops, a closed port, its books; and the same state in two stores."""

import copy
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3

from local.processes import free_port
from sandbox.faults import Control
from sandbox.http_types import Reply, Request, json_reply
from sandbox.server import SimulatorServer
from sandbox.simulator import Credentials
from sandbox.simulators import SIMULATORS
from sandbox.store import ConflictError, MemoryStore

CREDENTIALS = Credentials(key_id="id", key_secret="secret")


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    running = SimulatorServer("mock", free_port(), CREDENTIALS)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=60) as manager:
        yield manager


def pay(pool: urllib3.PoolManager, server: SimulatorServer, key: str, **changes: Any) -> urllib3.BaseHTTPResponse:
    body = {"amount": 1999, "currency": "USD", "source": "tok_success", "reference": key, **changes}
    headers = {"Authorization": "Bearer secret", "Idempotency-Key": key}
    return pool.request("POST", f"{server.url}/v1/charges", headers=headers, body=json.dumps(body).encode())


def ledger(pool: urllib3.PoolManager, server: SimulatorServer) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = pool.request("GET", f"{server.url}/_ledger").json()["entries"]
    return entries


def control(pool: urllib3.PoolManager, server: SimulatorServer, **settings: Any) -> int:
    return pool.request("POST", f"{server.url}/_control", body=json.dumps(settings).encode()).status


def test_a_charge_is_in_the_books_once(server: SimulatorServer, pool: urllib3.PoolManager) -> None:
    first, second = pay(pool, server, "k1"), pay(pool, server, "k1")
    assert first.data == second.data
    assert second.headers["idempotent-replayed"] == "true"
    (entry,) = ledger(pool, server)
    assert (entry["reference"], entry["amount"], entry["status"]) == ("k1", 1999, "charged")


def test_a_key_with_another_body_is_an_error(server: SimulatorServer, pool: urllib3.PoolManager) -> None:
    pay(pool, server, "k1")
    answer = pay(pool, server, "k1", amount=5)
    assert (answer.status, answer.json()["error"]["type"]) == (400, "idempotency_error")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 19.99},
        {"amount": "1999"},
        {"amount": True},
        {"amount": 0},
        {"surprise": 1},
        {"currency": 1},
        {"capture": "someday"},
    ],
)
def test_what_a_provider_would_refuse(
    server: SimulatorServer, pool: urllib3.PoolManager, changes: dict[str, Any]
) -> None:
    assert pay(pool, server, "k", **changes).status == 400
    assert ledger(pool, server) == []


def test_wrong_credentials(server: SimulatorServer, pool: urllib3.PoolManager) -> None:
    answer = pool.request("GET", f"{server.url}/v1/charges?reference=x", headers={"Authorization": "Bearer nope"})
    assert answer.status == 401


def test_a_dropped_answer_is_charged_all_the_same(server: SimulatorServer, pool: urllib3.PoolManager) -> None:
    control(pool, server, faults={"drop_after": 1.0})
    with pytest.raises(urllib3.exceptions.HTTPError):
        pay(pool, server, "k1")
    assert len(ledger(pool, server)) == 1
    control(pool, server, faults={"drop_before": 1.0})
    with pytest.raises(urllib3.exceptions.HTTPError):
        pay(pool, server, "k2")
    assert len(ledger(pool, server)) == 1


def answers(pool: urllib3.PoolManager, server: SimulatorServer) -> bool:
    try:
        return pool.request("GET", f"{server.url}/_ledger").status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_a_closed_port_refuses_and_opens_again(server: SimulatorServer, pool: urllib3.PoolManager) -> None:
    pay(pool, server, "k1")
    control(pool, server, closePortSeconds=2)
    assert wait_for(lambda: not answers(pool, server))
    assert wait_for(lambda: answers(pool, server))
    assert pay(pool, server, "k2").status == 200
    assert {entry["reference"] for entry in ledger(pool, server)} == {"k1", "k2"}


@pytest.mark.parametrize(
    "settings",
    [{"faults": {"explode": 1}}, {"faults": {"drop_after": 2}}, {"latencySeconds": -1}, {"closePortSeconds": 1e9}],
)
def test_a_wrong_control_is_refused(
    server: SimulatorServer, pool: urllib3.PoolManager, settings: dict[str, Any]
) -> None:
    assert control(pool, server, **settings) == 400


class Merchant(BaseHTTPRequestHandler):
    """Accepts all webhooks."""

    received: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Silent."""


@pytest.fixture
def merchant() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    received: list[tuple[dict[str, str], bytes]] = []
    handler = type("Handler", (Merchant,), {"received": received})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/webhooks/stripe/token", received
        server.shutdown()


@pytest.fixture
def stripe() -> Iterator[SimulatorServer]:
    running = SimulatorServer("stripe", free_port(), CREDENTIALS, webhook_secret="whsec_1")
    running.start()
    yield running
    running.stop()


def pay_intent(pool: urllib3.PoolManager, server: SimulatorServer, key: str) -> None:
    body = "amount=1999&currency=usd&confirm=true&payment_method=tok_success&payment_method_types[]=card"
    headers = {
        "Authorization": "Bearer secret",
        "Idempotency-Key": key,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert pool.request("POST", f"{server.url}/v1/payment_intents", headers=headers, body=body).status == 200


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def reports(pool: urllib3.PoolManager, server: SimulatorServer) -> list[dict[str, Any]]:
    """What the simulator noted of its deliveries: a moment after they arrived."""
    deliveries: list[dict[str, Any]] = pool.request("GET", f"{server.url}/_webhooks").json()["deliveries"]
    return deliveries


def dispatchers() -> int:
    return sum(thread.name == "webhook-dispatcher" for thread in threading.enumerate())


def test_a_provider_posts_its_webhooks_signed_where_it_was_told_to(
    stripe: SimulatorServer, pool: urllib3.PoolManager, merchant: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    url, received = merchant
    wanted = ["payment_intent.succeeded", "charge.succeeded"]
    assert control(pool, stripe, webhookUrl=url, webhookEvents=wanted) == 200
    pay_intent(pool, stripe, "k1")
    assert wait_for(lambda: len(reports(pool, stripe)) == 2)
    for headers, body in received:
        at, _, signature = headers["stripe-signature"].removeprefix("t=").partition(",v1=")
        assert signature == hmac.new(b"whsec_1", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert [json.loads(body)["type"] for _, body in received] == ["charge.succeeded", "payment_intent.succeeded"]
    assert [(report["type"], report["status"], report["send"]) for report in reports(pool, stripe)] == [
        ("charge.succeeded", 200, 1),
        ("payment_intent.succeeded", 200, 1),
    ]


def test_after_a_closed_port_there_is_still_one_dispatcher(
    stripe: SimulatorServer, pool: urllib3.PoolManager, merchant: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    url, received = merchant
    control(pool, stripe, webhookUrl=url, webhookEvents=["payment_intent.succeeded"])
    assert wait_for(lambda: dispatchers() == 1), "those of the earlier tests have ended"
    assert control(pool, stripe, closePortSeconds=2) == 200
    assert wait_for(lambda: not answers(pool, stripe))
    assert wait_for(lambda: answers(pool, stripe))
    pay_intent(pool, stripe, "k1")
    assert wait_for(lambda: bool(received))
    time.sleep(0.3)
    assert (len(received), dispatchers()) == (1, 1)


def test_operations_to_come_and_features_of_the_account(stripe: SimulatorServer, pool: urllib3.PoolManager) -> None:
    assert control(pool, stripe, nextOperations=["tok_async_success"]) == 200
    assert control(pool, stripe, nextOperations=["tok_unknown"]) == 400
    assert control(pool, stripe, accountFeatures={"card_preauth": True}) == 400, "Stripe has no such feature"
    assert control(pool, stripe, accountFeatures={"store": True}) == 400
    assert control(pool, stripe, webhookFaults={"late": 5}) == 400


def test_a_provider_that_exists_only_here_posts_its_webhooks_as_well(
    server: SimulatorServer, pool: urllib3.PoolManager, merchant: tuple[str, list[tuple[dict[str, str], bytes]]]
) -> None:
    url, received = merchant
    assert control(pool, server, webhookUrl=url) == 200
    pay(pool, server, "k1")
    assert wait_for(lambda: bool(received))
    ((headers, body),) = received
    assert headers["x-mock-signature"] == hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert json.loads(body)["type"] == "charge.succeeded"


def test_a_reset_forgets_everything(server: SimulatorServer, pool: urllib3.PoolManager) -> None:
    pay(pool, server, "k1")
    control(pool, server, reset=True)
    assert ledger(pool, server) == []


def test_the_same_seed_gives_the_same_faults() -> None:
    def story(seed: int) -> list[bool]:
        controls = Control()
        controls.update({"seed": seed, "faults": {"drop_after": 0.4}})
        return [controls.around(lambda: json_reply(200, {})).drop for _ in range(50)]

    assert story(7) == story(7)
    assert story(7) != story(8)
    assert any(story(7))
    assert not all(story(7))


def test_two_orders_with_one_receipt_are_two_charges() -> None:
    """The hostile truth of a provider without idempotency keys."""
    provider = SIMULATORS["razorpay_mock"](MemoryStore(), CREDENTIALS, public_url="https://g")
    basic = {"authorization": "Basic aWQ6c2VjcmV0"}

    def call(path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = Request(method="POST", path=path, headers=basic, body=json.dumps(body).encode())
        answer: dict[str, Any] = json.loads(provider.handle(request, 1.0).body)
        return answer

    money = {"amount": 500, "currency": "INR"}
    orders = [call("/v1/orders", {**money, "receipt": "same"})["id"] for _ in range(2)]
    for order in orders:
        call("/v1/payments/create/json", {**money, "order_id": order, "method": "card", "token": "tok_success"})
    assert [entry["status"] for entry in provider.ledger(2.0)] == ["charged", "charged"]
    again = call("/v1/payments/create/json", {**money, "order_id": orders[0], "method": "card", "token": "tok_success"})
    assert again["error"]["reason"] == "order_already_paid"


def test_a_terminated_order_cannot_be_paid() -> None:
    provider = SIMULATORS["cashfree_mock"](MemoryStore(), CREDENTIALS, public_url="https://g")
    headers = {"x-client-id": "id", "x-client-secret": "secret", "x-api-version": "2025-01-01"}

    def call(method: str, path: str, body: dict[str, Any]) -> Reply:
        return provider.handle(Request(method=method, path=path, headers=headers, body=json.dumps(body).encode()), 1.0)

    customer = {"customer_id": "c", "customer_phone": "9999999999"}
    order = {"order_id": "k-1", "order_amount": 10.5, "order_currency": "USD", "customer_details": customer}
    session = json.loads(call("POST", "/pg/orders", order).body)["payment_session_id"]
    assert call("PATCH", "/pg/orders/k-1", {"order_status": "TERMINATED"}).status == 200
    method = {"card": {"channel": "post", "instrument_id": "tok_success"}}
    paid = call("POST", "/pg/orders/sessions", {"payment_session_id": session, "payment_method": method})
    assert json.loads(paid.body)["code"] == "order_inactive"
    assert provider.ledger(2.0) == []
    assert json.loads(call("POST", "/pg/orders", order).body)["code"] == "order_already_exists"


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryStore()
    from sandbox.dynamodb_store import DynamoDBStore

    return DynamoDBStore(request.getfixturevalue("dynamodb"), "configuration", "mock")


def test_both_stores_keep_records_and_refuse_stale_ones(store: Any) -> None:
    store.put("charge", "a", {"n": 1})
    store.put("charge", "b", {"n": 2})
    store.put("order", "a", {"n": 3})
    first, same = store.get("charge", "a"), store.get("charge", "a")
    store.put("charge", "a", {**first, "n": 10})
    with pytest.raises(ConflictError):
        store.put("charge", "a", {**same, "n": 11})
    with pytest.raises(ConflictError):
        store.put("charge", "a", {"n": 12})
    assert sorted(record["n"] for record in store.all("charge")) == [2, 10]
    assert [store.count(kind) for kind in ("charge", "order", "missing")] == [2, 1, 0]
    assert store.get("charge", "missing") is None


def test_a_charge_copies_as_much_whatever_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new charge counts the others for its id. Copies made simulators slower with each charge."""
    copied: list[Any] = []

    def deepcopy(value: Any) -> Any:
        copied.append(value)
        return copy.deepcopy(value)

    monkeypatch.setattr("sandbox.store.copy", SimpleNamespace(deepcopy=deepcopy))
    simulator = SIMULATORS["mock"](MemoryStore(), CREDENTIALS, public_url="https://g")

    def charged(number: int) -> int:
        copied.clear()
        content = {"amount": 100, "currency": "EUR", "source": "tok_success", "reference": f"pay_{number}"}
        headers = {"authorization": f"Bearer {CREDENTIALS.key_secret}", "idempotency-key": f"k-{number}"}
        body = json.dumps(content).encode()
        request = Request(method="POST", path="/v1/charges", query={}, headers=headers, body=body)
        assert simulator.handle(request, 1.0).status == 200
        return len(copied)

    first, *_, last = [charged(number) for number in range(50)]
    assert last == first
