"""Captures, voids and refunds: what is sent and what the answers mean. Pure."""

import json
from typing import Any, Final
from urllib.parse import quote

from payflowx.domain.movement import Movement, MovementKind
from payflowx.domain.outcome import (
    Accepted,
    Mismatch,
    Moved,
    MovementOutcome,
    MovementResult,
    NotFound,
    Refused,
    Unknown,
)
from payflowx.domain.text import provider_code, provider_text
from payflowx.domain.transport import HttpRequest, HttpResponse
from payflowx.providers.reading import error_body, json_object, member, movement_refusal, reference, text, whole

_ACTIONS: Final = {MovementKind.CAPTURE: "capture", MovementKind.VOID: "cancel", MovementKind.REFUND: "refunds"}


def move(movement: Movement) -> HttpRequest:
    """The provider key is the idempotency key and the reference."""
    body = {"amount": movement.amount, "reference": movement.provider_key}
    return HttpRequest(
        method="POST",
        path=f"/v1/charges/{quote(movement.charge_reference, safe='')}/{_ACTIONS[movement.kind]}",
        headers={"Content-Type": "application/json", "Idempotency-Key": movement.provider_key},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )


def find(movement: Movement) -> HttpRequest:
    """By our reference: it is known even when no answer ever came."""
    return HttpRequest(method="GET", path=f"/v1/operations?reference={quote(movement.provider_key, safe='')}")


def moved(movement: Movement, response: HttpResponse) -> MovementResult:
    """The answer to a capture, void or refund."""
    if response.status == 200:
        return operation_outcome(json_object(response))
    error = member(error_body(response).get("error"))
    if response.status == 402 and error.get("type") == "operation_error":
        return Refused(code=provider_code(error.get("code")), message=provider_text(error.get("message")))
    if error.get("type") == "idempotency_error":
        return Unknown(code="idempotency_key_reused")
    return movement_refusal(response, error, retry_after_header="retry-after")


def found(movement: Movement, response: HttpResponse) -> MovementResult:
    """What is known under our reference."""
    if response.status != 200:
        return Unknown(code=f"http_{response.status}")
    operations = json_object(response)["data"]
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise ValueError("data is no list of operations")
    if not operations:
        return NotFound()
    return operation_outcome(operations[0]) if len(operations) == 1 else Mismatch(code="duplicate_operation")


def operation_outcome(operation: dict[str, Any]) -> MovementOutcome:
    """An operation as the gateway shows it."""
    name = reference(operation.get("id"))
    match operation.get("status"):
        case "succeeded":
            return Moved(
                reference=name,
                amount=whole(operation.get("amount")),
                currency=text(operation.get("currency")),
                merchant_reference=text(operation.get("reference")),
            )
        case "pending":
            return Accepted(reference=name)
        case "failed":
            return Refused(code="failed", reference=name)
        case _:
            return Unknown(code="status_not_known")
