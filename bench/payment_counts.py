"""A payment's calls, capacity and bytes at AWS. Deterministic: over the models in memory, with a manual clock."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from bench.metering import Meter
from bench.model.engine import ModelEngine
from payflowx.domain.outbound_webhooks.merchant_events import Answered
from payflowx.domain.payments.hosted import HostedCapability
from payflowx.domain.payments.outcome import ActionRequired, NextAction, NotSent, Succeeded, Unknown
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.entrypoints import deliverer, provider_events, webhook_receiver, worker
from payflowx.entrypoints.checkout import handler as checkout
from payflowx.wiring.api import ApiWiring
from payflowx.wiring.checkout import CheckoutWiring
from payflowx.wiring.outbound_webhooks import DelivererWiring
from payflowx.wiring.payments import WorkerWiring
from tests.support.handlers import Context, Functions, functions_over, rest_event

MAX_TURNS: Final = 6
WITHOUT_ENDPOINTS: Final = "payment, no endpoint"
WITH_ENDPOINT: Final = "payment, one endpoint"
FULL_WITHOUT_ENDPOINTS: Final = "payment, no endpoint, full layout"
FULL_WITH_ENDPOINT: Final = "payment, one endpoint, full layout"
ORDERED: Final = "payment with an order, no endpoint"
READ: Final = "read"
WEBHOOK: Final = "provider's webhook, no news"
CHECKOUT_ACCEPT: Final = "checkout: accept"
CHECKOUT_PAGE: Final = "checkout: show the page"
CHECKOUT_CHOICE: Final = "checkout: store the choice"
CHECKOUT_OBJECT: Final = "checkout: work, open the provider's page"
PAGES: Final = HostedCapability(methods=frozenset({"card"}), min_lifetime_ms=MINUTE_MS, max_lifetime_ms=2 * DAY_MS)
OPENED: Final = NextAction(kind="redirect", url="https://bank.example/1")
EXAMPLE: Final = {
    "customer": {"id": "cust_42", "country": "DE", "email": "ada@example.com"},
    "description": "Order 1001",
    "metadata": {"cart": "c-77", "channel": "web"},
}
"""What the documented example says besides amount, currency and method: sizes decide about write units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Of one way through."""

    calls: dict[str, int]
    bytes_written: int
    write_units: float
    read_units: float

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "total": self.total,
            "calls": self.calls,
            "bytesWritten": self.bytes_written,
            "writeUnits": self.write_units,
            "readUnits": self.read_units,
        }


def payment_counts() -> dict[str, dict[str, Any]]:
    """One row a way through, with warm functions and a provider that answers in one request."""
    with counting() as (engine, functions):
        found = {name: counts.document() for name, counts in _rows(engine, functions)}
    with counting(compact=False) as (engine, functions):
        return found | {name: counts.document() for name, counts in _full_rows(engine, functions)}


@contextlib.contextmanager
def counting(*, compact: bool = True) -> Iterator[tuple[ModelEngine, Functions]]:
    """Functions over models that count, warmed up by one payment. `compact`: the setting `compact_payments`."""
    engine = ModelEngine()
    with contextlib.redirect_stdout(io.StringIO()), functions_over(engine) as functions:  # type: ignore[arg-type]  # as `InProcessEngine`
        functions.deploy(COMPACT_PAYMENTS="true" if compact else "false")
        functions.pay("warm-up", **EXAMPLE)
        work(functions)
        deliver(functions)
        engine.meter.take()
        yield engine, functions


def _rows(engine: ModelEngine, functions: Functions) -> Iterator[tuple[str, Counts]]:
    def row(step: Callable[[], object]) -> Counts:
        read_configuration(functions)
        engine.meter.take()
        step()
        return _counts(engine.meter.take())

    yield "accept", row(lambda: functions.pay("good", **EXAMPLE))
    yield "work, one request", row(lambda: work(functions))
    yield "deliver, no endpoint", row(lambda: deliver(functions))
    yield "repeat of the same key", row(lambda: functions.pay("good", **EXAMPLE))
    _, payment, _ = functions.pay("good", **EXAMPLE)
    webhook_without_news(functions, payment)  # a warm-up: the account and its secret are read
    yield WEBHOOK, row(lambda: webhook_without_news(functions, payment))
    yield READ, row(lambda: functions.call("GET", f"/payments/{payment['transactionId']}"))
    yield "list of 20", row(lambda: functions.call("GET", "/payments", query={"limit": "20"}))
    yield "accept, with an order", row(lambda: functions.pay("ordered", orderId="order-1", **EXAMPLE))
    yield "work, with an order", row(lambda: work(functions))
    deliver(functions)
    yield "refused, the order is held", row(lambda: functions.pay("second", orderId="order-1", **EXAMPLE))
    yield WITHOUT_ENDPOINTS, whole(functions, engine)
    yield ORDERED, whole(functions, engine, orderId="order-2")
    yield "payment after a fail-over", whole(functions, engine, NotSent(code="x"))
    yield "payment after a lost answer", whole(functions, engine, Unknown(code="x"))
    yield "sweeper, nothing due", row(functions.sweep)
    for name, step in _checkout_steps(functions):
        yield name, row(step)
    register_endpoint(functions)
    whole(functions, engine)  # a warm-up: the endpoint's secret is decrypted, and its first success stored
    yield WITH_ENDPOINT, whole(functions, engine)


def _full_rows(engine: ModelEngine, functions: Functions) -> Iterator[tuple[str, Counts]]:
    """As a deployment with `compact_payments` off accepts payments."""
    yield FULL_WITHOUT_ENDPOINTS, whole(functions, engine)
    register_endpoint(functions)
    whole(functions, engine)  # a warm-up, as above
    yield FULL_WITH_ENDPOINT, whole(functions, engine)


def _checkout_steps(functions: Functions) -> Iterator[tuple[str, Callable[[], object]]]:
    """A payer who is present, up to the provider's page. The second checkout: the first has read the secret."""
    alpha = functions.providers.get("alpha")
    alpha.able = replace(alpha.able, hosted=PAGES)
    page_request(functions, _checkout(functions, "checkout-1"))
    yield CHECKOUT_ACCEPT, lambda: _checkout(functions, "checkout-2")
    address = _checkout(functions, "checkout-2")
    yield CHECKOUT_PAGE, lambda: page_request(functions, address)
    yield CHECKOUT_CHOICE, lambda: page_request(functions, f"{address}/attempts", "method=card")
    alpha.charges = [ActionRequired(reference="obj-1", action=OPENED)]
    yield CHECKOUT_OBJECT, lambda: work(functions)
    functions.messages()  # the later inquiries about the object
    deliver(functions)


