"""The API: every route of the table ends here, but for the providers' webhooks."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from payflowx.adapters.platform import log_context
from payflowx.domain.orders.order_not_free import OrderNotFree
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError, UnreadableItemError
from payflowx.domain.shared.metrics import Metric
from payflowx.entrypoints.api import problems
from payflowx.entrypoints.api.payments import handlers as payments
from payflowx.entrypoints.api.payments.presenting import present_order_holder
from payflowx.entrypoints.api.payments.types import HealthAnswer
from payflowx.entrypoints.api.requests import ApiRequest
from payflowx.entrypoints.api.responses import HEADERS, answer
from payflowx.entrypoints.api.routes import API_ROUTES
from payflowx.entrypoints.api.webhook_endpoints import handlers as webhooks
from payflowx.entrypoints.runtime import Wired
from payflowx.wiring.api import ApiWiring

_CORRELATION: Final = "X-Correlation-Id"
"""A client's own name for what it is doing; echoed, and in every log line up to API Gateway's answer."""

_NAME: Final = re.compile(r"\{(\w+)\}")
_CAPITAL: Final = re.compile(r"([A-Z])")
_UNDERSCORED: Final = r"_\1"

Serve = Callable[..., Response[str]]
"""Takes the request, the wiring, and the ids of the path by their names."""

wiring: Final = Wired(ApiWiring.of_function)
app = APIGatewayRestResolver()


def health(_request: ApiRequest, _wired: ApiWiring) -> Response[str]:
    """Answers as long as the function runs."""
    return answer(HealthAnswer(status="ok"))


def openapi_document(_request: ApiRequest, _wired: ApiWiring) -> Response[str]:
    from payflowx.entrypoints.api import openapi  # noqa: PLC0415 - rarely asked for

    return answer(openapi.document())


_SERVE: Final[Mapping[str, Serve]] = {
    "createPayment": payments.create_payment,
    "listPayments": payments.list_payments,
    "getPayment": payments.get_payment,
    "listPaymentEvents": payments.list_payment_events,
    "cancelPayment": payments.cancel_payment,
    "capturePayment": payments.capture_payment,
    "refundPayment": payments.refund_payment,
    "listOperations": payments.list_operations,
    "getOperation": payments.get_operation,
    "createEndpoint": webhooks.create_endpoint,
    "listEndpoints": webhooks.list_endpoints,
    "deleteEndpoint": webhooks.delete_endpoint,
    "rotateEndpointSecret": webhooks.rotate_secret,
    "listEvents": webhooks.list_events,
    "redeliverEvent": webhooks.redeliver_event,
    "getHealth": health,
    "getOpenApi": openapi_document,
}
"""By operation id. A route without an entry ends the import."""


def _register() -> None:
    for route in API_ROUTES:
        app.route(_rule(route.path), method=route.method)(_served(_SERVE[route.operation_id]))


def _rule(path: str) -> str:
    """`/payments/{transactionId}` in the router's form: `/payments/<transaction_id>`."""
    return _NAME.sub(lambda found: f"<{_CAPITAL.sub(_UNDERSCORED, found[1]).lower()}>", path)


def _served(serve: Serve) -> Serve:
    def served(**ids: str) -> Response[str]:
        return serve(_request(), wiring(), **ids)

    return served


_register()


@app.exception_handler(Refusal)  # type: ignore[untyped-decorator]  # Powertools has no types here
def refused(refusal: Refusal) -> Response[str]:
    """A request that is understood and not carried out."""
    if refusal.code == "card_data_refused":
        wiring().telemetry.count(Metric.CARD_DATA_REFUSED)
    problem = problems.problem_of(refusal, _request().request_id)
    if isinstance(refusal, OrderNotFree):
        problem = dataclasses.replace(problem, order=present_order_holder(refusal))
    return _problem(problem)


@app.exception_handler(StorageUnavailableError)  # type: ignore[untyped-decorator]  # Powertools has no types here
def unavailable(error: StorageUnavailableError) -> Response[str]:
    """We do not know whether a write took effect; the same key makes the repeat safe."""
    wiring().telemetry.warn("storage unavailable", reason=str(error))
    detail = "The request could not be completed. Repeat it unchanged, with the same idempotency key: that is safe."
    return _problem(problems.Problem(code="unavailable", detail=detail, request_id=_request().request_id))


@app.exception_handler(UnreadableItemError)  # type: ignore[untyped-decorator]  # Powertools has no types here
def not_readable(error: UnreadableItemError) -> Response[str]:
    """A newer release wrote it; the sweeper and the workers of a release that reads it go on with it."""
    wiring().telemetry.warn("item not readable", kind=error.kind, reason=error.reason)
    detail = (
        "This was stored by a newer version of the service, which this version cannot read. Nothing is lost, and "
        "nothing is charged meanwhile. Repeat the request later, with the same idempotency key: that is safe."
    )
    return _problem(problems.Problem(code="not_readable", detail=detail, request_id=_request().request_id))


@app.exception_handler(NotFoundError)  # type: ignore[untyped-decorator]  # Powertools has no types here
def no_such_route(_error: NotFoundError) -> Response[str]:
    """Only reachable when API Gateway's routes and these differ."""
    detail = "There is nothing at this address with this method. See /openapi.json."
    return _problem(problems.Problem(code="not_found", detail=detail, request_id=_request().request_id))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]  # Powertools has no types here
def defect(_error: Exception) -> Response[str]:
    """A fault of ours. The log has the trace, the client has the id to ask for it."""
    wiring().platform.logger.exception("unhandled")
    detail = "Something went wrong on our side. Repeating the request with the same idempotency key is safe."
    return _problem(problems.Problem(code="internal_error", detail=detail, request_id=_request().request_id))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: an event of a REST API, proxied."""
    request = ApiRequest(event)
    correlation_id = log_context.correlation_id(*request.headers(_CORRELATION)[:1], request.request_id)
    facts = log_context.request_facts(request.request_id, correlation_id, merchantId=request.known_merchant_id)
    with log_context.work_on(facts, trace=wiring().platform.trace):
        answered = app.resolve(event, context)
    answered.setdefault("multiValueHeaders", {})[_CORRELATION] = [correlation_id or request.request_id]
    return answered


def _request() -> ApiRequest:
    return ApiRequest(app.current_event.raw_event)


def _problem(problem: problems.Problem) -> Response[str]:
    return Response(
        status_code=problem.status,
        content_type=problems.CONTENT_TYPE,
        body=msgspec.json.encode(problem.body()).decode(),
        headers={**HEADERS, **problem.all_headers()},
    )
