"""`payflowx restore`: the tables as they were, without a second charge."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from ops.errors import Exit, OperatorError
from ops.options import reason_option, target_options
from ops.restore.deployment import CommandedDeployment
from ops.restore.journal import FileJournal
from ops.restore.sources import AwsSources
from ops.restore.tables import AwsTables
from ops.session import Session, pass_session
from payflowx.application.recovery.restore_procedure import STEPS, Progress, RestoreProcedure, Step

_MOMENT: Final = click.DateTime(["%Y-%m-%dT%H:%M:%SZ"])
_MEANING: Final = {
    Step.PLANNED: "Read what every source of work is now.",
    Step.OFF: "Switch queues and functions off: the API answers 5xx from here on.",
    Step.STOPPED: "Wait until the last invocation has ended.",
    Step.RESTORED_BESIDE: "Restore the tables beside themselves: 20 minutes to hours.",
    Step.COMPARED: "Read both, and keep the payments that differ.",
    Step.COPIED: "Write what differs into the tables in use. Asks first.",
    Step.RECORDED: "Record the forgotten time; from here on nothing of it is sent without an inquiry.",
    Step.ANNOUNCED: "Raise the event numbers of payments that differ, and notify their merchants.",
    Step.VISIBLE: "Wait until providers must show all that they got: an hour after the stop.",
    Step.RECONCILED: "Reconcile the forgotten time with every provider that has a report.",
    Step.OPENED: "Record the opening. Asks first.",
    Step.ON: "Switch functions and queues on.",
    Step.ERASED: "Erase again what was erased in the forgotten time.",
}


@click.group()
def restore() -> None:
    """Restore the tables to an earlier time, without charging twice."""


@restore.command("plan")
@click.option("--to", "moment", required=True, type=_MOMENT, help="The time (UTC), such as 2027-01-31T09:15:00Z.")
@target_options
@pass_session
def plan(session: Session, *, moment: datetime) -> None:
    """Show what `run` would do. Changes nothing."""
    sources = AwsSources(target=session.target).states()
    items = [{"step": step.value, "does": _MEANING[step]} for step in STEPS]
    session.say(f"{len(sources)} sources of work; the tables as they were at {moment:%Y-%m-%d %H:%M:%S} UTC.")
    session.show_table(items, {"step": "step", "does": "does"}, nothing="")


@restore.command("run")
@click.option("--to", "moment", required=True, type=_MOMENT, help="The time (UTC), such as 2027-01-31T09:15:00Z.")
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("payflowx-restore.json"),
    show_default=True,
    help="The file of the progress: the same command goes on from it.",
)
@click.option(
    "--orders-known/--orders-unknown",
    default=False,
    help="Whether no forgotten payment can hold an order. Unknown: payments that say once go to review.",
)
@click.option("--yes", is_flag=True, help="Do not ask before copying and before opening.")
@reason_option
@target_options
@pass_session
def run(session: Session, *, moment: datetime, journal: Path, orders_known: bool, yes: bool, reason: str) -> None:
    """Take all steps, or those that are left. Exits with 3 when a person has refused to go on."""
    restored_to_ms = int(moment.replace(tzinfo=UTC).timestamp() * 1000)
    stored = FileJournal(path=journal)
    progress = stored.load() or Progress(restored_to_ms=restored_to_ms)
    if progress.restored_to_ms != restored_to_ms:
        raise OperatorError(
            f"{journal} is the journal of a restore to another time.",
            Exit.USAGE,
            hint="Give that time, or another --journal.",
        )
    deployment = CommandedDeployment(session=session, reason=reason, orders_known=orders_known)
    tables = AwsTables(target=session.target)
    done = RestoreProcedure(
        sources=AwsSources(target=session.target),
        tables=tables,
        deployment=deployment,
        journal=stored,
        now_ms=lambda: time.time_ns() // 1_000_000,
        pause=time.sleep,
        confirm=lambda step, known: yes or click.confirm(_question(step, known)),
    )(progress)
    for used in deployment.not_erased:
        session.say(f"Erase {used.transaction_id} of {used.merchant_id} again, once it is final.")
    answer = {
        "done": [step.value for step in done.done],
        "touched": len(done.touched),
        "runs": list(done.runs),
        "written": tables.written,
    }
    session.show(answer, _summary(done))
    if done.following is not None:
        raise SystemExit(int(Exit.BAD_NEWS))


@restore.command("status")
@target_options
@pass_session
def status(session: Session) -> None:
    """The last restore that was recorded, and until when payments are inquired about first."""
    found = session.ask("show_restore")["restore"]
    if found is None:
        session.show({}, "No restore is recorded.")
        return
    session.show_fields(found, {name: found[name] for name in found})


def _question(step: Step, progress: Progress) -> str:
    if step is Step.COPIED:
        return f"{len(progress.touched)} payments differ. Write the restored items over those in use?"
    return "Are the differences of the reconciliations understood, and shall the deployment open?"


def _summary(progress: Progress) -> str:
    if progress.following is not None:
        return f"Stopped before: {_MEANING[progress.following]} The same command goes on."
    runs = ", ".join(progress.runs) or "none"
    return f"Open. {len(progress.touched)} payments were touched; reconciliations: {runs}."
