"""HTTP exchanges with providers: requests as data, and answers that show what was sent."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request before authentication.

    `path` starts with a slash and follows the account's endpoint.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """A complete answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoConnection:
    """No *new* connection was opened: name, refusal, timeout, TLS. No byte of the request was sent."""

    code: str


ANSWER_TOO_LARGE: Final = "answer_too_large"
"""The code of an answer that exceeded the size limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The request may have arrived: timeout, reset, or an answer cut short or too large."""

    code: str


HttpResult = HttpResponse | NoConnection | NoAnswer


class HttpClient(Protocol):
    """Sends one request once: no retries, no redirects, bounded in time and size. Never raises."""

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult: ...


SENDABLE_SECRET: Final = re.compile(r"[\t -~]+")
"""What a header takes. A line break that was copied with a secret would fail every request unsent.

Blanks at the ends of a header are no part of it, so a secret that is stored with them works.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The credentials of a provider account. Never logged, never stored."""

    key_id: str = field(repr=False)
    key_secret: str = field(repr=False)


class Secrets(Protocol):
    """Credentials by ARN, up to five minutes old. Raises `StorageUnavailableError`."""

    def credentials(self, secret_arn: str) -> Credentials: ...

    def webhook_secrets(self, secret_arn: str) -> Sequence[str]:
        """Return every secret that may have signed a webhook, the previous one during a rotation."""
        ...
