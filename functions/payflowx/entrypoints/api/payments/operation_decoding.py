"""Requests for captures, refunds and cancellations."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from payflowx.application.payments.cancel_payment import NewCancellation
from payflowx.application.payments.request_operation import NewOperation
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.entrypoints.api.bodies import converted, key_in, read_body
from payflowx.entrypoints.api.payments.fingerprints import fingerprint
from payflowx.entrypoints.api.payments.types import CancelPaymentRequest, MoveMoneyRequest
from payflowx.entrypoints.api.requests import ApiRequest, idempotency_key

_RESOURCES: Mapping[OperationKind, str] = {OperationKind.CAPTURE: "capture", OperationKind.REFUND: "refunds"}
_AMOUNT_IS_NULL: Final = (
    "amount is null. Send an integer in the currency's minor unit, or leave the field out to move all that is left."
)


def decode_new_operation(request: ApiRequest, transaction_id: str, kind: OperationKind) -> NewOperation:
    """Raises `Refusal`. Without a body, or without an amount, all that is left is moved.

    An amount of null is refused: it is usually a variable that was not set, and would move everything.
    """
    body = _body(request, MoveMoneyRequest)
    if "amount" in body and body["amount"] is None:
        raise Refusal("amount_invalid", _AMOUNT_IS_NULL, field="amount")
    typed = converted(body, MoveMoneyRequest)
    path = f"/payments/{transaction_id}/{_RESOURCES[kind]}"
    return NewOperation(
        merchant_id=request.merchant_id,
        transaction_id=transaction_id,
        kind=kind,
        amount=None if typed.amount is msgspec.UNSET else typed.amount,
        idempotency_key=idempotency_key(request.headers("idempotency-key"), key_in(body)),
        path=path,
        fingerprint=fingerprint("POST", path, body),
    )


def decode_cancellation(request: ApiRequest, transaction_id: str) -> NewCancellation:
    """Raises `Refusal`. A cancellation is idempotent by nature; a key is checked and not used."""
    body = _body(request, CancelPaymentRequest)
    converted(body, CancelPaymentRequest)
    headers, path = request.headers("idempotency-key"), f"/payments/{transaction_id}/cancel"
    if headers or key_in(body) is not None:
        idempotency_key(headers, key_in(body))
    return NewCancellation(
        merchant_id=request.merchant_id,
        transaction_id=transaction_id,
        path=path,
        fingerprint=fingerprint("POST", path, body),
    )


def _body(request: ApiRequest, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON object; an empty one where there is no body."""
    request.check_path_and_query()
    request.check_no_query()
    request.check_headers()
    if not request.has_body:
        return {}
    return read_body(request, kind)
