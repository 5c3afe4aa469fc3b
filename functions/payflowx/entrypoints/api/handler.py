"""The API: every route of the REST API ends here."""

from functools import cache
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from payflowx.adapters.platform import log_context
from payflowx.bootstrap import Container
from payflowx.domain.payments.operation import Operation
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import PaymentStatus
from payflowx.entrypoints.api import openapi, parameters, problems
from payflowx.entrypoints.api.answering import HEADERS
from payflowx.entrypoints.api.answering import answer as _answer
from payflowx.entrypoints.api.payments.decoding import decode_new_payment
from payflowx.entrypoints.api.payments.operation_decoding import decode_cancellation, decode_new_operation
from payflowx.entrypoints.api.payments.presenting import present_event, present_operation, present_payment
from payflowx.entrypoints.api.payments.types import (
    EventListAnswer,
    HealthAnswer,
    OperationListAnswer,
    PaymentListAnswer,
)
from payflowx.entrypoints.api.requests import ApiRequest
from payflowx.entrypoints.api.webhook_endpoints.routes import webhook_routes

_CORRELATION: Final = "X-Correlation-Id"
"""A client's own name for what it is doing; echoed, and in every log line up to the gateway's answer."""

app = APIGatewayRestResolver()


@cache
def container() -> Container:
    """One a function instance; tests replace it."""
    return Container()


app.include_router(webhook_routes(lambda: container()))  # noqa: PLW0108 - tests and simulations replace the name


@app.post("/payments")
def create_payment() -> Response[str]:
    """Accept a payment."""
    acceptance = container().create_payment(decode_new_payment(_request()))
    payment = present_payment(acceptance.payment)
    headers = {"Location": f"/payments/{payment.transaction_id}"}
    if acceptance.replayed:
        headers["Idempotency-Replayed"] = "true"
    return _answer(payment, status=HTTPStatus.ACCEPTED, headers=headers)


@app.get("/payments")
def list_payments() -> Response[str]:
    """List payments, newest first."""
    request = _request()
    request.check_path_and_query()
    wired = container()
    query = parameters.payment_query(
        request.query(parameters.LIST_PARAMETERS), request.merchant_id, wired.cursors, wired.clock.now_ms()
    )
    page = wired.read_payments.page(query)
    cursor = parameters.next_cursor(query, page.next_position, wired.cursors)
    return _answer(PaymentListAnswer(items=[present_payment(p) for p in page.items], next_cursor=cursor))


@app.get("/payments/<transaction_id>")
def get_payment(transaction_id: str) -> Response[str]:
    """Read a payment."""
    request = _request()
    request.check_path_and_query()
    request.query(frozenset())
    payment = container().read_payments.get(request.merchant_id, parameters.transaction_id(transaction_id))
    return _answer(present_payment(payment))


@app.get("/payments/<transaction_id>/events")
def list_payment_events(transaction_id: str) -> Response[str]:
    """Read a payment's audit trail."""
    request = _request()
    request.check_path_and_query()
    query, wired = request.query(parameters.EVENT_PARAMETERS), container()
    merchant_id, known_id = request.merchant_id, parameters.transaction_id(transaction_id)
    after_seq = parameters.events_after(query, merchant_id, known_id, wired.cursors)
    page = wired.read_payments.events(merchant_id, known_id, after_seq=after_seq, limit=parameters.limit(query))
    cursor = parameters.event_cursor(page.next_seq, merchant_id, known_id, wired.cursors)
    return _answer(EventListAnswer(items=[present_event(event) for event in page.items], next_cursor=cursor))


@app.post("/payments/<transaction_id>/cancel")
def cancel_payment(transaction_id: str) -> Response[str]:
    """Cancel a payment that nothing was captured for."""
    command = decode_cancellation(_request(), parameters.transaction_id(transaction_id))
    cancellation = container().cancel_payment(command)
    done = cancellation.payment.status is PaymentStatus.CANCELLED
    headers = {"Location": _address(cancellation.void)} if cancellation.void else {}
    status = HTTPStatus.OK if done else HTTPStatus.ACCEPTED
    return _answer(present_payment(cancellation.payment), status=status, headers=headers)


@app.post("/payments/<transaction_id>/capture")
def capture_payment(transaction_id: str) -> Response[str]:
    """Take what an authorized payment holds, or a part of it."""
    return _accept_operation(transaction_id, OperationKind.CAPTURE)


