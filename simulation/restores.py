"""The tables jump back, and the procedure of `payflowx restore` runs over them: the product's own, over models of AWS.

From the jump on, the history is that of the restored tables: what was stored and answered in the forgotten time is kept
apart, because no deployment can know it any more. The providers' books forget nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

from payflowx.application.recovery.restore import UsedNumbers
from payflowx.application.recovery.restore_procedure import Progress, RestoreProcedure
from sandbox.simulators import REAL_PROVIDERS
from simulation.history import Call, Delivered
from simulation.releases import is_unreadable
from simulation.workload import rerouted
from testing.dynamodb.tables import Key, Table
from testing.dynamodb.values import Item

if TYPE_CHECKING:
    from simulation.world import World

KIND: Final = "restore"
BESIDE: Final = "restore_beside"
_REROUTES: Final = "restore_reroutes"
_MINUTE_MS: Final = 60_000
_LATEST_STOP_MS: Final = 14 * _MINUTE_MS
_LONGEST_JUMP_MS: Final = 15 * _MINUTE_MS
_REPEATED: Final = 0.75
"""This part of the requests that were forgotten comes again, under its key, after the opening."""
_REPEATED_WITHIN_MS: Final = 20 * _MINUTE_MS
_REPEATED_BEFORE_MS: Final = 24 * 60 * _MINUTE_MS
"""A day after the opening, nobody uses a forgotten key again: the product's documents ask merchants not to."""
_GONE: Final = 410
_ERASE: Final = "erase_personal_data"
RESTORED_TABLES: Final = ("Transactions", "Idempotency")


@dataclass(slots=True)
class Forgotten:
    """The facts that the restored deployment cannot know, for the checker."""

    from_ms: int = 0
    until_ms: int = 0
    opened_ms: int = 0
    accepted: list[Call] = field(default_factory=list)
    """Requests that were answered with 202 in that time."""
    delivered: set[str] = field(default_factory=set)
    """The ids of the events that were posted to merchants then."""
    numbers: dict[str, int] = field(default_factory=dict)
    """The highest number of an event that was posted then, by payment."""
    gone: set[str] = field(default_factory=set)
    """Endpoints that said until then that they are gone."""
    payments: set[str] = field(default_factory=set)
    """Payments that were stored then and were not before, as "pay_...@merchant"."""


