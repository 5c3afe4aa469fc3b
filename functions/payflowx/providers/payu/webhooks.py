"""Reads PayU's server-to-server posts. Pure. They are never proof, and cause inquiries only.

A post about a payment has a hash, which covers no time, so it can be replayed without limit, and covers neither PayU's
id nor the fine status: only our own key is read from it. Posts about refunds and disputes have no hash. They are
hints from whoever knows the account's secret address: the refund is read from PayU.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl

from payflowx.domain.providers.events import InvalidSignatureError, ProviderEvent, Webhook
from payflowx.domain.shared.text import provider_code, provider_reference
from payflowx.providers.payu import disputes
from payflowx.providers.payu.signature import is_signed

_MAX_BYTES: Final = 64 * 1024
_MAX_FIELDS: Final = 200
_NUMBER: Final = re.compile(r"[0-9]{1,30}")


def read(webhook: Webhook, salts: Sequence[str]) -> ProviderEvent:
    """Raises `InvalidSignatureError` for a wrong hash, and for whatever is no post of PayU."""
    try:
        fields = _fields(webhook.body)
        found = _unsigned(fields) if "hash" not in fields else _payment(fields, salts)
    except (ValueError, RecursionError):
        found = None
    if found is None or not any(salts):
        raise InvalidSignatureError
    return replace(found, event_id=hashlib.sha256(webhook.body).hexdigest()[:40])


def _payment(fields: Mapping[str, str], salts: Sequence[str]) -> ProviderEvent | None:
    key = provider_reference(fields.get("txnid")) if is_signed(fields, salts) else None
    if key is None:
        return None
    return ProviderEvent(event_id="", type=f"payment.{provider_code(fields.get('status'))}", charge_key=key)


def _unsigned(fields: Mapping[str, str]) -> ProviderEvent | None:
    """Read ids only; never an amount or a result."""
    if fields.get("action") == "refund":
        payment, refund = _number(fields.get("mihpayid")), _number(fields.get("request_id"))
        if payment is None or refund is None:
            return None
        return ProviderEvent(
            event_id="",
            type=f"refund.{provider_code(fields.get('status'))}",
            charge_reference=payment,
            operation_reference=refund,
            operation_key=provider_reference(fields.get("token")),
        )
    if fields.get("event") == "dispute" and fields.get("type") == "payments":
        payment = provider_reference(fields.get("txn_id"))
        if payment is None:
            return None
        report = disputes.report_of(fields)
        return ProviderEvent(event_id="", type="dispute", charge_reference=payment, dispute=report)
    return None


def _number(value: str | None) -> str | None:
    """PayU's ids of payments and requests are numbers; a sample of its pages has blanks around one."""
    number = (value or "").strip()
    return number if _NUMBER.fullmatch(number) else None


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
