"""`payflowx certify`."""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from ops.errors import Exit, OperatorError
from ops.options import target_options
from ops.secret_input import read_secret
from ops.session import Session, pass_session

_PROVIDERS: Final = ("stripe", "razorpay", "cashfree", "payu")
_FUNCTIONS: Final = Path(__file__).resolve().parents[2] / "functions"


@click.command()
@click.argument("provider", type=click.Choice(_PROVIDERS))
@click.option(
    "--secret-file",
    metavar="FILE",
    help='JSON with the keyId and keySecret of a TEST account; "-" reads it from standard input. Default: a prompt.',
)
@click.option("--endpoint", metavar="URL", help="A simulator on this machine instead of the provider's sandbox.")
@click.option("--token", metavar="TOKEN", help="A stored payment method of the test account, for what needs one.")
@click.option(
    "--payer", is_flag=True, help="You will open the addresses that are printed, and pay there as a test payer."
)
@click.option("--report", "report_file", metavar="FILE", help="Write the report here. Default: certify-PROVIDER.json.")
@target_options
@pass_session
def certify(
    session: Session,
    *,
    provider: str,
    secret_file: str | None,
    endpoint: str | None,
    token: str | None,
    payer: bool,
    report_file: str | None,
) -> None:
    """Run the checklist of docs/providers against a provider's sandbox, with your own test keys.

    Creates, captures, refunds and cancels small test objects in that account. Live credentials are refused before the
    first request. The report holds no key, no token, no id and no personal data.

    Exits with 0 when our connector read every answer as expected, with 3 when one differs.
    """
    certification = _certification()
    path = _writable(Path(report_file or f"certify-{provider}.json"))
    try:
        made = certification.certified(
            provider,
            read_secret(secret_file),
            endpoint=endpoint,
            token=token,
            with_payer=payer,
            say=lambda line: click.echo(line, err=True),
        )
    except certification.LiveAccountError as error:
        hint = "Nothing was sent. Use the keys of a test account."
        raise OperatorError(str(error), Exit.REFUSED, hint=hint) from None
    path.write_text(json.dumps(made.report, indent=2, ensure_ascii=False) + "\n")
    counts = ", ".join(f"{count} {verdict}" for verdict, count in made.report["verdicts"].items())
    session.show(made.report, f"{provider}: {counts}. Report: {path}")
    if made.differs:
        raise click.exceptions.Exit(int(Exit.BAD_NEWS))


def _writable(path: Path) -> Path:
    """Raise a usage error for a path that cannot be written: the run makes objects, and should not be repeated."""
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.UsageError(f"{path} cannot be written.")
    return path


def _certification() -> Any:
    """Import what uses the connectors. They are an asset of the functions, and not installed with this command."""
    if str(_FUNCTIONS) not in sys.path:
        sys.path.append(str(_FUNCTIONS))
    return import_module("ops.certify.certification")
