"""The way of a vendor's webhooks to the merchant: a thread that posts what is due and comes again when it is not taken.

Of the gateway it knows only what there is to deliver and how a delivery is signed again. It can be told to bring
webhooks late, twice, out of order, never, or with a wrong signature.
"""

import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, Protocol, runtime_checkable
from urllib.parse import urlsplit

from sandbox.faults import number
from sandbox.ledger import Webhook

RETRY_DELAYS_SECONDS: Final = (2.0, 10.0, 30.0)
"""Cashfree's 2, 10 and 30 minutes, a minute as a second. Stripe and Razorpay go on for days, PayU does not say."""

_POLL_SECONDS: Final = 0.1
_REST: Final = 20
"""A look at long books costs time under the gateway's lock: rest this many times as long as it took."""
_OVERTAKEN_SECONDS: Final = 1.5
_MAX_LATE_SECONDS: Final = 60
_ANSWER_SECONDS: Final = 5.0
"""Razorpay waits this long for an answer."""
_MAX_WAITING: Final = 2_000
_MAX_REPORTED: Final = 500
_MAX_EVENT_TYPES: Final = 50
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}/[!-~]{1,200}")
_HASH: Final = re.compile(rb"(?<=hash=)[0-9a-f]+")

Post = Callable[[str, Webhook], int | None]


@runtime_checkable
class Correspondent(Protocol):
    """A gateway that has something to tell."""

    def webhooks_due(self, now: float) -> list[Webhook]: ...

    def redelivered(self, webhook: Webhook, now: float) -> Webhook: ...


