"""`payflowx reconcile`: compare our ledger with a provider's report, or with a settlement file.

The work is done by the reconciler function; this command starts it, waits, and shows what it found.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from ops.errors import Exit, OperatorError
from ops.options import UtcTime, milliseconds, reason_option, target_options
from ops.session import Session, pass_session
from ops.target import aws_errors

_POLL_SECONDS: Final = 2.0
_WAIT_SECONDS: Final = 3_600
_MAX_WAIT_SECONDS: Final = 86_400
_DAY = UtcTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])
_OVER: Final = frozenset({"done", "failed"})
_COLUMNS: Final = ("verdict", "remedy", "kind", "transactionId", "reference", "theirAmount", "ourAmount", "currency")


@click.command("reconcile")
@click.option("--provider", required=True, help="As the registry names it: stripe, razorpay, cashfree, payu.")
@click.option("--from", "begin", required=True, type=_DAY, help="The first day (UTC), or a time.")
@click.option("--to", "end", required=True, type=_DAY, help="The day after the last one (UTC), or a time.")
@click.option("--merchant", help="One merchant; all with an account at the provider if it is left out.")
@click.option("--account", help="One account, where a merchant has several at the provider.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A settlement file (CSV) instead of the provider's report.",
)
@click.option("--again", type=click.IntRange(0, 1_000), default=0, help="Repeat a finished run: 1, 2, ...")
@click.option("--wait/--no-wait", default=True, help="Wait for the end and show the differences.")
@click.option(
    "--wait-seconds",
    type=click.IntRange(1, _MAX_WAIT_SECONDS),
    default=_WAIT_SECONDS,
    show_default=True,
    help="Wait no longer for one run. It goes on by itself.",
)
@reason_option
@target_options
@pass_session
def reconcile(
    session: Session,
    *,
    provider: str,
    begin: datetime,
    end: datetime,
    merchant: str | None,
    account: str | None,
    file: Path | None,
    again: int,
    wait: bool,
    wait_seconds: int,
    reason: str,
) -> None:
    """Compare our book with a provider's.

    Exits with 0 when the books agree, with 3 when they differ or a book could not be read. A run that is interrupted
    goes on by itself; the same command shows it again.
    """
    runs = session.change(
        "reconcile",
        reason,
        provider=provider,
        fromMs=milliseconds(begin),
        untilMs=milliseconds(end),
        merchantId=merchant,
        accountId=account,
        file=_uploaded(session, provider, file) if file else None,
        again=again,
    )["runs"]
    if wait:
        runs = [_waited_for(session, run["runId"], wait_seconds) for run in runs]
    reports = [{**run, "findings": list(findings_of(session, run["runId"])) if wait else []} for run in runs]
    session.show(reports, "\n\n".join(_report(run) for run in reports))
    if any(run["differences"] or run["phase"] == "failed" for run in reports):
        raise click.exceptions.Exit(Exit.BAD_NEWS)


def _uploaded(session: Session, provider: str, file: Path) -> str:
    """The file's key in the bucket that the reconciler reads.

    It is named by its content: the same file is the same reconciliation, and a changed one is another.
    """
    target = session.target
    with file.open("rb") as content, aws_errors("upload the settlement file", changing=True):
        key = f"{provider}/{hashlib.file_digest(content, 'sha256').hexdigest()[:32]}.csv"
        content.seek(0)
        target.client("s3").put_object(Bucket=target.outputs["SettlementsBucketName"], Key=key, Body=content)
    return key


def _waited_for(session: Session, run_id: str, wait_seconds: int) -> dict[str, Any]:
    until = time.monotonic() + wait_seconds
    while True:
        run: dict[str, Any] = _shown(session, run_id)["run"]
        if run["phase"] in _OVER:
            return run
        if time.monotonic() > until:
            what = f"{run_id} is not over after {wait_seconds} s."
            raise OperatorError(what, Exit.UNAVAILABLE, hint="It goes on; repeat the command later.")
        time.sleep(_POLL_SECONDS)


def findings_of(session: Session, run_id: str) -> Iterator[dict[str, Any]]:
    """All of them, page by page."""
    after: str | None = None
    while True:
        page = _shown(session, run_id, after)
        yield from page["findings"]
        after = page.get("after")
        if after is None:
            return


def _shown(session: Session, run_id: str, after: str | None = None) -> dict[str, Any]:
    return session.ask("show_reconciliation", runId=run_id, after=after)


def _report(run: Mapping[str, Any]) -> str:
    head = f"{run['runId']}  {run['merchantId']} at {run['provider']}  {run['phase']}"
    counts = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in sorted(run["counts"].items()))
    lines = [head, f"  {counts or 'nothing compared yet'}"]
    if run.get("problem"):
        lines.append(f"  It could not be read: {run['problem']}. See docs/runbooks/reconciliation-stuck.md.")
    if run["findings"]:
        lines += ["", *_table(run["findings"]), "", "  See docs/runbooks/reconciliation-difference.md."]
    return "\n".join(lines)


def _table(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [_COLUMNS, *(tuple(str(finding.get(name, "-")) for name in _COLUMNS) for finding in findings)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
