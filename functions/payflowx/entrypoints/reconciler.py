"""The reconciler: runs from its queue, every hour whatever is to be started, and operators' commands.

Commands are invoked with IAM, never through the API: `reconcile` starts runs, `show_reconciliation` shows one.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import cache, partial
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from payflowx.adapters.platform import log_context
from payflowx.adapters.platform.clock import LambdaDeadline
from payflowx.adapters.sqs.runs import decode_run
from payflowx.application.reconciliation.start_reconciliations import Asked
from payflowx.bootstrap import Container
from payflowx.domain.reconciliation.run import Discrepancy, Run
from payflowx.domain.shared.ambient import Deadline
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError

_FINDINGS_A_PAGE: Final = 100
_Name = Annotated[str, Meta(min_length=1, max_length=40)]


class _Command(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True, tag_field="command"):
    pass


class ReconcileCommand(_Command, tag="reconcile"):
    """Answers with the runs. Milliseconds since 1970, until exclusive; `file`: a key of the bucket."""

    provider: _Name
    from_ms: int
    until_ms: int
    merchant_id: _Name | None = None
    account_id: _Name | None = None
    file: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    again: Annotated[int, Meta(ge=0, le=1_000)] = 0


class ShowReconciliationCommand(_Command, tag="show_reconciliation"):
    """Answers with a run and a page of what it found."""

    run_id: _Name
    after: Annotated[str, Meta(max_length=500)] | None = None


_Commands = ReconcileCommand | ShowReconciliationCommand


@cache
def container() -> Container:
    """One a function instance; tests replace it."""
    return Container()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Failed messages alone come back; a command is answered with `{"ok": true, ...}` or with an error."""
    deadline = LambdaDeadline(context)
    if "Records" in event:
        return _batch(event["Records"], deadline)
    with log_context.invocation(context, container().trace):
        if "command" in event:
            return _answer(event)
        return {"unfinished": container().start_reconciliations.of_last_days(deadline)}


def _batch(records: list[dict[str, Any]], deadline: Deadline) -> dict[str, Any]:
    failed: list[str] = []
    tasks: list[Callable[[], None]] = [partial(_go_on, record, deadline, failed) for record in records]
    container().concurrency.run(tasks)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _go_on(record: dict[str, Any], deadline: Deadline, failed: list[str]) -> None:
    """A message fails for any exception: it comes back, and the run goes on with the page it was at."""
    wired = container()
    with log_context.message(record):
        try:
            run_id = decode_run(record["body"])
            log_context.add({"runId": run_id})
            wired.reconcile(run_id, deadline)
        except Exception:
            failed.append(record["messageId"])
            wired.logger.exception("message failed")


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    try:
        command: _Commands = msgspec.convert(event, _Commands, strict=True)
        return {"ok": True, **_run(command)}
    except msgspec.ValidationError as error:
        return _failure("command_invalid", str(error))
    except Refusal as refusal:
        return _failure(refusal.code, refusal.detail)
    except StorageUnavailableError as error:
        return _failure("unavailable", f"{error}. What was started goes on by itself; try again.")


def _run(command: _Commands) -> dict[str, Any]:
    wired = container()
    match command:
        case ReconcileCommand():
            runs = wired.start_reconciliations.asked_for(Asked(**msgspec.structs.asdict(command)))
            return {"runs": [_shown(run) for run in runs]}
        case ShowReconciliationCommand():
            run = wired.runs.get(command.run_id)
            if run is None:
                raise Refusal("run_not_found", "There is no reconciliation with this id; `reconcile` shows its ids.")
            discrepancies, after = wired.runs.discrepancies(run.run_id, limit=_FINDINGS_A_PAGE, after=command.after)
            shown = [_shown_discrepancy(found) for found in discrepancies]
            return {"run": _shown(run), "findings": shown, "after": after}


def _shown(run: Run) -> dict[str, Any]:
    shown = {
        "run_id": run.run_id,
        "merchant_id": run.merchant_id,
        "provider": run.provider,
        "account_id": run.account_id,
        "source": run.source,
        "file": run.file,
        "from_ms": run.from_ms,
        "until_ms": run.until_ms,
        "phase": run.phase,
        "pages": run.pages,
        "counts": dict(run.counts),
        "differences": run.differences,
        "problem": run.problem,
    }
    return _camel(shown)


_WIRE_NAMES: Final = {"result": "verdict", "action": "remedy"}


def _shown_discrepancy(discrepancy: Discrepancy) -> dict[str, Any]:
    return _camel({_WIRE_NAMES.get(name, name): value for name, value in asdict(discrepancy).items()})


def _camel(fields: dict[str, Any]) -> dict[str, Any]:
    return {_wire_name(name): value for name, value in fields.items() if value is not None}


def _wire_name(name: str) -> str:
    """`run_id` -> `runId`, as everywhere on the wire."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _failure(code: str, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"code": code, "message": message}}
