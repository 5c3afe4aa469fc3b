"""Webhooks to merchants: endpoints that answer as a test says, and a deliverer to run by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any
from unittest.mock import patch

import standardwebhooks.webhooks
from standardwebhooks.webhooks import Webhook

from payflowx.application.outbound_webhooks.deliver_event import DeliverEvent
from payflowx.application.outbound_webhooks.manage_endpoints import ManageEndpoints, NewEndpoint
from payflowx.application.outbound_webhooks.merchant_events import ReadMerchantEvents
from payflowx.application.recovery.sweep import SweepDueItems
from payflowx.domain.outbound_webhooks.endpoints import Endpoint
from payflowx.domain.outbound_webhooks.merchant_events import Answered, MerchantEvent, Posted
from payflowx.domain.outbound_webhooks.ports import DeliveryJob, MerchantEventQuery
from payflowx.domain.shared.limits import DAY_MS
from payflowx.entrypoints.api.messages import compose_message
from payflowx.wiring.api import ApiWiring
from payflowx.wiring.outbound_webhooks import DelivererWiring
from tests.support.world import MERCHANT, World

URL = "https://shop.example.com/hooks"


def verified(body: bytes, headers: Mapping[str, str], secret: str, at_ms: int) -> Any:
    """What a merchant's server makes of a message, by the reference library, at that time."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Then":
            return cls.fromtimestamp(at_ms / 1000, tz or UTC)

    with patch.object(standardwebhooks.webhooks, "datetime", Then):
        return Webhook(secret).verify(body, dict(headers))


@dataclass(frozen=True)
class Post:
    """What reached an endpoint."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    at_ms: int


@dataclass
class ScriptedWebhookClient:
    """Implements `Sender`: answers in order, by address; 200 when the script has ended."""

    clock: Any
    answers: dict[str, list[Posted | Exception]] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        self.posts.append(Post(url, headers, body, self.clock.now_ms()))
        script = self.answers.get(url, [])
        answer = script.pop(0) if script else Answered(status=200)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def always(self, answer: Posted, url: str = URL) -> None:
        """The same to everything."""
        self.answers[url] = [answer] * 1_000


@dataclass
class DeliveryHarness:
    """All about merchants' events, over a world."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.webhook_client = ScriptedWebhookClient(self.world.clock)

    @property
    def api(self) -> ApiWiring:
        return self.world.wired(ApiWiring)

    @property
    def manage(self) -> ManageEndpoints:
        return self.api.manage_endpoints

    @property
    def events(self) -> ReadMerchantEvents:
        return self.api.read_merchant_events

    @property
    def deliver(self) -> DeliverEvent:
        return replace(self.world.wired(DelivererWiring).deliver_event, webhook_client=self.webhook_client)

    @property
    def sweep(self) -> SweepDueItems:
        return self.world.sweep

    # -- driving

    def register(self, url: str = URL, *types: str) -> tuple[Endpoint, str]:
        """POST /webhook-endpoints."""
        return self.manage.create(NewEndpoint(merchant_id=MERCHANT, url=url, event_types=types))

    def pay(self, key: str = "order-1") -> MerchantEvent:
        """A payment that succeeds; the event that says so."""
        payment = self.world.accept(key)
        self.world.work_until_idle()
        (event,) = self.world.merchant_events_of(payment)
        return event

    def now(self, transaction_id: str, seq: int) -> MerchantEvent:
        """The event as stored."""
        found = self.api.merchant_events.get(MERCHANT, transaction_id, seq)
        assert found is not None
        return found

    def listed(self) -> Sequence[MerchantEvent]:
        """GET /events: those of the last day."""
        now_ms = self.world.clock.now_ms()
        query = MerchantEventQuery(merchant_id=MERCHANT, from_ms=now_ms - DAY_MS, until_ms=now_ms + 1, limit=100)
        return self.events.page(query).items

    def run(self, *, most: int = 50) -> None:
        """Deliver what is in the queue, each message after its delay, until none is left."""
        for _ in range(most):
            if not self.world.deliveries.sent:
                return
            job, delay_seconds = self.world.deliveries.sent.pop(0)
            self.world.clock.advance(delay_seconds)
            self.deliver(job, compose_message)
        raise AssertionError("messages do not end")

    def wake(self, merchant_event: MerchantEvent) -> None:
        """One message, whether it is wanted or not."""
        job = DeliveryJob(merchant_id=MERCHANT, transaction_id=merchant_event.transaction_id, seq=merchant_event.seq)
        self.deliver(job, compose_message)

    def let_pass(self, seconds: float, *, step_seconds: int = 60) -> None:
        """The sweeper every minute, and the deliverer whenever it is woken."""
        for _ in range(int(seconds // step_seconds)):
            self.world.clock.advance(step_seconds)
            self.sweep(self.world.deadline)
            self.run()
