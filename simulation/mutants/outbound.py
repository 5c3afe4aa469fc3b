"""Broken designs of merchant events and their deliveries."""

from dataclasses import replace
from typing import Final

from payflowx.adapters.dynamodb.webhooks import merchant_event_items
from payflowx.adapters.dynamodb.webhooks.delivery_source import DynamoDBDeliverySource
from payflowx.adapters.dynamodb.webhooks.endpoint_presence import DynamoDBEndpointPresence
from payflowx.adapters.platform.ttl_cache import TtlCache
from payflowx.application.outbound_webhooks import deliver_event
from payflowx.application.outbound_webhooks.deliver_event import DeliverEvent
from payflowx.application.outbound_webhooks.manage_endpoints import ManageEndpoints
from payflowx.application.recovery import catch_up_events
from payflowx.application.recovery.catch_up_events import CatchUpEvents
from payflowx.domain.outbound_webhooks import endpoints, merchant_events, signing
from payflowx.domain.outbound_webhooks.endpoints import Endpoint
from payflowx.domain.payments import change, event_types
from payflowx.entrypoints.api import messages
from simulation.mutants.mutant import Edit, Mutant, broken

_ROOM: Final = "outbound_webhooks"

OUTBOUND: Final[tuple[Mutant, ...]] = (
    broken(
        _ROOM,
        "a merchant event is not due",
        Edit(merchant_event_items, "delivery_fields", '"dueAt": merchant_event.due_at_ms,', '"dueAt": None,'),
        Edit(merchant_event_items, "delivery_fields", "if due else None", "if False else None"),
    ),
    broken(
        _ROOM,
        "a review is no merchant event",
        Edit(
            event_types, "payment_event_type", "if before is after", "if before is after or after.value == 'IN_REVIEW'"
        ),
    ),
    broken(
        _ROOM,
        "an event's number is that of the audit log",
        Edit(merchant_events, "merchant_event_of", "number=after.announced,", "number=event.seq,"),
    ),
    broken(
        _ROOM,
        "the numbers of merchant events have gaps",
        Edit(
            change,
            "change_of",
            "announced=before.announced + (notified is not None),",
            "announced=before.announced + 2 * (notified is not None),",
        ),
    ),
    broken(
        _ROOM,
        "no answer of the endpoint counts as delivered",
        Edit(
            merchant_events,
            "after_try",
            "isinstance(posted, Answered) and posted.is_success",
            "not isinstance(posted, Answered) or posted.is_success",
        ),
        Edit(merchant_events, "after_try", "posted.code if isinstance(posted, NotAnswered) else None", "None"),
    ),
    broken(
        _ROOM,
        "an error of the endpoint counts as delivered",
        Edit(
            merchant_events,
            "after_try",
            "isinstance(posted, Answered) and posted.is_success",
            "isinstance(posted, Answered)",
        ),
    ),
    broken(
        _ROOM,
        "a redirect of the endpoint counts as delivered",
        Edit(
            merchant_events,
            "after_try",
            "isinstance(posted, Answered) and posted.is_success",
            "isinstance(posted, Answered) and posted.status < 400",
        ),
    ),
    broken(
        _ROOM,
        "a failed delivery is given up at once",
        Edit(merchant_events, "after_try", "if delay_ms is None:", "if True:"),
    ),
    broken(
        _ROOM,
        "a delivery is never given up",
        Edit(
            merchant_events,
            "after_try",
            "delivery_delay_ms(attempts, jitter",
            "delivery_delay_ms(min(attempts, 9), jitter",
        ),
        scenario="given_up",
    ),
    broken(
        _ROOM,
        "a delivery that was given up counts as skipped",
        Edit(merchant_events, "after_try", "state=DeliveryState.FAILED", "state=DeliveryState.SKIPPED"),
        scenario="given_up",
    ),
    broken(
        _ROOM,
        "a delivery that failed is not due again",
        Edit(merchant_events, "after_deliveries", "if not pending:", "if True:"),
    ),
    broken(
        _ROOM,
        "events are signed with another key",
        Edit(signing, "_signature", "key = base64.b64decode(", "key = b'' and base64.b64decode("),
    ),
    broken(
        _ROOM,
        "each try has an id of its own",
        Edit(
            DeliverEvent,
            "_headers",
            "signed = signed_headers(merchant_event.event_id,",
            "signed = signed_headers(f'{merchant_event.event_id}_{now_ms}',",
        ),
    ),
    broken(
        _ROOM,
        "an endpoint gets the events of all merchants",
        Edit(
            DynamoDBDeliverySource,
            "items_of",
            "self.configuration_table: [endpoints_key(job.merchant_id)],",
            'self.configuration_table: [endpoints_key("globex" if job.seq % 2 else "acme")],',
        ),
    ),
    broken(
        _ROOM,
        "events tell a status that is not stored",
        Edit(
            messages,
            "compose_message",
            "payment=present_payment(payment) if payment",
            "payment=present_payment(replace(payment, captured=payment.captured + 1)) if payment",
        ),
        replace=replace,
    ),
    broken(
        _ROOM,
        "a registration begins no search for missed events",
        Edit(
            ManageEndpoints,
            "create",
            "self._change(request.merchant_id, add, search=search)",
            "self._change(request.merchant_id, add)",
        ),
    ),
    broken(
        _ROOM,
        "the search for missed events finds none",
        Edit(catch_up_events.CatchUpEvents, "_publish", "if due is not None:", "if due is None:"),
    ),
    broken(
        _ROOM,
        "that a merchant has no endpoint is remembered for a day",
        Edit(
            TtlCache,
            "get",
            "self.clock_ms() - entry[0] < self.lifetime_ms",
            "self.clock_ms() - entry[0] < (86_400_000 if entry[1] is False else self.lifetime_ms)",
        ),
    ),
    broken(
        _ROOM,
        "the endpoints of another merchant decide whether an event is owed",
        Edit(
            DynamoDBEndpointPresence,
            "_load",
            "keys.endpoints_partition(merchant_id)",
            "keys.endpoints_partition(merchant_id + '-other')",
        ),
    ),
    broken(
        _ROOM,
        "an event is delivered to no endpoint",
        Edit(
            merchant_events,
            "planned",
            "for e in _audience(merchant_event, endpoints, merchant_event.at_ms)",
            "for e in list(_audience(merchant_event, endpoints, merchant_event.at_ms))[:0]",
        ),
    ),
    broken(
        _ROOM,
        "an endpoint is sent the types of events that it did not subscribe to",
        Edit(Endpoint, "wants", "not self.event_types or event_type in self.event_types", "True"),
        scenario="subscriptions",
    ),
    broken(
        _ROOM,
        "an endpoint is sent the first of its types only",
        Edit(Endpoint, "wants", "event_type in self.event_types", "event_type == self.event_types[0]"),
        scenario="subscriptions",
    ),
    broken(
        _ROOM,
        "the former secret of an endpoint signs no more after a rotation",
        Edit(Endpoint, "encrypted_secrets", "if previous is None else (self.encrypted_secret, previous)", ""),
        scenario="subscriptions",
    ),
    broken(
        _ROOM,
        "the former secret of an endpoint signs for ever",
        Edit(Endpoint, "encrypted_secrets", "if now_ms < self.previous_until_ms else None", ""),
        scenario="subscriptions",
    ),
    broken(
        _ROOM,
        "a rotation of an endpoint's secret changes none",
        Edit(endpoints, "rotated", "encrypted_secret=encrypted_secret,", ""),
        scenario="subscriptions",
    ),
    broken(
        "outbound_webhooks",
        "an endpoint that works again is disabled three days after its first failure",
        Edit(deliver_event, "_kept", "return replace(endpoint, failing_since_ms=None)", "return endpoint"),
        scenario="endpoints",
    ),
    broken(
        "outbound_webhooks",
        "an event about a refund does not show the refund",
        Edit(DeliverEvent, "_body", "if merchant_event.operation_id\n", "if False\n"),
    ),
    broken(
        "outbound_webhooks",
        "an event tells the new status as the one before",
        Edit(
            messages,
            "_change",
            "before, after = merchant_event.status_from, merchant_event.status_to",
            "before, after = merchant_event.status_to, merchant_event.status_to",
        ),
    ),
    broken(
        "outbound_webhooks",
        "what an order changes in a payment's result is not told",
        Edit(change, "amended", "if after.status is not change.after.status:", "if False:"),
        scenario="declined_orders",
    ),
    broken(
        "outbound_webhooks",
        "a delivery bears the time of its event",
        Edit(
            DeliverEvent,
            "_headers",
            "signed_headers(merchant_event.event_id, now_ms // SECOND_MS,",
            "signed_headers(merchant_event.event_id, merchant_event.at_ms // SECOND_MS,",
        ),
    ),
    broken(
        "outbound_webhooks",
        "failed deliveries are tried again at once",
        Edit(
            merchant_events,
            "after_try",
            "return Delivery(attempts=attempts, next_at_ms=now_ms + delay_ms,",
            "return Delivery(attempts=attempts, next_at_ms=now_ms,",
        ),
    ),
    broken(
        "outbound_webhooks",
        "each retry posts to the endpoints that have the event",
        Edit(
            merchant_events,
            "ready",
            "if delivery.state is DeliveryState.PENDING and delivery.next_at_ms <= now_ms + EARLY_GRACE_MS",
            "if delivery.state is not DeliveryState.FAILED and delivery.next_at_ms <= now_ms + EARLY_GRACE_MS",
        ),
    ),
    broken(
        "outbound_webhooks",
        "an endpoint is disabled at its first failure",
        Edit(
            merchant_events, "why_to_disable", "since_ms = endpoint.failing_since_ms", "return DisabledReason.FAILING"
        ),
    ),
    broken(
        "outbound_webhooks",
        "an endpoint that is gone is asked on",
        Edit(
            merchant_events,
            "why_to_disable",
            "if isinstance(posted, Answered) and posted.status == _GONE:",
            "if False:",
        ),
        scenario="endpoints",
    ),
    broken(
        "outbound_webhooks",
        "a disabled endpoint gets events",
        Edit(deliver_event, "_targets", "endpoint is not None and endpoint.is_enabled", "endpoint is not None"),
        Edit(merchant_events, "_audience", "if e.is_enabled and ", "if "),
        Edit(
            DeliverEvent,
            "_after",
            "is_there = endpoint is not None and endpoint.is_enabled",
            "is_there = endpoint is not None",
        ),
        scenario="endpoints",
    ),
    broken(
        "outbound_webhooks",
        "the search for missed events begins when the endpoint is known",
        Edit(CatchUpEvents, "_publish", "from_ms=catch_up.since_ms,", "from_ms=catch_up.since_ms + 120_000,"),
    ),
)
