"""What ordinary clients send is not taken for card data: measured over whole requests."""

import os
import random
import uuid
from collections.abc import Callable
from typing import Any, Final

import pytest

from payflowx.domain.shared.errors import Refusal
from payflowx.entrypoints.api.bodies import known_names
from payflowx.entrypoints.api.card_data_search import refuse_card_data
from payflowx.entrypoints.api.payments.types import CreatePaymentRequest
from payflowx.entrypoints.api.requests import ApiRequest

REQUESTS: Final = int(os.environ.get("CARD_DATA_IDS", "20000"))
"""Of each kind. `CARD_DATA_IDS=300000 pytest tests/unit/entrypoints/test_card_data_search.py` measures more."""
_RANDOM: Final = random.Random(29)
_KNOWN: Final = known_names(CreatePaymentRequest)


def _hex(digits: int) -> str:
    return f"{_RANDOM.getrandbits(4 * digits):0{digits}x}"


def _uuid() -> str:
    return str(uuid.UUID(int=_RANDOM.getrandbits(128), version=4))


def _with_trace() -> tuple[dict[str, str], dict[str, Any]]:
    return {"Idempotency-Key": _uuid(), "traceparent": f"00-{_hex(32)}-{_hex(16)}-01"}, {}


def _with_datadog() -> tuple[dict[str, str], dict[str, Any]]:
    headers = {f"x-datadog-{name}-id": str(_RANDOM.getrandbits(63)) for name in ("trace", "parent")}
    return {"Idempotency-Key": _uuid(), "X-Request-Id": _uuid(), **headers}, {}


def _with_baggage() -> tuple[dict[str, str], dict[str, Any]]:
    number = str(_RANDOM.getrandbits(63))
    return {"Idempotency-Key": _uuid(), "baggage": f"userId={number}", "User-Agent": f"client/1.0 ({number})"}, {}


def _with_ids_in_the_body() -> tuple[dict[str, str], dict[str, Any]]:
    place = {"lat": repr(_RANDOM.uniform(-90, 90)), "long": repr(_RANDOM.uniform(-180, 180)), "order": _uuid()}
    return {"Idempotency-Key": _uuid()}, {**place, "cart": _hex(24), "digest": _hex(64), "at": "2026-11-28 07:31:26.12"}


KINDS: Final[dict[str, Callable[[], tuple[dict[str, str], dict[str, Any]]]]] = {
    "UUID and traceparent": _with_trace,
    "UUIDs and Datadog's headers": _with_datadog,
    "numbers in any header": _with_baggage,
    "UUIDs, coordinates and hexadecimal ids in metadata": _with_ids_in_the_body,
}


@pytest.mark.parametrize("kind", KINDS)
def test_ordinary_requests_are_not_refused(kind: str) -> None:
    """At most one in 100,000: none of the default number, and three of 300,000."""
    refused = []
    for _ in range(REQUESTS):
        headers, metadata = KINDS[kind]()
        try:
            ApiRequest({"requestContext": {}, "headers": headers}).check_headers()
            refuse_card_data({"amount": 1, "metadata": metadata}, _KNOWN)
        except Refusal:
            refused.append((headers, metadata))
    assert len(refused) <= REQUESTS // 100_000, refused
