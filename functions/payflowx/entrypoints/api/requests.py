"""Reads an HTTP request of API Gateway: headers in any case, and a limit on everything."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from payflowx.domain.shared.card_data import contains_card_number, is_sensitive_name
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import ID_CHARS
from payflowx.domain.shared.limits import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_IDEMPOTENCY_KEY_CHARS
from payflowx.entrypoints.api.strict_json import NotAnInteger

_KEY: Final = re.compile(rf"[\x21-\x7e]{{1,{MAX_IDEMPOTENCY_KEY_CHARS}}}")
_PHONE: Final = re.compile(r"\+[0-9]{7,15}")

_API_GATEWAY_HEADERS: Final = frozenset(
    {"authorization", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "via"}
)
"""Written by API Gateway or checked by the authorizer; numbers in them are not the client's data."""

_TRACE_HEADERS: Final[Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys(("x-datadog-trace-id", "x-datadog-parent-id"), re.compile(r"[0-9]{1,20}")),
    "traceparent": re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    "x-cloud-trace-context": re.compile(r"[0-9a-fA-F]{32}(?:/[0-9]{1,20})?(?:;o=[0-9])?"),
    "b3": re.compile(r"(?:[0-9a-f]{16}){1,2}-[0-9a-f]{16}(?:-[01d](?:-[0-9a-f]{16})?)?"),
    **dict.fromkeys(("x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid"), re.compile(r"(?:[0-9a-f]{16}){1,2}")),
    "uber-trace-id": re.compile(r"[0-9a-f]{1,32}:[0-9a-f]{1,16}:[0-9a-f]{1,16}:[0-9a-f]{1,2}"),
}
"""Random numbers in the form that their standard gives them: one in twenty decimal ids looks like a card number.

No code reads, stores or logs these headers. In another form they are searched like all others.
"""

_OWN_ID: Final = re.compile(rf"(?:pay|cap|void|ref|we|evt)_[a-z2-7]{{{ID_CHARS}}}(?:_[1-9][0-9]{{0,5}})?")
"""An id of ours as a part of the address. It may have digits only."""

