"""The way of a restore: off, back, recorded, reconciled, open. Each step is stored, and safe to repeat after a kill.

It runs beside the deployment, on an operator's machine, over ports: AWS for `payflowx restore`, models in tests.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from payflowx.application.recovery.restore import CONFIGURATION_FORGOTTEN_MS, UsedNumbers
from payflowx.domain.shared.limits import HOUR_MS, MINUTE_MS, SECOND_MS

LONGEST_INVOCATION_MS: Final = 2 * MINUTE_MS
"""After the sources are off, the last invocation ends within this time: no function's timeout is longer."""
VISIBLE_AFTER_MS: Final = HOUR_MS
"""So long after the stop, a provider's answers hold all that it got: the longest visibility lag of the connectors."""
_PAUSE_MS: Final = 15 * SECOND_MS
_PAYMENTS_AT_ONCE: Final = 50


class Step(StrEnum):
    """In this order."""

    PLANNED = "planned"
    OFF = "off"
    STOPPED = "stopped"
    RESTORED_BESIDE = "restored_beside"
    COMPARED = "compared"
    COPIED = "copied"
    RECORDED = "recorded"
    NOTIFIED = "notified"
    VISIBLE = "visible"
    RECONCILED = "reconciled"
    OPENED = "opened"
    ON = "on"
    ERASED = "erased"


STEPS: Final = tuple(Step)
_TAKING_BACK: Final = frozenset(STEPS[: STEPS.index(Step.COPIED) + 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The steps that are done, and the facts that later steps need of them."""

    restored_to_ms: int
    done: tuple[Step, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    """What each source of work was before it was switched off."""
    stopped_at_ms: int = 0
    copies: Mapping[str, str] = field(default_factory=dict)
    """The table restored beside each table."""
    touched: Sequence[UsedNumbers] = ()
    """The payments that differ from those of the restored tables, as they were before these were copied."""
    runs: Sequence[str] = ()
    """The reconciliations of the forgotten time."""

    @property
    def following(self) -> Step | None:
        """The next step; None when all are done."""
        return next((step for step in STEPS if step not in self.done), None)


class Journal(Protocol):
    """The stored progress. A step that is stored is not taken again."""

    def save(self, progress: Progress, /) -> None: ...


class Sources(Protocol):
    """Everything that lets a function run: queues, schedules, the API's stages."""

    def states(self) -> Mapping[str, str]:
        """Return what each source is now."""
        ...

    def switch_off(self, states: Mapping[str, str], /) -> None: ...

    def switch_on(self, states: Mapping[str, str], /) -> None:
        """Make each source what it was."""
        ...


class RestoredTables(Protocol):
    """The tables, and their copies of the restored time."""

    def begin(self, restored_to_ms: int, /) -> Mapping[str, str]:
        """Begin to restore each table beside itself; return the copies' names. A copy that exists is taken."""
        ...

    def are_ready(self, copies: Mapping[str, str], /) -> bool: ...

    def touched(self, copies: Mapping[str, str], /) -> Sequence[UsedNumbers]:
        """Return the payments whose items differ from the copies'. Reads only."""
        ...

    def copy(self, copies: Mapping[str, str], /) -> None:
        """Make each table equal to its copy: put what differs, delete what the copy does not have."""
        ...


class Deployment(Protocol):
    """The operators' function and the reconciler, which are invoked directly while everything else is off."""

    def record(self, progress: Progress, /) -> None: ...
    def raise_numbers(self, payments: Sequence[UsedNumbers], /) -> None: ...
    def notify(self) -> None:
        """Notify every merchant with endpoints: one event each."""
        ...

    def reconcile(self, from_ms: int, until_ms: int, /) -> Sequence[str]:
        """Start a run for every account with a report, and return the runs."""
        ...

    def open(self) -> None: ...
    def erase(self, payments: Sequence[UsedNumbers], /) -> None:
        """Erase personal data again, of payments that are final by now; the others are left to operators."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreProcedure:
    """Takes step after step. `confirm` is asked before the steps that cannot be taken back: copying and opening."""

    sources: Sources
    tables: RestoredTables
    deployment: Deployment
    journal: Journal
    now_ms: Callable[[], int]
    pause: Callable[[float], None]
    """Waits for some seconds."""
    confirm: Callable[[Step, Progress], bool]

    def __call__(self, progress: Progress) -> Progress:
        """Go on until everything is on again, or until `confirm` refuses; return the progress as stored."""
        while (step := progress.following) is not None:
            if step in {Step.COPIED, Step.OPENED} and not self.confirm(step, progress):
                return progress
            progress = self._take_back(step, progress) if step in _TAKING_BACK else self._open_again(step, progress)
            progress = replace(progress, done=(*progress.done, step))
            self.journal.save(progress)
        return progress

    def _take_back(self, step: Step, progress: Progress) -> Progress:
        match step:
            case Step.PLANNED:
                return replace(progress, sources=self.sources.states())
            case Step.OFF:
                self.sources.switch_off(progress.sources)
            case Step.STOPPED:
                self._wait_until(self.now_ms() + LONGEST_INVOCATION_MS)
                return replace(progress, stopped_at_ms=self.now_ms())
            case Step.RESTORED_BESIDE:
                copies = self.tables.begin(progress.restored_to_ms)
                while not self.tables.are_ready(copies):
                    self.pause(_PAUSE_MS / SECOND_MS)
                return replace(progress, copies=copies)
            case Step.COMPARED:
                return replace(progress, touched=self.tables.touched(progress.copies))
            case Step.COPIED:
                self.tables.copy(progress.copies)
        return progress

    def _open_again(self, step: Step, progress: Progress) -> Progress:
        match step:
            case Step.RECORDED:
                self.deployment.record(progress)
                self._wait_until(self.now_ms() + CONFIGURATION_FORGOTTEN_MS)
            case Step.NOTIFIED:
                for place in range(0, len(progress.touched), _PAYMENTS_AT_ONCE):
                    self.deployment.raise_numbers(progress.touched[place : place + _PAYMENTS_AT_ONCE])
                self.deployment.notify()
            case Step.VISIBLE:
                self._wait_until(progress.stopped_at_ms + VISIBLE_AFTER_MS)
            case Step.RECONCILED:
                runs = self.deployment.reconcile(progress.restored_to_ms, progress.stopped_at_ms)
                return replace(progress, runs=runs)
            case Step.OPENED:
                self.deployment.open()
            case Step.ON:
                self.sources.switch_on(progress.sources)
            case Step.ERASED:
                self.deployment.erase([payment for payment in progress.touched if payment.erased])
        return progress

    def _wait_until(self, at_ms: int) -> None:
        while (left_ms := at_ms - self.now_ms()) > 0:
            self.pause(min(left_ms, _PAUSE_MS) / SECOND_MS)
