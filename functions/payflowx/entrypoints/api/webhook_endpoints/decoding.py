"""Requests about webhook endpoints and the events that are told there."""

from typing import Final, TypeVar

import msgspec

from payflowx.adapters.platform.cursors import Cursors
from payflowx.application.outbound_webhooks.manage_endpoints import NewEndpoint
from payflowx.domain.outbound_webhooks.endpoints import ENDPOINT_ID_PATTERN
from payflowx.domain.outbound_webhooks.merchant_events import parse_event_id
from payflowx.domain.outbound_webhooks.ports import MerchantEventQuery
from payflowx.domain.shared.errors import Refusal
from payflowx.entrypoints.api import parameters
from payflowx.entrypoints.api.bodies import converted, read_body
from payflowx.entrypoints.api.requests import ApiRequest
from payflowx.entrypoints.api.webhook_endpoints.types import CreateEndpointRequest, EmptyRequest

T = TypeVar("T", bound=msgspec.Struct)

EVENT_LIST_PARAMETERS: Final = frozenset({"limit", "cursor", "from", "to"})


def decode_new_endpoint(request: ApiRequest) -> NewEndpoint:
    """Raises `Refusal`."""
    typed = _typed(request, CreateEndpointRequest)
    return NewEndpoint(merchant_id=request.merchant_id, url=typed.url, event_types=tuple(typed.event_types))


def decode_nothing(request: ApiRequest) -> None:
    """A request whose address says it all; a body may be an empty object. Raises `Refusal`."""
    request.check_path_and_query()
    request.check_no_query()
    request.check_headers()
    if request.has_body:
        _typed(request, EmptyRequest)


def endpoint_id(value: str) -> str:
    """A well-formed id; whether it exists is another question."""
    if not ENDPOINT_ID_PATTERN.fullmatch(value):
        raise Refusal("parameter_invalid", "A webhook endpoint's id is we_ and 16 characters of a-z and 2-7.")
    return value


def event_place(value: str) -> tuple[str, int]:
    """The payment's id and the event's number that an id names."""
    found = parse_event_id(value)
    if found is None:
        raise Refusal("parameter_invalid", "An event's id is evt_, 16 characters of a-z and 2-7, _ and a number.")
    return found


def merchant_event_query(query: dict[str, str], merchant_id: str, cursors: Cursors, now_ms: int) -> MerchantEventQuery:
    """Without times: the last 31 days. A cursor carries its times with it."""
    time_range = parameters.time_range(query, cursors, _scope(merchant_id), now_ms)
    return MerchantEventQuery(
        merchant_id=merchant_id,
        from_ms=time_range.from_ms,
        until_ms=time_range.until_ms,
        limit=parameters.limit(query),
        position=time_range.position,
    )


def merchant_event_cursor(query: MerchantEventQuery, position: str | None, cursors: Cursors) -> str | None:
    """The signed continuation of the list."""
    if position is None:
        return None
    return cursors.sign(f"{query.from_ms}|{query.until_ms}|{position}", _scope(query.merchant_id))


def _scope(merchant_id: str) -> str:
    return f"announced|{merchant_id}"


def _typed(request: ApiRequest, to: type[T]) -> T:
    request.check_path_and_query()
    request.check_no_query()
    request.check_headers()
    return converted(read_body(request, to), to)
