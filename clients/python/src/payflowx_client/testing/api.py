"""The double itself: a transport for `Client`, and time that is moved by hand."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from payflowx_client.client import Client
from payflowx_client.sender import Clock
from payflowx_client.testing.addresses import ROUTES, Addresses, Answered, Asked
from payflowx_client.testing.book import Book, Json
from payflowx_client.testing.data import DATA, RefusedError
from payflowx_client.testing.endpoints import Delivery, Endpoints
from payflowx_client.testing.requests import check_query
from payflowx_client.transport import Answer, NoAnswerError, Request

API_KEY: Final = "pfx_test_sk_double"
_START_SECONDS: Final = 1_790_000_000
_PUBLIC: Final = frozenset({"/health", "/openapi.json"})


class _MovedClock(Clock):
    """A wait of the client moves the double's time and takes none."""

    def __init__(self, api: "FakeApi") -> None:
        self.monotonic = api.now_seconds
        self.sleep = api.advance


class FakeApi:
    """The API in the process. Its time starts at `start_seconds`, and stands still."""

    def __init__(self, *, start_seconds: float = _START_SECONDS) -> None:
        self._book = Book(round(start_seconds * 1000))
        self._endpoints = Endpoints(self._book)
        self._addresses = Addresses(self._book, self._endpoints)
        self._requests = 0
        self._refusals: list[str] = []
        self.clock: Clock = _MovedClock(self)

    def client(self, **options: Any) -> Client:
        """A client of this API, whose waits move its time. Options as those of `Client`."""
        given: dict[str, Any] = {"base_url": "https://api.test", "api_key": API_KEY, "clock": self.clock, **options}
        return Client(transport=self, **given)

    def now_seconds(self) -> float:
        """The double's time, for `Webhook(secret, now=api.now_seconds)`."""
        return self._book.now_ms / 1000

    def advance(self, seconds: float) -> None:
        """Let time pass: what is due happens."""
        self._book.advance(seconds)

    def lose_answers(self, count: int = 1) -> None:
        """Execute the next requests, and answer nothing."""
        self._addresses.lost += count

    def refuse_next(self, name: str, count: int = 1) -> None:
        """Refuse the next requests with `unavailable` or `rate_limited`, before anything is executed."""
        self._refusals += [name] * count

    def deliveries(self) -> list[Delivery]:
        """What was not delivered yet, signed now, in the order of its scenario. It counts as accepted."""
        return self._endpoints.deliveries()

    def __call__(self, request: Request, *, timeout_seconds: float) -> Answer:  # noqa: ARG002 - it takes no time
        """As `Transport`: execute one request."""
        self._requests += 1
        request_id = f"req-{self._requests}"
        headers = {name.lower(): value for name, value in request.headers.items()}
        common = {"cache-control": "no-store", "x-correlation-id": headers.get("x-correlation-id", request_id)}
        try:
            if self._refusals:
                raise RefusedError(self._refusals.pop(0))
            status, body, more = self._answer(request, headers)
        except RefusedError as refused:
            status, body, more = refused.status, refused.body(request_id), refused.headers()
        if self._addresses.lost:
            self._addresses.lost -= 1
            raise NoAnswerError("lost on purpose")
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        return Answer(status, {"content-type": "application/json", **common, **more}, content)

    def _answer(self, request: Request, headers: Mapping[str, str]) -> Answered:
        parts = urlsplit(request.target)
        given = parse_qs(parts.query, keep_blank_values=True)
        for pattern, methods in ROUTES:
            match = re.fullmatch(pattern, parts.path)
            if match is None or request.method not in methods:
                continue
            if parts.path not in _PUBLIC and headers.get("authorization") != f"Bearer {API_KEY}":
                raise RefusedError("unauthenticated")
            if parts.path not in _PUBLIC:
                check_query(given, DATA["parameters"].get(pattern.replace("([^/]+)", "{}"), []), request.method)
            query = {name: values[-1] for name, values in given.items()}
            asked = Asked(request.method, parts.path, query, headers, _body(request.body))
            return methods[request.method](self._addresses, asked, *map(unquote, match.groups()))
        raise RefusedError("no_address")


def _body(content: bytes | None) -> Json:
    try:
        found = json.loads(content) if content else {}
    except ValueError as error:
        raise RefusedError("malformed_json") from error
    if not isinstance(found, dict):
        raise RefusedError("malformed_json")
    return found
