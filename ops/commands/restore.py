"""`payflowx restore`: the tables as they were, without a second charge."""

import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from ops.options import UtcTime, reason_option, target_options
from ops.session import Session, pass_session

_FUNCTIONS: Final = Path(__file__).resolve().parents[2] / "functions"
_moment = click.option(
    "--to",
    "moment",
    required=True,
    metavar="TIME",
    type=UtcTime(["%Y-%m-%dT%H:%M:%SZ"]),
    help="The time (UTC), such as 2027-01-31T09:15:00Z.",
)


@click.group()
def restore() -> None:
    """Restore the tables to an earlier time, without charging twice."""


@restore.command("plan")
@_moment
@target_options
@pass_session
def plan(session: Session, *, moment: datetime) -> None:
    """Show what `run` would do, and refuse what it would refuse. Changes nothing."""
    sources, steps = _steps().planned(session, moment)
    session.say(f"{sources} sources of work; the tables as they were at {moment:%Y-%m-%d %H:%M:%S} UTC.")
    session.show_table(steps, {"step": "step", "does": "does"}, nothing="")


@restore.command("run")
@_moment
@click.option(
    "--journal",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("payflowx-restore.json"),
    show_default=True,
    help="The progress, from which the same command goes on.",
)
@click.option("--orders-known", is_flag=True, help="No forgotten payment can hold an order. Else they go to review.")
@click.option("--all-on", is_flag=True, help="Switch on at the end also what is off already: its journal is lost.")
@click.option("--yes", is_flag=True, help="Do not ask before copying and before opening.")
@reason_option
@target_options
@pass_session
def run(
    session: Session, *, moment: datetime, journal: Path, orders_known: bool, all_on: bool, yes: bool, reason: str
) -> None:
    """Take all steps, or those that are left. Exits with 3 when a person refuses to go on."""
    _steps().Restoring(
        session=session,
        journal=journal,
        reason=reason,
        orders_known=orders_known,
        all_on=all_on,
        asks=lambda question: yes or click.confirm(question, err=True),
    )(moment)


@restore.command("status")
@target_options
@pass_session
def status(session: Session) -> None:
    """The last restore that was recorded, and until when payments are inquired about first."""
    found = session.ask("show_restore")["restore"]
    if found is None:
        session.show({}, "No restore is recorded.")
        return
    session.show_fields(found, found)


def _steps() -> Any:
    """The steps are the deployment's own code, which lies beside this command line."""
    if str(_FUNCTIONS) not in sys.path:
        sys.path.append(str(_FUNCTIONS))
    return import_module("ops.restore.command")
