"""The routes of webhooks to merchants: their endpoints, and the events that are told there."""

from collections.abc import Callable
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayRouter

from payflowx.bootstrap import Container
from payflowx.entrypoints.api.answering import answer, no_content
from payflowx.entrypoints.api.requests import ApiRequest
from payflowx.entrypoints.api.webhook_endpoints import decoding
from payflowx.entrypoints.api.webhook_endpoints.presenting import (
    present_endpoint,
    present_merchant_event,
    present_secret,
)
from payflowx.entrypoints.api.webhook_endpoints.types import EndpointListAnswer, MerchantEventListAnswer


def webhook_routes(container: Callable[[], Container]) -> APIGatewayRouter:
    """`container` gives the instance's container when a request is there."""
    router = APIGatewayRouter()  # type: ignore[no-untyped-call]  # Powertools has no types here

    def request() -> ApiRequest:
        return ApiRequest(router.current_event.raw_event)

    @router.post("/webhook-endpoints")
    def create_endpoint() -> Response[str]:
        """Register an endpoint; its secret is shown this once."""
        wired = container()
        endpoint, secret = wired.manage_endpoints.create(decoding.decode_new_endpoint(request()))
        return answer(present_secret(endpoint, secret, wired.clock.now_ms()), status=HTTPStatus.CREATED)

    @router.get("/webhook-endpoints")
    def list_endpoints() -> Response[str]:
        """List the endpoints, without secrets."""
        asked, wired = request(), container()
        asked.check_path_and_query()
        asked.query(frozenset())
        found, now_ms = wired.manage_endpoints.list(asked.merchant_id), wired.clock.now_ms()
        return answer(EndpointListAnswer(items=[present_endpoint(endpoint, now_ms) for endpoint in found]))

    @router.delete("/webhook-endpoints/<endpoint_id>")
    def delete_endpoint(endpoint_id: str) -> Response[str]:
        """Stop telling an endpoint."""
        asked = request()
        asked.check_path_and_query()
        asked.query(frozenset())
        container().manage_endpoints.delete(asked.merchant_id, decoding.endpoint_id(endpoint_id))
        return no_content()

    @router.post("/webhook-endpoints/<endpoint_id>/rotate-secret")
    def rotate_secret(endpoint_id: str) -> Response[str]:
        """A new secret, shown this once; the one before signs as well for a day."""
        asked, wired = request(), container()
        decoding.decode_nothing(asked)
        endpoint, secret = wired.manage_endpoints.rotate(asked.merchant_id, decoding.endpoint_id(endpoint_id))
        return answer(present_secret(endpoint, secret, wired.clock.now_ms()))

    @router.get("/events")
    def list_events() -> Response[str]:
        """List announced events, newest first."""
        asked, wired = request(), container()
        asked.check_path_and_query()
        parameters = asked.query(decoding.EVENT_LIST_PARAMETERS)
        query = decoding.merchant_event_query(parameters, asked.merchant_id, wired.cursors, wired.clock.now_ms())
        page = wired.read_merchant_events.page(query)
        cursor = decoding.merchant_event_cursor(query, page.next_position, wired.cursors)
        return answer(
            MerchantEventListAnswer(items=[present_merchant_event(item) for item in page.items], next_cursor=cursor)
        )

    @router.post("/events/<event_id>/redeliver")
    def redeliver_event(event_id: str) -> Response[str]:
        """Tell every endpoint that wants to know once more."""
        asked = request()
        decoding.decode_nothing(asked)
        transaction_id, seq = decoding.event_place(event_id)
        event = container().read_merchant_events.redeliver(asked.merchant_id, transaction_id, seq)
        return answer(present_merchant_event(event), status=HTTPStatus.ACCEPTED)

    return router