@dataclass(slots=True)
class Restores:
    """Implements the ports of `RestoreProcedure`. `is_closed`: the API answers nobody, queues and schedules are off."""

    world: "World"
    is_closed: bool = False
    forgotten: Forgotten | None = None
    _snapshots: dict[str, dict[Key, Item]] = field(default_factory=dict)
    _writes: int = 0
    _saved: list[Progress] = field(default_factory=list)

    def plan(self, random: Random, start_ms: int) -> int:
        """Plan a snapshot, the stop, and the procedure; return the time when its trouble is over."""
        stop_ms = start_ms + random.randrange(2 * _MINUTE_MS, _LATEST_STOP_MS)
        back_ms = max(start_ms, stop_ms - random.randrange(20_000, _LONGEST_JUMP_MS))
        kernel = self.world.kernel
        kernel.at(back_ms, self._photograph)
        kernel.at(stop_ms, lambda: kernel.spawn(partial(self._restore, back_ms)))
        return stop_ms + 140 * _MINUTE_MS

    def _photograph(self) -> None:
        self._snapshots = {name: dict(self.world.tables[name].items()) for name in RESTORED_TABLES}
        self._writes = len(self.world.history.writes)

    def _restore(self, restored_to_ms: int) -> None:
        """From a task: an operator runs the command."""
        world, kernel = self.world, self.world.kernel
        world.operators.busy += 1
        world.faults.count(KIND if world.planned.rates[KIND] else BESIDE)
        self.forgotten = Forgotten(from_ms=restored_to_ms)
        world.operators.reads_all_keys = True
        RestoreProcedure(
            sources=self,
            tables=self,
            deployment=self,
            journal=self,
            now_ms=lambda: kernel.now_ms,
            pause=lambda seconds: kernel.sleep(int(seconds * 1000)),
            confirm=lambda _step, _progress: True,
        )(Progress(restored_to_ms=restored_to_ms))
        self.forgotten.opened_ms = kernel.now_ms
        world.history.sometimes["tables restored"] += 1
        self._repeat(self.forgotten.accepted)
        world.operators.busy -= 1

    def _repeat(self, calls: Sequence[Call]) -> None:
        """Merchants ask again for what they have an answer to, or none."""
        kernel, random = self.world.kernel, self.world.faults.random
        for call in calls:
            if random.random() < _REPEATED:
                ask = partial(self.world.merchants.repeat, call)
                kernel.after(random.randrange(_REPEATED_WITHIN_MS), partial(kernel.spawn, ask))
        keys = {(call.merchant, call.key) for call in calls}
        kernel.after(_REPEATED_BEFORE_MS, lambda: self.world.merchants.expired_keys.update(keys))

    # -- sources

    def states(self) -> Mapping[str, str]:
        return {"everything": "on"}

    def switch_off(self, _states: Mapping[str, str]) -> None:
        self.is_closed = True

    def switch_on(self, _states: Mapping[str, str]) -> None:
        self.is_closed = False
        for queue in self.world.queues.values():
            queue.poll(1)

    # -- tables

    def begin(self, _restored_to_ms: int) -> Mapping[str, str]:
        self.world.platform.kill_all()
        if self.world.faults.strikes(_REROUTES):
            self.world.app_config.document = rerouted(self.world.app_config.document)
        return {name: f"{name}-restored" for name in RESTORED_TABLES}

    def are_ready(self, _copies: Mapping[str, str]) -> bool:
        return True

    def touched(self, _copies: Mapping[str, str]) -> Sequence[UsedNumbers]:
        before = self._snapshots["Transactions"]
        return [
            _used(key[0], item)
            for key, item in self.world.tables["Transactions"].items()
            if key[1] == "PAYMENT" and before.get(key) != item and not is_unreadable(key[0])
        ]

    def copy(self, copies: Mapping[str, str]) -> None:
        """At one moment, while nothing runs."""
        world, now_ms = self.world, self.world.kernel.now_ms
        for name in copies:
            table, wanted = world.tables[name], self._snapshots[name]
            for key in [key for key, _ in table.items() if key not in wanted]:
                self._forget(table, key)
                table.put(key, None, now_ms, lambda: 0)
            for key, item in wanted.items():
                if table.get(key) != item:
                    table.put(key, item, now_ms, lambda: 0)
        world.jumped_back()
        self._trim(now_ms)

    def _forget(self, table: Table, key: Key) -> None:
        if table.name == "Transactions" and key[1] == "PAYMENT" and self.forgotten is not None:
            _, merchant, _, payment = key[0].split("#")
            self.forgotten.payments.add(f"{payment}@{merchant}")

    def _trim(self, now_ms: int) -> None:
        """Leave out of the history what the restored tables have forgotten, and what was answered since."""
        history, forgotten = self.world.history, self.forgotten
        if forgotten is None:
            return
        forgotten.until_ms = now_ms
        kept = history.writes[: self._writes]
        kept += [write for write in history.writes[self._writes :] if write.table not in RESTORED_TABLES]
        history.writes[:] = kept
        lost = [call for call in history.calls if not call.answered_ms or call.answered_ms > forgotten.from_ms]
        forgotten.accepted = [copy(call) for call in lost if call.method == "POST" and call.key and call.status == 202]
        history.commands[:] = [
            command
            for command in history.commands
            if command.command["command"] != _ERASE or command.at_ms <= forgotten.from_ms
        ]
        history.calls[:] = [call for call in history.calls if 0 < call.answered_ms <= forgotten.from_ms]
        history.sent[:] = [sent for sent in history.sent if sent.at_ms <= forgotten.from_ms]
        posted = [post for post in history.deliveries if post.at_ms > forgotten.from_ms]
        forgotten.delivered = {post.headers["webhook-id"] for post in posted}
        forgotten.numbers = last_numbers(posted)
        forgotten.gone = {post.url for post in history.deliveries if post.status == _GONE}
        history.deliveries[:] = [post for post in history.deliveries if post.at_ms <= forgotten.from_ms]

    def forget_late_arrivals(self) -> None:
        """Requests of the forgotten time that were on their way for long: nobody knows who sent them."""
        history, forgotten = self.world.history, self.forgotten
        if forgotten is None:
            return
        started = {
            number
            for number, invocation in history.invocations.items()
            if invocation.at_ms <= forgotten.until_ms and number > 0
        }
        history.sent[:] = [
            sent for sent in history.sent if sent.at_ms <= forgotten.from_ms or sent.process not in started
        ]

    # -- the deployment

    def record(self, progress: Progress) -> None:
        self.forgotten_is_whole(progress)
        self._insist(
            {
                "command": "record_restore",
                "restoredToMs": progress.restored_to_ms,
                "stoppedAtMs": progress.stopped_at_ms,
            }
        )

    def forgotten_is_whole(self, progress: Progress) -> None:
        """From the opening on, the providers' answers hold all that was sent before the stop."""
        for shop in self.world.providers.shops.values():
            shop.current_from_ms = min(shop.current_from_ms, progress.stopped_at_ms + 60 * _MINUTE_MS)

    def raise_numbers(self, payments: Sequence[UsedNumbers]) -> None:
        fields = [
            {
                "merchantId": used.merchant_id,
                "transactionId": used.transaction_id,
                "seq": used.seq,
                "number": used.number,
            }
            for used in payments
        ]
        self._insist({"command": "raise_event_numbers", "payments": fields})

    def notify(self) -> None:
        """Twice: an operator whose command was killed gives it again."""
        for _ in range(2):
            self._insist({"command": "notify_restore"})

    def reconcile(self, from_ms: int, until_ms: int) -> Sequence[str]:
        """Each account whose provider has a report; the runs go on once everything is on again."""
        for provider in REAL_PROVIDERS:
            fields = {"command": "reconcile", "provider": provider, "fromMs": from_ms, "untilMs": until_ms}
            self._insist(fields, function="reconciler")
        return tuple(REAL_PROVIDERS)

    def open(self) -> None:
        self._insist({"command": "open_restore"})

    def erase(self, payments: Sequence[UsedNumbers]) -> None:
        kernel, erase = self.world.kernel, self.world.operators.erase
        for payment in payments:
            kernel.spawn(partial(erase, payment.merchant_id, payment.transaction_id))

    def save(self, progress: Progress) -> None:
        self._saved.append(progress)

    def _insist(self, fields: dict[str, Any], function: str = "operations") -> None:
        """An operator whose command failed gives it again."""
        while not self.world.api.command(fields, function=function).ok:
            self.world.kernel.sleep(30_000)


def last_numbers(posted: Iterable[Delivered]) -> dict[str, int]:
    """The highest number of an event that merchants got, by payment."""
    numbers = dict[str, int]()
    for post in posted:
        transaction_id = f"pay_{post.body['id'].split('_')[1]}"
        numbers[transaction_id] = max(numbers.get(transaction_id, 0), post.body["sequence"])
    return numbers


def _used(partition: str, item: Item) -> UsedNumbers:
    _, merchant, _, payment = partition.split("#")
    return UsedNumbers(
        merchant_id=merchant,
        transaction_id=payment,
        seq=int(item["eventSeq"]["N"]),
        number=int(item["announced"]["N"]) if "announced" in item else 0,
        erased="erased" in item,
    )
