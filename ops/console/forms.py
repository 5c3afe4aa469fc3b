"""Forms: each belongs to this session and to one address, and its action runs once.

The hidden field `form` is `nonce.time.signature`. The signature covers session and address, so another page cannot make
one (CSRF). The nonce is the action's idempotency key: a second tab, a reload or a second click gets the first result.
A form of an earlier process has another session's signature and is refused.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ops.console.access import Access
from ops.console.screen import Done
from ops.errors import Exit, OperatorError

FORM: Final = "form"
_NONCE_BYTES: Final = 16
_FORM_SECONDS: Final = 3_600
_SHOWN_SECONDS: Final = 600
_MAX_RESULTS: Final = 10_000
_PARTS: Final = 3
_UNKNOWN: Final = OperatorError(
    "This form was sent before, and an error of the console hid what it did.",
    Exit.REFUSED,
    hint="It was not sent again. Look at what is true now, and decide anew.",
)
"""A defect may come after the change was made. The change is not made again by a reload."""


@dataclass(slots=True)
class _Result:
    """Of one form. Two requests with the same form wait for each other."""

    at: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    outcome: Done | OperatorError | None = None


class Forms:
    """Made for one session; kept in memory."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._results: dict[str, _Result] = {}
        self._lock = threading.Lock()

    def new(self, access: Access, address: str) -> str:
        """The hidden field of a form that is sent to `address`."""
        nonce, at = secrets.token_urlsafe(_NONCE_BYTES), str(int(self._clock()))
        return f"{nonce}.{at}.{access.sign(nonce, at, address)}"

    def nonce(self, access: Access, field_: str, address: str) -> str:
        """The form's idempotency key. Raises `OperatorError` for a form that is not of this session, or too old."""
        parts = field_.split(".")
        if len(parts) != _PARTS or not secrets.compare_digest(
            parts[2].encode(), access.sign(parts[0], parts[1], address).encode()
        ):
            raise OperatorError(
                "This form was not made by this console, or was made before it was started anew.",
                Exit.REFUSED,
                hint="Nothing was done. Open the page again.",
            )
        if self._clock() - int(parts[1]) > _FORM_SECONDS:
            raise OperatorError(
                "This form is more than an hour old.", Exit.REFUSED, hint="Nothing was done. Open the page again."
            )
        return parts[0]

    def once(self, nonce: str, run: Callable[[], Done]) -> Done | OperatorError:
        """The result of the form's action, which runs for the first request only."""
        result = self._result(nonce)
        with result.lock:
            if result.outcome is None:
                try:
                    result.outcome = run()
                except OperatorError as error:
                    result.outcome = error
                except Exception:
                    result.outcome = _UNKNOWN
                    raise
            return result.outcome

    def done(self, nonce: str) -> Done | None:
        """Return an earlier form's result, for the page after it. Answers that exist once are forgotten in minutes."""
        result = self._results.get(nonce)
        if result is None or not isinstance(result.outcome, Done):
            return None
        done = result.outcome
        if done.shown is not None and self._clock() - result.at > _SHOWN_SECONDS:
            done = result.outcome = Done(location=done.location, message=done.message)
        return done

    def _result(self, nonce: str) -> _Result:
        with self._lock:
            if nonce not in self._results:
                self._forget()
                self._results[nonce] = _Result(at=self._clock())
            return self._results[nonce]

    def _forget(self) -> None:
        """Results whose forms are refused as too old. Raises `OperatorError` when too many are left."""
        oldest = self._clock() - 2 * _FORM_SECONDS
        for nonce in [nonce for nonce, result in self._results.items() if result.at < oldest]:
            del self._results[nonce]
        if len(self._results) >= _MAX_RESULTS:
            raise OperatorError(
                f"{_MAX_RESULTS} changes in two hours are more than this console takes.",
                Exit.REFUSED,
                hint="Use the command line for changes in bulk.",
            )
