"""An endpoint that answers slowly gets its events in the slow lane, and delays no other endpoint."""

from collections.abc import Mapping
from typing import Any

import pytest

from payflowx.adapters.sqs.messages import DELIVERIES
from payflowx.domain.outbound_webhooks.merchant_events import DeliveryState, NotAnswered, Posted
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.entrypoints.api.messages import compose_message
from tests.support.deliveries import URL, DeliveryHarness
from tests.support.platform import ENVIRONMENT, TestQueue
from tests.support.world import MERCHANT

PROMPT = "https://prompt.example.com/hooks"
TIMED_OUT = NotAnswered(code="read_timeout")


class Harness(DeliveryHarness):
    """Posts to an address of `seconds` take as long."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.seconds: dict[str, float] = {}
        post = self.webhook_client.post

        def slow(url: str, headers: Mapping[str, str], body: bytes) -> Posted:
            self.world.clock.advance(self.seconds.get(url, 0.1))
            return post(url, headers, body)

        self.webhook_client.post = slow  # type: ignore[method-assign]

    @property
    def slow_lane(self) -> list[tuple[DeliveryJob, int]]:
        return TestQueue(self.world.sqs, ENVIRONMENT["SLOWDELIVERIES_QUEUE_URL"], DELIVERIES).sent

    def run_first(self) -> None:
        job, _ = self.world.deliveries.sent.pop(0)
        self.deliver(job, compose_message)

    def run_slow_lane(self) -> None:
        while self.slow_lane:
            job, _ = self.slow_lane.pop(0)
            self.deliver(job, compose_message)

    def posted(self) -> list[str]:
        return [post.url for post in self.webhook_client.posts]

    def endpoint(self, url: str) -> Any:
        found = self.api.endpoints.get(MERCHANT).endpoints
        return next(endpoint for endpoint in found if endpoint.url == url)


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.register(URL)
    made.seconds[URL] = 15
    made.webhook_client.always(TIMED_OUT)
    made.pay()
    made.run_first()
    return made


def test_one_slow_post_is_remembered(harness: Harness) -> None:
    assert harness.endpoint(URL).is_slow
    assert harness.slow_lane == []


def test_the_next_event_is_posted_in_the_slow_lane_only(harness: Harness) -> None:
    harness.world.deliveries.sent.clear()
    event = harness.pay("order-2")
    before, posts = harness.now(event.transaction_id, event.seq), len(harness.posted())
    harness.run()
    assert len(harness.posted()) == posts
    assert harness.now(event.transaction_id, event.seq) == before
    assert [job.slow for job, _ in harness.slow_lane] == [True]
    harness.run_slow_lane()
    assert len(harness.posted()) == posts + 1
    (delivery,) = harness.now(event.transaction_id, event.seq).deliveries.values()
    assert (delivery.attempts, delivery.state) == (1, DeliveryState.PENDING)


def test_the_prompt_endpoint_of_the_same_merchant_gets_its_event_at_once(harness: Harness) -> None:
    harness.world.deliveries.sent.clear()
    harness.register(PROMPT)
    harness.world.clock.advance(1)
    event = harness.pay("order-2")
    harness.run()
    assert harness.posted().count(PROMPT) == 1
    assert len(harness.slow_lane) == 1
    harness.run_slow_lane()
    assert harness.posted().count(PROMPT) == 1
    states = sorted(d.state for d in harness.now(event.transaction_id, event.seq).deliveries.values())
    assert states == [DeliveryState.DELIVERED, DeliveryState.PENDING]


def test_a_prompt_answer_in_the_slow_lane_brings_it_back(harness: Harness) -> None:
    harness.world.deliveries.sent.clear()
    harness.seconds[URL] = 0.2
    harness.webhook_client.answers.clear()
    harness.pay("order-2")
    harness.run()
    harness.run_slow_lane()
    assert not harness.endpoint(URL).is_slow
    posts = len(harness.posted())
    harness.pay("order-3")
    harness.run()
    assert len(harness.posted()) == posts + 1
    assert harness.slow_lane == []


def test_an_endpoint_that_stays_slow_is_not_written_again(harness: Harness) -> None:
    saves = harness.world.requests_of("update_item", f"E#{MERCHANT}")
    harness.world.deliveries.sent.clear()
    for number in range(5):
        harness.pay(f"more-{number}")
        harness.run_first()
        harness.run_slow_lane()
        harness.world.deliveries.sent.clear()
    assert saves == []


def test_a_slow_lane_that_is_late_gets_no_more_and_the_event_stays_due(harness: Harness) -> None:
    harness.world.deliveries.sent.clear()
    event = harness.pay("order-2")
    filler = (DeliveryJob(merchant_id=MERCHANT, transaction_id="pay_x", seq=1, slow=True), 0)
    TestQueue(harness.world.sqs, ENVIRONMENT["SLOWDELIVERIES_QUEUE_URL"], DELIVERIES).sent = [filler] * 400
    harness.run()
    assert len(harness.slow_lane) == 400
    assert harness.now(event.transaction_id, event.seq).due_at_ms == event.due_at_ms


def test_every_word_of_a_delivery_survives_its_message() -> None:
    job = DeliveryJob(merchant_id=MERCHANT, transaction_id="pay_a", seq=1, slow=True)
    assert DELIVERIES.decode(DELIVERIES.encode(job, None)) == job
