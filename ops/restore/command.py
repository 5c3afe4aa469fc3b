"""The steps of `payflowx restore` over AWS, with what each means."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ops.errors import Exit, OperatorError
from ops.options import milliseconds
from ops.restore.deployment import CommandedDeployment
from ops.restore.journal import FileJournal
from ops.restore.sources import AwsSources
from ops.restore.tables import AwsTables
from ops.session import Session
from payflowx.application.recovery.restore_procedure import STEPS, Progress, RestoreProcedure, Step

_MEANING: Final = {
    Step.PLANNED: "Read what every source of work is now.",
    Step.OFF: "Switch queues and functions off: the API answers 5xx from here on.",
    Step.STOPPED: "Wait until the last invocation has ended.",
    Step.RESTORED_BESIDE: "Restore the tables beside themselves: 20 minutes to hours.",
    Step.COMPARED: "Read both, and keep the payments that differ.",
    Step.COPIED: "Write what differs into the tables in use. Asks first.",
    Step.RECORDED: "Record the forgotten time; from here on nothing of it is sent without an inquiry.",
    Step.NOTIFIED: "Raise the event numbers of payments that differ, and notify every merchant with endpoints once.",
    Step.VISIBLE: "Wait until providers must show all that they got: an hour after the stop.",
    Step.RECONCILED: "Start a reconciliation of the forgotten time for every account at a provider that has a report.",
    Step.OPENED: "Record the opening. Asks first.",
    Step.ON: "Switch functions and queues on.",
    Step.ERASED: "Erase again what was erased in the forgotten time.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """One run of the command, or the continuation of one that was killed."""

    session: Session
    journal: Path
    reason: str
    orders_known: bool
    all_on: bool
    asks: Callable[[str], bool]
    written: dict[str, int] = field(default_factory=dict)

    def __call__(self, moment: datetime) -> None:
        """Take all steps that are left. Raises `SystemExit` when a person refuses to go on."""
        restored_to_ms = milliseconds(moment)
        journal = FileJournal(path=self.journal)
        sources = AwsSources(target=self.session.target, all_on=self.all_on)
        tables = AwsTables(target=self.session.target, written=self.written)
        progress = journal.load() or _begun(restored_to_ms, sources, tables)
        if progress.restored_to_ms != restored_to_ms:
            raise OperatorError(
                f"{self.journal} is the journal of a restore to another time.",
                Exit.USAGE,
                hint="Give that time, or another --journal.",
            )
        deployment = CommandedDeployment(session=self.session, reason=self.reason, orders_known=self.orders_known)
        done = RestoreProcedure(
            sources=sources,
            tables=tables,
            deployment=deployment,
            journal=journal,
            now_ms=_now_ms,
            pause=time.sleep,
            confirm=lambda step, known: self.asks(_question(step, known)),
        )(progress)
        for merchant_id in deployment.unreached:
            self.session.say(f"Tell {merchant_id} of the restore: it has no endpoint that takes merchant.restored.")
        for used in deployment.not_erased:
            self.session.say(f"Erase {used.transaction_id} of {used.merchant_id} again, once it is final.")
        self.session.show(self._answer(done), _summary(done))
        if done.following is not None:
            raise SystemExit(int(Exit.BAD_NEWS))

    def _answer(self, done: Progress) -> dict[str, Any]:
        return {
            "done": [step.value for step in done.done],
            "touched": len(done.touched),
            "runs": list(done.runs),
            "written": self.written,
        }


def planned(session: Session, moment: datetime) -> tuple[int, Sequence[dict[str, str]]]:
    """Return the number of sources of work, and the steps with their meanings. It refuses what a run refuses."""
    steps = [{"step": step.value, "does": _MEANING[step]} for step in STEPS]
    sources = AwsSources(target=session.target)
    _begun(milliseconds(moment), sources, AwsTables(target=session.target))
    return len(sources.states()), steps


def _begun(restored_to_ms: int, sources: AwsSources, tables: AwsTables) -> Progress:
    """Refuse what would fail, or go wrong at its end, after everything is off."""
    sources.check()
    tables.check(restored_to_ms, _now_ms())
    return Progress(restored_to_ms=restored_to_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _question(step: Step, progress: Progress) -> str:
    if step is Step.COPIED:
        return f"{len(progress.touched)} payments differ. Write the restored items over those in use?"
    return f"Shall the deployment open? {len(progress.runs)} reconciliations wait for that."


def _summary(progress: Progress) -> str:
    if progress.following is not None:
        return f"Stopped before: {_MEANING[progress.following]} The same command goes on."
    runs = ", ".join(progress.runs) or "none"
    return f"Open. {len(progress.touched)} payments were touched; reconciliations: {runs}."
