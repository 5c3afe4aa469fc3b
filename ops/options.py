"""Options that commands share. `target_options` belongs to every command, `reason_option` to every change."""

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import click

from ops.session import Session
from ops.target import LOCAL

F = TypeVar("F", bound=Callable[..., Any])

_ENVIRONMENT: Final = re.compile(r"[a-z][a-z0-9]{1,19}")
MAX_REASON_CHARS: Final = 500
YEARS: Final = range(2000, 2200)
"""Of the times that a person may name."""


class Environment(click.ParamType[str]):
    """`local`, or the name of a deployed environment as `infra/settings.py` has it."""

    name = "environment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The stacks' names are made from it."""
        if not _ENVIRONMENT.fullmatch(str(value)):
            self.fail("say local, or an environment's name such as dev or prod.", param, ctx)
        return str(value)


class UtcTime(click.DateTime):
    """A time or a day in UTC, of a year that has others before and after it: the clock ends with the year 9999."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """With its zone."""
        found: datetime = super().convert(value, param, ctx)
        if found.year not in YEARS:
            self.fail(f"the year must be {YEARS[0]} to {YEARS[-1]}, not {found.year}.", param, ctx)
        return found.replace(tzinfo=UTC)


def milliseconds(at: datetime) -> int:
    """Since 1970, as the operators' function takes times."""
    return int(at.timestamp() * 1_000)


class TransactionId(click.ParamType[str]):
    """`pay_...`: found out here, not by a round trip."""

    name = "transaction_id"
    _PATTERN: Final = re.compile(r"pay_[a-z2-7]{16}")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it is."""
        if not self._PATTERN.fullmatch(str(value)):
            self.fail("a payment's id is pay_ and 16 of a-z and 2-7, such as pay_4fr6q27belrmwp3h.", param, ctx)
        return str(value)


class ReviewId(click.ParamType[str]):
    """A payment's id, or a capture's, void's or refund's."""

    name = "id"
    _PATTERN: Final = re.compile(r"(?:pay|cap|void|ref)_[a-z2-7]{16}")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As it is."""
        if not self._PATTERN.fullmatch(str(value)):
            self.fail("an id is pay_, cap_, void_ or ref_ and 16 of a-z and 2-7.", param, ctx)
        return str(value)


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(ctx.ensure_object(Session), name, value)

    return callback


def target_options(command: F) -> F:
    """Add the options for the environment and the form of the answer, after the command's name."""
    return _target_options(command, environment_variable=None)


def root_options(command: F) -> F:
    """The same before the command's name. Only here does a variable count: what is typed always wins over it."""
    return _target_options(command, environment_variable="PAYFLOWX_ENV")


def _target_options(command: F, *, environment_variable: str | None) -> F:
    for option in (
        click.option(
            "--json",
            is_flag=True,
            expose_value=False,
            callback=_remember("as_json"),
            help="Answer in JSON, for scripts.",
        ),
        click.option(
            "--region",
            expose_value=False,
            callback=_remember("region"),
            help="AWS region of the environment; else the one that is configured.",
        ),
        click.option(
            "--env",
            type=Environment(),
            metavar="NAME",
            envvar=environment_variable,
            expose_value=False,
            callback=_remember("environment"),
            help=f"Environment: {LOCAL} (the local environment; the default), dev, staging, prod.",
        ),
    ):
        command = option(command)
    return command


def reason_option(command: F) -> F:
    """Why. It is kept for ever, so it holds no personal data: a ticket's number is best."""
    return click.option(
        "--reason",
        required=True,
        callback=_checked_reason,
        help="Why, in words that may be kept for ever. A ticket's number is best.",
    )(command)


def _checked_reason(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    text = value.strip()
    if not 1 <= len(text) <= MAX_REASON_CHARS:
        raise click.BadParameter(f"say why in 1 to {MAX_REASON_CHARS} characters.")
    return text


def merchant_option(command: F) -> F:
    """Whose; where the id of a payment is all there is."""
    return click.option(
        "--merchant",
        envvar="PAYFLOWX_MERCHANT",
        metavar="ID",
        help="The merchant. Default: the local environment's demo merchant.",
    )(command)


def every_merchant_option(command: F) -> F:
    """Whose list; where a list can be of all merchants."""
    return click.option("--merchant", metavar="ID", help="Only this merchant's. Default: everyone's.")(command)


def yes_option(command: F) -> F:
    """For scripts."""
    return click.option("--yes", is_flag=True, help="Do not ask whether this is meant.")(command)


def transaction_argument(command: F) -> F:
    """The payment."""
    return click.argument("transaction_id", type=TransactionId())(command)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be taken back. Without a terminal, `--yes` is the only way."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody is there to ask: say --yes.")
    click.confirm(question, abort=True, err=True)
