"""The operators who keep merchants' API keys: they create, rotate and revoke them while the merchants use them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from simulation.api import Api
from simulation.faults import Faults
from simulation.history import Commanded
from simulation.kernel import Kernel
from simulation.operators import Operators
from simulation.workload import ARRIVAL_MS, MERCHANTS

KIND: Final = "operator_ends_keys"
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
_TRIES: Final = 4
_PAUSE_MS: Final = 3_000
_UNANSWERED: Final = frozenset({"unavailable", "conflict"})
_TOLD_WITHIN_MS: Final = 240_000
"""So long after a command a merchant's software may go on with the keys of before."""
_USABLE: Final = frozenset({"valid", "expiring"})
_WORKS: Final = ("lasts a day", "revoked", "one hour", "at once", "two people", "revoked while rotated")
"""What they do to a merchant's keys in the time in which payments arrive first, each in an order of its own."""
_LATER: Final = ("revoked", "at once")


@dataclass(slots=True)
class Keepers:
    """Everything here runs in tasks, but for `plan`."""

    kernel: Kernel
    faults: Faults
    api: Api
    operators: Operators
    told: set[str] = field(default_factory=set)
    """The ids of the keys that somebody has; others were created by commands without an answer."""

    def plan(self, random: Random) -> Iterator[tuple[int, Callable[[], None]]]:
        """The acts, and how long from now."""
        self.told.update(self.operators.keys.values())
        for merchant in MERCHANTS:
            for what in random.sample(_WORKS, len(_WORKS)):
                yield random.randrange(ARRIVAL_MS), partial(self._work, merchant, what, random.getrandbits(32))
            for begins_ms in (HOUR_MS, DAY_MS):
                what = random.choice(_LATER)
                at_ms = begins_ms + random.randrange(ARRIVAL_MS)
                yield at_ms, partial(self._work, merchant, what, random.getrandbits(32))

    def _work(self, merchant: str, what: str, draw: int) -> None:
        self.operators.busy += 1
        self.faults.count(KIND)
        random = Random(draw)
        usable = self._usable(merchant)
        if what == "lasts a day" or len(usable) < 2:
            self._create(merchant, random, expires_in_days=1 if what == "lasts a day" else None)
        elif what == "revoked":
            self._revoke(merchant, random.choice(usable))
        elif what == "two people":
            key_id = random.choice(usable)
            for hours in random.sample((0, 24), 2):
                self._beside(partial(self._rotate, merchant, random, key_id, hours))
        elif what == "revoked while rotated":
            key_id = random.choice(usable)
            self._beside(partial(self._rotate, merchant, random, key_id, 1))
            self._beside(partial(self._revoke, merchant, key_id))
        else:
            self._rotate(merchant, random, random.choice(usable), 1 if what == "one hour" else 0)
        self.operators.busy -= 1

    def _beside(self, action: Callable[[], None]) -> None:
        self.operators.busy += 1

        def run() -> None:
            action()
            self.operators.busy -= 1

        self.kernel.spawn(run)

    def _usable(self, merchant: str) -> list[str]:
        """The ids of the keys that are shown as valid, and that the merchant has."""
        answer = self._insist({"command": "list_keys", "merchantId": merchant}).answer or {}
        shown = [key["keyId"] for key in answer.get("items", []) if key["state"] in _USABLE]
        return [key_id for key_id in shown if key_id in self.told]

    def _create(self, merchant: str, random: Random, *, expires_in_days: int | None = None) -> None:
        days = {"expiresInDays": expires_in_days} if expires_in_days else {}
        self._issued(merchant, random, self._insist({"command": "create_key", "merchantId": merchant, **days}))

    def _rotate(self, merchant: str, random: Random, key_id: str, hours: int) -> None:
        """Without an answer nobody knows the new key: another one is created."""
        fields = {"command": "rotate_key", "merchantId": merchant, "keyId": key_id, "overlapHours": hours}
        done = self._insist(fields)
        self._issued(merchant, random, done)
        if not done.ok:
            self._create(merchant, random)

    def _revoke(self, merchant: str, key_id: str) -> None:
        self._insist({"command": "revoke_key", "merchantId": merchant, "keyId": key_id})

    def _issued(self, merchant: str, random: Random, done: Commanded) -> None:
        """The merchant's software gets the new key, a moment later, or at once: then it tries the key."""
        if done.ok and done.answer is not None:
            self.told.add(done.answer["keyId"])
            waits_ms = int(max(0, random.random() - 0.5) ** 2 * _TOLD_WITHIN_MS)
            self.kernel.sleep(waits_ms)
            self.api.api_keys[merchant].append(done.answer["apiKey"])
            if not waits_ms:
                self.api.request(merchant, "GET", "/payments", query={"limit": "5"})

    def _insist(self, fields: dict[str, Any]) -> Commanded:
        """Again after a moment, as long as nobody can say what became of it."""
        for _ in range(_TRIES):
            done = self.api.command(fields)
            if done.answer is not None and (done.ok or done.answer["error"]["code"] not in _UNANSWERED):
                break
            self.kernel.sleep(_PAUSE_MS)
        return done
