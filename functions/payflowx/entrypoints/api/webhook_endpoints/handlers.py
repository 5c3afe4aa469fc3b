"""Webhook endpoints, and the events that are delivered there: decode -> use case -> present."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from payflowx.entrypoints.api.requests import ApiRequest
from payflowx.entrypoints.api.responses import answer, no_content
from payflowx.entrypoints.api.webhook_endpoints import decoding
from payflowx.entrypoints.api.webhook_endpoints.presenting import (
    present_endpoint,
    present_merchant_event,
    present_secret,
)
from payflowx.entrypoints.api.webhook_endpoints.types import EndpointListAnswer, MerchantEventListAnswer
from payflowx.wiring.api import ApiWiring


def create_endpoint(request: ApiRequest, wired: ApiWiring) -> Response[str]:
    endpoint, secret = wired.manage_endpoints.create(decoding.decode_new_endpoint(request))
    return answer(present_secret(endpoint, secret, wired.platform.clock.now_ms()), status=HTTPStatus.CREATED)


def list_endpoints(request: ApiRequest, wired: ApiWiring) -> Response[str]:
    request.check_path_and_query()
    request.check_no_query()
    found, now_ms = wired.manage_endpoints.list(request.merchant_id), wired.platform.clock.now_ms()
    return answer(EndpointListAnswer(items=[present_endpoint(endpoint, now_ms) for endpoint in found]))


def delete_endpoint(request: ApiRequest, wired: ApiWiring, endpoint_id: str) -> Response[str]:
    request.check_path_and_query()
    request.check_no_query()
    wired.manage_endpoints.delete(request.merchant_id, decoding.endpoint_id(endpoint_id))
    return no_content()


def rotate_secret(request: ApiRequest, wired: ApiWiring, endpoint_id: str) -> Response[str]:
    decoding.decode_nothing(request)
    endpoint, secret = wired.manage_endpoints.rotate(request.merchant_id, decoding.endpoint_id(endpoint_id))
    return answer(present_secret(endpoint, secret, wired.platform.clock.now_ms()))


def list_events(request: ApiRequest, wired: ApiWiring) -> Response[str]:
    request.check_path_and_query()
    parameters, now_ms = request.query(decoding.EVENT_LIST_PARAMETERS), wired.platform.clock.now_ms()
    query = decoding.merchant_event_query(parameters, request.merchant_id, wired.cursors, now_ms)
    page = wired.read_merchant_events.page(query)
    cursor = decoding.merchant_event_cursor(query, page.next_position, wired.cursors)
    items = [present_merchant_event(item) for item in page.items]
    return answer(MerchantEventListAnswer(items=items, next_cursor=cursor, unreadable=list(page.unreadable)))


def redeliver_event(request: ApiRequest, wired: ApiWiring, event_id: str) -> Response[str]:
    decoding.decode_nothing(request)
    transaction_id, seq = decoding.event_place(event_id)
    event = wired.read_merchant_events.redeliver(request.merchant_id, transaction_id, seq)
    return answer(present_merchant_event(event), status=HTTPStatus.ACCEPTED)
