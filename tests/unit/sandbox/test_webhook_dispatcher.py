"""The webhook dispatcher on a clock that the tests move: which webhooks it delivers, when and how often."""

import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

import pytest

from payflowx.domain.providers.events import InvalidSignatureError
from payflowx.domain.providers.events import Webhook as InboundWebhook
from payflowx.providers.cashfree.connector import CONNECTOR as CASHFREE
from payflowx.providers.payu.connector import CONNECTOR as PAYU
from payflowx.providers.razorpay.connector import CONNECTOR as RAZORPAY
from payflowx.providers.stripe.connector import CONNECTOR as STRIPE
from sandbox.ledger import Webhook
from sandbox.payu import response_hash
from sandbox.simulator import Credentials
from sandbox.simulators import REAL_PROVIDERS
from sandbox.store import MemoryStore
from sandbox.webhook_dispatcher import RETRY_DELAYS_SECONDS, WebhookDispatcher, with_wrong_signature

URL = "http://127.0.0.1:3000/webhooks/x/token"
NOW = 1_700_000_000.0
FAULTS = ["late", "twice", "out_of_order", "never", "wrong_signature"]


@dataclass
class Provider:
    """Its webhooks are those that a test adds."""

    ready: list[Webhook] = field(default_factory=list)

    def webhooks_due(self, now: float) -> list[Webhook]:
        due, self.ready = self.ready, []
        return due

    def redelivered(self, webhook: Webhook, now: float) -> Webhook:
        return Webhook(id=webhook.id, type=webhook.type, headers={"x-signature": f"at {now}" * 5}, body=webhook.body)


@dataclass
class Shop:
    """A dispatcher, the merchant that it posts to, and the time."""

    now: float = NOW
    answers: list[int | None] = field(default_factory=list)
    posted: list[tuple[float, Webhook]] = field(default_factory=list)
    provider: Provider = field(default_factory=Provider)

    def __post_init__(self) -> None:
        self.dispatcher = WebhookDispatcher(self.provider, threading.Lock(), post=self._take, clock=lambda: self.now)
        self.dispatcher.update({"webhookUrl": URL})

    def _take(self, url: str, webhook: Webhook) -> int | None:
        assert url == URL
        self.posted.append((self.now, webhook))
        return self.answers.pop(0) if self.answers else 200

    def emit(self, *names: str) -> None:
        self.provider.ready += [
            Webhook(id=name, type=f"type.{name}", headers={"x-signature": "0123456789" * 5}, body=name.encode())
            for name in names
        ]
        self.dispatcher.round()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now = round(self.now + 0.1, 1)
            self.dispatcher.round()

    def names(self) -> list[str]:
        return [webhook.id for _, webhook in self.posted]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_what_is_due_is_posted_at_once_in_order_and_once(shop: Shop) -> None:
    shop.emit("a", "b", "c")
    shop.wait(120)
    assert shop.names() == ["a", "b", "c"]
    assert [report["status"] for report in shop.dispatcher.reports()] == [200, 200, 200]


def test_without_an_address_nothing_is_taken_from_the_provider(shop: Shop) -> None:
    shop.dispatcher.update({"webhookUrl": None})
    shop.emit("a")
    assert (shop.names(), len(shop.provider.ready)) == ([], 1)
    shop.dispatcher.update({"webhookUrl": URL})
    shop.dispatcher.round()
    assert shop.names() == ["a"]


def test_only_what_was_subscribed_to_is_posted(shop: Shop) -> None:
    shop.dispatcher.update({"webhookEvents": ["type.b"]})
    shop.emit("a", "b")
    assert shop.names() == ["b"]
    shop.dispatcher.update({"webhookEvents": None})
    shop.emit("a")
    assert shop.names() == ["b", "a"]


@pytest.mark.parametrize("answer", [500, 401, 302, 199, None])
def test_what_is_not_taken_is_brought_again_signed_anew_and_given_up_in_the_end(shop: Shop, answer: int | None) -> None:
    shop.answers = [answer] * 20
    shop.emit("a")
    shop.wait(600)
    times = [at - NOW for at, _ in shop.posted]
    expected = [sum(RETRY_DELAYS_SECONDS[:tries]) for tries in range(len(RETRY_DELAYS_SECONDS) + 1)]
    assert times == pytest.approx(expected, abs=0.5)
    signatures = {webhook.headers["x-signature"] for _, webhook in shop.posted}
    assert len(signatures) == len(shop.posted)
    assert [report["send"] for report in shop.dispatcher.reports()] == [1, 2, 3, 4]


def test_a_second_delivery_that_is_taken_is_the_last(shop: Shop) -> None:
    shop.answers = [503]
    shop.emit("a")
    shop.wait(600)
    assert shop.names() == ["a", "a"]


