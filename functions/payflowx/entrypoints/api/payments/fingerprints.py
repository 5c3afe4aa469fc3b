"""Fingerprints of requests: the same key with another fingerprint is refused."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec

from payflowx.domain.payments.checkout import DEFAULT_LIFETIME_SECONDS
from payflowx.entrypoints.api.payments.types import CreatePaymentRequest

FINGERPRINT_FORMAT: Final = 1
"""Of the body as it was sent: the only one that release 0.2.0 knows."""
CONTENT_FORMAT: Final = 2
"""Of the validated body. A change of the rule takes a new number; stored ones keep theirs."""
_CONTENT_DIGITS: Final = 32
"""128 bits: a fingerprint is compared with one other, that of the same key."""


def fingerprint(method: str, path: str, body: Mapping[str, Any]) -> str:
    """Identifies a request as it was sent: method, path and body without the key. Order and white space do not matter.

    For captures, refunds and cancellations that is what they ask for, too: nothing in them can be spelled in two ways.
    """
    body = {name: value for name, value in body.items() if name != "idempotencyKey"}
    content = json.dumps([FINGERPRINT_FORMAT, method, path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def content_fingerprint(typed: CreatePaymentRequest) -> str:
    """Identifies what a request asks for, however it is spelled.

    A member that is null, an empty object or the default says the same as no member, and the order of a checkout's
    methods says nothing: a client may keep them in a set. A member that is added to the API later must have such a
    default, so that it does not change the fingerprints of today's requests.
    """
    methods, lifetime = typed.payment_method.methods, typed.expires_in_seconds
    content = _without_defaults(
        msgspec.structs.replace(
            typed,
            idempotency_key=None,
            expires_in_seconds=None if lifetime == DEFAULT_LIFETIME_SECONDS else lifetime,
            payment_method=msgspec.structs.replace(typed.payment_method, methods=sorted(methods) if methods else None),
        )
    )
    text = json.dumps([CONTENT_FORMAT, "POST", "/payments", content], sort_keys=True, separators=(",", ":"))
    return f"{CONTENT_FORMAT}:{hashlib.sha256(text.encode()).hexdigest()[:_CONTENT_DIGITS]}"


@cache
def _fields_of(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The library reads the annotations of the type at each call, which takes longer than all else here."""
    return msgspec.structs.fields(kind)


def _without_defaults(given: msgspec.Struct) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for field in _fields_of(type(given)):
        value = getattr(given, field.name)
        content = _without_defaults(value) if isinstance(value, msgspec.Struct) else value
        if content not in (None, {}, field.default):
            said[field.encode_name] = content
    return said
