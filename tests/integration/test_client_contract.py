"""The same client against the real handlers and the test doubles of both languages: each behaves like the others."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import payflowx_client as pfx
from clients.gate.node import TYPESCRIPT, found_node
from payflowx_client.testing import CHECKOUTS, SCENARIOS
from payflowx_client.transport import Request
from tests.integration.test_outbound_webhooks import Shop
from tests.support.client_sides import Side, python_side, real_side, typescript_side

DOCUMENT = json.loads((Path(__file__).resolve().parents[2] / "docs" / "openapi.json").read_text())
HAS_DOUBLE = found_node() is not None and (TYPESCRIPT / "dist" / "esm" / "testing" / "index.js").is_file()
REFUSALS = Path(__file__).with_name("client_refusals.json")
"""The answers of the real API; `RECORD_REFUSALS=1` writes them anew."""
SIDES = ["real", "python", *(["typescript"] if HAS_DOUBLE else [])]
"""`make clients` builds the TypeScript double, and runs this file with it."""


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param == "python":
        yield python_side()
    elif request.param == "typescript":
        with typescript_side() as started:
            yield started
    else:
        functions = request.getfixturevalue("functions")
        functions.deploy(LOOPBACK_ALLOWED="true")
        shop = Shop()
        yield real_side(functions, shop)
        shop.close()


@pytest.fixture
def client(side: Side) -> pfx.Client:
    return side.client()


def pay(client: pfx.Client, order: int = 1, **changes: Any) -> pfx.Payment:
    given: dict[str, Any] = {
        "amount": 1999,
        "currency": "USD",
        "payment_method": pfx.PaymentMethod(type="card", token="tok_success"),
        "key": ("order", order),
        **changes,
    }
    return client.payments.create(**given)


def test_a_payment_is_accepted_waited_for_and_refunded(client: pfx.Client) -> None:
    accepted = pay(client, customer=pfx.Customer(email="payer@example.com"), metadata={"a": "b"}, description="Tea")
    assert (accepted.status, accepted.metadata, accepted.description) == (pfx.PaymentStatus.PENDING, {"a": "b"}, "Tea")
    payment = client.payments.wait_for(accepted)
    assert (payment.status, payment.captured) == (pfx.PaymentStatus.SUCCESS, 1999)
    part = client.refunds.create(payment.transaction_id, amount=500, key=("order", 1, "refund", 1))
    assert client.payments.get(payment.transaction_id).refundable == 1499
    rest = client.refunds.create(payment.transaction_id, amount=pfx.REMAINING, key=("order", 1, "refund", 2))
    assert client.operations.wait_for(part).status is pfx.OperationStatus.SUCCEEDED
    assert client.operations.wait_for(rest).amount == 1499
    assert {each.operation_id for each in client.operations.list(payment.transaction_id, page_size=1)} == {
        part.operation_id,
        rest.operation_id,
    }
    assert client.payments.get(payment.transaction_id).refunded == 1999
    with pytest.raises(pfx.AmountExceededError) as raised:
        client.refunds.create(payment.transaction_id, amount=1, key=("order", 1, "refund", 3))
    assert raised.value.field == "amount"


def test_lost_answers_charge_once(client: pfx.Client, side: Side) -> None:
    side.lose_answers(3)
    payment = pay(client)
    assert pay(client).transaction_id == payment.transaction_id
    assert [each.transaction_id for each in client.payments.list()] == [payment.transaction_id]


def test_another_request_under_the_same_key_is_refused(client: pfx.Client) -> None:
    payment = client.payments.wait_for(pay(client, capture=pfx.CaptureMode.AUTOMATIC, metadata={}))
    assert pay(client, description=None).transaction_id == payment.transaction_id
    with pytest.raises(pfx.IdempotencyKeyReusedError):
        pay(client, amount=2000)
    client.refunds.create(payment.transaction_id, amount=5, key="refund-1")
    assert client.refunds.create(payment.transaction_id, amount=5, key="refund-1").amount == 5
    with pytest.raises(pfx.IdempotencyKeyReusedError):
        client.refunds.create(payment.transaction_id, amount=6, key="refund-1")


def test_spellings_of_one_checkout_are_one_request(client: pfx.Client, side: Side) -> None:
    """A client may keep the methods in a set, whose order differs from process to process."""
    side.play("checkout_expired")
    card, upi = pfx.CheckoutMethod.CARD, pfx.CheckoutMethod.UPI

    def made(*methods: pfx.CheckoutMethod, **more: Any) -> str:
        return pay(client, payment_method=pfx.PaymentMethod(type="checkout", methods=methods), **more).transaction_id

    first = made(card, upi)
    assert made(card, upi, expires_in_seconds=86_400) == first
    assert made(upi, card) == first
    with pytest.raises(pfx.IdempotencyKeyReusedError):
        made(card, upi, expires_in_seconds=86_401)
    with pytest.raises(pfx.IdempotencyKeyReusedError):
        made(card)


def test_an_authorized_payment_is_captured_or_cancelled(client: pfx.Client) -> None:
    first, second = (pay(client, order, capture=pfx.CaptureMode.MANUAL) for order in (1, 2))
    held = client.payments.wait_for(first)
    assert (held.status, held.capturable, held.captured) == (pfx.PaymentStatus.AUTHORIZED, 1999, 0)
    capture = client.payments.capture(first.transaction_id, amount=pfx.REMAINING, key=("order", 1, "capture"))
    with pytest.raises(pfx.InvalidStateError):
        client.payments.capture(first.transaction_id, amount=1, key=("order", 1, "capture", 2))
    assert client.operations.wait_for(capture).status is pfx.OperationStatus.SUCCEEDED
    assert client.payments.get(first.transaction_id).refundable == 1999
    client.payments.wait_for(second)
    assert client.payments.cancel(second.transaction_id).status is pfx.PaymentStatus.AUTHORIZED
    until = {pfx.PaymentStatus.CANCELLED}
    assert client.payments.wait_for(second, until=until).status is pfx.PaymentStatus.CANCELLED
    assert [each.state.value for each in client.payments.get(second.transaction_id).attempts] == ["FENCED"]


def test_a_payment_is_cancelled_before_it_is_charged(client: pfx.Client, side: Side) -> None:
    payment = pay(client)
    assert client.payments.cancel(payment.transaction_id).status is pfx.PaymentStatus.CANCELLED
    assert client.payments.cancel(payment.transaction_id).status is pfx.PaymentStatus.CANCELLED
    side.advance(600)
    assert client.payments.get(payment.transaction_id).status is pfx.PaymentStatus.CANCELLED


def test_what_a_payment_does_not_allow(client: pfx.Client, side: Side) -> None:
    payment = pay(client)
    with pytest.raises(pfx.OutcomeUnknownError) as early:
        client.refunds.create(payment.transaction_id, amount=1, key=("r", 1))
    assert early.value.problem.retry_after_seconds == 30
    client.payments.wait_for(payment)
    with pytest.raises(pfx.InvalidStateError):
        client.payments.cancel(payment.transaction_id)
    with pytest.raises(pfx.InvalidStateError):
        client.payments.capture(payment.transaction_id, amount=1, key=("c", 1))
    side.play("hard_decline")
    declined = pay(client, 2, payment_method=pfx.PaymentMethod(type="card", token="tok_hard_decline"))
    client.payments.wait_for(declined)
    with pytest.raises(pfx.InvalidStateError):
        client.refunds.create(declined.transaction_id, amount=1, key=("r", 2))


def test_lists_are_paged(client: pfx.Client) -> None:
    made = {pay(client, order).transaction_id for order in range(5)}
    assert {each.transaction_id for each in client.payments.list(page_size=2)} == made
    assert list(client.payments.list(status=pfx.PaymentStatus.FAILED)) == []
    events = list(client.payments.audit_events(min(made), page_size=1))
    assert [each.seq for each in events] == list(range(1, len(events) + 1))
    assert [(each.from_, each.to) for each in events] == [(None, pfx.PaymentStatus.PENDING)]


def test_problems_arrive_as_exceptions(client: pfx.Client, side: Side) -> None:
    with pytest.raises(pfx.NotFoundError) as raised:
        client.with_options(correlation_id="checkout-1").payments.get("pay_" + "a" * 16)
    assert raised.value.request_id
    assert raised.value.problem.correlation_id == "checkout-1"
    with pytest.raises(pfx.AuthenticationError):
        side.client(api_key="pfx_test_sk_none").payments.get("pay_1")
    with pytest.raises(pfx.InvalidRequestError) as refused:
        pay(client, currency="XXX")
    assert (refused.value.code, refused.value.field) == ("currency_invalid", "currency")


VALID = {"amount": 5, "currency": "USD", "paymentMethod": {"type": "card", "token": "tok_success"}}
REFUSED: list[tuple[str, str, Any, dict[str, str]]] = [
    ("POST", "/payments", {**VALID, **changed}, {"Idempotency-Key": "k-1"})
    for changed in (
        {"amount": 0},
        {"amount": 1.5},
        {"amount": "5"},
        {"amount": True},
        {"amount": 10**12},
        {"amount": None},
        {"currency": "usd"},
        {"currency": "XXX"},
        {"nope": 1},
        {"paymentMethod": None},
        {"paymentMethod": {"type": "card"}},
        {"paymentMethod": {"type": "card", "token": "a", "tokens": {"stripe": "b"}}},
        {"capture": "x"},
        {"idempotencyKey": "k-2"},
    )
]
CHECKOUT: dict[str, Any] = {"type": "checkout"}
REFUSED += [
    ("POST", "/payments", {**VALID, "paymentMethod": CHECKOUT, **changed}, {"Idempotency-Key": "k-1"})
    for changed in (
        {"paymentMethod": CHECKOUT | {"token": "tok_success"}},
        {"paymentMethod": CHECKOUT | {"tokens": {"alpha": "t"}}},
        {"paymentMethod": CHECKOUT | {"methods": []}},
        {"paymentMethod": CHECKOUT | {"methods": ["cash"]}},
        {"paymentMethod": CHECKOUT | {"methods": ["card", "card"]}},
        {"paymentMethod": CHECKOUT | {"methods": "card"}},
        {"paymentMethod": CHECKOUT | {"presentation": "x"}},
        {"paymentMethod": {"type": "card", "token": "t", "methods": ["card"]}},
        {"paymentMethod": {"type": "card", "token": "t", "presentation": "direct"}},
        {"paymentMethod": {"type": "card", "token": "t"}, "expiresInSeconds": 3600},
        {"initiator": "merchant"},
        {"savePaymentMethod": True},
        {"expiresInSeconds": 899},
        {"expiresInSeconds": 2_592_001},
        {"expiresInSeconds": "900"},
        {"expiresInSeconds": 900.5},
        {"returnUrl": "javascript:alert(1)"},
    )
]
REFUSED += [
    ("POST", "/payments", {**VALID, "currency": "BGN"}, {"Idempotency-Key": "k-1"}),
    ("POST", "/payments?amount=5", VALID, {"Idempotency-Key": "k-1"}),
    ("POST", "/payments/pay_" + "a" * 16 + "/refunds?amount=5", None, {"Idempotency-Key": "k"}),
    *(
        ("POST", "/payments", {**VALID, name: None}, {"Idempotency-Key": "k-1"})
        for name in ("capture", "initiator", "savePaymentMethod", "oncePerOrder")
    ),
    *(
        ("POST", "/payments", {**VALID, "paymentMethod": {**method, "presentation": None}}, {"Idempotency-Key": "k-1"})
        for method in (CHECKOUT, VALID["paymentMethod"])
    ),
    ("POST", "/payments/pay_" + "a" * 16 + "/cancel", None, {"Idempotency-Key": "a b"}),
    ("POST", "/payments/pay_" + "a" * 16 + "/cancel", {"idempotencyKey": "x"}, {"Idempotency-Key": "y"}),
    ("POST", "/payments/pay_" + "a" * 16 + "/cancel", {"amount": 5}, {}),
    ("GET", "/payments?orderID=1", None, {}),
    ("GET", "/payments?limit=1&limit=2", None, {}),
    ("GET", "/payments?provider=alpha", None, {}),
    ("GET", "/payments/pay_" + "a" * 16 + "?limit=1", None, {}),
    ("GET", "/payments/pay_" + "a" * 16 + "/events?from=2026-11-01", None, {}),
    ("GET", "/payments/pay_" + "a" * 16 + "/operations?status=PENDING", None, {}),
    ("GET", "/payments/pay_" + "a" * 16 + "/operations/ref_" + "a" * 16 + "?limit=1", None, {}),
    ("GET", "/events?status=SUCCESS", None, {}),
    ("GET", "/webhook-endpoints?limit=1", None, {}),
    ("POST", "/payments", VALID, {}),
    ("POST", "/payments", VALID, {"Idempotency-Key": "a b"}),
    ("POST", "/payments", {}, {"Idempotency-Key": "k-1"}),
    ("POST", "/payments", b"{", {"Idempotency-Key": "k-1"}),
    ("POST", "/payments", b"[]", {"Idempotency-Key": "k-1"}),
    ("GET", "/payments?limit=0", None, {}),
    ("GET", "/payments?limit=x", None, {}),
    ("GET", "/payments?status=x", None, {}),
    ("GET", "/payments?cursor=x", None, {}),
    ("GET", "/payments?from=x", None, {}),
    ("GET", "/payments/pay_" + "a" * 16, None, {}),
    ("GET", "/payments/pay_" + "a" * 16 + "/events", None, {}),
    ("POST", "/payments/pay_" + "a" * 16 + "/refunds", {"amount": 5}, {"Idempotency-Key": "k"}),
    ("GET", "/nope", None, {}),
    ("POST", "/webhook-endpoints", {"url": "nope"}, {}),
    ("POST", "/webhook-endpoints", {}, {}),
    ("POST", "/webhook-endpoints", {"url": "https://a.example.com", "eventTypes": ["x"]}, {}),
    ("DELETE", "/webhook-endpoints/we_" + "a" * 16, None, {}),
    ("POST", "/webhook-endpoints/we_" + "a" * 16 + "/rotate-secret", None, {}),
    ("POST", "/events/evt_" + "a" * 16 + "_1/redeliver", None, {}),
]


def answered(side: Side, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    typed = {} if content is None else {"Content-Type": "application/json"}
    sent = {"Authorization": f"Bearer {side.api_key}", **typed, **headers}
    answer = side.transport(Request(method, path, sent, content), timeout_seconds=10)
    return answer.status, {**json.loads(answer.body), "_type": answer.headers["content-type"]}


def test_what_the_api_refuses_the_doubles_refuse_alike(side: Side) -> None:
    """The double's title, code, status and field are those of the API; only its details may be shorter."""
    found = []
    for method, path, body, headers in REFUSED:
        _, problem = answered(side, method, path, body, headers)
        jsonschema.validate(
            {name: value for name, value in problem.items() if name != "_type"},
            {"$ref": "#/components/schemas/ProblemAnswer", "components": DOCUMENT["components"]},
        )
        kept = [problem.get(name) for name in ("status", "code", "field", "title", "_type")]
        found.append([f"{method} {path} {body!r} {headers}", *kept])
    if os.environ.get("RECORD_REFUSALS") and side.name == "real":
        REFUSALS.write_text("[\n" + ",\n".join(f"  {json.dumps(each)}" for each in found) + "\n]\n")
    assert found == json.loads(REFUSALS.read_text())


