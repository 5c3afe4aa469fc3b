"""Reads an HTTP request of API Gateway: headers in any case, and a limit on everything."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from payflowx.domain.shared.card_data import contains_card_number
from payflowx.domain.shared.card_data_names import card_data_name
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import ID_CHARS
from payflowx.domain.shared.limits import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_IDEMPOTENCY_KEY_CHARS
from payflowx.entrypoints.api.card_data_search import card_data_by_name, card_number

_KEY: Final = re.compile(rf"[\x21-\x7e]{{1,{MAX_IDEMPOTENCY_KEY_CHARS}}}")
_OWN_ID: Final = re.compile(rf"(?:pay|cap|void|ref|we|evt)_[a-z2-7]{{{ID_CHARS}}}(?:_[1-9][0-9]{{0,5}})?")
"""An id of ours as a part of the address. It may have digits only."""


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
        """Raises `Refusal` when the headers are too large or the idempotency key holds a card number.

        The other headers are neither stored nor logged, so that they may hold any number: one in twenty decimal trace
        ids looks like a card number. The correlation id is dropped where it looks like one (`log_context`).
        """
        size = sum(len(key) + len(value) for key, values in self._all_headers() for value in values)
        if size > MAX_HEADER_BYTES:
            raise Refusal("headers_too_large", f"The headers are larger than {MAX_HEADER_BYTES} bytes.")
        if any(contains_card_number(value) for value in self.headers("idempotency-key")):
            raise card_number("The header Idempotency-Key")

    def check_path_and_query(self) -> None:
        """Raises `Refusal` when the address holds card data; addresses end up in logs everywhere."""
        parts = str(self.event.get("path") or "").split("/")
        texts = ["/".join(part for part in parts if not _OWN_ID.fullmatch(part))]
        for name, values in self._all_parameters():
            for value in values:
                if rule := card_data_name(name, unquote_plus(value)):
                    raise card_data_by_name("The query", rule)
            texts += [name, *values]
        if any(contains_card_number(unquote_plus(text)) for text in texts):
            raise card_number("The address")

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
                raise Refusal("parameter_invalid", _unknown_parameter(known))
            if len(values) != 1:
                raise Refusal("parameter_invalid", "Give each query parameter once.", field=name)
            found[name] = values[0]
        return found

    def check_no_query(self) -> None:
        """Raises `Refusal` for any query parameter.

        An address that takes none would ignore an amount in it, and move all that is left.
        """
        self.query(frozenset())

    def _all_headers(self) -> list[tuple[str, Sequence[str]]]:
        return _pairs(self.event.get("multiValueHeaders"), self.event.get("headers"))

    def _all_parameters(self) -> list[tuple[str, Sequence[str]]]:
        several, single = (
            self.event.get("multiValueQueryStringParameters"),
            self.event.get("queryStringParameters"),
        )
        return _pairs(several, single, lower=False)


def _unknown_parameter(known: frozenset[str]) -> str:
    if not known:
        return "This address takes no query parameters. What a request says stands in its body."
    return f"A query parameter is not known. This list takes: {', '.join(sorted(known))}."


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
