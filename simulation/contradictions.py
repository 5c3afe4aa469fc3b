"""Errors of the real providers that hide what they did: the money moved, and the answer sounds like a refusal.

Each has its provider's own form. Three kinds are known from the field: an error that names the object which it made,
an error with a code that no page explains, and the refusal of a repeated refund for which, after the first one, not
enough is left.
"""

import json
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from sandbox.http_types import Reply

_EXPLAINED: Final[Mapping[str, Mapping[str, str]]] = {
    "charge": {
        "stripe": "parameter_invalid_integer",
        "razorpay": "input_validation_failed",
        "cashfree": "payment_method_invalid",
        "payu": "Mandate is not active",
    },
    "refund": {
        "stripe": "amount_too_large",
        "razorpay": "Your account does not have enough balance to carry out the refund operation.",
        "cashfree": "refund_amount_invalid",
        "payu": "105",
    },
}
"""What each provider documents as refused before execution: a code, or a sentence where it gives no code."""
_UNEXPLAINED: Final = "checks_failed"


def after_effect(provider: str, kind: str, reference: str, random: Random) -> Reply:
    """Return an error about a request that was executed: explained and naming `reference`, or unexplained.

    `kind`: "charge" or "refund".
    """
    if random.random() < 0.5:
        return _error(provider, _EXPLAINED[kind][provider], reference)
    return _error(provider, _UNEXPLAINED, None)


def refused_repeat(provider: str) -> Reply:
    """Return the refusal of a refund that was executed before: with it, less is left than is asked for."""
    return _error(provider, _EXPLAINED["refund"][provider], None)


def _error(provider: str, said: str, reference: str | None) -> Reply:
    named: dict[str, Any]
    match provider:
        case "stripe":
            named = {"charge": reference} if reference else {}
            error = {"type": "invalid_request_error", "code": said, "message": f"Invalid: {said}.", **named}
            return _reply(400, {"error": error})
        case "razorpay":
            named = {"metadata": {"payment_id": reference}} if reference else {}
            reason = "NA" if " " in said else said
            error = {"code": "BAD_REQUEST_ERROR", "description": said, "reason": reason, **named}
            return _reply(400, {"error": error})
        case "cashfree":
            named = {"cf_payment_id": reference, "cf_refund_id": reference} if reference else {}
            return _reply(400, {"type": "invalid_request_error", "code": said, "message": f"{said} : no", **named})
        case _:
            named = {"details": {reference: {"payuid": reference}}} if reference else {}
            code = {"error_code": said} if said.isdecimal() else {}
            return _reply(200, {"status": 0, "msg": said, **code, **named})


def _reply(status: int, body: Mapping[str, Any]) -> Reply:
    return Reply(status=status, headers={"content-type": "application/json"}, body=json.dumps(body).encode())
