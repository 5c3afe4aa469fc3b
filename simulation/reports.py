"""Providers' lists of charges and refunds as they come: a line too many, one too few, one with another amount."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sandbox.http_types import Reply, Request
from simulation.faults import Faults

Line = dict[str, Any]
Changed = Callable[[str, Line], None]
"""Gets each change and the line as it should be."""

_LISTS: Final[Mapping[str, str]] = {
    "stripe": "data",
    "razorpay": "items",
    "cashfree": "data",
    "payu": "Transaction_details",
}
"""The member of an answer that holds the lines."""


def is_report(provider: str, request: Request) -> bool:
    """Whether this request reads the list of a time, and not one charge."""
    match provider:
        case "stripe":
            return request.path == "/v1/balance_transactions"
        case "razorpay":
            return request.path in {"/v1/payments", "/v1/refunds"} and "from" in request.query
        case "cashfree":
            return request.path == "/pg/recon"
        case "payu":
            return b"command=get_transaction_info" in request.body
        case _:
            return False


def garbled(provider: str, reply: Reply, faults: Faults, changed: Changed) -> Reply:
    """The answer with lines left out, repeated, or with another amount."""
    if reply.status != 200:
        return reply
    answer = json.loads(reply.body)
    lines = answer.get(_LISTS[provider])
    if not isinstance(lines, list):
        return reply
    answer[_LISTS[provider]] = [other for line in lines for other in _garbled_line(provider, line, faults, changed)]
    return replace(reply, body=json.dumps(answer).encode())


def without_youngest(provider: str, reply: Reply, from_ms: float) -> tuple[Reply, int]:
    """The answer without the lines of this time and later, which a later answer lists; and how many these are."""
    if reply.status != 200:
        return reply, 0
    answer = json.loads(reply.body)
    lines = answer.get(_LISTS[provider])
    if not isinstance(lines, list):
        return reply, 0
    kept = [line for line in lines if _time_ms(provider, line) < from_ms]
    answer[_LISTS[provider]] = kept
    return replace(reply, body=json.dumps(answer).encode()), len(lines) - len(kept)


def _time_ms(provider: str, line: Line) -> float:
    """When the line's charge or refund happened, as the provider writes it. PayU writes Indian time, without a zone."""
    match provider:
        case "stripe":
            return float(line["created"]) * 1000
        case "razorpay":
            return float(line["created_at"]) * 1000
        case "cashfree":
            return datetime.fromisoformat(line["event_time"]).timestamp() * 1000
        case _:
            return datetime.fromisoformat(f"{line['addedon']}+05:30").timestamp() * 1000


def _garbled_line(provider: str, line: Line, faults: Faults, changed: Changed) -> list[Line]:
    if faults.strikes("report_omits"):
        changed("omitted", line)
        return []
    claimed = _claiming_success(provider, line)
    if claimed != line and faults.strikes("report_claims"):
        changed("claimed a success", line)
        return [claimed]
    if faults.strikes("report_repeats"):
        changed("repeated", line)
        return [line, line]
    if faults.strikes("report_other_amount"):
        changed("other amount", line)
        return [_with_other_amount(provider, line)]
    return [line]


def _claiming_success(provider: str, line: Line) -> Line:
    """A failed charge as if it had succeeded; the same line where the list holds successes only."""
    match provider:
        case "razorpay" if line.get("status") == "failed":
            return {**line, "status": "captured", "captured": True}
        case "payu" if line.get("status") == "failure":
            return {**line, "status": "success", "unmappedstatus": "captured"}
        case _:
            return line


def _with_other_amount(provider: str, line: Line) -> Line:
    match provider:
        case "stripe":
            source = line["source"]
            names = [name for name in ("amount", "amount_captured") if name in source]
            return {**line, "source": {**source, **{name: source[name] + 1 for name in names}}}
        case "razorpay":
            return {**line, "amount": line["amount"] + 1}
        case "cashfree":
            return {**line, "event_amount": round(float(line["event_amount"]) + 0.01, 2)}
        case _:
            return {**line, "amount": f"{float(line['amount']) + 0.01:.2f}"}
