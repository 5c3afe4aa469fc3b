"""The Python client against the real handlers: what its other tests assume of the API is what the API does."""

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

import payflowx_client as pfx
from payflowx_client.sender import Clock
from payflowx_client.transport import Answer, NoAnswerError, Request
from tests.integration.test_outbound_webhooks import Shop
from tests.support.handlers import Functions
from tests.support.wsgi import ApiGateway


class InProcess:
    """The client's transport, without a socket. `loses` drops so many answers of requests that were executed."""

    def __init__(self, functions: Functions) -> None:
        self.app = ApiGateway()
        self.app.functions = functions
        self.loses = 0

    def __call__(self, request: Request, *, timeout_seconds: float) -> Answer:
        parts, body = urlsplit(request.target), request.body or b""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "REQUEST_URI": request.target,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        for name, value in request.headers.items():
            spelled = name.upper().replace("-", "_")
            environ[spelled if spelled == "CONTENT_TYPE" else f"HTTP_{spelled}"] = value
        started: list[Any] = []
        content = b"".join(self.app(environ, lambda *arguments: started.append(arguments)))
        if self.loses:
            self.loses -= 1
            raise NoAnswerError("lost on purpose")
        ((status, headers),) = started
        return Answer(int(status.split()[0]), {name.lower(): value for name, value in headers}, content)


class Working(Clock):
    """While the client waits, the functions do their work."""

    def __init__(self, functions: Functions) -> None:
        self.monotonic = lambda: functions.clock.now_ms() / 1000

        def sleep(seconds: float) -> None:
            functions.clock.advance(seconds)
            functions.work()

        self.sleep = sleep


@pytest.fixture
def transport(functions: Functions) -> InProcess:
    return InProcess(functions)


@pytest.fixture
def client(functions: Functions, transport: InProcess) -> pfx.Client:
    return pfx.Client(
        base_url="https://api.test", api_key=functions.api_key, transport=transport, clock=Working(functions)
    )


@pytest.fixture
def shop(functions: Functions) -> Iterator[Shop]:
    functions.deploy(LOOPBACK_ALLOWED="true")
    running = Shop()
    yield running
    running.close()


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
    payment = client.payments.wait_for(pay(client, customer=pfx.Customer(email="payer@example.com")))
    assert (payment.status, payment.captured) == (pfx.PaymentStatus.SUCCESS, 1999)
    part = client.refunds.create(payment.transaction_id, amount=500, key=("order", 1, "refund", 1))
    rest = client.refunds.create(payment.transaction_id, amount=pfx.REMAINING, key=("order", 1, "refund", 2))
    assert client.operations.wait_for(part).status is pfx.OperationStatus.SUCCEEDED
    assert client.operations.wait_for(rest).amount == 1499
    assert {each.operation_id for each in client.operations.list(payment.transaction_id, page_size=1)} == {
        part.operation_id,
        rest.operation_id,
    }
    with pytest.raises(pfx.AmountExceededError) as raised:
        client.refunds.create(payment.transaction_id, amount=1, key=("order", 1, "refund", 3))
    assert raised.value.field == "amount"


def test_lost_answers_charge_once(client: pfx.Client, transport: InProcess) -> None:
    transport.loses = 3
    payment = pay(client)
    assert pay(client).transaction_id == payment.transaction_id
    assert [each.transaction_id for each in client.payments.list()] == [payment.transaction_id]


def test_another_request_under_the_same_key_is_refused(client: pfx.Client) -> None:
    pay(client)
    with pytest.raises(pfx.IdempotencyKeyReusedError):
        pay(client, amount=2000)


def test_an_authorized_payment_is_captured_or_cancelled(client: pfx.Client) -> None:
    first, second = (pay(client, order, capture=pfx.CaptureMode.MANUAL) for order in (1, 2))
    assert client.payments.wait_for(first).status is pfx.PaymentStatus.AUTHORIZED
    capture = client.payments.capture(first.transaction_id, amount=pfx.REMAINING, key=("order", 1, "capture"))
    assert client.operations.wait_for(capture).status is pfx.OperationStatus.SUCCEEDED
    client.payments.wait_for(second)
    client.payments.cancel(second.transaction_id)
    until = {pfx.PaymentStatus.CANCELLED}
    assert client.payments.wait_for(second, until=until).status is pfx.PaymentStatus.CANCELLED


def test_lists_are_paged(client: pfx.Client) -> None:
    made = {pay(client, order).transaction_id for order in range(5)}
    assert {each.transaction_id for each in client.payments.list(page_size=2)} == made
    events = list(client.payments.audit_events(min(made), page_size=1))
    assert [each.seq for each in events] == list(range(1, len(events) + 1))


def test_problems_arrive_as_exceptions(client: pfx.Client, functions: Functions, transport: InProcess) -> None:
    with pytest.raises(pfx.NotFoundError) as raised:
        client.with_options(correlation_id="checkout-1").payments.get("pay_" + "a" * 16)
    assert raised.value.request_id
    assert raised.value.problem.correlation_id == "checkout-1"
    with pytest.raises(pfx.AuthenticationError):
        pfx.Client(base_url="https://api.test", api_key="pfx_test_sk_none", transport=transport).payments.get("pay_1")
    with pytest.raises(pfx.InvalidRequestError) as refused:
        pay(client, currency="XXX")
    assert (refused.value.code, refused.value.field) == ("currency_invalid", "currency")


def test_health_and_description(client: pfx.Client) -> None:
    assert client.is_healthy()
    assert client.openapi()["openapi"] == "3.1.0"


def test_what_the_deliverer_posts_is_a_typed_event(client: pfx.Client, functions: Functions, shop: Shop) -> None:
    endpoint = client.webhook_endpoints.create(url=shop.url, event_types=[pfx.EventType.PAYMENT_SUCCEEDED])
    payment = client.payments.wait_for(pay(client))
    functions.deliver()
    ((headers, body),) = shop.received
    webhook = pfx.Webhook(endpoint.secret, store=pfx.MemoryEventStore(), now=lambda: functions.clock.now_ms() / 1000)
    received = webhook.parse(body, headers)
    assert received.event.data.payment == client.payments.get(payment.transaction_id)
    received.done()
    (event,) = client.events.list()
    assert event.id == received.event.id
    client.events.redeliver(event.id)
    functions.deliver()
    assert [webhook.parse(body, headers).is_new for headers, body in shop.received] == [False, False]
    rotated = client.webhook_endpoints.rotate_secret(endpoint.id)
    assert rotated.secret != endpoint.secret
    client.webhook_endpoints.delete(endpoint.id)
    assert client.webhook_endpoints.list() == ()