def _checkout(functions: Functions, key: str) -> str:
    """The path of the payer's page."""
    _, payment, _ = functions.pay(key, **EXAMPLE, paymentMethod={"type": "checkout"})
    return str(urlsplit(payment["nextAction"]["url"]).path)


def page_request(functions: Functions, path: str, form: str | None = None) -> None:
    """A payer's request for a page, or a form of it."""
    functions.wired(CheckoutWiring).merchants.get(functions.merchant_id)
    headers = {"content-type": "application/x-www-form-urlencoded"} if form else {}
    event = rest_event("POST" if form else "GET", path, headers, {}, form, "")
    _, _, token, *rest = path.split("/")
    event |= {"resource": "/".join(("/checkout/{token}", *rest)), "pathParameters": {"token": token}}
    event["requestContext"] |= {"path": f"/v1{path}"}
    if checkout.handler(event, Context())["statusCode"] not in {200, 303}:
        raise AssertionError(path)


def whole(functions: Functions, engine: ModelEngine, *first: Any, **changes: Any) -> Counts:
    """A payment from its POST to SUCCESS and to its merchant, without the queues' own calls.

    `first`: the answers of the first provider before it charges. The clock moves on for delayed messages.
    """
    provider = functions.providers.get("alpha")
    provider.charges = list(first)
    provider.inquiries = ["charged"] if first and isinstance(first[0], Unknown) else []
    read_configuration(functions)
    engine.meter.take()
    name = "-".join((*(type(answer).__name__ for answer in first), *changes, str(functions.clock.now_ms())))
    _, payment, _ = functions.pay(f"whole-{name}", **EXAMPLE, **changes)
    counted = engine.meter.take()
    for _ in range(MAX_TURNS):
        read_configuration(functions)
        engine.meter.take()
        work(functions, payment["transactionId"])
        counted.add(engine.meter.take())
        if functions.call("GET", f"/payments/{payment['transactionId']}")[1]["status"] == "SUCCESS":
            break
        functions.clock.advance(5)
    else:
        raise AssertionError("the payment did not end")
    engine.meter.take()
    deliver(functions)
    counted.add(engine.meter.take())
    functions.clock.advance(1)
    return _counts(counted)


