"""Sends a call: encodes it once, repeats it where that is safe, and turns answers into values or exceptions."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

from payflowx_client import _json
from payflowx_client.calls import Call, QueryValue, Repeat
from payflowx_client.errors import ApiError, Problem, UnansweredError, UnexpectedAnswerError, api_error
from payflowx_client.models import OrderHolder
from payflowx_client.retries import NO_RETRIES, Retries, may_repeat_status, retry_after_seconds
from payflowx_client.transport import Answer, NoAnswerError, NotSentError, Request, Transport

VERSION: Final = "0.2.0"
_SAYS_NOTHING_OF_EARLIER: Final = frozenset({401, 403, 429})
"""These come before the API looks a key up: an earlier request whose answer was lost may have been executed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a client may have differently for some calls."""

    timeout_seconds: float
    retries: Retries
    correlation_id: str | None = None


class Clock:
    """Real time; tests hand in their own."""

    monotonic: Callable[[], float] = staticmethod(time.monotonic)
    sleep: Callable[[float], None] = staticmethod(time.sleep)


class Sender:
    """Holds the API key, and shows it to nobody."""

    def __init__(self, api_key: str, transport: Transport, options: Options, clock: Clock) -> None:
        self._api_key, self._transport, self._options, self.clock = api_key, transport, options, clock

    def __repr__(self) -> str:
        return f"Sender({self._options})"

    def with_options(self, options: Options) -> "Sender":
        """Another sender over the same transport."""
        return Sender(self._api_key, self._transport, options, self.clock)

    def once(self, timeout_seconds: float) -> "Sender":
        """A sender without retries, and with at most this timeout."""
        timeout = min(self._options.timeout_seconds, timeout_seconds)
        return self.with_options(replace(self._options, retries=NO_RETRIES, timeout_seconds=timeout))

    @property
    def options(self) -> Options:
        """As they are."""
        return self._options

    def __call__(self, call: Call) -> object:
        """Return the parsed answer. Raises `PayFlowXError`."""
        request = self._request(call)  # encoded once: a repeat has the same bytes and the same key
        repeat = _repeat(call)
        retries, started = self._options.retries, self.clock.monotonic()
        was_lost = False
        for number in range(1, retries.attempts + 1):
            asked: float | None = None
            error: Exception
            try:
                answer = self._transport(request, timeout_seconds=self._options.timeout_seconds)
            except NotSentError as raised:
                error, may_repeat = UnansweredError(f"not connected: {raised}", call.idempotency_key), True
            except NoAnswerError as raised:
                error, may_repeat = UnansweredError(str(raised), call.idempotency_key), repeat is not Repeat.NEVER
                was_lost = True
            else:
                if answer.status < 400:
                    return _value(answer)
                if answer.status == 404 and was_lost and call.operation.method == "DELETE":
                    return None  # the request whose answer was lost has deleted it
                error = self._error(answer, call)
                if was_lost and answer.status in _SAYS_NOTHING_OF_EARLIER:
                    error = _unanswered(error, call)
                asked = retry_after_seconds(answer.headers)
                may_repeat = may_repeat_status(repeat, answer.status)
                was_lost = was_lost or answer.status >= 500
            wait = retries.wait_seconds(number, asked)
            in_time = self.clock.monotonic() - started + wait <= retries.max_seconds
            if not may_repeat or number == retries.attempts or not in_time:
                raise error
            self.clock.sleep(wait)
        raise AssertionError("a loop of at least one attempt returns or raises")

    def _request(self, call: Call) -> Request:
        operation = call.operation
        target = operation.path
        for name, value in call.path.items():
            target = target.replace(f"{{{name}}}", _segment(name, value))
        query = {name: _query_value(value) for name, value in call.query.items() if value is not None}
        headers = {"Accept": "application/json", "User-Agent": f"payflowx-client-python/{VERSION}"}
        if operation.authenticated:
            headers["Authorization"] = f"Bearer {self._api_key}"
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        if self._options.correlation_id is not None:
            headers["X-Correlation-Id"] = self._options.correlation_id
        body = call.body if call.body is None or isinstance(call.body, bytes) else _encoded(call.body)
        if body is not None:
            headers["Content-Type"] = "application/json"
        return Request(operation.method, target + (f"?{urlencode(query)}" if query else ""), headers, body)

    def _error(self, answer: Answer, call: Call) -> ApiError | UnexpectedAnswerError | UnansweredError:
        try:
            return api_error(replace(_problem(answer), idempotency_key=call.idempotency_key))
        except _json.DecodeError:
            if answer.status >= 500:
                return UnansweredError(f"status {answer.status} without a problem document", call.idempotency_key)
            return UnexpectedAnswerError(f"status {answer.status} without a problem document")


def _unanswered(error: Exception, call: Call) -> UnansweredError:
    unanswered = UnansweredError(f"an earlier answer was lost, the last was: {error}", call.idempotency_key)
    unanswered.__cause__ = error
    return unanswered


def _repeat(call: Call) -> Repeat:
    """A keyed operation without its key: cancel, which is idempotent by itself. Without both it is never repeated."""
    if call.operation.repeat is Repeat.WITH_KEY and call.idempotency_key is None:
        return Repeat.SAFE if call.operation.id == "cancelPayment" else Repeat.NEVER
    return call.operation.repeat


def _segment(name: str, value: str) -> str:
    if not value or value in {".", ".."}:
        raise ValueError(f"{name} must not be empty")
    return quote(value, safe="")


def _query_value(value: QueryValue) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time needs its time zone: datetime.now(UTC), not datetime.now()")
        return value.astimezone(UTC).isoformat()
    return str(value)


def _encoded(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _parsed(answer: Answer) -> object:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise _json.DecodeError("no JSON") from error


def _value(answer: Answer) -> object:
    if answer.status == 204:
        return None
    if answer.status >= 300:
        raise UnexpectedAnswerError(f"status {answer.status}; redirects are not followed, check base_url")
    try:
        return _parsed(answer)
    except _json.DecodeError as error:
        raise UnexpectedAnswerError(f"status {answer.status} with a body that is no JSON") from error


def _problem(answer: Answer) -> Problem:
    members = _json.members(_parsed(answer), "problem")
    return Problem(
        code=_json.required(members, "code", _json.text),
        status=answer.status,
        title=_json.optional(members, "title", _json.text, ""),
        detail=_json.optional(members, "detail", _json.text, ""),
        request_id=_json.optional(members, "requestId", _json.text, ""),
        field=_json.optional(members, "field", _json.nullable(_json.text), None),
        order=_json.optional(members, "order", _json.nullable(OrderHolder.from_json), None),
        retry_after_seconds=retry_after_seconds(answer.headers),
        correlation_id=answer.headers.get("x-correlation-id"),
    )
