"""Captures, voids and refunds: requests and the meaning of their answers. Pure. Each operation carries our key."""

import json
from typing import Any
from urllib.parse import quote

from payflowx.domain.payments.outcome import (
    Accepted,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    StepResult,
    Succeeded,
    Unknown,
)
from payflowx.domain.shared.operation_request import OperationRequest
from payflowx.domain.shared.text import provider_code
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.json_fields import as_int, as_text, json_object, reference
from payflowx.providers.mock.responses import refused
from payflowx.providers.refusals import RefusedCall


def move(request: OperationRequest) -> HttpRequest:
    """Request the operation. The provider key is the idempotency key and the reference, as for a charge."""
    body = {"amount": request.amount, "reference": request.provider_key}
    return HttpRequest(
        method="POST",
        path=f"{_charge(request)}/{request.kind}s",
        headers={"Content-Type": "application/json", "Idempotency-Key": request.provider_key},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )


def find(request: OperationRequest) -> HttpRequest:
    """List the operations of the charge that carry our key."""
    key = quote(request.provider_key, safe="")
    return HttpRequest(method="GET", path=f"{_charge(request)}/operations?reference={key}")


def read(request: OperationRequest) -> HttpRequest:
    return HttpRequest(method="GET", path=f"/v1/operations/{quote(request.reference or '', safe='')}")


def moved(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to the request, or its stored copy when the key was used before."""
    return (
        _ours(request, json_object(response))
        if response.status == 200
        else refused(RefusedCall(request.kind), response)
    )


def found(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to an inquiry by our key."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    items = json_object(response)["data"]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("data is no list of operations")
    if not items:
        return NotFound(complete=True)
    return _ours(request, items[0]) if len(items) == 1 else Mismatch(code="duplicate_operation")


def read_back(request: OperationRequest, response: HttpResponse) -> StepResult:
    """Read the answer to an inquiry by id."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return _ours(request, json_object(response))


def operation(item: dict[str, Any]) -> Outcome:
    """The outcome of an operation, regardless of who requested it."""
    operation_id = reference(item.get("id"))
    match item.get("status"):
        case "succeeded":
            return Succeeded(
                reference=operation_id,
                amount=as_int(item.get("amount")),
                currency=as_text(item.get("currency")),
                merchant_reference=as_text(item.get("reference")),
            )
        case "pending":
            return Accepted(reference=operation_id)
        case "failed":
            return Declined(code=provider_code(item.get("failure_code")), reference=operation_id)
        case _:
            return Unknown(code="status_not_known")


def _ours(request: OperationRequest, item: dict[str, Any]) -> Outcome:
    known = (item.get("object"), item.get("charge"), item.get("reference"))
    if known != (request.kind.value, request.charge_reference, request.provider_key):
        return Mismatch(code="reference_differs", reference=reference(item.get("id")))
    return operation(item)


def _charge(request: OperationRequest) -> str:
    return f"/v1/charges/{quote(request.charge_reference, safe='')}"