def test_answers_are_of_the_documents_schemas(client: pfx.Client, side: Side) -> None:
    payment = client.payments.wait_for(pay(client))
    client.operations.wait_for(client.refunds.create(payment.transaction_id, amount=5, key=("r", 1)))
    client.webhook_endpoints.create(url=side.endpoint_url)
    for path, schema in (
        (f"/payments/{payment.transaction_id}", "PaymentAnswer"),
        ("/payments", "PaymentListAnswer"),
        (f"/payments/{payment.transaction_id}/events", "EventListAnswer"),
        (f"/payments/{payment.transaction_id}/operations", "OperationListAnswer"),
        ("/events", "MerchantEventListAnswer"),
        ("/webhook-endpoints", "EndpointListAnswer"),
    ):
        _, body = answered(side, "GET", path, None, {})
        jsonschema.validate(
            {name: value for name, value in body.items() if name != "_type"},
            {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]},
        )


Seen = tuple[str, tuple[str, ...], str | None, bool]


def seen(payment: pfx.Payment) -> Seen:
    attempts = tuple(each.state.value for each in payment.attempts)
    error = payment.last_error.code if payment.last_error else None
    return payment.status.value, attempts, error, payment.next_action is not None


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_a_scenario_runs_alike(client: pfx.Client, side: Side, name: str) -> None:
    """The states that a merchant sees, in their order, and the events with their numbers."""
    scenario = SCENARIOS[name]
    side.play(name)
    client.webhook_endpoints.create(url=side.endpoint_url)
    if side.name == "real":
        side.lose_answers(scenario.loses_answers)
    payment = pay(client, payment_method=pfx.PaymentMethod(type="card", token=scenario.token))
    states = [seen(payment)]
    for seconds in [60] * 11 + [7200] * 15:
        side.advance(seconds)
        now = seen(client.payments.get(payment.transaction_id))
        states += [now] if now != states[-1] else []
    accepted = ("PENDING", (), None, False)
    assert [each for each in states if each != accepted] == expected_states(name)
    events = [(each.type.value, each.sequence) for each in client.events.list()][::-1]
    statuses = [each["status"] for each in scenario.steps if "status" in each]
    topics = ["payment.succeeded" if each == "SUCCESS" else f"payment.{each.lower()}" for each in statuses]
    assert events == [(topic, number) for number, topic in enumerate(topics, start=1)]


