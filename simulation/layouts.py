"""The two layouts of a payment's item, as the checker and the world read them. Nothing here comes from the code under
test.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_COMPACT: Final = 2
_ZEROS: Final = {"capturable": 0, "refundable": 0, "drives": 0, "fingerprint": "", "capture": "automatic"}
_RELEASED: Final = {"owner": "", "expiresAt": 0}


def provider_keys(item: Mapping[str, Any]) -> Iterator[str]:
    """The providers' keys of a stored item's attempts, in their order. `item` holds attribute values."""
    for attempt in item["attempts"]["L"]:
        yield provider_key(item, attempt["M"])


def provider_key(item: Mapping[str, Any], attempt: Mapping[str, Any]) -> str:
    """One attempt's: stored, or made of 16 characters of the payment's id and of the attempt's number."""
    if "provider_key" in attempt:
        return str(attempt["provider_key"]["S"])
    return f"pfx-{item['pk']['S'][-16:]}-{attempt['number']['N']}"


def in_full(stored: dict[str, Any]) -> dict[str, Any]:
    """A payment's item as plain values, with all that the compact layout leaves out or stores as bytes."""
    if stored.get("schemaVersion", 1) < _COMPACT:
        return stored
    _, merchant, _, transaction_id = stored["pk"].split("#")
    return {
        **_ZEROS,
        "merchantId": merchant,
        "transactionId": transaction_id,
        "readyAt": stored["createdAt"],
        **stored,
        "eventHash": _text(stored["eventHash"]),
        "lease": {**_RELEASED, **stored["lease"]},
        "attempts": [_attempt(transaction_id, attempt) for attempt in stored["attempts"]],
        "route": {**stored["route"], "candidates": [_candidate(known) for known in stored["route"]["candidates"]]},
    }


def _candidate(known: Any) -> dict[str, Any]:
    return dict(zip(("provider", "account_id"), known, strict=True)) if isinstance(known, list) else known


def with_first(events: list[dict[str, Any]], payment: dict[str, Any] | None) -> list[dict[str, Any]]:
    """A payment's events in their order, with the first one, which the second's item or the payment itself may hold."""
    if not events:
        return [_held(payment)] if payment is not None and "firstEvent" in payment else []
    second = events[0]
    if "first" not in second:
        return events
    of_payment = {name: second[name] for name in ("pk", "merchantId", "transactionId")}
    return [_first(of_payment, second["first"], second["previousHash"]), *events]


def _held(payment: dict[str, Any]) -> dict[str, Any]:
    """Made of the payment as it is, and proven by the hash that was stored on acceptance."""
    route = payment["route"]
    facts = {
        "amount": payment["amount"],
        "currency": payment["currency"],
        "rule": route["rule"],
        "routingDocument": route["document"],
        "providers": ",".join(candidate["provider"] for candidate in route["candidates"]),
    }
    if "checkout" in payment:
        facts["expiresAtMs"] = payment["checkout"]["expires_at_ms"]
    if "orderHash" in payment:
        facts["orderHash"] = payment["orderHash"]
    event = {
        "type": "payment.accepted",
        "to": payment["status"],
        "actor": "api",
        "at": payment["createdAt"],
        "facts": facts,
    }
    of_payment = {name: payment[name] for name in ("pk", "merchantId", "transactionId")}
    return _first(of_payment, event, payment["eventHash"])


def _first(of_payment: dict[str, Any], event: dict[str, Any], proof: str) -> dict[str, Any]:
    return {**of_payment, **event, "sk": "EVENT#000001", "seq": 1, "previousHash": "0" * 64, "hash": proof}


def _attempt(transaction_id: str, attempt: dict[str, Any]) -> dict[str, Any]:
    key = f"pfx-{transaction_id[4:]}-{attempt['number']}"
    return {"provider_key": key, **attempt, "request_hash": _text(attempt["request_hash"])}


def _text(stored: str | bytes) -> str:
    return stored.hex() if isinstance(stored, bytes) else stored
