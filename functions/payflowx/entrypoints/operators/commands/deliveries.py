"""Merchants' webhook endpoints, and the events that wait for them."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from payflowx.domain.merchants.directory import AuditEntry
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent
from payflowx.domain.outbound_webhooks.ports import MerchantEventQuery
from payflowx.domain.shared.limits import DAY_MS, MAX_LIST_RANGE_DAYS
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.api.webhook_endpoints.presenting import present_endpoint, present_merchant_event
from payflowx.entrypoints.operators.commands.base import (
    Command,
    Limit,
    MerchantId,
    MutatingCommand,
    TransactionId,
)
from payflowx.wiring.operators import OperatorsWiring

_EventPosition = Annotated[str, Meta(pattern="^[0-9]{13}(#[!-~]{1,86})?$")]
_Sequence = Annotated[int, Meta(ge=1, le=999_999)]


class ListEndpointsCommand(Command, tag="list_endpoints"):
    """A merchant's webhook endpoints, without any secret."""

    merchant_id: MerchantId


class ListMerchantEventsCommand(Command, tag="list_merchant_events"):
    """Newest first. `undelivered`: those that an endpoint has not taken; a page may then be empty and go on."""

    merchant_id: MerchantId
    undelivered: bool = False
    limit: Limit = 100
    position: _EventPosition | None = None


class RedeliverEventCommand(MutatingCommand, tag="redeliver_event"):
    """Delivers an event to every enabled and subscribed endpoint, with all retries."""

    merchant_id: MerchantId
    transaction_id: TransactionId
    seq: _Sequence


COMMANDS = (ListEndpointsCommand, ListMerchantEventsCommand, RedeliverEventCommand)


def run(
    wired: OperatorsWiring, command: ListEndpointsCommand | ListMerchantEventsCommand | RedeliverEventCommand
) -> dict[str, Any]:
    """The answer's fields."""
    match command:
        case ListEndpointsCommand():
            now_ms = wired.platform.clock.now_ms()
            endpoints = wired.endpoints.get(command.merchant_id).endpoints
            return {"items": [msgspec.to_builtins(present_endpoint(endpoint, now_ms)) for endpoint in endpoints]}
        case ListMerchantEventsCommand():
            return _list(wired, command)
        case RedeliverEventCommand():
            return _redeliver(wired, command)


def _list(wired: OperatorsWiring, command: ListMerchantEventsCommand) -> dict[str, Any]:
    until_ms = wired.platform.clock.now_ms() + 1
    query = MerchantEventQuery(
        merchant_id=command.merchant_id,
        from_ms=max(0, until_ms - MAX_LIST_RANGE_DAYS * DAY_MS),
        until_ms=until_ms,
        limit=command.limit,
        position=command.position,
    )
    page = wired.read_merchant_events.page(query)
    items = [event for event in page.items if not command.undelivered or event.is_undelivered]
    return {"items": [_event(event) for event in items], "nextPosition": page.next_position}


def _redeliver(wired: OperatorsWiring, command: RedeliverEventCommand) -> dict[str, Any]:
    names = (command.merchant_id, command.transaction_id, command.seq)
    record = AuditEntry(
        action="event.redelivered",
        at_ms=wired.platform.clock.now_ms(),
        operator_action=command.operator_action(),
        merchant_id=command.merchant_id,
        facts={"transactionId": command.transaction_id, "seq": command.seq},
    )
    wired.read_merchant_events.check_redelivery(*names)
    wired.merchant_directory.record(record)
    return _event(wired.read_merchant_events.redeliver(*names))


def _event(event: MerchantEvent) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(present_merchant_event(event))
    due_at = timestamp(event.due_at_ms) if event.due_at_ms is not None else None
    return {**fields, "transactionId": event.transaction_id, "seq": event.seq, "dueAt": due_at}
