"""A request of ours beside the one that an SDK sends for the same purpose: everything in which they differ."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from payflowx.domain.shared.transport import HttpRequest
from tests.sdk.official import Sent

_OF_THE_CLIENT = frozenset(
    {"user-agent", "accept-encoding", "connection", "content-length", "x-stripe-client-user-agent", "x-sdk-platform"}
)
"""Headers that say who sends, and not what."""
_ANYTHING = "*/*"
ABSENT = object()
"""Stands for what one of the two does not say: null is something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that only one of the two says, or that they say differently."""

    ours: Any
    theirs: Any


def differences(ours: HttpRequest, endpoint: str, theirs: Sent) -> dict[str, Difference]:
    """By place, such as `method`, `query.limit`, `header.accept` or `body.metadata[payflowx_key]`."""
    url = endpoint + ours.path
    left = dict(_parts(ours.method, url, {k.lower(): v for k, v in ours.headers.items()}, ours.body))
    right = dict(_parts(theirs.method, theirs.url, theirs.headers, theirs.body))
    return {
        place: Difference(ours=left.get(place, ABSENT), theirs=right.get(place, ABSENT))
        for place in sorted(left | right)
        if left.get(place, ABSENT) != right.get(place, ABSENT)
    }


def _parts(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Iterator[tuple[str, Any]]:
    parts = urlsplit(url)
    yield "method", method
    yield "address", f"{parts.scheme}://{parts.netloc}{parts.path}"
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        yield f"query.{name}", value
    for name, value in headers.items():
        if name not in _OF_THE_CLIENT and (name, value) != ("accept", _ANYTHING):
            yield f"header.{name}", value
    yield from _fields(headers.get("content-type", ""), body)


def _fields(content_type: str, body: bytes) -> Iterator[tuple[str, Any]]:
    if not body:
        return
    if content_type == "application/json":
        yield from _leaves("body", json.loads(body, parse_float=Decimal))
        return
    assert content_type == "application/x-www-form-urlencoded", content_type
    pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    assert len({name for name, _ in pairs}) == len(pairs), "a field twice"
    yield from ((f"body.{name}", value) for name, value in pairs)


def _leaves(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A number is compared by its value: 10.10 and 10.1 are one amount. Everything else as JSON spells it."""
    if value in ({}, []):
        yield place, json.dumps(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{place}.{name}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(f"{place}.{index}", inner)
    else:
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        yield place, Decimal(value) if is_number else json.dumps(value)
