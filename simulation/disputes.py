"""Payers who ask their banks to return charges, and what the providers tell of that."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final

from sandbox.disputes import (
    CLOSED,
    DISPUTING,
    LOST,
    WON,
    Said,
    Turn,
    body_of,
    courses,
    new_id,
)
from sandbox.ledger import Webhook
from sandbox.simulator import CHARGED
from sandbox.store import Record
from simulation.api import Api
from simulation.faults import Faults
from simulation.history import DisputeTurn, History
from simulation.kernel import Kernel
from simulation.providers import Shop, SimulatedProviders

KIND: Final = "bank_disputes"
_ENDED: Final = frozenset({WON, LOST, CLOSED})
_LATER_MS: Final = 12 * 60_000
_BEGINS_MS: Final = (8_000, _LATER_MS, 100 * 60_000)
"""After the charge, a dispute begins within one of these times: often before the charge is known, within the first."""
_PAUSES_MS: Final = (700, 1_500, 20_000, 300_000, 600_000)
"""Between two things that a provider tells: some follow each other within a second or two."""
_DEADLINE_SECONDS: Final = (20 * 60, 9 * 24 * 3_600)
"""Mostly days, as providers give; some are over before the run ends."""
_NO_DEADLINE: Final = 0.15
"""This part of what is told names no deadline."""
_OTHER_DEADLINE: Final = 0.2
"""This part of the others names another one than before."""
_DAY_SECONDS: Final = 24 * 3_600
_SAME_AMOUNT: Final = 0.9
"""The others name another amount than before: a part of the charge is disputed any more, or the whole of it."""
_SECOND: Final = 0.25
"""After this part of the disputes, the same charge is disputed once more."""
_REASONS: Final = ("fraudulent", "product_not_received", "1402", "duplicate")
_READ: Final = 0.3
"""After this part of what is told, the merchant looks its payment up by the provider's id of the charge."""
_READ_MS: Final = 10_000
_SECOND_MS: Final = 1_000


@dataclass(slots=True)
class Disputes:
    """The banks of all payers. `send` posts a provider's webhook."""

    kernel: Kernel
    faults: Faults
    history: History
    providers: SimulatedProviders
    send: Callable[[Shop, Webhook], None]
    api: Api
    seed: int = 0
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _disputes: int = 0

    def changed(self, shop: Shop) -> None:
        """The books of an account may have changed: some of its new charges will be disputed."""
        if not self.faults.rates[KIND] or shop.account.provider not in DISPUTING:
            return
        for line in self.providers.lines(shop):
            name = (shop.account.host, str(line["chargeId"]))
            if line["kind"] != "charge" or line["status"] != CHARGED or name in self._seen:
                continue
            self._seen.add(name)
            if self.faults.strikes(KIND):
                self._begin(shop, line)

    def _begin(self, shop: Shop, charge: Record) -> None:
        random = Random(f"dispute {self.seed} {shop.account.merchant} {charge['chargeId']}")
        after_ms = random.randrange(random.choice(_BEGINS_MS))
        self._plan(shop, charge, random, after_ms)
        if random.random() < _SECOND:
            self._plan(shop, charge, random, after_ms + random.randrange(_LATER_MS))

    def _plan(self, shop: Shop, charge: Record, random: Random, after_ms: int) -> None:
        """All that the provider will tell about one dispute."""
        self._disputes += 1
        name = new_id(shop.account.provider, self._disputes)
        amount = charge["amount"] if random.random() < 0.6 else max(1, charge["amount"] * random.randint(1, 11) // 10)
        least, most = _DEADLINE_SECONDS
        due_at = (self.kernel.now_ms + after_ms) // _SECOND_MS + least + int(random.random() ** 3 * (most - least))
        reason, opened_at = random.choice(_REASONS), (self.kernel.now_ms + after_ms) // _SECOND_MS
        for number, said in enumerate(random.choice(courses(shop.account.provider)), 1):
            turn = partial(
                Turn,
                dispute=name,
                charge=charge,
                kind=said[0],
                word=said[1],
                amount=amount if random.random() < _SAME_AMOUNT else max(1, amount - random.randrange(amount)),
                reason=reason,
                opened_at=opened_at,
                due_at=None if random.random() < _NO_DEADLINE else _deadline(name, number, due_at),
                number=number,
            )
            self.kernel.after(after_ms, partial(self._tell, shop, turn, said))
            if random.random() < _READ:
                read = partial(self._read, shop, str(charge["chargeId"]))
                self.kernel.after(after_ms + random.randrange(_READ_MS), partial(self.kernel.spawn, read))
            after_ms += random.choice(_PAUSES_MS) * random.randint(1, 3) // 2

    def _tell(self, shop: Shop, turn_at: Callable[..., Turn], said: Said) -> None:
        """The provider decides now, and posts what it has decided."""
        provider, merchant, now = shop.account.provider, shop.account.merchant, self.kernel.now_ms / _SECOND_MS
        turn, (_, word, state) = turn_at(at=self.kernel.now_ms // _SECOND_MS), said
        blocks = state not in _ENDED and not word.startswith("warning_")
        shop.simulator.dispute(turn.charge["chargeId"], now, blocks_refunds=blocks)
        body = body_of(provider, turn)
        webhook = Webhook(id=turn.event_id, type=turn.kind, headers=shop.simulator.sign(body, now), body=body)
        self.history.dispute_turns.append(
            DisputeTurn(
                at_ms=turn.at * _SECOND_MS,
                provider=provider,
                merchant=merchant,
                charge_id=str(turn.charge["chargeId"]),
                dispute=turn.dispute,
                number=turn.number,
                state=state,
                amount=turn.amount,
                currency=turn.charge["currency"].upper(),
                due_ms=turn.due_at * _SECOND_MS if turn.due_at is not None else None,
                reason=turn.reason,
                event_id=webhook.id,
            )
        )
        step = f"{turn.dispute} of {turn.charge['chargeId']}: {word}"
        self.history.steps.append((self.kernel.now_ms, f"{provider} of {merchant}", step, str(turn.amount)))
        self.send(shop, webhook)

    def _read(self, shop: Shop, charge_id: str) -> None:
        query = {"providerRef": charge_id, "provider": shop.account.provider}
        self.api.request(shop.account.merchant, "GET", "/payments", query=query)


def _deadline(name: str, number: int, due_at: int) -> int:
    random = Random(f"deadline {name} {number}")
    return due_at + random.randint(1, 3) * _DAY_SECONDS if random.random() < _OTHER_DEADLINE else due_at
