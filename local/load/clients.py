"""Clients that pay: each sends one payment after the other, and repeats a refused one with the same key."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx

ACCEPTED: Final = 202
NO_ANSWER: Final = 0
"""Stands for a status when the connection failed."""
FINAL: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"})

_ANSWER_SECONDS: Final = 60.0
"""More than the time in the queue and API Gateway's 29 s together."""
_PAUSE_SECONDS: Final = 1.0
_READERS: Final = 4
_AMOUNTS: Final = (("INR", 49_900), ("USD", 1_999), ("USD", 2_500_000))
"""One for each provider of the default routing document."""


@dataclass(slots=True)
class Measured:
    """Everything that the clients saw. `latencies_ms` are those of accepted payments, without the waits before."""

    started_at: float = field(default_factory=time.monotonic)
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_ms: list[float] = field(default_factory=list)
    accepted: dict[str, str] = field(default_factory=dict)
    """Idempotency key to payment id."""
    accepted_after_seconds: list[float] = field(default_factory=list)
    """From the start of the load to each acceptance, in order; functions start in the first seconds."""
    final: dict[str, str] = field(default_factory=dict)
    """Payment id to its final status."""
    provider_keys: dict[str, str] = field(default_factory=dict)
    """Provider key to payment id, of all attempts."""
    final_ms: list[float] = field(default_factory=list)
    """From the acceptance of a payment to its final status."""


@dataclass(frozen=True, slots=True)
class Clients:
    """`deadline` is a time of `time.monotonic()`, after which no request is sent."""

    http: httpx.AsyncClient
    measured: Measured
    deadline: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def pay(self, *, payments: int, clients: int, run: str) -> None:
        """Share `payments` among `clients`."""
        numbers = iter(range(payments))

        async def client() -> None:
            for number in numbers:
                await self.pay_one(f"load-{run}-{number}", number)

        await asyncio.gather(*(client() for _ in range(clients)))

    async def settle(self) -> None:
        """Read the accepted payments until all are final or the deadline has passed."""
        while (pending := self.pending()) and not self.is_late():
            queue = iter(pending)

            async def reader() -> None:
                for transaction_id in queue:  # noqa: B023 - all readers of this round end before the next
                    await self.read(transaction_id)

            await asyncio.gather(*(reader() for _ in range(_READERS)))
            if self.pending():
                await self.sleep(_PAUSE_SECONDS)

    def pending(self) -> Sequence[str]:
        """Accepted payments that were not seen final."""
        return [known for known in self.measured.accepted.values() if known not in self.measured.final]

    async def pay_one(self, key: str, number: int) -> None:
        """Send one payment until it is accepted or the deadline has passed."""
        currency, amount = _AMOUNTS[number % len(_AMOUNTS)]
        method = {"type": "card", "token": "tok_success"}
        body = {"amount": amount, "currency": currency, "paymentMethod": method}
        while not self.is_late():
            started = time.monotonic()
            answer = await self._send("POST", "/payments", json=body, headers={"Idempotency-Key": key})
            if answer is not None and answer.status_code == ACCEPTED:
                self.measured.latencies_ms.append((time.monotonic() - started) * 1000)
                self.measured.accepted_after_seconds.append(time.monotonic() - self.measured.started_at)
                self.measured.accepted[key] = answer.json()["transactionId"]
                return
            await self.sleep(retry_after_seconds(answer.headers if answer is not None else {}))

    async def read(self, transaction_id: str) -> None:
        """Read a payment once, and note its end."""
        answer = await self._send("GET", f"/payments/{transaction_id}")
        if answer is None or answer.status_code != 200:
            await self.sleep(retry_after_seconds(answer.headers if answer is not None else {}))
            return
        payment = answer.json()
        if payment["status"] in FINAL:
            self.measured.final[transaction_id] = payment["status"]
            self.measured.final_ms.append(final_after_ms(payment))
            self.measured.provider_keys |= {a["providerKey"]: transaction_id for a in payment["attempts"]}

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        """None when there was no answer."""
        try:
            answer = await self.http.request(method, path, timeout=_ANSWER_SECONDS, **options)
        except httpx.HTTPError:
            self.measured.statuses[NO_ANSWER] += 1
            return None
        self.measured.statuses[answer.status_code] += 1
        return answer

    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() > self.deadline


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """As `Retry-After` says; one second without it."""
    text = headers.get("retry-after", "")
    return float(text) if text.isdecimal() else _PAUSE_SECONDS


def final_after_ms(payment: Mapping[str, Any]) -> float:
    """From the payment's own times."""
    created, updated = (datetime.fromisoformat(payment[name]) for name in ("createdAt", "updatedAt"))
    return (updated - created).total_seconds() * 1000
