"""`python -m bench.lanes`: what one hanging provider does to all others, by a model of queues and executions.

The provider begins to hang at second 0, at all of its accounts. The rules are the product's own: when an account is
slow, when an instance takes the provider for slow, when the breaker opens, which payment probes, when a lane is late.
The model is the rest: executions take up to ten messages, and a batch ends with its slowest call. The state of an
account is known to an instance at its own report, and to the others after fifteen seconds. What an instance knows of
the provider is its own; the executions of the two lanes share none, although they may on Lambda.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from bench.ceilings import BATCH, batch_ms
from payflowx.domain.providers.health import (
    AccountHealth,
    AccountName,
    Calls,
    ProviderCalls,
    after_calls,
    after_provider_call,
)
from payflowx.domain.routing.routing import is_probe

_STEP_MS: Final = 20
_CALL_MS: Final = 300
_HANG_MS: Final = 12_000
_CACHE_MS: Final = 15_000
_BATCHES_A_MINUTE: Final = 4
"""Of the slowest calls: the length at which a lane is late, as `WorkQueue.late_at` has it."""
_API_INSTANCES: Final = 20
_STAY: Final = 0.05
"""Of the new payments, when 95 percent have left."""
_WELL: Final = -1
"""A message whose call does not hang. One that does is the number of its account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A load for some seconds. `sick_percent` of the payments have the hanging provider first in their route."""

    per_second: int
    seconds: int
    slots: int
    slow_slots: int
    sick_percent: int = 5
    accounts: int = 1
    """Over which the payments of the hanging provider are spread evenly."""
    has_other_provider: bool = True
    """Their routes name another provider as well."""
    has_lanes: bool = True
    """False: one queue and no breaker, as it was."""
    knows_provider: bool = True
    """False: only the states of accounts are known, as it was."""


@dataclass(slots=True)
class Result:
    """Counts of payments by the second in which they were accepted or done."""

    seconds: int
    others_offered: list[int] = field(default_factory=list)
    others_done: list[int] = field(default_factory=list)
    sick_offered: list[int] = field(default_factory=list)
    sick_kept: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for counts in (self.others_offered, self.others_done, self.sick_offered, self.sick_kept):
            counts.extend([0] * self.seconds)

    def throughput(self, begin: int = 0, end: int | None = None) -> float:
        """The share of the others' payments that were done, in these seconds."""
        return sum(self.others_done[begin:end]) / sum(self.others_offered[begin:end])

    def kept(self, begin: int, end: int | None = None) -> float:
        """The share of the new payments that still go to the hanging provider, in these seconds."""
        offered = sum(self.sick_offered[begin:end])
        return sum(self.sick_kept[begin:end]) / offered if offered else 0.0

    def left_at(self) -> int:
        """The first second from which on, in every ten seconds, at least 95 percent have left."""
        busy = [begin for begin in range(self.seconds - 9) if self.kept(begin, begin + 10) > _STAY]
        return max(busy) + 1 if busy else 0


@dataclass(slots=True)
class _Reader:
    """An instance's view of the accounts, each up to fifteen seconds old, and of the provider."""

    begun_ms: int
    """The time of the last reads before the provider hung, when all were well."""
    found: dict[int, tuple[int, AccountHealth]] = field(default_factory=dict)
    provider: ProviderCalls = field(default_factory=ProviderCalls)

    def view(self, stored: Sequence[AccountHealth], account: int, now_ms: int) -> AccountHealth:
        read_at_ms, health = self.found.get(account, (self.begun_ms, AccountHealth(name=stored[account].name)))
        if now_ms - read_at_ms >= _CACHE_MS:
            read_at_ms, health = now_ms, stored[account]
        self.found[account] = read_at_ms, health
        return health


@dataclass(slots=True)
class _Slot:
    """An execution: busy until its batch ends."""

    reader: _Reader
    free_at_ms: int = 0
    batch: Sequence[int] = ()


