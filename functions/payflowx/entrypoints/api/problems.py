"""RFC 9457 problem details. Codes are stable; details never repeat what the client sent."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from payflowx.domain.shared.errors import Refusal

CONTENT_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:payflowx:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of problems: its HTTP status and its title."""

    status: int
    title: str


KINDS: Final[Mapping[str, Kind]] = {
    "unauthenticated": Kind(401, "The API key is missing or not valid"),
    "forbidden": Kind(403, "Not allowed"),
    "not_found": Kind(404, "Not found"),
    "parameter_invalid": Kind(400, "A parameter is not valid"),
    "cursor_invalid": Kind(400, "The cursor is not valid"),
    "idempotency_key_required": Kind(400, "An idempotency key is required"),
    "idempotency_key_invalid": Kind(400, "The idempotency key is not valid"),
    "idempotency_key_conflict": Kind(400, "Two different idempotency keys"),
    "idempotency_key_reused": Kind(422, "The idempotency key belongs to another request"),
    "malformed_json": Kind(400, "The body is not acceptable JSON"),
    "unsupported_media_type": Kind(415, "The media type is not supported"),
    "body_too_large": Kind(413, "The body is too large"),
    "headers_too_large": Kind(413, "The headers are too large"),
    "card_data_refused": Kind(422, "Card data is not accepted"),
    "unknown_field": Kind(422, "A field is not known"),
    "field_missing": Kind(422, "A required field is missing"),
    "field_invalid": Kind(422, "A field is not valid"),
    "amount_invalid": Kind(422, "The amount is not valid"),
    "currency_invalid": Kind(422, "The currency is not valid"),
    "payment_method_invalid": Kind(422, "The payment method is not valid"),
    "metadata_invalid": Kind(422, "The metadata is not valid"),
    "text_invalid": Kind(422, "A text is not valid"),
    "text_too_large": Kind(422, "The text fields together exceed their size limit"),
    "url_not_allowed": Kind(422, "The URL is not allowed"),
    "checkout_unavailable": Kind(422, "There is no checkout"),
    "no_route": Kind(422, "No routing rule matches"),
    "no_provider_available": Kind(422, "No provider can take this payment"),
    "amount_exceeded": Kind(422, "The amount is more than is left"),
    "not_supported": Kind(422, "The provider cannot do that"),
    "webhook_refused": Kind(401, "The webhook is not authentic"),
    "invalid_state": Kind(409, "Not possible in this state"),
    "endpoint_exists": Kind(409, "The URL is registered already"),
    "endpoint_limit": Kind(409, "The limit of webhook endpoints is reached"),
    "order_not_free": Kind(409, "Another payment holds the order"),
    "outcome_unknown": Kind(409, "The outcome is not known yet"),
    "rate_limited": Kind(429, "Too many requests"),
    "not_readable": Kind(503, "Stored by a newer version"),
    "unavailable": Kind(503, "Temporarily unavailable"),
    "internal_error": Kind(500, "Internal error"),
    "gateway_timeout": Kind(504, "No answer in time"),
}

RETRY_AFTER_SECONDS: Final[Mapping[str, int]] = {
    "unavailable": 2,
    "not_readable": 60,
    "outcome_unknown": 30,
    "rate_limited": 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The answer of a refused request."""

    code: str
    detail: str
    request_id: str
    field: str | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    order: object = None
    """The holder of the order, of `order_not_free` only, in its form on the wire."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.code].status

    def body(self) -> dict[str, Any]:
        """The JSON members."""
        members = {
            "type": TYPE_PREFIX + self.code,
            "title": KINDS[self.code].title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "requestId": self.request_id,
        }
        optional = {"field": self.field, "order": self.order}
        return members | {name: value for name, value in optional.items() if value is not None}

    def all_headers(self) -> dict[str, str]:
        """With Retry-After where waiting helps."""
        retry = RETRY_AFTER_SECONDS.get(self.code)
        return dict(self.headers) | ({"Retry-After": str(retry)} if retry else {})


def problem_of(refusal: Refusal, request_id: str) -> Problem:
    """The problem details of a refusal."""
    return Problem(code=refusal.code, detail=refusal.detail, request_id=request_id, field=refusal.field)
