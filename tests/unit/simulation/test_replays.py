"""Dead letters: messages that are poison for a while reach them, and the checker sees what a replay loses."""

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from simulation.checker.replays import count_replays, no_run_stands_still, replays_lose_nothing
from simulation.faults import Faults
from simulation.history import Commanded, History, Lettered, Started
from simulation.kernel import Kernel
from simulation.queue import Queue
from simulation.world import TRANSACTIONS
from tests.unit.simulation.story import Story, stored

RUN = "rec_a"


def poisoned(mended_ms: int) -> tuple[Queue, Kernel, list[str]]:
    """A queue whose every message is poison until then, and what its function was given."""
    kernel, faults, given = Kernel(1), Faults.none(Random(0)), list[str]()
    faults.rates["queue_poison"] = 1.0

    def invoke(_function: str, event: Any, done: Any) -> object:
        given.extend(record["body"] for record in event["Records"])
        kernel.after(5, lambda: done({"batchItemFailures": []}))
        return None

    queue = Queue(kernel, faults, History(), invoke, mended_ms=kernel.now_ms + mended_ms)
    queue.send("{}", delay_ms=0)
    return queue, kernel, given


def test_a_message_that_is_poison_reaches_the_dead_letters_and_is_worked_on_after_the_mend() -> None:
    queue, kernel, given = poisoned(3_600_000)
    kernel.at(queue.mended_ms, queue.redrive)
    kernel.run(queue.mended_ms - 1)
    assert (len(queue.dead), given) == (1, [])
    kernel.run(queue.mended_ms + 60_000)
    assert (queue.messages, queue.dead, given) == ({}, [], ["{}"])


def test_a_message_that_is_mended_in_time_reaches_no_dead_letters() -> None:
    queue, kernel, given = poisoned(30_000)
    kernel.run(kernel.now_ms + 3_000_000)
    assert (queue.dead, given) == ([], ["{}"])


def replayed(consumer: str, fields: dict[str, Any], *, is_sent: bool, phase: str = "theirs") -> Story:
    """A replay removes a dead letter, and may have sent it before."""
    story = Story()
    story.accept()
    story.claim(2)
    story.outcome(2, "SUCCEEDED", "SUCCESS", told="payment.succeeded")
    story.put("RUN", {"run_id": RUN, "phase": phase}, 0, partition=f"Q#{RUN}")
    story.now_ms += 60_000
    letter = Lettered(story.now_ms, 7, consumer, json.dumps(fields), is_sent=False)
    sent = Lettered(story.now_ms - 1, 7, consumer, json.dumps(fields), is_sent=True)
    story.history.letters += [sent, letter] if is_sent else [letter]
    story.history.invocations[7] = Started(story.now_ms, "operations", is_newer=False)
    return story


def about(**more: Any) -> dict[str, Any]:
    story = Story()
    return {"merchant_id": story.merchant, "transaction_id": story.transaction_id, **more}


def event(more: dict[str, Any]) -> dict[str, Any]:
    names = {"merchant_id": "acme", "provider": "mock", "account_id": "main", "event_id": "evt_1"}
    return {**names, **more}


KEY = f"pfx-{'a' * 16}-1"
WORK = [
    ("reconciler", {"run_id": RUN}),
    ("worker", about(read_refunds=True)),
    ("worker", about(transaction_id="pay_unknown")),
    ("provider_events", event({"charge_key": KEY})),
]


@pytest.mark.parametrize(("consumer", "fields"), WORK)
def test_work_that_a_replay_drops_is_found(consumer: str, fields: dict[str, Any]) -> None:
    (violation,) = replays_lose_nothing(replayed(consumer, fields, is_sent=False).evidence())
    assert violation.invariant == "REPLAYS"
    honest = replayed(consumer, fields, is_sent=True)
    assert list(replays_lose_nothing(honest.evidence())) == []


@pytest.mark.parametrize("consumer", ["worker", "reconciler"])
def test_what_another_process_sent_is_no_replay(consumer: str) -> None:
    fields = {"worker": about(read_refunds=True), "reconciler": {"run_id": RUN}}[consumer]
    story = replayed(consumer, fields, is_sent=True)
    first = story.history.letters[0]
    story.history.letters[0] = Lettered(first.at_ms, 8, first.consumer, first.body, is_sent=True)
    assert len(list(replays_lose_nothing(story.evidence()))) == 1


@pytest.mark.parametrize(
    ("consumer", "fields", "phase"),
    [
        ("reconciler", {"run_id": RUN}, "done"),
        ("worker", about(), "done"),
        ("provider_events", event({"charge_key": "pfx-bbbbbbbbbbbbbbbb-1"}), "done"),
        ("provider_events", event({"charge_key": KEY, "movement_reference": "re_unknown"}), "done"),
        ("deliverer", about(seq=1), "done"),
    ],
)
def test_a_letter_without_work_may_leave(consumer: str, fields: dict[str, Any], phase: str) -> None:
    story = replayed(consumer, fields, is_sent=False, phase=phase)
    assert list(replays_lose_nothing(story.evidence())) == []


def standing(phase: str, *, ok: bool = True) -> Story:
    """A run that an operator asked for, at rest in this phase."""
    story = Story()
    span = {"provider": "stripe", "from_ms": 1, "until_ms": 2}
    item = {"run_id": RUN, "phase": phase, "merchant_id": story.merchant, **span}
    story.items[TRANSACTIONS, (f"Q#{RUN}", "RUN")] = stored(item)
    command = {"command": "reconcile", "merchantId": story.merchant, "provider": "stripe", "fromMs": 1, "untilMs": 2}
    story.history.commands.append(Commanded(1, "reconciler", command, answer={"ok": ok}))
    return story


@pytest.mark.parametrize(
    ("phase", "ok", "waiting", "is_found"),
    [
        ("theirs", True, "", True),
        ("theirs", True, f'{{"run_id":"{RUN}"}}', False),
        ("theirs", False, "", False),
        ("done", True, "", False),
        ("failed", True, "", False),
    ],
)
def test_a_run_that_stands_still_is_found(phase: str, waiting: str, *, ok: bool, is_found: bool) -> None:
    evidence = standing(phase, ok=ok).evidence()
    evidence.result.waiting_runs = waiting
    assert bool(list(no_run_stands_still(evidence))) is is_found


def test_what_came_back_is_counted_by_its_kind_and_if_it_came_back_twice() -> None:
    story = replayed("reconciler", {"run_id": RUN}, is_sent=True)
    story.history.letters.append(Lettered(story.now_ms, 9, "reconciler", json.dumps({"run_id": RUN}), is_sent=True))
    story.history.invocations[9] = Started(story.now_ms, "operations", is_newer=False)
    found = Counter[str]()
    count_replays(found, story.evidence())
    assert found == {"replayed: a reconciliation": 2, "replayed: twice": 1}