@app.post("/payments/<transaction_id>/refunds")
def refund_payment(transaction_id: str) -> Response[str]:
    """Give back what was taken, or a part of it."""
    return _accept_operation(transaction_id, OperationKind.REFUND)


@app.get("/payments/<transaction_id>/operations")
def list_operations(transaction_id: str) -> Response[str]:
    """List a payment's captures, voids and refunds."""
    request = _request()
    request.check_path_and_query()
    request.query(frozenset())
    found = container().read_operations.of_payment(request.merchant_id, parameters.transaction_id(transaction_id))
    return _answer(OperationListAnswer(items=[present_operation(operation) for operation in found]))


@app.get("/payments/<transaction_id>/operations/<operation_id>")
def get_operation(transaction_id: str, operation_id: str) -> Response[str]:
    """Read a capture, void or refund."""
    request = _request()
    request.check_path_and_query()
    request.query(frozenset())
    known_id, wanted_id = parameters.transaction_id(transaction_id), parameters.operation_id(operation_id)
    return _answer(present_operation(container().read_operations.get(request.merchant_id, known_id, wanted_id)))


@app.get("/health")
def health() -> Response[str]:
    """Answers as long as the function runs."""
    return _answer(HealthAnswer(status="ok"))


@app.get("/openapi.json")
def openapi_document() -> Response[str]:
    """The API's own description."""
    return _answer(openapi.document())


@app.exception_handler(Refusal)  # type: ignore[untyped-decorator]  # Powertools has no types here
def refused(refusal: Refusal) -> Response[str]:
    """A request that is understood and not carried out."""
    if refusal.code == "card_data_refused":
        container().telemetry.count(Metric.CARD_DATA_REFUSED)
    return _problem(problems.problem_of(refusal, _request().request_id))


@app.exception_handler(StorageUnavailableError)  # type: ignore[untyped-decorator]  # Powertools has no types here
def unavailable(error: StorageUnavailableError) -> Response[str]:
    """We do not know whether a write took effect; the same key makes the repeat safe."""
    container().telemetry.warn("storage unavailable", reason=str(error))
    detail = "The request could not be completed. Repeat it unchanged, with the same idempotency key: that is safe."
    return _problem(problems.Problem(code="unavailable", detail=detail, request_id=_request().request_id))


@app.exception_handler(NotFoundError)  # type: ignore[untyped-decorator]  # Powertools has no types here
def no_such_route(_error: NotFoundError) -> Response[str]:
    """Only reachable when the gateway's routes and these differ."""
    detail = "There is nothing at this address with this method. See /openapi.json."
    return _problem(problems.Problem(code="not_found", detail=detail, request_id=_request().request_id))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]  # Powertools has no types here
def defect(_error: Exception) -> Response[str]:
    """A fault of ours. The log has the trace, the client has the id to ask for it."""
    wired = container()
    wired.logger.exception("unhandled")  # noqa: LOG004 - called in one
    detail = "Something went wrong on our side. Repeating the request with the same idempotency key is safe."
    return _problem(problems.Problem(code="internal_error", detail=detail, request_id=_request().request_id))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry: an event of a REST API, proxied."""
    request = ApiRequest(event)
    correlation_id = log_context.correlation_id(*request.headers(_CORRELATION)[:1], request.request_id)
    facts = {"requestId": request.request_id, "correlationId": correlation_id, "merchantId": request.known_merchant_id}
    with log_context.work_on(facts, trace=container().trace):
        answer = app.resolve(event, context)
    answer.setdefault("multiValueHeaders", {})[_CORRELATION] = [correlation_id or request.request_id]
    return answer


def _accept_operation(transaction_id: str, kind: OperationKind) -> Response[str]:
    command = decode_new_operation(_request(), parameters.transaction_id(transaction_id), kind)
    acceptance = container().request_operation(command)
    headers = {"Location": _address(acceptance.operation)}
    if acceptance.replayed:
        headers["Idempotency-Replayed"] = "true"
    return _answer(present_operation(acceptance.operation), status=HTTPStatus.ACCEPTED, headers=headers)


def _address(operation: Operation) -> str:
    return f"/payments/{operation.transaction_id}/operations/{operation.operation_id}"


def _request() -> ApiRequest:
    return ApiRequest(app.current_event.raw_event)


def _problem(problem: problems.Problem) -> Response[str]:
    return Response(
        status_code=problem.status,
        content_type=problems.CONTENT_TYPE,
        body=msgspec.json.encode(problem.body()).decode(),
        headers={**HEADERS, **problem.all_headers()},
    )
