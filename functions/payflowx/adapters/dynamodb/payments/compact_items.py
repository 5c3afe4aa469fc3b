"""The compact layout of a payment's item: nothing that its key or another attribute says, hashes as bytes.

DynamoDB bills each started kilobyte of an item in each of its writes, twice in a transaction. The full layout of an
ordinary payment passes one kilobyte; this one stays below 900 bytes. An item keeps the layout in which it was accepted:
release 0.2.0 fails on this one, because attributes that it requires are missing.

`expanded` takes each attribute in either form, so that an item whose parts differ in form is read as well.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from payflowx.adapters.dynamodb.core.keys import parse_payment_partition
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.statuses import CaptureMode

_SHA256_HEX: Final = re.compile(r"[0-9a-f]{64}")
_PRINT: Final = re.compile(r"(?P<format>[0-9]):(?P<hex>(?:[0-9a-f]{2}){16,})")
"""A fingerprint of a request's content: the number of its format, and a hash."""
_ZEROS: Final = ("capturable", "refundable", "drives")
_NAMED_BY_KEY: Final = dict.fromkeys(("merchantId", "transactionId"))
_EMPTY: Final[Item] = {"owner": "", "expiresAt": 0}
"""The attributes of a released lease that say nothing. Its epoch stays: it must never be counted from the start."""


def compacted(item: Item) -> Item:
    """Return the item of the full layout in the compact one; what is left out is None."""
    smaller: Item = {
        "eventHash": _hash_bytes(item["eventHash"]),
        "lease": compact_lease(item["lease"]),
        "attempts": [compact_attempt(attempt, item["transactionId"]) for attempt in item["attempts"]],
        "route": _compact_route(item["route"]),
        "capture": None if item["capture"] == CaptureMode.AUTOMATIC else item["capture"],
        "readyAt": None if item["readyAt"] == item["createdAt"] else item["readyAt"],
        **{name: item[name] or None for name in _ZEROS},
    }
    if item["contentFingerprint"] is not None:
        # Two requests are compared by their content. The body's own fingerprint serves releases before it only.
        smaller |= {"contentFingerprint": _print_bytes(item["contentFingerprint"]), "fingerprint": None}
    return item | _NAMED_BY_KEY | smaller


def expanded(item: Item) -> Item:
    """Return the item in the full layout. Raises `ValueError` or `KeyError` for an item of neither."""
    merchant_id, transaction_id = parse_payment_partition(item["pk"])
    larger: Item = {
        "merchantId": merchant_id,
        "transactionId": transaction_id,
        "fingerprint": "",
        "capture": CaptureMode.AUTOMATIC.value,
        "readyAt": item["createdAt"],
        **dict.fromkeys(_ZEROS, 0),
        **item,
        "eventHash": _hash_text(item["eventHash"]),
        "lease": _EMPTY | item["lease"],
        "attempts": [_full_attempt(attempt, transaction_id) for attempt in item["attempts"]],
        "route": _full_route(item["route"]),
    }
    if "contentFingerprint" in item:
        larger["contentFingerprint"] = _print_text(item["contentFingerprint"])
    return larger


def compact_lease(lease: Mapping[str, Any]) -> Item:
    """Return the lease without what an absent attribute says as well."""
    return {name: value for name, value in lease.items() if value != _EMPTY.get(name)}


def compact_attempt(attempt: Item, transaction_id: str) -> Item:
    """Return the attempt without the key that is derived from its number, and with its request's hash as bytes."""
    derived = derive_provider_key(transaction_id, attempt["number"])
    left_out = {"provider_key"} if attempt["provider_key"] == derived else set()
    kept = {name: value for name, value in attempt.items() if name not in left_out}
    return kept | {"request_hash": _hash_bytes(attempt["request_hash"])}


def _full_attempt(attempt: Item, transaction_id: str) -> Item:
    derived = derive_provider_key(transaction_id, attempt["number"])
    return {"provider_key": derived, **attempt, "request_hash": _hash_text(attempt["request_hash"])}


def _compact_route(route: Item) -> Item:
    return route | {"candidates": [[c["provider"], c["account_id"]] for c in route["candidates"]]}


def _full_route(route: Item) -> Item:
    candidates = [
        {"provider": known[0], "account_id": known[1]} if isinstance(known, list) else known
        for known in route["candidates"]
    ]
    return route | {"candidates": candidates}


def _hash_bytes(text: str) -> str | bytes:
    """Texts that are no SHA-256 in hex stay as they are."""
    return bytes.fromhex(text) if _SHA256_HEX.fullmatch(text) else text


def _hash_text(stored: str | bytes) -> str:
    return stored.hex() if isinstance(stored, bytes) else stored


def _print_bytes(text: str) -> str | bytes:
    found = _PRINT.fullmatch(text)
    return bytes([int(found["format"])]) + bytes.fromhex(found["hex"]) if found else text


def _print_text(stored: str | bytes) -> str:
    return f"{stored[0]}:{stored[1:].hex()}" if isinstance(stored, bytes) else stored