def _post(url: str, webhook: Webhook) -> int | None:
    """The status; None when there was no answer."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=_ANSWER_SECONDS)
    try:
        connection.request("POST", parts.path, webhook.body, dict(webhook.headers))
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


@dataclass(slots=True)
class Mishaps:
    """Chances between 0 and 1, thrown for each webhook."""

    late: float = 0.0
    twice: float = 0.0
    out_of_order: float = 0.0
    never: float = 0.0
    wrong_signature: float = 0.0


@dataclass(slots=True, kw_only=True)
class _Letter:
    number: int
    webhook: Webhook
    due: float
    sends: int = 0
    again: bool = False
    forged: bool = False


@dataclass(slots=True)
class Postman:
    """`round` is the whole of it; `start` repeats it in the background. `lock` guards the gateway's books."""

    provider: Correspondent
    lock: threading.Lock
    post: Post = _post
    clock: Callable[[], float] = time.time
    url: str | None = None
    types: frozenset[str] | None = None
    """What the merchant has subscribed to; None: everything."""
    mishaps: Mishaps = field(default_factory=Mishaps)
    late_seconds: float = 5.0
    _dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - repeatable on purpose
    _bag: dict[int, _Letter] = field(default_factory=dict)
    _reports: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_MAX_REPORTED))
    _letters: int = 0
    _reported: int = 0
    _pause_seconds: float = _POLL_SECONDS
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Deliver in the background until `stop`."""
        threading.Thread(target=self._run, name="postman", daemon=True).start()

    def stop(self) -> None:
        """What is still in the bag is lost."""
        self._stopping.set()

    def update(self, settings: Mapping[str, Any]) -> None:
        """Take what POST /_control says of webhooks; raises ValueError, and then changes nothing."""
        url = settings.get("webhookUrl", self.url)
        if url is not None and (not isinstance(url, str) or not _ADDRESS.fullmatch(url)):
            raise ValueError("webhookUrl must be an address on 127.0.0.1, or null")
        types = _types(settings["webhookEvents"]) if "webhookEvents" in settings else self.types
        mishaps = _mishaps(settings["webhookFaults"]) if "webhookFaults" in settings else self.mishaps
        late_seconds = number(settings.get("webhookLateSeconds", self.late_seconds), 0, _MAX_LATE_SECONDS)
        self.url, self.types, self.mishaps, self.late_seconds = url, types, mishaps, late_seconds
        if "seed" in settings:
            self._dice = random.Random(int(number(settings["seed"], 0, 2**53)))  # noqa: S311

    def reset(self) -> None:
        """Forget letters, reports and mishaps; the address is the merchant's and stays."""
        self._bag.clear()
        self._reports.clear()
        self.mishaps = Mishaps()

    def reports(self) -> list[dict[str, Any]]:
        """What was delivered and how it was answered, oldest first; `number` goes on where old ones were dropped."""
        return list(self._reports)

    def round(self) -> None:
        """Collect what is due, then post what is to be posted. Without an address nothing is collected."""
        if self.url is None:
            return
        now, began = self.clock(), time.monotonic()
        with self.lock:
            fresh = self.provider.webhooks_due(now)
        self._pause_seconds = max(_POLL_SECONDS, _REST * (time.monotonic() - began))
        for webhook in fresh:
            if self.types is None or webhook.type in self.types:
                self._take(webhook, now)
        ready = [letter for letter in list(self._bag.values()) if letter.due <= now]
        for letter in sorted(ready, key=lambda letter: (letter.due, letter.number)):
            self._deliver(letter)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause_seconds):
            self.round()

    def _take(self, webhook: Webhook, now: float) -> None:
        """One throw a kind, whatever the others say: a changed chance does not shift the other kinds' dice."""
        thrown = {f.name: self._dice.random() < getattr(self.mishaps, f.name) for f in fields(Mishaps)}
        if thrown["never"] or len(self._bag) >= _MAX_WAITING:
            self._report(webhook, 1, None, "never sent" if thrown["never"] else "too many are waiting")
            return
        wait_seconds = self.late_seconds if thrown["late"] else _OVERTAKEN_SECONDS if thrown["out_of_order"] else 0.0
        due = now + wait_seconds
        self._put(webhook, due, forged=thrown["wrong_signature"])
        if thrown["twice"]:
            self._put(webhook, due, again=True)

    def _put(self, webhook: Webhook, due: float, *, again: bool = False, forged: bool = False) -> None:
        self._letters += 1
        letter = _Letter(number=self._letters, webhook=webhook, due=due, again=again, forged=forged)
        self._bag[letter.number] = letter

    def _deliver(self, letter: _Letter) -> None:
        """Whatever is no 2xx is brought again, signed anew, and given up in the end."""
        url = self.url
        if self._stopping.is_set() or url is None or letter.number not in self._bag:
            return
        now, letter.sends = self.clock(), letter.sends + 1
        if letter.again:
            letter.webhook = self.provider.redelivered(letter.webhook, now)
        status = self.post(url, forged(letter.webhook) if letter.forged else letter.webhook)
        self._report(letter.webhook, letter.sends, status, "wrong signature" if letter.forged else None)
        letter.again, letter.forged = True, letter.forged and status is None
        if (status is not None and 200 <= status < 300) or letter.sends > len(RETRY_DELAYS_SECONDS):
            self._bag.pop(letter.number, None)
        else:
            letter.due = now + RETRY_DELAYS_SECONDS[letter.sends - 1]

    def _report(self, webhook: Webhook, send: int, status: int | None, fault: str | None) -> None:
        self._reported += 1
        report = {"number": self._reported, "at": self.clock(), "id": webhook.id, "type": webhook.type}
        self._reports.append({**report, "send": send, "status": status, "fault": fault})


def forged(webhook: Webhook) -> Webhook:
    """As somebody without the secret would sign it: another digit, in a header or, where it lies there, the body."""
    headers = {name: _altered(value) if "signature" in name else value for name, value in webhook.headers.items()}
    if headers != webhook.headers:
        return replace(webhook, headers=headers)
    return replace(webhook, body=_HASH.sub(lambda found: _altered(found[0].decode()).encode(), webhook.body))


def _altered(signature: str) -> str:
    """In its last quarter: times come first, and the last digit of Base64 may carry nothing."""
    place = len(signature) * 3 // 4
    return signature[:place] + ("1" if signature[place] == "0" else "0") + signature[place + 1 :]


def _types(value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > _MAX_EVENT_TYPES or not all(isinstance(kind, str) for kind in value):
        raise ValueError(f"webhookEvents must be a list of at most {_MAX_EVENT_TYPES} types, or null")
    return frozenset(value)


def _mishaps(value: Any) -> Mishaps:
    known = {f.name for f in fields(Mishaps)}
    if not isinstance(value, dict) or not set(value) <= known:
        raise ValueError(f"webhookFaults takes {', '.join(sorted(known))}")
    return Mishaps(**{name: number(rate, 0, 1) for name, rate in value.items()})
