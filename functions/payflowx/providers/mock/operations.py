"""Captures, voids and refunds: what is sent and what the answers mean. Pure. Each is an object that bears our key."""

import json
from typing import Any
from urllib.parse import quote

from payflowx.domain.payments.outcome import (
    Accepted,
    Mismatch,
    Moved,
    MovementOutcome,
    MovementResult,
    NotFound,
    Refused,
    Unknown,
)
from payflowx.domain.shared.operation_request import Movement
from payflowx.domain.shared.text import provider_code
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.json_fields import json_object, reference, text, whole
from payflowx.providers.mock.responses import refused


def move(movement: Movement) -> HttpRequest:
    """Ask for it. The provider key is the idempotency key and the reference, as it is for a charge."""
    body = {"amount": movement.amount, "reference": movement.provider_key}
    return HttpRequest(
        method="POST",
        path=f"{_charge(movement)}/{movement.kind}s",
        headers={"Content-Type": "application/json", "Idempotency-Key": movement.provider_key},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )


def find(movement: Movement) -> HttpRequest:
    """Those of the charge that bear our key."""
    key = quote(movement.provider_key, safe="")
    return HttpRequest(method="GET", path=f"{_charge(movement)}/operations?reference={key}")


def read(movement: Movement) -> HttpRequest:
    """By its id."""
    return HttpRequest(method="GET", path=f"/v1/operations/{quote(movement.reference or '', safe='')}")


def moved(movement: Movement, response: HttpResponse) -> MovementResult:
    """The answer to the request, or its stored copy when the key was used before."""
    return _ours(movement, json_object(response)) if response.status == 200 else refused(response)


def found(movement: Movement, response: HttpResponse) -> MovementResult:
    """The answer to an inquiry by our key."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    items = json_object(response)["data"]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValueError("data is no list of operations")
    if not items:
        return NotFound()
    return _ours(movement, items[0]) if len(items) == 1 else Mismatch(code="duplicate_operation")


def read_back(movement: Movement, response: HttpResponse) -> MovementResult:
    """The answer to an inquiry by id."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    return _ours(movement, json_object(response))


def operation(item: dict[str, Any]) -> MovementOutcome:
    """What became of it, whoever asked for it."""
    operation_id = reference(item.get("id"))
    match item.get("status"):
        case "succeeded":
            return Moved(
                reference=operation_id,
                amount=whole(item.get("amount")),
                currency=text(item.get("currency")),
                merchant_reference=text(item.get("reference")),
            )
        case "pending":
            return Accepted(reference=operation_id)
        case "failed":
            return Refused(code=provider_code(item.get("failure_code")), reference=operation_id)
        case _:
            return Unknown(code="status_not_known")


def _ours(movement: Movement, item: dict[str, Any]) -> MovementOutcome:
    known = (item.get("object"), item.get("charge"), item.get("reference"))
    if known != (movement.kind.value, movement.charge_reference, movement.provider_key):
        return Mismatch(code="reference_differs", reference=reference(item.get("id")))
    return operation(item)


def _charge(movement: Movement) -> str:
    return f"/v1/charges/{quote(movement.charge_reference, safe='')}"
