"""Reconciliations, started and shown. The reconciler function takes these commands, over its own wiring."""

from dataclasses import asdict
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from payflowx.application.reconciliation.list_runs import DailyRun
from payflowx.application.reconciliation.start_reconciliations import Asked
from payflowx.domain.reconciliation.run import Discrepancy, Run
from payflowx.domain.shared.errors import Refusal
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import Command, MerchantId, MutatingCommand, TransactionId
from payflowx.entrypoints.operators.protocol import Runners
from payflowx.wiring.reconciliation import ReconcilerWiring

_DISCREPANCIES_A_PAGE: Final = 100
_MAX_DAYS: Final = 14
_DATE_CHARS: Final = len("2026-11-28")
_UNREADABLE: Final = "unreadable"
"""Stands for the phase of a run that a newer release wrote."""
_WIRE_NAMES: Final = {"result": "verdict", "action": "remedy"}
_DECISION: Final = frozenset({"operator", "reason", "verified"})
_Name = Annotated[str, Meta(min_length=1, max_length=40)]


class ReconcileCommand(MutatingCommand, tag="reconcile"):
    """Answers with the runs. Milliseconds since 1970, until exclusive; `file`: a key of the bucket."""

    provider: _Name
    from_ms: int
    until_ms: int
    merchant_id: _Name | None = None
    account_id: _Name | None = None
    file: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    again: Annotated[int, Meta(ge=0, le=1_000)] = 0


class ShowReconciliationCommand(Command, tag="show_reconciliation"):
    """Answers with a run and a page of the discrepancies that it found."""

    run_id: _Name
    after: Annotated[str, Meta(max_length=500)] | None = None


class ListReconciliationsCommand(Command, tag="list_reconciliations"):
    """Answers with the days of each account, the newest first, and what became of their daily runs."""

    days: Annotated[int, Meta(ge=1, le=_MAX_DAYS)] = 7
    provider: _Name | None = None
    merchant_id: _Name | None = None


class ReadRefundsCommand(MutatingCommand, tag="read_refunds"):
    """Reads the refunds of a payment's charge at the provider. One that was made there becomes an operation."""

    merchant_id: MerchantId
    transaction_id: TransactionId


COMMANDS: Final = (ReconcileCommand, ShowReconciliationCommand, ListReconciliationsCommand, ReadRefundsCommand)


def run(
    wired: ReconcilerWiring,
    command: ReconcileCommand | ShowReconciliationCommand | ListReconciliationsCommand | ReadRefundsCommand,
) -> dict[str, Any]:
    """The answer's fields."""
    match command:
        case ReadRefundsCommand():
            evidence = command.operator_action().facts()
            read = wired.record_provider_refunds(command.merchant_id, command.transaction_id, evidence)
            return _camel(asdict(read))
        case ListReconciliationsCommand():
            found = wired.list_runs(days=command.days, provider=command.provider, merchant_id=command.merchant_id)
            return {"items": [_present_day(day) for day in found.items], "complete": found.complete}
        case ReconcileCommand():
            return {"runs": [_present(started) for started in _start(wired, command)]}
        case ShowReconciliationCommand():
            shown_run = wired.runs.get(command.run_id)
            if shown_run is None:
                raise Refusal("run_not_found", "There is no reconciliation with this id; `reconcile` shows its ids.")
            page, after = wired.runs.discrepancies(shown_run.run_id, limit=_DISCREPANCIES_A_PAGE, after=command.after)
            shown = [_present_discrepancy(discrepancy) for discrepancy in page]
            return {"run": _present(shown_run), "findings": shown, "after": after}


RUNNERS: Final[Runners[ReconcilerWiring]] = dict.fromkeys(COMMANDS, run)


def _start(wired: ReconcilerWiring, command: ReconcileCommand) -> list[Run]:
    fields = msgspec.structs.asdict(command)
    asked = Asked(**{name: value for name, value in fields.items() if name not in _DECISION})
    return wired.start_reconciliations.asked_for(asked, command.operator_action())


def _present(shown: Run) -> dict[str, Any]:
    return _camel(
        {
            "run_id": shown.run_id,
            "merchant_id": shown.merchant_id,
            "provider": shown.provider,
            "account_id": shown.account_id,
            "source": shown.source,
            "file": shown.file,
            "from_ms": shown.from_ms,
            "until_ms": shown.until_ms,
            "phase": shown.phase,
            "pages": shown.pages,
            "counts": dict(shown.counts),
            "differences": shown.differences,
            "problem": shown.problem,
        }
    )


def _present_day(day: DailyRun) -> dict[str, Any]:
    run = day.run
    return {
        "merchantId": day.owner.merchant_id,
        "provider": day.owner.provider,
        "accountId": day.owner.account_id,
        "day": timestamp(day.from_ms)[:_DATE_CHARS],
        "runId": day.run_id if run or day.is_unreadable else None,
        "phase": run.phase.value if run else _UNREADABLE if day.is_unreadable else None,
        "counts": dict(run.counts) if run else {},
        "differences": run.differences if run else 0,
        "problem": run.problem if run else None,
        "updatedAt": timestamp(run.updated_at_ms) if run else None,
    }


def _present_discrepancy(discrepancy: Discrepancy) -> dict[str, Any]:
    return _camel({_WIRE_NAMES.get(name, name): value for name, value in asdict(discrepancy).items()})


def _camel(fields: dict[str, Any]) -> dict[str, Any]:
    return {_wire_name(name): value for name, value in fields.items() if value is not None}


def _wire_name(name: str) -> str:
    """`run_id` -> `runId`, as everywhere on the wire."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
