"""The one object that a merchant's program makes."""

from typing import Final

from payflowx_client import operations
from payflowx_client.keys import KeyStore
from payflowx_client.resources import Events, Operations, Payments, Refunds, WebhookEndpoints, _Context
from payflowx_client.retries import Retries
from payflowx_client.sender import Clock, Options, Sender
from payflowx_client.transport import HttpTransport, Transport

_MAX_CORRELATION_CHARS: Final = 64


class Client:
    """`Client(base_url="https://api.example.com", api_key=...)`; threads may share it.

    For asyncio: `await asyncio.to_thread(client.payments.get, transaction_id)`.

    `keys`: where idempotency keys of tuples are kept; without it they are derived. `transport` and `clock` are for
    tests.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        keys: KeyStore | None = None,
        timeout_seconds: float = 30.0,
        retries: Retries | None = None,
        transport: Transport | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError("api_key is not an API key")
        options = Options(timeout_seconds=_positive(timeout_seconds), retries=retries or Retries())
        self._base_url = base_url
        self._use(Sender(api_key, transport or HttpTransport(base_url), options, clock or Clock()), keys)

    def _use(self, send: Sender, keys: KeyStore | None) -> None:
        self._send, self._keys = send, keys
        context = _Context(send, keys)
        self.payments = Payments(context)
        self.refunds = Refunds(context)
        self.operations = Operations(context)
        self.webhook_endpoints = WebhookEndpoints(context)
        self.events = Events(context)

    def __repr__(self) -> str:
        return f"Client(base_url={self._base_url!r})"

    def with_options(
        self,
        *,
        correlation_id: str | None = None,
        timeout_seconds: float | None = None,
        retries: Retries | None = None,
    ) -> "Client":
        """A client that shares all but these. The correlation id stands in the service's logs of each request."""
        if correlation_id is not None and not _is_correlation_id(correlation_id):
            raise ValueError(f"a correlation id has 1 to {_MAX_CORRELATION_CHARS} letters, digits, and . _ : -")
        own = self._send.options
        options = Options(
            timeout_seconds=own.timeout_seconds if timeout_seconds is None else _positive(timeout_seconds),
            retries=own.retries if retries is None else retries,
            correlation_id=own.correlation_id if correlation_id is None else correlation_id,
        )
        other = object.__new__(Client)
        other._base_url = self._base_url
        other._use(self._send.with_options(options), self._keys)
        return other

    def is_healthy(self) -> bool:
        """Whether the API function runs. It says nothing of what lies behind it."""
        return operations.get_health(self._send).status == "ok"

    def openapi(self) -> dict[str, object]:
        """The API's own description."""
        return dict(operations.get_open_api(self._send))


def _positive(timeout_seconds: float) -> float:
    if not timeout_seconds > 0:
        raise ValueError("timeout_seconds must be positive")
    return timeout_seconds


def _is_correlation_id(value: str) -> bool:
    return (
        1 <= len(value) <= _MAX_CORRELATION_CHARS
        and value.isascii()
        and all(character.isalnum() or character in "._:-" for character in value)
    )
