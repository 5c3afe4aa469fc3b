"""The webhook kit: verifies a message (Standard Webhooks), and says whether it is new and in order.

    webhook = Webhook(secret, store=SqliteEventStore("events.db"))
    status = webhook.receive(raw_body, headers, handle)

`receive` verifies, hands a new event to `handle`, and returns the status to answer. `parse` leaves that to the caller.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol

from payflowx_client.errors import PayFlowXError
from payflowx_client.event_stores import EventStore
from payflowx_client.models import WebhookMessage

MAX_BODY_BYTES: Final = 1024 * 1024
_MAX_SIGNATURES: Final = 16
_MAX_MISSING: Final = 1000
_MIN_KEY_BYTES: Final = 24
_PREFIX: Final = "whsec_"
_RAW_BODY: Final = (
    "the signature covers the raw body: pass its bytes (FastAPI: await request.body(), Flask: request.get_data(),"
    " Django: request.body, AWS Lambda: event['body'].encode(), or base64.b64decode(event['body']) if isBase64Encoded)"
)


class Headers(Protocol):
    """The headers of any framework: FastAPI's, Flask's, Django's, a dictionary."""

    def items(self) -> Iterable[tuple[str, str]]: ...


class WebhookError(PayFlowXError):
    """The message is not accepted. Answer 400; do not handle it."""


class WebhookSignatureError(WebhookError):
    """No signature of the message is of a known secret."""


class WebhookTimeError(WebhookError):
    """The message was signed too long ago, or by a clock that is ahead."""


class WebhookContentError(WebhookError):
    """The signature is right, and the content is not what this release can read."""


@dataclass(frozen=True, slots=True)
class Received:
    """An authentic message.

    `missing`: lower sequence numbers of its payment that were not handled yet, at most a thousand. They may be on their
    way, or of types that the endpoint does not receive. `is_late`: a higher number was handled already.
    """

    event: WebhookMessage
    is_new: bool
    missing: tuple[int, ...]
    is_late: bool
    _store: EventStore | None = field(repr=False)

    def done(self) -> None:
        """Remember that the event was handled. Without a store, nothing is remembered."""
        if self._store is not None:
            self._store.record(self.event.id, _subject(self.event), self.event.sequence)


class Webhook:
    """`secret` is that of the endpoint; several during a rotation. Without a store, every message is new."""

    def __init__(
        self,
        secret: str | Sequence[str],
        *,
        store: EventStore | None = None,
        tolerance_seconds: int = 300,
        now: Callable[[], float] = time.time,
    ) -> None:
        secrets = [secret] if isinstance(secret, str) else list(secret)
        if not secrets:
            raise ValueError("a secret is needed: whsec_... from the answer that created the endpoint")
        self._keys = tuple(_key(each) for each in secrets)
        self._store, self._tolerance_seconds, self._now = store, tolerance_seconds, now

    def __repr__(self) -> str:
        return f"Webhook(secrets={len(self._keys)}, tolerance_seconds={self._tolerance_seconds})"

    def receive(self, raw_body: bytes, headers: Headers, handle: "Callable[[Received], object]") -> int:
        """Return the HTTP status to answer: 204, or 400 for a message that is not accepted.

        A repeat is not handed on. The event is remembered after `handle` returned: if that raises, or the process dies,
        the event comes again. Raises what `handle` raises; `TypeError` for a body that is not raw.
        """
        try:
            received = self.parse(raw_body, headers)
        except WebhookError:
            return 400
        if received.is_new:
            handle(received)
            received.done()
        return 204

    def parse(self, raw_body: bytes, headers: Headers) -> Received:
        """Verify and decode. Raises `WebhookError`; `TypeError` for a body that is not raw."""
        body = _raw(raw_body)
        event_id, at_seconds, signatures = _signed_headers(headers)
        # A server may hand on header bytes that are no UTF-8 as halves of surrogate pairs; no signature is of those.
        self._check_signature(f"{event_id}.{at_seconds}.".encode("utf-8", "surrogatepass") + body, signatures)
        if abs(self._now() - int(at_seconds)) > self._tolerance_seconds:
            raise WebhookTimeError(f"signed more than {self._tolerance_seconds} seconds from now; check the clock")
        event = _message(body)
        if event.id != event_id:
            raise WebhookContentError("the id in the header is not that of the body")
        return self._received(event)

    def _check_signature(self, content: bytes, signatures: str) -> None:
        expected = [hmac.digest(key, content, hashlib.sha256) for key in self._keys]
        for each in signatures.split()[:_MAX_SIGNATURES]:
            version, _, encoded = each.partition(",")
            given = _decoded(encoded) if version == "v1" else None
            if given is not None and any(hmac.compare_digest(given, one) for one in expected):
                return
        raise WebhookSignatureError(f"no signature is right: check the endpoint's secret, and that {_RAW_BODY}")

    def _received(self, event: WebhookMessage) -> Received:
        if self._store is None:
            return Received(event, is_new=True, missing=(), is_late=False, _store=None)
        handled = self._store.handled(_subject(event))
        return Received(
            event,
            is_new=event.sequence not in handled,
            missing=_missing(event.sequence, handled),
            is_late=any(number > event.sequence for number in handled),
            _store=self._store,
        )


def _subject(event: WebhookMessage) -> str:
    """What its sequence counts: a payment's events. An event of no payment stands alone."""
    return event.data.payment.transaction_id if event.data.payment is not None else event.id


def _missing(sequence: int, handled: frozenset[int]) -> tuple[int, ...]:
    return tuple(islice((number for number in range(1, sequence) if number not in handled), _MAX_MISSING))


def _key(secret: str) -> bytes:
    key = _decoded(secret.removeprefix(_PREFIX)) if secret.startswith(_PREFIX) else None
    if key is None or len(key) < _MIN_KEY_BYTES:
        raise ValueError("the secret is not of the form whsec_... of an endpoint")
    return key


def _decoded(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _raw(body: object) -> bytes:
    if isinstance(body, bytes | bytearray | memoryview):
        if len(body) > MAX_BODY_BYTES:
            raise WebhookContentError(f"the body has more than {MAX_BODY_BYTES} bytes")
        return bytes(body)
    given = "text" if isinstance(body, str) else f"a parsed {type(body).__name__}"
    raise TypeError(f"the body is {given}; {_RAW_BODY}")


def _signed_headers(headers: Headers) -> tuple[str, str, str]:
    found = {str(name).lower(): value for name, value in headers.items()}
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    values = [found.get(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str) or not value:
            raise WebhookSignatureError(f"the header {name} is missing")
    event_id, at_seconds, signatures = map(str, values)
    if not (at_seconds.isascii() and at_seconds.isdigit() and len(at_seconds) <= 12):
        raise WebhookSignatureError("the header webhook-timestamp is no time in seconds")
    return event_id, at_seconds, signatures


def _message(body: bytes) -> WebhookMessage:
    try:
        return WebhookMessage.from_json(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise WebhookContentError(f"the content cannot be read: {error}") from error