class Model:
    """A message is `_WELL`, or the account at which its call hangs."""

    def __init__(self, scenario: Scenario, seed: int = 1) -> None:
        self.scenario, self.random = scenario, Random(seed)  # noqa: S311 - a model, and no secret
        names = [f"merchant-{number}" for number in range(scenario.accounts)]
        self.stored = [
            AccountHealth(name=AccountName(merchant_id=m, provider="sick", account_id="main")) for m in names
        ]
        self.fast: deque[int] = deque()
        self.slow: deque[int] = deque()
        self.fast_slots = [_Slot(self._reader()) for _ in range(scenario.slots)]
        self.slow_slots = [_Slot(self._reader()) for _ in range(scenario.slow_slots if scenario.has_lanes else 0)]
        self.api = [self._reader() for _ in range(_API_INSTANCES)]
        self.slow_late_at = scenario.slow_slots * BATCH * _BATCHES_A_MINUTE
        self.result = Result(scenario.seconds)
        self.number = 0

    def _reader(self) -> _Reader:
        return _Reader(-self.random.randrange(_CACHE_MS))

    def run(self) -> Result:
        """From the first hanging call to the end."""
        arrived = 0
        for now_ms in range(0, self.scenario.seconds * 1_000, _STEP_MS):
            wanted = self.scenario.per_second * (now_ms + _STEP_MS) // 1_000
            for _ in range(wanted - arrived):
                self._accept(now_ms)
            arrived = wanted
            for slot in self.fast_slots:
                self._turn(slot, self.fast, now_ms, is_slow_lane=False)
            for slot in self.slow_slots:
                self._turn(slot, self.slow, now_ms, is_slow_lane=True)
        return self.result

    def _accept(self, now_ms: int) -> None:
        second = now_ms // 1_000
        self.number += 1
        if self.random.random() * 100 >= self.scenario.sick_percent:
            self.result.others_offered[second] += 1
            self.fast.append(_WELL)
            return
        account = self.random.randrange(self.scenario.accounts)
        self.result.sick_offered[second] += 1
        hangs = not self._leaves(account, now_ms)
        self.result.sick_kept[second] += hangs
        self.fast.append(account if hangs else _WELL)
        if not hangs:  # it is one more of the others' payments
            self.result.others_offered[second] += 1

    def _leaves(self, account: int, now_ms: int) -> bool:
        if not self.scenario.has_lanes or not self.scenario.has_other_provider:
            return False
        view = self.random.choice(self.api).view(self.stored, account, now_ms)
        return view.is_passed_over(now_ms) and not is_probe(f"pay_{self.number:016d}")

    def _turn(self, slot: _Slot, queue: deque[int], now_ms: int, *, is_slow_lane: bool) -> None:
        if slot.free_at_ms > now_ms:
            return
        if slot.batch:
            self._end(slot, now_ms)
        if not queue:
            return
        batch = [queue.popleft() for _ in range(min(BATCH, len(queue)))]
        if self.scenario.has_lanes and not is_slow_lane:
            handed_over = {message for message in set(batch) if self._is_slow(slot.reader, message, now_ms)}
            room = self.slow_late_at - len(self.slow)
            self.slow.extend([message for message in batch if message in handed_over][: max(0, room)])
            batch = [message for message in batch if message not in handed_over]
        slot.batch = batch
        hangs = any(message != _WELL for message in batch)
        slowest_ms = _HANG_MS if hangs else _CALL_MS if batch else 0
        slot.free_at_ms = now_ms + batch_ms(slowest_ms)

    def _is_slow(self, reader: _Reader, message: int, now_ms: int) -> bool:
        if message == _WELL:
            return False
        is_known = self.scenario.knows_provider and reader.provider.is_slow(now_ms)
        return is_known or reader.view(self.stored, message, now_ms).is_slow(now_ms)

    def _end(self, slot: _Slot, now_ms: int) -> None:
        self.result.others_done[min(now_ms // 1_000, self.scenario.seconds - 1)] += slot.batch.count(_WELL)
        failed = Counter(message for message in slot.batch if message != _WELL)
        held_others_up = _WELL in slot.batch
        slot.batch = ()
        if not self.scenario.has_lanes:
            return
        for account, count in failed.items():
            self.stored[account] = after_calls(self.stored[account], Calls(failed=count, slow=count), now_ms)
            slot.reader.found[account] = now_ms, self.stored[account]
            for _ in range(count if held_others_up else 0):
                name = self.stored[account].name
                slot.reader.provider = after_provider_call(slot.reader.provider, name, now_ms, is_slow=True)


def simulated(scenario: Scenario) -> Result:
    """Run it once."""
    return Model(scenario).run()


WHOLE: Final = Scenario(per_second=500, seconds=300, slots=50, slow_slots=20)
ACCOUNTS: Final = (1, 20, 100, 300, 1_000)


def main() -> None:
    """Print a line a scenario, and a line a number of accounts."""
    cases = {
        "one queue, as it was": replace(WHOLE, has_lanes=False),
        "lanes, no other provider": replace(WHOLE, has_other_provider=False),
        "lanes and breaker": WHOLE,
    }
    print("500 payments a second, 5 % of them at a provider that hangs from second 0; 50 and 20 executions\n")
    for name, scenario in cases.items():
        found = simulated(scenario)
        print(f"{name:<26} the others do {found.throughput(60):.0%} of their load from second 60 on", end="")
        print(f", {found.throughput():.0%} in all", end="")
        if scenario.has_lanes and scenario.has_other_provider:
            print(f"; 95 % have left after {found.left_at()} s, then {found.kept(60):.1%} of them probe", end="")
        print()
    print("\nThe same with lanes and breaker, by the accounts over which the hanging provider's payments are spread:\n")
    print("accounts   the others' load that is done, from second 60 on       in the     new payments that keep")
    print("           with the provider known   with its accounts only       first 60   the provider, later")
    for accounts in ACCOUNTS:
        found = simulated(replace(WHOLE, accounts=accounts))
        before = simulated(replace(WHOLE, accounts=accounts, knows_provider=False))
        done, before_done = found.throughput(60), before.throughput(60)
        shown = (
            f"{done:>23.0%}",
            f"{before_done:>23.0%}",
            f"{found.throughput(0, 60):>12.0%}",
            f"{found.kept(60):>8.1%}",
        )
        print("   ".join((f"{accounts:>8,}", *shown)))


if __name__ == "__main__":
    main()