@pytest.mark.parametrize(
    ("fault", "names", "times"),
    [
        ("late", ["a"], [5.0]),
        ("twice", ["a", "a"], [0.0, 0.0]),
        ("out_of_order", ["a"], [1.5]),
        ("never", [], []),
        ("wrong_signature", ["a"], [0.0]),
    ],
)
def test_a_fault_does_what_it_is_called(shop: Shop, fault: str, names: list[str], times: list[float]) -> None:
    shop.dispatcher.update({"webhookFaults": {fault: 1.0}})
    shop.emit("a")
    shop.wait(60)
    assert shop.names() == names
    assert [at - NOW for at, _ in shop.posted] == pytest.approx(times, abs=0.2)


def test_one_that_is_out_of_order_is_overtaken_by_the_next(shop: Shop) -> None:
    shop.dispatcher.update({"webhookFaults": {"out_of_order": 1.0}})
    shop.emit("a")
    shop.dispatcher.update({"webhookFaults": {}})
    shop.emit("b")
    shop.wait(5)
    assert shop.names() == ["b", "a"]


def test_a_wrong_signature_is_right_the_second_time(shop: Shop) -> None:
    shop.dispatcher.update({"webhookFaults": {"wrong_signature": 1.0}})
    shop.answers = [401]
    shop.emit("a")
    shop.wait(60)
    (_, first), (_, second) = shop.posted
    assert first.headers["x-signature"] != "0123456789" * 5
    assert second.headers["x-signature"].startswith("at ")
    assert [report["fault"] for report in shop.dispatcher.reports()] == ["wrong signature", None]


def test_a_wrong_signature_that_got_no_answer_is_wrong_again(shop: Shop) -> None:
    shop.dispatcher.update({"webhookFaults": {"wrong_signature": 1.0}})
    shop.answers = [None, 401]
    shop.emit("a")
    shop.wait(60)
    assert [report["fault"] for report in shop.dispatcher.reports()] == ["wrong signature", "wrong signature", None]


def test_the_same_seed_gives_the_same_faults() -> None:
    def story() -> list[str]:
        shop = Shop()
        shop.dispatcher.update({"webhookFaults": dict.fromkeys(FAULTS, 0.4), "seed": 7})
        for number in range(30):
            shop.emit(str(number))
        shop.wait(200)
        return shop.names()

    assert story() == story()


def test_a_full_queue_takes_no_more(shop: Shop) -> None:
    shop.answers = [500] * 10_000
    shop.emit(*map(str, range(2_100)))
    shop.wait(200)
    assert len(set(shop.names())) == 2_000


def test_a_reset_forgets_deliveries_and_faults_and_keeps_the_address(shop: Shop) -> None:
    shop.answers = [500]
    shop.dispatcher.update({"webhookFaults": {"late": 1.0}})
    shop.emit("a")
    shop.dispatcher.reset()
    shop.wait(60)
    shop.emit("b")
    assert shop.names() == ["b"]


@pytest.mark.parametrize(
    "settings",
    [
        {"webhookUrl": "https://example.com/x"},
        {"webhookUrl": "http://127.0.0.1.example.com/x"},
        {"webhookUrl": "http://127.0.0.1:1/x y"},
        {"webhookUrl": 5},
        {"webhookEvents": "type.a"},
        {"webhookEvents": [1]},
        {"webhookFaults": {"lost": 1}},
        {"webhookFaults": {"late": 2}},
        {"webhookLateSeconds": 61},
    ],
)
def test_what_it_does_not_understand_changes_nothing(shop: Shop, settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must be|takes"):
        shop.dispatcher.update({"webhookFaults": {"never": 1.0}, **settings})
    shop.emit("a")
    assert shop.names() == ["a"]


SECRET = "secret"
ADAPTERS = {"stripe": STRIPE, "razorpay": RAZORPAY, "cashfree": CASHFREE, "payu": PAYU}


def signed(provider: str) -> Webhook:
    """A webhook with an honest signature of that provider."""
    options = {"webhook_secret": SECRET}
    simulator = REAL_PROVIDERS[provider](
        MemoryStore(), Credentials(key_id="id", key_secret=SECRET), public_url="x", **options
    )
    body = b'{"id": "evt_1", "type": "payment_intent.succeeded"}'
    if provider == "payu":
        fields = {"txnid": "pfx-aaaaaaaaaaaaaaaa-1", "status": "success", "key": "id"}
        body = urlencode({**fields, "hash": response_hash(fields, SECRET)}).encode()
    return Webhook(id="1", type="t", headers=simulator.sign(body, NOW), body=body)


@pytest.mark.parametrize("provider", ADAPTERS)
def test_a_forged_webhook_is_refused_by_the_adapter_that_takes_the_honest_one(provider: str) -> None:
    honest = signed(provider)
    inbound = InboundWebhook(headers=honest.headers, body=honest.body, received_at_ms=int(NOW * 1000))
    ADAPTERS[provider].read_webhook(inbound, [SECRET])
    wrong = with_wrong_signature(honest)
    assert dict(parse_qsl(wrong.body.decode())).keys() == dict(parse_qsl(honest.body.decode())).keys()
    with pytest.raises(InvalidSignatureError):
        ADAPTERS[provider].read_webhook(
            InboundWebhook(headers=wrong.headers, body=wrong.body, received_at_ms=int(NOW * 1000)), [SECRET]
        )
