"""`payflowx reconcile`: compare our ledger with a provider's report, or with a settlement file.

The work is done by the reconciler function; this command starts it, waits, and shows what it found.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from ops.errors import Exit, OperatorError
from ops.options import target_options
from ops.session import Session, pass_session

_POLL_SECONDS: Final = 2.0
_MAX_WAIT_SECONDS: Final = 3_600
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])
_OVER: Final = frozenset({"done", "failed"})
_COLUMNS: Final = ("verdict", "remedy", "kind", "transactionId", "reference", "theirAmount", "ourAmount", "currency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """The function, by IAM, and the bucket that it reads settlement files from."""

    functions: Any
    files: Any
    function_name: str
    bucket: str

    def call(self, **command: Any) -> dict[str, Any]:
        """Its answer. Raises `OperatorError` with what it said."""
        given = {name: value for name, value in command.items() if value is not None}
        answer = self.functions.invoke(FunctionName=self.function_name, Payload=json.dumps(given).encode())
        content: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise OperatorError(
                "The reconciler failed.", Exit.FAILED, hint="Its log says why. Nothing is lost: try again."
            )
        if not content.get("ok"):
            raise OperatorError(content["error"]["message"], Exit.REFUSED)
        return content

    def upload(self, provider: str, file: Path) -> str:
        """Named by its content: the same file is the same reconciliation, and a changed one is another."""
        digest = hashlib.sha256()
        with file.open("rb") as content:
            while chunk := content.read(1 << 20):
                digest.update(chunk)
        key = f"{provider}/{digest.hexdigest()[:32]}.csv"
        self.files.upload_file(str(file), self.bucket, key)
        return key

    def shown(self, run_id: str) -> dict[str, Any]:
        """A run without its findings."""
        run: dict[str, Any] = self.call(command="show_reconciliation", runId=run_id)["run"]
        return run

    def findings(self, run_id: str) -> Iterator[dict[str, Any]]:
        """All of them, page by page."""
        after: str | None = None
        while True:
            page = self.call(command="show_reconciliation", runId=run_id, after=after)
            yield from page["findings"]
            after = page.get("after")
            if after is None:
                return


def reconciler_of(session: Session) -> Reconciler:
    """That of the stage or environment that the options name, with the caller's own credentials."""
    target = session.target
    return Reconciler(
        functions=target.client("lambda"),
        files=target.client("s3"),
        function_name=target.outputs["ReconcilerFunctionName"],
        bucket=target.outputs["SettlementsBucketName"],
    )


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
) -> None:
    """Compare our book with a provider's.

    Exits with 0 when the books agree, with 3 when they differ or a book could not be read. A run that is interrupted
    goes on by itself; the same command shows it again.
    """
    reconciler = reconciler_of(session)
    started = reconciler.call(
        command="reconcile",
        provider=provider,
        fromMs=_milliseconds(begin),
        untilMs=_milliseconds(end),
        merchantId=merchant,
        accountId=account,
        file=reconciler.upload(provider, file) if file else None,
        again=again,
    )
    runs = started["runs"]
    if wait:
        runs = [_waited_for(reconciler, run["runId"]) for run in runs]
    reports = [{**run, "findings": list(reconciler.findings(run["runId"])) if wait else []} for run in runs]
    session.show(reports, "\n\n".join(_report(run) for run in reports))
    if any(run["differences"] or run["phase"] == "failed" for run in reports):
        raise click.exceptions.Exit(Exit.BAD_NEWS)


def _waited_for(reconciler: Reconciler, run_id: str) -> dict[str, Any]:
    until = time.monotonic() + _MAX_WAIT_SECONDS
    while True:
        run = reconciler.shown(run_id)
        if run["phase"] in _OVER:
            return run
        if time.monotonic() > until:
            raise OperatorError(f"{run_id} is not over after an hour.", Exit.UNAVAILABLE, hint="It goes on; ask later.")
        time.sleep(_POLL_SECONDS)


def _milliseconds(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp() * 1000)


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
