"""HTTP as the providers see it: a request as data, and an answer that says whether it was sent."""

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
    """No *new* connection could be opened: name, refusal, timeout, TLS. Not one byte of the request left."""

    code: str


ANSWER_TOO_LARGE: Final = "answer_too_large"
"""The code of an answer that was longer than what is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The request may have arrived: timeout, reset, an answer cut short or too large."""

    code: str


HttpResult = HttpResponse | NoConnection | NoAnswer


class HttpClient(Protocol):
    """Sends one request once: no retries, no redirects, bounded in time and size. Never raises."""

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a provider's account is opened with. Never logged, never stored."""

    key_id: str = field(repr=False)
    key_secret: str = field(repr=False)


class Secrets(Protocol):
    """Credentials by ARN; answers may be up to five minutes old.

    Raises `StorageUnavailableError`.
    """

    def credentials(self, secret_arn: str) -> Credentials: ...

    def webhook_secrets(self, secret_arn: str) -> Sequence[str]:
        """Whatever may have signed a webhook: during a rotation the secret of before as well."""
        ...
