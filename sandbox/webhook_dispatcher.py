"""Delivers a provider's webhooks to the merchant: a thread that posts the due ones and repeats those that are refused.

It asks the provider only for the webhooks that are due and for a new signature of one that is repeated. It can be
configured to deliver webhooks late, twice, out of order, never, or with a wrong signature.
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
"""Reading a long ledger takes time under the provider's lock: pause this many times as long as it took."""
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
class WebhookSource(Protocol):
    """A provider that has webhooks."""

    def webhooks_due(self, now: float) -> list[Webhook]: ...

    def redelivered(self, webhook: Webhook, now: float) -> Webhook: ...


def _post(url: str, webhook: Webhook) -> int | None:
    """The status, or None when there was no answer."""
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
class WebhookFaults:
    """Chances between 0 and 1, drawn for each webhook."""

    late: float = 0.0
    twice: float = 0.0
    out_of_order: float = 0.0
    never: float = 0.0
    wrong_signature: float = 0.0


@dataclass(slots=True, kw_only=True)
class _Delivery:
    number: int
    webhook: Webhook
    due: float
    sends: int = 0
    again: bool = False
    forged: bool = False


@dataclass(slots=True)
class WebhookDispatcher:
    """`round` collects and posts once; `start` repeats it in the background. `lock` guards the provider's records."""

    provider: WebhookSource
    lock: threading.Lock
    post: Post = _post
    clock: Callable[[], float] = time.time
    url: str | None = None
    types: frozenset[str] | None = None
    """The event types that the merchant has subscribed to; None for all."""
    faults: WebhookFaults = field(default_factory=WebhookFaults)
    late_seconds: float = 5.0
    _random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - repeatable on purpose
    _pending: dict[int, _Delivery] = field(default_factory=dict)
    _reports: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_MAX_REPORTED))
    _created: int = 0
    _reported: int = 0
    _pause_seconds: float = _POLL_SECONDS
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Deliver in the background until `stop`."""
        threading.Thread(target=self._run, name="webhook-dispatcher", daemon=True).start()

    def stop(self) -> None:
        """Pending deliveries are lost."""
        self._stopping.set()

    def update(self, settings: Mapping[str, Any]) -> None:
        """Apply the settings of POST /_control that are about webhooks; raises ValueError, and then changes nothing."""
        url = settings.get("webhookUrl", self.url)
        if url is not None and (not isinstance(url, str) or not _ADDRESS.fullmatch(url)):
            raise ValueError("webhookUrl must be an address on 127.0.0.1, or null")
        types = _types(settings["webhookEvents"]) if "webhookEvents" in settings else self.types
        faults = _faults(settings["webhookFaults"]) if "webhookFaults" in settings else self.faults
        late_seconds = number(settings.get("webhookLateSeconds", self.late_seconds), 0, _MAX_LATE_SECONDS)
        self.url, self.types, self.faults, self.late_seconds = url, types, faults, late_seconds
        if "seed" in settings:
            self._random = random.Random(int(number(settings["seed"], 0, 2**53)))  # noqa: S311

    def reset(self) -> None:
        """Forget deliveries, reports and faults; the address is the merchant's and stays."""
        self._pending.clear()
        self._reports.clear()
        self.faults = WebhookFaults()

    def reports(self) -> list[dict[str, Any]]:
        """The deliveries and their answers, oldest first. The oldest are dropped; `number` counts them all."""
        return list(self._reports)

    def round(self) -> None:
        """Collect the webhooks that are due, then post the deliveries that are due. Without an address, do neither."""
        if self.url is None:
            return
        now, began = self.clock(), time.monotonic()
        with self.lock:
            fresh = self.provider.webhooks_due(now)
        self._pause_seconds = max(_POLL_SECONDS, _REST * (time.monotonic() - began))
        for webhook in fresh:
            if self.types is None or webhook.type in self.types:
                self._take(webhook, now)
        ready = [delivery for delivery in list(self._pending.values()) if delivery.due <= now]
        for delivery in sorted(ready, key=lambda delivery: (delivery.due, delivery.number)):
            self._deliver(delivery)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause_seconds):
            self.round()

    def _take(self, webhook: Webhook, now: float) -> None:
        """One draw a kind, whatever the others say: a changed chance does not shift the draws of the other kinds."""
        drawn = {f.name: self._random.random() < getattr(self.faults, f.name) for f in fields(WebhookFaults)}
        if drawn["never"] or len(self._pending) >= _MAX_WAITING:
            self._report(webhook, 1, None, "never sent" if drawn["never"] else "too many are waiting")
            return
        wait_seconds = self.late_seconds if drawn["late"] else _OVERTAKEN_SECONDS if drawn["out_of_order"] else 0.0
        due = now + wait_seconds
        self._put(webhook, due, forged=drawn["wrong_signature"])
        if drawn["twice"]:
            self._put(webhook, due, again=True)

    def _put(self, webhook: Webhook, due: float, *, again: bool = False, forged: bool = False) -> None:
        self._created += 1
        delivery = _Delivery(number=self._created, webhook=webhook, due=due, again=again, forged=forged)
        self._pending[delivery.number] = delivery

    def _deliver(self, delivery: _Delivery) -> None:
        """Without a 2xx answer it is repeated, signed anew, and given up after the last delay."""
        url = self.url
        if self._stopping.is_set() or url is None or delivery.number not in self._pending:
            return
        now, delivery.sends = self.clock(), delivery.sends + 1
        if delivery.again:
            delivery.webhook = self.provider.redelivered(delivery.webhook, now)
        status = self.post(url, with_wrong_signature(delivery.webhook) if delivery.forged else delivery.webhook)
        self._report(delivery.webhook, delivery.sends, status, "wrong signature" if delivery.forged else None)
        delivery.again, delivery.forged = True, delivery.forged and status is None
        if (status is not None and 200 <= status < 300) or delivery.sends > len(RETRY_DELAYS_SECONDS):
            self._pending.pop(delivery.number, None)
        else:
            delivery.due = now + RETRY_DELAYS_SECONDS[delivery.sends - 1]

    def _report(self, webhook: Webhook, send: int, status: int | None, fault: str | None) -> None:
        self._reported += 1
        report = {"number": self._reported, "at": self.clock(), "id": webhook.id, "type": webhook.type}
        self._reports.append({**report, "send": send, "status": status, "fault": fault})


def with_wrong_signature(webhook: Webhook) -> Webhook:
    """One digit of the signature differs, in a header or, where the provider puts the signature there, in the body."""
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


def _faults(value: Any) -> WebhookFaults:
    known = {f.name for f in fields(WebhookFaults)}
    if not isinstance(value, dict) or not set(value) <= known:
        raise ValueError(f"webhookFaults takes {', '.join(sorted(known))}")
    return WebhookFaults(**{name: number(rate, 0, 1) for name, rate in value.items()})
