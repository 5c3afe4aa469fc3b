"""The steps of a restore: their order, and a kill after and within each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from payflowx.application.recovery.restore import CONFIGURATION_FORGOTTEN_MS, UsedNumbers
from payflowx.application.recovery.restore_procedure import (
    LONGEST_INVOCATION_MS,
    STEPS,
    VISIBLE_AFTER_MS,
    Progress,
    RestoreProcedure,
    Step,
)

USED = UsedNumbers(merchant_id="acme", transaction_id="pay_a", seq=4, number=2, erased=True)


class KilledError(Exception):
    """The process is gone."""


@dataclass
class Model:
    """All ports. `dies_in`: the name of the call in which the process dies, after its effect."""

    now: int = 1_000_000
    dies_in: str = ""
    calls: list[tuple[str, int]] = field(default_factory=list)
    saved: Progress = field(default_factory=lambda: Progress(restored_to_ms=500_000))
    refuses: Step | None = None
    is_off: bool = False

    def procedure(self) -> RestoreProcedure:
        return RestoreProcedure(
            sources=self,
            tables=self,
            deployment=self,
            journal=self,
            now_ms=lambda: self.now,
            pause=self.wait,
            confirm=lambda step, _progress: step is not self.refuses,
        )

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    def did(self, what: str) -> None:
        self.calls.append((what, self.now))
        if self.dies_in == what:
            self.dies_in = ""
            raise KilledError

    def save(self, progress: Progress, /) -> None:
        self.saved = progress

    def states(self) -> Mapping[str, str]:
        assert not self.is_off, "the states of before would be lost"
        return {"function Api": "none"}

    def switch_off(self, states: Mapping[str, str], /) -> None:
        assert states == {"function Api": "none"}
        self.is_off = True
        self.did("off")

    def switch_on(self, states: Mapping[str, str], /) -> None:
        assert states == {"function Api": "none"}
        self.is_off = False
        self.did("on")

    def begin(self, restored_to_ms: int, /) -> Mapping[str, str]:
        assert self.is_off
        self.did("begin")
        return {"Tx": f"Tx-{restored_to_ms}"}

    def are_ready(self, _copies: Mapping[str, str], /) -> bool:
        return len([call for call in self.calls if call[0] == "begin"]) > 0

    def touched(self, _copies: Mapping[str, str], /) -> Sequence[UsedNumbers]:
        assert ("copy", self.now) not in self.calls, "what differed is gone"
        self.did("touched")
        return (USED,)

    def copy(self, _copies: Mapping[str, str], /) -> None:
        assert self.is_off
        self.did("copy")

    def record(self, progress: Progress, /) -> None:
        assert progress.stopped_at_ms > progress.restored_to_ms
        self.did("record")

    def raise_numbers(self, payments: Sequence[UsedNumbers], /) -> None:
        assert list(payments) == [USED]
        self.did("raise")

    def notify(self) -> None:
        self.did("notify")

    def reconcile(self, _from_ms: int, _until_ms: int, /) -> Sequence[str]:
        self.did("reconcile")
        return ("run_1",)

    def open(self) -> None:
        assert self.is_off
        self.did("open")

    def erase(self, payments: Sequence[UsedNumbers], /) -> None:
        assert list(payments) == [USED]
        self.did("erase")


def times(model: Model) -> dict[str, int]:
    return dict(model.calls)


def test_all_steps_in_their_order_with_their_waits() -> None:
    model = Model()
    done = model.procedure()(model.saved)
    assert done.done == STEPS
    names = [name for name, _ in model.calls]
    assert names == ["off", "begin", "touched", "copy", "record", "raise", "notify", "reconcile", "open", "on", "erase"]
    at = times(model)
    assert at["begin"] >= at["off"] + LONGEST_INVOCATION_MS
    assert at["open"] >= done.stopped_at_ms + VISIBLE_AFTER_MS
    assert at["open"] >= at["record"] + CONFIGURATION_FORGOTTEN_MS
    assert not model.is_off


@pytest.mark.parametrize(
    "call", ["off", "begin", "touched", "copy", "record", "raise", "notify", "reconcile", "open", "on", "erase"]
)
def test_a_kill_in_any_step_is_followed_by_the_same_end(call: str) -> None:
    model = Model(dies_in=call)
    with pytest.raises(KilledError):
        model.procedure()(model.saved)
    done = model.procedure()(model.saved)
    assert done.done == STEPS
    assert [name for name, _ in model.calls].count(call) == 2
    assert not model.is_off


@pytest.mark.parametrize("step", [Step.COPIED, Step.OPENED])
def test_a_person_who_refuses_leaves_everything_off(step: Step) -> None:
    model = Model(refuses=step)
    done = model.procedure()(model.saved)
    assert done.following is step
    assert model.is_off
    model.refuses = None
    assert model.procedure()(model.saved).done == STEPS
