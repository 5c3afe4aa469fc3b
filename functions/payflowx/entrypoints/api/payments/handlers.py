"""Payments and their captures, voids and refunds: decode -> use case -> present."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from payflowx.domain.payments.operation import Operation
from payflowx.domain.shared.limits import MAX_PAGE_ITEMS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import PaymentStatus
from payflowx.entrypoints.api import parameters
from payflowx.entrypoints.api.payments.decoding import decode_new_payment
from payflowx.entrypoints.api.payments.operation_decoding import decode_cancellation, decode_new_operation
from payflowx.entrypoints.api.payments.presenting import present_event, present_operation, present_payment
from payflowx.entrypoints.api.payments.types import EventListAnswer, OperationListAnswer, PaymentListAnswer
from payflowx.entrypoints.api.requests import ApiRequest
from payflowx.entrypoints.api.responses import answer
from payflowx.wiring.api import ApiWiring


def create_payment(request: ApiRequest, wired: ApiWiring) -> Response[str]:
    new_payment = decode_new_payment(request, loopback_allowed=wired.is_loopback_allowed)
    acceptance = wired.create_payment(new_payment)
    payment = present_payment(acceptance.payment)
    return _accepted(payment, f"/payments/{payment.transaction_id}", replayed=acceptance.replayed)


def list_payments(request: ApiRequest, wired: ApiWiring) -> Response[str]:
    request.check_path_and_query()
    filters, now_ms = request.query(parameters.LIST_PARAMETERS), wired.platform.clock.now_ms()
    name = parameters.payment_name(filters)
    if name is not None:
        return _found(name, request.merchant_id, wired)
    query = parameters.payment_query(filters, request.merchant_id, wired.cursors, now_ms)
    page = wired.read_payments.page(query)
    cursor = parameters.next_cursor(query, page.next_position, wired.cursors)
    items = [present_payment(payment) for payment in page.items]
    return answer(PaymentListAnswer(items=items, next_cursor=cursor, unreadable=list(page.unreadable)))


def _found(name: parameters.PaymentName, merchant_id: str, wired: ApiWiring) -> Response[str]:
    """All payments with this name: there is no further page."""
    match name:
        case parameters.OfOrder(order_id=order_id):
            page = wired.find_payments.by_order(merchant_id, order_id)
        case parameters.OfReference(reference=reference, provider=provider):
            page = wired.find_payments.by_reference(merchant_id, reference, provider)
    items = [present_payment(payment) for payment in page.items]
    return answer(PaymentListAnswer(items=items, next_cursor=None, unreadable=list(page.unreadable)))


def get_payment(request: ApiRequest, wired: ApiWiring, transaction_id: str) -> Response[str]:
    request.check_path_and_query()
    request.check_no_query()
    payment = wired.read_payments.get(request.merchant_id, parameters.transaction_id(transaction_id))
    return answer(present_payment(payment))


def list_payment_events(request: ApiRequest, wired: ApiWiring, transaction_id: str) -> Response[str]:
    request.check_path_and_query()
    query = request.query(parameters.EVENT_PARAMETERS)
    merchant_id, known_id = request.merchant_id, parameters.transaction_id(transaction_id)
    after_seq = parameters.events_after(query, merchant_id, known_id, wired.cursors)
    page = wired.read_payments.events(merchant_id, known_id, after_seq=after_seq, limit=parameters.limit(query))
    cursor = parameters.event_cursor(page.next_seq, merchant_id, known_id, wired.cursors)
    return answer(EventListAnswer(items=[present_event(event) for event in page.items], next_cursor=cursor))


def cancel_payment(request: ApiRequest, wired: ApiWiring, transaction_id: str) -> Response[str]:
    command = decode_cancellation(request, parameters.transaction_id(transaction_id))
    cancellation = wired.cancel_payment(command)
    done = cancellation.payment.status is PaymentStatus.CANCELLED
    headers = {"Location": _address(cancellation.void)} if cancellation.void else {}
    status = HTTPStatus.OK if done else HTTPStatus.ACCEPTED
    return answer(present_payment(cancellation.payment), status=status, headers=headers)


def capture_payment(request: ApiRequest, wired: ApiWiring, transaction_id: str) -> Response[str]:
    return _accept_operation(request, wired, transaction_id, OperationKind.CAPTURE)


def refund_payment(request: ApiRequest, wired: ApiWiring, transaction_id: str) -> Response[str]:
    return _accept_operation(request, wired, transaction_id, OperationKind.REFUND)


def list_operations(request: ApiRequest, wired: ApiWiring, transaction_id: str) -> Response[str]:
    request.check_path_and_query()
    query = request.query(parameters.OPERATION_PARAMETERS)
    merchant_id, known_id = request.merchant_id, parameters.transaction_id(transaction_id)
    position = parameters.operations_after(query, merchant_id, known_id, wired.cursors)
    limit = parameters.limit(query, default=MAX_PAGE_ITEMS)
    page = wired.read_operations.page(merchant_id, known_id, limit=limit, position=position)
    cursor = parameters.operation_cursor(page.next_position, merchant_id, known_id, wired.cursors)
    items = [present_operation(operation) for operation in page.items]
    return answer(OperationListAnswer(items=items, next_cursor=cursor, unreadable=list(page.unreadable)))


def get_operation(request: ApiRequest, wired: ApiWiring, transaction_id: str, operation_id: str) -> Response[str]:
    request.check_path_and_query()
    request.check_no_query()
    known_id, wanted_id = parameters.transaction_id(transaction_id), parameters.operation_id(operation_id)
    return answer(present_operation(wired.read_operations.get(request.merchant_id, known_id, wanted_id)))


def _accept_operation(request: ApiRequest, wired: ApiWiring, transaction_id: str, kind: OperationKind) -> Response[str]:
    command = decode_new_operation(request, parameters.transaction_id(transaction_id), kind)
    acceptance = wired.request_operation(command)
    shown = present_operation(acceptance.operation)
    return _accepted(shown, _address(acceptance.operation), replayed=acceptance.replayed)


def _accepted(body: object, location: str, *, replayed: bool) -> Response[str]:
    headers = {"Location": location} | ({"Idempotency-Replayed": "true"} if replayed else {})
    return answer(body, status=HTTPStatus.ACCEPTED, headers=headers)


def _address(operation: Operation) -> str:
    return f"/payments/{operation.transaction_id}/operations/{operation.operation_id}"
