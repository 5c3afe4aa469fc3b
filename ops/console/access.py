"""Who may use this console: the browser that opened the printed address, for as long as the process runs."""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

_TOKEN_BYTES: Final = 32
_TOKEN_SECONDS: Final = 600
_SESSION_SECONDS: Final = 12 * 3_600


class Access:
    """One token, exchanged once for one session."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._clock = clock
        self._until = clock() + _TOKEN_SECONDS
        self._token: str | None = self.token
        self._session: str | None = None
        self._lock = threading.Lock()

    def enter(self, token: str) -> str | None:
        """Exchange the token for the session's cookie. None when it is wrong, used or too old."""
        with self._lock:
            if self._token is None or self._clock() > self._until or not _same(token, self._token):
                return None
            self._token = None
            self._session = secrets.token_urlsafe(_TOKEN_BYTES)
            self._until = self._clock() + _SESSION_SECONDS
            return self._session

    def admits(self, cookie: str | None) -> bool:
        """Whether the request belongs to the session."""
        session = self._session
        return bool(session and cookie and self._clock() <= self._until and _same(cookie, session))

    def sign(self, *parts: str) -> str:
        """A signature that only this session's forms have."""
        key = (self._session or secrets.token_urlsafe(_TOKEN_BYTES)).encode()
        return hmac.new(key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
