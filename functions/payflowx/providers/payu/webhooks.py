"""Reads PayU's server-to-server post about a payment. Pure. It is never proof and always causes an inquiry.

Its hash covers no time, so it can be replayed without limit, and covers neither PayU's id nor the fine status: only
our own key is read from it. The post about a refund has no hash and is refused as unsigned.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.providers.payu.signature import is_signed

_MAX_BYTES: Final = 64 * 1024
_MAX_FIELDS: Final = 200


def read(webhook: Webhook, salts: Sequence[str]) -> ProviderEvent:
    """Read an authentic post. Raises `InvalidSignatureError` for any other, without a reason."""
    try:
        fields = _fields(webhook.body)
        key = provider_reference(fields.get("txnid")) if is_signed(fields, salts) else None
    except (ValueError, RecursionError):
        key, fields = None, {}
    if key is None:
        raise InvalidSignatureError
    return ProviderEvent(
        event_id=hashlib.sha256(webhook.body).hexdigest()[:40],
        type=f"payment.{provider_code(fields.get('status'))}",
        charge_key=key,
    )


def _fields(body: bytes) -> dict[str, str]:
    """Each field once, as its original text: numbers are hashed as they are written."""
    if len(body) > _MAX_BYTES:
        raise ValueError("too large")
    pairs: list[tuple[str, Any]]
    if body.lstrip()[:1] == b"{":
        pairs = json.loads(body, object_pairs_hook=list, parse_int=str, parse_float=str)
    else:
        pairs = list(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS))
    fields = {name: value for name, value in pairs if isinstance(value, str)}
    if len(pairs) > _MAX_FIELDS or len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("too many fields, or one twice")
    return fields