def webhook_without_news(functions: Functions, payment: Mapping[str, Any]) -> None:
    """A success that the charge's own answer has brought already, named by our key and by the provider's id of it."""
    merchant = functions.api.merchants.get(functions.merchant_id)
    account = merchant.account("alpha", "main") if merchant else None
    if account is None:
        raise AssertionError("the merchant has no account")
    key, reference = payment["attempts"][0]["providerKey"], payment["providerRef"]
    charged = Succeeded(
        reference=reference, amount=payment["amount"], currency=payment["currency"], merchant_reference=key
    )
    content = json.dumps({"charged": reference})
    functions.providers.get("alpha").provider_events[content.encode()] = ProviderEvent(
        event_id=reference, type="charge.succeeded", charge_reference=reference, charge_key=key, outcome=charged
    )
    event = {
        "pathParameters": {"provider": "alpha", "accountToken": account.webhook_token},
        "headers": {"Signature": "secret"},
        "body": content,
        "requestContext": {"requestId": "webhook"},
    }
    if webhook_receiver.handler(event, Context())["statusCode"] != 200:
        raise AssertionError("the webhook was refused")
    _handle(provider_events.handler, _taken(functions, functions.platform.environment["NOTICES_QUEUE_URL"]))


def read_configuration(functions: Functions) -> None:
    """Fill the caches of configuration and accounts' health: they are read by the minute, not by the payment."""
    for wired in (functions.wired(ApiWiring), functions.wired(WorkerWiring)):
        wired.merchants.get(functions.merchant_id)
        wired.account_health.of(functions.merchant_id)


def register_endpoint(functions: Functions, url: str = "https://shop.example.com/hooks", **wanted: Any) -> None:
    """An endpoint for all events, whose server takes each at once. Every function knows of it: a minute has passed."""
    answer = functions.call("POST", "/webhook-endpoints", {"url": url, **wanted})
    if answer[0] != 201:
        raise AssertionError(answer)
    wired = functions.wired(DelivererWiring)
    wired.__dict__.pop("deliver_event", None)  # it was made with the client that posts to real addresses
    wired.webhook_client = Shop()
    functions.clock.advance(60)


@dataclass
class Shop:
    """Implements `WebhookClient`: answers from a list, and takes each event once that is used up."""

    answers: list[Answered] = field(default_factory=list)

    def post(self, *_request: Any, **_more: Any) -> Answered:
        return self.answers.pop(0) if self.answers else Answered(status=200)


def work(functions: Functions, transaction_id: str = "") -> None:
    """The worker's part; a message like it where the queue has none."""
    records = _taken(functions, functions.queue_url)
    if not records and transaction_id:
        body = {"format": 1, "merchant_id": "acme", "transaction_id": transaction_id}
        records = [{"messageId": "m", "body": json.dumps(body), "attributes": {}}]
    _handle(worker.handler, records)


def deliver(functions: Functions) -> None:
    if records := _taken(functions, functions.deliveries_url):
        _handle(deliverer.handler, records)


def _handle(handler: Callable[..., dict[str, Any]], records: list[dict[str, Any]]) -> None:
    if handler({"Records": records}, Context())["batchItemFailures"]:
        raise AssertionError("a message failed")


def _taken(functions: Functions, queue_url: str) -> list[dict[str, Any]]:
    """Messages as Lambda hands them over: its own calls of SQS are no calls of the function."""
    meter: Meter = functions.engine.meter  # type: ignore[attr-defined]  # ours
    before = meter.take()
    records = functions.messages(queue_url)
    meter.take()
    meter.add(before)
    return records


def _counts(counted: Meter) -> Counts:
    calls = {name: counted.calls.count(name) for name in sorted(set(counted.calls))}
    return Counts(
        calls=calls,
        bytes_written=counted.bytes_written,
        write_units=counted.write_units,
        read_units=counted.read_units,
    )
