"""Delivery of an event to a merchant's endpoints: at least once, each independently."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial

from payflowx.domain.outbound_webhooks.endpoints import Endpoint, WebhookEndpoints, disabled
from payflowx.domain.outbound_webhooks.merchant_events import (
    NOT_SIGNED,
    Answered,
    Delivery,
    DeliveryState,
    MerchantEvent,
    NotAnswered,
    Posted,
    after_deliveries,
    after_try,
    planned,
    ready,
    skipped,
    why_to_disable,
)
from payflowx.domain.outbound_webhooks.ports import (
    Compose,
    Deliveries,
    DeliveryItems,
    DeliveryJob,
    DeliverySource,
    MerchantEvents,
    SecretCipher,
    WebhookClient,
    WebhookEndpointStore,
)
from payflowx.domain.outbound_webhooks.signing import signed_headers
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.ports import Concurrency
from payflowx.domain.shared.ambient import Clock, Randomness, Telemetry
from payflowx.domain.shared.errors import InvariantError, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES, SECOND_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.release import USER_AGENT
from payflowx.domain.shared.slow_lane import SLOW_CALL_MS, SlowLane


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverEvent:
    """A crash between sending and storing sends again.

    The event's id is the same, so the receiver can recognize the repetition.
    """

    source: DeliverySource
    merchant_events: MerchantEvents
    endpoint_store: WebhookEndpointStore
    operations: Operations
    cipher: SecretCipher
    webhook_client: WebhookClient
    deliveries: Deliveries
    concurrency: Concurrency
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    slow_lane: SlowLane[DeliveryJob]

    def __call__(self, job: DeliveryJob, compose: Compose) -> None:
        """Raises `StorageUnavailableError` when a result was not stored: the message returns."""
        items = self.source.items_of(job)
        merchant_event, webhook_endpoints = items.merchant_event, items.webhook_endpoints
        if merchant_event is None or merchant_event.due_at_ms is None:
            self.telemetry.info("no delivery is due", transactionId=job.transaction_id, seq=job.seq)
            return
        now_ms = self.clock.now_ms()
        targets = _targets(planned(merchant_event, webhook_endpoints.endpoints, now_ms), webhook_endpoints, now_ms)
        prompt = targets if job.slow else [endpoint for endpoint in targets if not endpoint.is_slow]
        if targets and not prompt:
            self.slow_lane.take(replace(job, slow=True))
            return
        slow: set[str] = set()
        posted = self._post(merchant_event, prompt, self._body(merchant_event, items, compose), slow) if prompt else {}
        self._record(merchant_event, webhook_endpoints, posted)
        self._save_endpoints(webhook_endpoints, posted, slow)

    # -- sending

    def _post(
        self, merchant_event: MerchantEvent, targets: Sequence[Endpoint], body: bytes, slow: set[str]
    ) -> Mapping[str, Posted]:
        """Send to all endpoints concurrently: a slow one does not delay the others. Those that were are in `slow`."""
        posted: dict[str, Posted] = {}
        self.concurrency.run(
            [partial(self._post_to, endpoint, merchant_event, body, posted, slow) for endpoint in targets]
        )
        return posted

    def _post_to(
        self, endpoint: Endpoint, merchant_event: MerchantEvent, body: bytes, posted: dict[str, Posted], slow: set[str]
    ) -> None:
        headers = self._headers(endpoint, merchant_event, body)
        started_ms = self.clock.now_ms()
        result = self.webhook_client.post(endpoint.url, headers, body) if headers else NotAnswered(code=NOT_SIGNED)
        if self.clock.now_ms() - started_ms >= SLOW_CALL_MS:
            slow.add(endpoint.endpoint_id)
        posted[endpoint.endpoint_id] = result
        self.telemetry.info(
            "event posted",
            eventId=merchant_event.event_id,
            endpointId=endpoint.endpoint_id,
            status=result.status if isinstance(result, Answered) else None,
            code=result.code if isinstance(result, NotAnswered) else None,
        )

    def _headers(self, endpoint: Endpoint, merchant_event: MerchantEvent, body: bytes) -> Mapping[str, str] | None:
        """Return the signed headers; None while the endpoint's secret cannot be opened.

        That is one failed try of this endpoint: an exception would leave what the others answered unrecorded. The
        secret of before is left out then: a rotation must heal.
        """
        now_ms = self.clock.now_ms()
        encrypted = endpoint.encrypted_secrets(now_ms)
        opened = [self._opened(each, merchant_event.merchant_id, endpoint.endpoint_id) for each in encrypted]
        if opened[0] is None:
            return None
        secrets = [secret for secret in opened if secret is not None]
        signed = signed_headers(merchant_event.event_id, now_ms // SECOND_MS, body, secrets)
        return {"content-type": "application/json", "user-agent": USER_AGENT, **signed}

    def _opened(self, encrypted: str, merchant_id: str, endpoint_id: str) -> str | None:
        try:
            return self.cipher.open(encrypted, merchant_id=merchant_id, endpoint_id=endpoint_id)
        except StorageUnavailableError:
            return None

    def _body(self, merchant_event: MerchantEvent, items: DeliveryItems, compose: Compose) -> bytes:
        """Build the body from the current state, so that a delayed message is true on arrival."""
        if merchant_event.forgotten is not None:
            return compose(merchant_event, None, None)
        payment = items.payment()
        if payment is None:
            raise InvariantError("the event's payment does not exist")
        operation = (
            self.operations.get(merchant_event.merchant_id, merchant_event.transaction_id, merchant_event.operation_id)
            if merchant_event.operation_id
            else None
        )
        return compose(merchant_event, payment, operation)

    # -- storing results

    def _record(self, before: MerchantEvent, webhook_endpoints: WebhookEndpoints, posted: Mapping[str, Posted]) -> None:
        job = DeliveryJob(merchant_id=before.merchant_id, transaction_id=before.transaction_id, seq=before.seq)
        jitter = self.randomness.jitter()
        for _ in range(MAX_COMMIT_TRIES):
            now_ms = self.clock.now_ms()
            plan = planned(before, webhook_endpoints.endpoints, now_ms)
            deliveries = {
                endpoint_id: self._after(endpoint_id, delivery, webhook_endpoints, posted, now_ms, jitter)
                for endpoint_id, delivery in plan.deliveries.items()
            }
            after, wake_in_seconds = after_deliveries(plan, deliveries, now_ms)
            if self.merchant_events.save(before, after):
                self._count(before, after, posted, now_ms)
                self._wake(job, wake_in_seconds)
                return
            found = self.merchant_events.get(job.merchant_id, job.transaction_id, job.seq)
            if found is None:
                raise InvariantError("the event was deleted during its delivery")
            before = found
        raise StorageUnavailableError("the deliveries could not be stored; they will be retried")

    @staticmethod
    def _after(  # noqa: PLR0917 - the facts of one delivery
        endpoint_id: str,
        delivery: Delivery,
        webhook_endpoints: WebhookEndpoints,
        posted: Mapping[str, Posted],
        now_ms: int,
        jitter: float,
    ) -> Delivery:
        result = posted.get(endpoint_id)
        if result is not None:
            return after_try(delivery, result, now_ms, jitter)
        endpoint = webhook_endpoints.find(endpoint_id)
        is_there = endpoint is not None and endpoint.is_enabled
        return delivery if is_there or delivery.state is not DeliveryState.PENDING else skipped(delivery)

    def _wake(self, job: DeliveryJob, in_seconds: int | None) -> None:
        if in_seconds is None:
            return
        try:
            self.deliveries.send(job, delay_seconds=in_seconds)
        except StorageUnavailableError:
            self.telemetry.warn("delivery not woken; the sweeper will wake it", transactionId=job.transaction_id)

    def _count(self, before: MerchantEvent, after: MerchantEvent, posted: Mapping[str, Posted], now_ms: int) -> None:
        for endpoint_id in posted:
            if endpoint_id not in after.deliveries:
                continue  # another deliverer stored its plan first, and knew the endpoint as deleted
            state = after.deliveries[endpoint_id].state
            outcome = "RETRIED" if state is DeliveryState.PENDING else state.value
            self.telemetry.count(Metric.DELIVERIES, outcome=outcome)
            if state is DeliveryState.DELIVERED:
                self.telemetry.milliseconds(Metric.DELIVERY_LAG, max(0, now_ms - before.at_ms))
            if state is DeliveryState.FAILED:
                self.telemetry.count(Metric.DELIVERIES_GIVEN_UP)
                self.telemetry.warn(
                    "event delivery failed after the last retry", eventId=after.event_id, endpointId=endpoint_id
                )

    # -- endpoint status

    def _save_endpoints(
        self, webhook_endpoints: WebhookEndpoints, posted: Mapping[str, Posted], slow: Set[str]
    ) -> None:
        """Record since when an endpoint fails or is slow, or disable it. Writes only if that changed."""
        now_ms = self.clock.now_ms()
        for endpoint_id, result in posted.items():
            for _ in range(MAX_COMMIT_TRIES):
                endpoint = webhook_endpoints.find(endpoint_id)
                if endpoint is None or not endpoint.is_enabled:
                    break
                changed = _kept(endpoint, result, now_ms, is_slow=endpoint_id in slow)
                if changed == endpoint:
                    break
                after = webhook_endpoints.with_endpoint(changed)
                if self.endpoint_store.save(webhook_endpoints, after):
                    webhook_endpoints = after
                    self._tell_if_disabled(changed, webhook_endpoints.merchant_id)
                    break
                webhook_endpoints = self.endpoint_store.get(webhook_endpoints.merchant_id)

    def _tell_if_disabled(self, endpoint: Endpoint, merchant_id: str) -> None:
        if endpoint.is_enabled or endpoint.disabled_reason is None:
            return
        self.telemetry.count(Metric.ENDPOINTS_DISABLED)
        self.telemetry.warn(
            "endpoint disabled",
            merchantId=merchant_id,
            endpointId=endpoint.endpoint_id,
            reason=endpoint.disabled_reason.value,
        )


def _targets(merchant_event: MerchantEvent, webhook_endpoints: WebhookEndpoints, now_ms: int) -> Sequence[Endpoint]:
    found = [webhook_endpoints.find(endpoint_id) for endpoint_id in ready(merchant_event, now_ms)]
    return [endpoint for endpoint in found if endpoint is not None and endpoint.is_enabled]


def _kept(endpoint: Endpoint, posted: Posted, now_ms: int, *, is_slow: bool) -> Endpoint:
    if posted == NotAnswered(code=NOT_SIGNED):
        return endpoint
    if is_slow != endpoint.is_slow:
        endpoint = replace(endpoint, slow_since_ms=now_ms if is_slow else None)
    if isinstance(posted, Answered) and posted.is_success:
        return replace(endpoint, failing_since_ms=None)
    reason = why_to_disable(endpoint, posted, now_ms)
    if reason is not None:
        return disabled(endpoint, reason, now_ms)
    return endpoint if endpoint.failing_since_ms is not None else replace(endpoint, failing_since_ms=now_ms)
