"""The postman on a clock that the tests move: what he brings, when, how often, and what he does not bring."""

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
from sandbox.webhook_dispatcher import RETRY_DELAYS_SECONDS, Postman, forged

URL = "http://127.0.0.1:3000/webhooks/x/token"
NOW = 1_700_000_000.0
MISHAPS = ["late", "twice", "out_of_order", "never", "wrong_signature"]


@dataclass
class Gateway:
    """Has webhooks ready that a test puts there."""

    ready: list[Webhook] = field(default_factory=list)

    def webhooks_due(self, now: float) -> list[Webhook]:
        due, self.ready = self.ready, []
        return due

    def redelivered(self, webhook: Webhook, now: float) -> Webhook:
        return Webhook(id=webhook.id, type=webhook.type, headers={"x-signature": f"at {now}" * 5}, body=webhook.body)


@dataclass
class Street:
    """A postman, the door he posts to, and the time."""

    now: float = NOW
    answers: list[int | None] = field(default_factory=list)
    posted: list[tuple[float, Webhook]] = field(default_factory=list)
    gateway: Gateway = field(default_factory=Gateway)

    def __post_init__(self) -> None:
        self.postman = Postman(self.gateway, threading.Lock(), post=self._take, clock=lambda: self.now)
        self.postman.update({"webhookUrl": URL})

    def _take(self, url: str, webhook: Webhook) -> int | None:
        assert url == URL
        self.posted.append((self.now, webhook))
        return self.answers.pop(0) if self.answers else 200

    def tell(self, *names: str) -> None:
        self.gateway.ready += [
            Webhook(id=name, type=f"type.{name}", headers={"x-signature": "0123456789" * 5}, body=name.encode())
            for name in names
        ]
        self.postman.round()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now = round(self.now + 0.1, 1)
            self.postman.round()

    def names(self) -> list[str]:
        return [webhook.id for _, webhook in self.posted]


@pytest.fixture
def street() -> Street:
    return Street()


def test_what_is_due_is_posted_at_once_in_order_and_once(street: Street) -> None:
    street.tell("a", "b", "c")
    street.wait(120)
    assert street.names() == ["a", "b", "c"]
    assert [report["status"] for report in street.postman.reports()] == [200, 200, 200]


def test_without_an_address_nothing_is_taken_from_the_gateway(street: Street) -> None:
    street.postman.update({"webhookUrl": None})
    street.tell("a")
    assert (street.names(), len(street.gateway.ready)) == ([], 1)
    street.postman.update({"webhookUrl": URL})
    street.postman.round()
    assert street.names() == ["a"]


def test_only_what_was_subscribed_to_is_posted(street: Street) -> None:
    street.postman.update({"webhookEvents": ["type.b"]})
    street.tell("a", "b")
    assert street.names() == ["b"]
    street.postman.update({"webhookEvents": None})
    street.tell("a")
    assert street.names() == ["b", "a"]


@pytest.mark.parametrize("answer", [500, 401, 302, 199, None])
def test_what_is_not_taken_is_brought_again_signed_anew_and_given_up_in_the_end(
    street: Street, answer: int | None
) -> None:
    street.answers = [answer] * 20
    street.tell("a")
    street.wait(600)
    times = [at - NOW for at, _ in street.posted]
    expected = [sum(RETRY_DELAYS_SECONDS[:tries]) for tries in range(len(RETRY_DELAYS_SECONDS) + 1)]
    assert times == pytest.approx(expected, abs=0.5)
    signatures = {webhook.headers["x-signature"] for _, webhook in street.posted}
    assert len(signatures) == len(street.posted)
    assert [report["send"] for report in street.postman.reports()] == [1, 2, 3, 4]


def test_a_second_delivery_that_is_taken_is_the_last(street: Street) -> None:
    street.answers = [503]
    street.tell("a")
    street.wait(600)
    assert street.names() == ["a", "a"]


@pytest.mark.parametrize(
    ("mishap", "names", "times"),
    [
        ("late", ["a"], [5.0]),
        ("twice", ["a", "a"], [0.0, 0.0]),
        ("out_of_order", ["a"], [1.5]),
        ("never", [], []),
        ("wrong_signature", ["a"], [0.0]),
    ],
)
def test_a_mishap_does_what_it_is_called(street: Street, mishap: str, names: list[str], times: list[float]) -> None:
    street.postman.update({"webhookFaults": {mishap: 1.0}})
    street.tell("a")
    street.wait(60)
    assert street.names() == names
    assert [at - NOW for at, _ in street.posted] == pytest.approx(times, abs=0.2)


def test_one_that_is_out_of_order_is_overtaken_by_the_next(street: Street) -> None:
    street.postman.update({"webhookFaults": {"out_of_order": 1.0}})
    street.tell("a")
    street.postman.update({"webhookFaults": {}})
    street.tell("b")
    street.wait(5)
    assert street.names() == ["b", "a"]


def test_a_wrong_signature_is_right_the_second_time(street: Street) -> None:
    street.postman.update({"webhookFaults": {"wrong_signature": 1.0}})
    street.answers = [401]
    street.tell("a")
    street.wait(60)
    (_, first), (_, second) = street.posted
    assert first.headers["x-signature"] != "0123456789" * 5
    assert second.headers["x-signature"].startswith("at ")
    assert [report["fault"] for report in street.postman.reports()] == ["wrong signature", None]


def test_a_wrong_signature_that_nobody_answered_to_is_wrong_again(street: Street) -> None:
    street.postman.update({"webhookFaults": {"wrong_signature": 1.0}})
    street.answers = [None, 401]
    street.tell("a")
    street.wait(60)
    assert [report["fault"] for report in street.postman.reports()] == ["wrong signature", "wrong signature", None]


def test_the_same_seed_gives_the_same_mishaps() -> None:
    def story() -> list[str]:
        street = Street()
        street.postman.update({"webhookFaults": dict.fromkeys(MISHAPS, 0.4), "seed": 7})
        for number in range(30):
            street.tell(str(number))
        street.wait(200)
        return street.names()

    assert story() == story()


def test_a_bag_that_is_full_takes_nothing_more(street: Street) -> None:
    street.answers = [500] * 10_000
    street.tell(*map(str, range(2_100)))
    street.wait(200)
    assert len(set(street.names())) == 2_000


def test_a_reset_forgets_letters_and_mishaps_and_keeps_the_address(street: Street) -> None:
    street.answers = [500]
    street.postman.update({"webhookFaults": {"late": 1.0}})
    street.tell("a")
    street.postman.reset()
    street.wait(60)
    street.tell("b")
    assert street.names() == ["b"]


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
def test_what_it_does_not_understand_changes_nothing(street: Street, settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must be|takes"):
        street.postman.update({"webhookFaults": {"never": 1.0}, **settings})
    street.tell("a")
    assert street.names() == ["a"]


SECRET = "secret"
ADAPTERS = {"stripe": STRIPE, "razorpay": RAZORPAY, "cashfree": CASHFREE, "payu": PAYU}


def signed(provider: str) -> Webhook:
    """A webhook with an honest signature of that vendor."""
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
    wrong = forged(honest)
    assert dict(parse_qsl(wrong.body.decode())).keys() == dict(parse_qsl(honest.body.decode())).keys()
    with pytest.raises(InvalidSignatureError):
        ADAPTERS[provider].read_webhook(
            InboundWebhook(headers=wrong.headers, body=wrong.body, received_at_ms=int(NOW * 1000)), [SECRET]
        )
