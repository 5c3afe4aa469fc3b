"""A merchant's server on 127.0.0.1 that takes webhooks, verifies their signatures, and refuses some when told to."""

import json
import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

_MAX_BODY_BYTES: Final = 1_000_000
_SOCKET_SECONDS: Final = 10
_REFUSALS: Final = (500, 503, 429, 302)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A merchant event as it arrived with a valid signature."""

    event_id: str
    transaction_id: str
    sequence: int
    kind: str


@dataclass(slots=True)
class Received:
    """Everything that arrived. The methods may be called from any thread.

    `accepted` counts the messages that were answered with 204 by event; `refused` and `forged` count posts.
    """

    secret: str = ""
    refusal_rate: float = 0.0
    """Chance that a post is answered with an error; between 0 and 1."""
    rng: random.Random = field(default_factory=random.Random)
    accepted: Counter[Message] = field(default_factory=Counter)
    refused: int = 0
    refused_payments: set[str] = field(default_factory=set)
    """Their ids."""
    forged: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status to answer with."""
        message = self._verified(headers, body)
        with self._lock:
            if message is None:
                self.forged += 1
                return 400
            if self.rng.random() < self.refusal_rate:
                self.refused += 1
                self.refused_payments.add(message.transaction_id)
                return self.rng.choice(_REFUSALS)
            self.accepted[message] += 1
            return 204

    def _verified(self, headers: Mapping[str, str], body: bytes) -> Message | None:
        names = {name.lower(): value for name, value in headers.items()}
        try:
            Webhook(self.secret).verify(body, names)
            document = json.loads(body)
            return Message(
                event_id=names["webhook-id"],
                transaction_id=document["data"]["payment"]["transactionId"],
                sequence=document["sequence"],
                kind=document["type"],
            )
        except (WebhookVerificationError, ValueError, KeyError, TypeError):
            return None


class MerchantEndpoint(ThreadingHTTPServer):
    """Serves in the background inside `with`; `received` has everything that arrived."""

    daemon_threads = True

    def __init__(self, received: Received) -> None:
        self.received = received
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}/webhooks"

    def __enter__(self) -> "MerchantEndpoint":
        threading.Thread(target=self.serve_forever, name="merchant-endpoint", daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    timeout = _SOCKET_SECONDS
    server: MerchantEndpoint

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
            self._answer(413)
            return
        self._answer(self.server.received.take(dict(self.headers), self.rfile.read(int(length))))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Nothing: the counters say it."""