CARD_DATA_REFUSED: Final = (
    "The request holds what looks like a card number or a card verification value. Send a token from the "
    "provider's vault instead. Nothing was stored or logged."
)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """`event` is the proxy event of a REST API."""

    event: Mapping[str, Any]

    @property
    def request_id(self) -> str:
        """The provider's id of this request; also in its access log."""
        return str(self.event["requestContext"].get("requestId", ""))

    @property
    def merchant_id(self) -> str:
        """From the authorizer, and from nowhere else."""
        return str(self.event["requestContext"]["authorizer"]["merchantId"])

    @property
    def known_merchant_id(self) -> str | None:
        """For log lines: the open routes have none."""
        return (self.event["requestContext"].get("authorizer") or {}).get("merchantId")

    def headers(self, name: str) -> Sequence[str]:
        """All values of a header."""
        return [value for key, values in self._all_headers() if key == name.lower() for value in values]

    def check_headers(self) -> None:
        """Raises `Refusal` when the headers are too large or hold a card number."""
        size = sum(len(key) + len(value) for key, values in self._all_headers() for value in values)
        if size > MAX_HEADER_BYTES:
            raise Refusal("headers_too_large", f"The headers are larger than {MAX_HEADER_BYTES} bytes.")
        for key, values in self._all_headers():
            if key not in _API_GATEWAY_HEADERS and any(_is_refused_in(key, value) for value in values):
                raise Refusal("card_data_refused", CARD_DATA_REFUSED)

    def check_path_and_query(self) -> None:
        """Raises `Refusal` when the address holds a card number; addresses end up in logs everywhere."""
        parts = str(self.event.get("path") or "").split("/")
        texts = ["/".join(part for part in parts if not _OWN_ID.fullmatch(part))]
        for name, values in self._all_parameters():
            if is_sensitive_name(name):
                raise Refusal("card_data_refused", CARD_DATA_REFUSED)
            texts += [name, *values]
        if any(contains_card_number(unquote_plus(text)) for text in texts):
            raise Refusal("card_data_refused", CARD_DATA_REFUSED)

    def body(self) -> bytes:
        """The raw bytes; raises `Refusal` unless they are uncompressed JSON of at most 64 KiB."""
        media_type = ",".join(self.headers("content-type")).split(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refusal("unsupported_media_type", "Send the body with Content-Type: application/json.")
        if any(value.strip().lower() != "identity" for value in self.headers("content-encoding")):
            raise Refusal("unsupported_media_type", "Send the body uncompressed, without Content-Encoding.")
        text = self.event.get("body") or ""
        if len(text) > 2 * MAX_BODY_BYTES:
            raise Refusal("body_too_large", f"The body is larger than {MAX_BODY_BYTES} bytes.")
        try:
            data = (
                base64.b64decode(text) if self.event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
            )
        except ValueError:
            data = b""
        if len(data) > MAX_BODY_BYTES:
            raise Refusal("body_too_large", f"The body is larger than {MAX_BODY_BYTES} bytes.")
        return data

    @property
    def has_body(self) -> bool:
        """Whether anything was sent."""
        return bool(self.event.get("body"))

    def query(self, known: frozenset[str]) -> dict[str, str]:
        """Query parameters, each at most once; raises `Refusal` for unknown ones."""
        found: dict[str, str] = {}
        for name, values in self._all_parameters():
            if name not in known:
                detail = f"A query parameter is not known. This list takes: {', '.join(sorted(known))}."
                raise Refusal("parameter_invalid", detail)
            if len(values) != 1:
                raise Refusal("parameter_invalid", "Give each query parameter once.", field=name)
            found[name] = values[0]
        return found

    def _all_headers(self) -> list[tuple[str, Sequence[str]]]:
        return _pairs(self.event.get("multiValueHeaders"), self.event.get("headers"))

    def _all_parameters(self) -> list[tuple[str, Sequence[str]]]:
        several, single = (
            self.event.get("multiValueQueryStringParameters"),
            self.event.get("queryStringParameters"),
        )
        return _pairs(several, single, lower=False)


def _is_refused_in(header: str, value: str) -> bool:
    trace = _TRACE_HEADERS.get(header)
    return not (trace and trace.fullmatch(value.strip())) and contains_card_number(value)


def _pairs(
    several: Mapping[str, Sequence[str]] | None, single: Mapping[str, str] | None, *, lower: bool = True
) -> list[tuple[str, Sequence[str]]]:
    pairs = list(several.items()) if several else [(name, [value]) for name, value in (single or {}).items()]
    return [(name.lower() if lower else name, values) for name, values in pairs]


def idempotency_key(headers: Sequence[str], in_body: str | None) -> str:
    """The one key of a request, from the header or the body; quoted (RFC 8941) or bare.

    Raises `Refusal` (`idempotency_key_required`, `_invalid`, `_conflict`).
    """
    if len(headers) > 1:
        raise Refusal("idempotency_key_invalid", "Send the Idempotency-Key header once.")
    in_header = _unquoted(headers[0]) if headers else None
    keys = {key for key in (in_header, in_body) if key is not None}
    if not keys:
        raise Refusal(
            "idempotency_key_required",
            "Send an Idempotency-Key header, or idempotencyKey in the body: a value of your own, new for each request.",
        )
    if len(keys) > 1:
        raise Refusal("idempotency_key_conflict", "The header and the body hold different idempotency keys. Send one.")
    key = keys.pop()
    if not _KEY.fullmatch(key):
        raise Refusal(
            "idempotency_key_invalid",
            f"An idempotency key has 1 to {MAX_IDEMPOTENCY_KEY_CHARS} printable ASCII characters and no space.",
        )
    return key


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == '"' else value


def refuse_card_data(body: Mapping[str, Any]) -> None:
    """Raises `Refusal` when a card number is anywhere, in a name or a value, or a name asks for such data."""
    customer = body.get("customer")
    phone = customer.get("phone") if isinstance(customer, dict) else None
    # A phone number in international form may look like a card by chance: one in ten of 13 digits from +4...
    spared = phone if isinstance(phone, str) and _PHONE.fullmatch(phone) else None
    if _holds_card_data(body, spared):
        raise Refusal("card_data_refused", CARD_DATA_REFUSED)


def _holds_card_data(value: Any, spared: str | None) -> bool:
    if isinstance(value, dict):
        return any(
            is_sensitive_name(name) or contains_card_number(name) or _holds_card_data(member, spared)
            for name, member in value.items()
        )
    if isinstance(value, list):
        return any(_holds_card_data(member, spared) for member in value)
    if isinstance(value, str):
        return value is not spared and contains_card_number(value)
    if isinstance(value, NotAnInteger):
        value = value.whole_number
    return isinstance(value, int) and contains_card_number(str(abs(value)))