def expected_states(name: str) -> list[Seen]:
    """Steps within one minute are seen as one where a step of the test is a minute."""
    steps = SCENARIOS[name].steps
    last_of_minute = {(step["atSeconds"] - 1) // 60: step for step in steps}
    found, status = [], "PENDING"
    for step in last_of_minute.values():
        status = step.get("status", status)
        states = tuple(state for _, state, _ in step["attempts"])
        found.append((status, states, step.get("lastError"), bool(step.get("isActionOpen"))))
    return found


def check_out(client: pfx.Client, scenario: str, order: int = 1, **changes: Any) -> pfx.Payment:
    return pay(
        client,
        order,
        **{
            "payment_method": pfx.PaymentMethod(type="checkout"),
            "metadata": {"scenario": scenario},
            "expires_in_seconds": 3600,
            **changes,
        },
    )


@pytest.mark.parametrize("name", list(CHECKOUTS))
def test_a_checkout_runs_alike(client: pfx.Client, side: Side, name: str) -> None:
    """Its page is there at once and until the end, whatever the payer does."""
    side.play(name)
    client.webhook_endpoints.create(url=side.endpoint_url)
    payment = check_out(client, name)
    states = [seen(payment)]
    assert states == [("REQUIRES_ACTION", (), None, True)]
    assert payment.next_action is not None
    side.advance(1)
    if CHECKOUTS[name].steps:
        side.choose(payment)
    for seconds in [3] + [60] * 70:
        side.advance(seconds)
        now = client.payments.get(payment.transaction_id)
        states += [seen(now)] if seen(now) != states[-1] else []
        if now.status is pfx.PaymentStatus.REQUIRES_ACTION:
            assert now.next_action == payment.next_action
    events = [(each.type.value, each.sequence) for each in client.events.list()]
    opened, expired = ("REQUIRES_ACTION", ("REQUIRES_ACTION",), None, True), "checkout_expired"
    assert (states[1:], events) == {
        "checkout_paid": ([opened, ("SUCCESS", ("SUCCEEDED",), None, False)], [("payment.succeeded", 1)]),
        "checkout_expired": ([("FAILED", (), expired, False)], [("payment.failed", 1)]),
        "checkout_left": ([opened, ("FAILED", ("FENCED",), expired, False)], [("payment.failed", 1)]),
    }[name]


def test_a_checkout_is_cancelled_and_frees_its_order(client: pfx.Client, side: Side) -> None:
    side.play("checkout_expired")
    payment = check_out(client, "checkout_expired", order_id="order-1")
    with pytest.raises(pfx.ConflictError) as refused:
        check_out(client, "checkout_expired", 2, order_id="order-1")
    assert refused.value.problem.order is not None
    assert refused.value.problem.order.next_action == payment.next_action
    cancelled = client.payments.cancel(payment.transaction_id)
    assert (cancelled.status, cancelled.next_action) == (pfx.PaymentStatus.CANCELLED, None)
    side.advance(3700)
    assert client.payments.get(payment.transaction_id).status is pfx.PaymentStatus.CANCELLED
    assert check_out(client, "checkout_expired", 3, order_id="order-1").status is pfx.PaymentStatus.REQUIRES_ACTION


def test_a_direct_checkout_shows_the_providers_own_page(client: pfx.Client, side: Side) -> None:
    side.play("checkout_left")
    method = pfx.PaymentMethod(type="checkout", presentation=pfx.CheckoutPresentation.DIRECT)
    payment = check_out(client, "checkout_left", payment_method=method)
    assert (payment.status, payment.next_action) == (pfx.PaymentStatus.REQUIRES_ACTION, None)
    side.advance(60)
    action = client.payments.get(payment.transaction_id).next_action
    assert action is not None
    assert (action.url, action.expires_at is not None) == ("https://payer.example.com/authenticate", True)


def test_an_order_is_paid_once(client: pfx.Client) -> None:
    payment = pay(client, order_id="order-1")
    with pytest.raises(pfx.ConflictError) as refused:
        pay(client, 2, order_id="order-1")
    assert refused.value.code == "order_not_free"
    assert refused.value.problem.order is not None
    assert refused.value.problem.order.transaction_id == payment.transaction_id
    client.payments.cancel(payment.transaction_id)
    again = client.payments.wait_for(pay(client, 3, order_id="order-1"))
    pay(client, 4)
    found = {each.transaction_id for each in client.payments.list(order_id="order-1")}
    assert found == {payment.transaction_id, again.transaction_id}
    (charged,) = client.payments.list(provider_ref=again.provider_ref)
    assert charged.transaction_id == again.transaction_id


def held_by(client: pfx.Client, number: int) -> pfx.OrderHolder:
    """The order of the refusal of one more payment."""
    with pytest.raises(pfx.OrderNotFreeError) as refused:
        pay(client, number, order_id="order-1")
    assert refused.value.problem.order is not None
    return refused.value.problem.order


def test_an_order_is_free_after_a_full_refund(client: pfx.Client) -> None:
    payment = client.payments.wait_for(pay(client, order_id="order-1"))
    client.refunds.create(payment.transaction_id, amount=500, key="part")
    rest = client.refunds.create(payment.transaction_id, amount=pfx.REMAINING, key="rest")
    assert held_by(client, 2).transaction_id == payment.transaction_id
    client.operations.wait_for(rest)
    assert pay(client, 2, order_id="order-1").transaction_id != payment.transaction_id


def test_payments_beside_each_other_are_counted(client: pfx.Client) -> None:
    for number in (1, 2):
        client.payments.wait_for(pay(client, number, order_id="order-1", once_per_order=False))
    held = held_by(client, 3)
    assert (held.transaction_id, held.status, held.beside) == (None, None, 2)


def test_an_order_is_held_while_a_decline_may_be_reversed(client: pfx.Client, side: Side) -> None:
    side.play("reopened_decline")
    method = pfx.PaymentMethod(type="card", token="tok_reopened_decline")
    payment = pay(client, order_id="order-1", payment_method=method)
    side.advance(2)
    assert client.payments.get(payment.transaction_id).status is pfx.PaymentStatus.FAILED
    held = held_by(client, 2)
    assert (held.transaction_id, held.status) == (payment.transaction_id, pfx.PaymentStatus.FAILED)
    assert held.free_at is not None


def test_health_and_description(client: pfx.Client) -> None:
    assert client.is_healthy()
    assert client.openapi()["openapi"] == "3.1.0"


def test_what_is_delivered_is_a_typed_event(client: pfx.Client, side: Side) -> None:
    endpoint = client.webhook_endpoints.create(url=side.endpoint_url, event_types=[pfx.EventType.PAYMENT_SUCCEEDED])
    with pytest.raises(pfx.EndpointConflictError):
        client.webhook_endpoints.create(url=side.endpoint_url)
    payment = client.payments.wait_for(pay(client))
    ((headers, body),) = side.deliveries()
    webhook = pfx.Webhook(endpoint.secret, store=pfx.MemoryEventStore(), now=side.now_seconds)
    received = webhook.parse(body, headers)
    assert received.is_new
    assert received.event.data.payment == client.payments.get(payment.transaction_id)
    received.done()
    (event,) = client.events.list()
    assert event.id == received.event.id
    assert [each.state.value for each in event.deliveries] == ["DELIVERED"]
    client.events.redeliver(event.id)
    assert [webhook.parse(body, headers).is_new for headers, body in side.deliveries()] == [False]
    rotated = client.webhook_endpoints.rotate_secret(endpoint.id)
    assert rotated.secret != endpoint.secret
    client.events.redeliver(event.id)
    for headers, body in side.deliveries():
        assert pfx.Webhook(endpoint.secret, now=side.now_seconds).parse(body, headers).event.id == event.id
        assert pfx.Webhook(rotated.secret, now=side.now_seconds).parse(body, headers).event.id == event.id
    client.webhook_endpoints.delete(endpoint.id)
    assert client.webhook_endpoints.list() == ()


def test_a_refund_is_told_with_its_operation(client: pfx.Client, side: Side) -> None:
    endpoint = client.webhook_endpoints.create(url=side.endpoint_url, event_types=[pfx.EventType.REFUND_SUCCEEDED])
    payment = client.payments.wait_for(pay(client))
    refund = client.operations.wait_for(client.refunds.create(payment.transaction_id, amount=5, key=("r", 1)))
    ((headers, body),) = side.deliveries()
    event = pfx.Webhook(endpoint.secret, now=side.now_seconds).parse(body, headers).event
    assert event.data.operation is not None
    assert event.data.operation.operation_id == refund.operation_id
    assert (event.sequence, event.data.change.from_, event.data.change.to) == (2, "SUCCESS", "SUCCESS")
