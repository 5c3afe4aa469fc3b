"""Reconciliation: days by account, what a run found, both lines of a discrepancy, and a run begun or repeated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any, Final

from ops.commands.reconcile import findings_of
from ops.commands.reconciliations import INCOMPLETE
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View
from ops.console.typed import typed_day
from ops.errors import Exit, OperatorError
from ops.options import milliseconds

_PATH: Final = "/reconciliation"
_DAYS: Final = 7
_MAX_FINDINGS: Final = 500
_MAX_AGAIN: Final = 20
_AGREE: Final = frozenset({"matched", "timing", "foreign"})
"""Results of a comparison that are no discrepancy."""
_MEANINGS: Final[Mapping[str, str]] = {
    "missing_there": "we hold a charge that the provider does not list",
    "missing_here": "the provider lists money that we do not hold",
    "duplicate": "money moved twice, or a file names one charge twice",
    "amount": "the amounts differ",
    "status": "one side says that money moved, the other that it did not",
    "unreadable": "a newer release wrote our side, and nothing was compared",
}


def _list(request: ScreenRequest) -> Page:
    merchant = request.query.get("merchant") or None
    found = request.session.ask("list_reconciliations", days=_DAYS, merchantId=merchant)
    items = found["items"]
    return Page(
        template="reconciliation.html",
        title="Reconciliation",
        values={
            "items": items,
            "cut": "" if found.get("complete", True) else INCOMPLETE,
            "kinds": _kinds(items),
            "merchant": merchant,
            "open": [item for item in items if item["phase"] not in {"done", None}],
        },
        commands=(
            request.command("reconciliations", days=_DAYS, merchant=merchant),
            *_again(request, "PROVIDER", "2026-11-27", "2026-11-28", merchant),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The discrepancies of one kind in the days that are shown. `oldest` is the day of the first, with its run."""

    name: str
    meaning: str
    count: int
    oldest: Mapping[str, Any]


def _kinds(items: Sequence[Mapping[str, Any]]) -> list[Kind]:
    """The kind with the oldest day first."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for item in sorted(items, key=lambda item: str(item["day"])):
        for name in item["counts"]:
            if name not in _AGREE:
                found.setdefault(name, []).append(item)
    return [
        Kind(
            name=name,
            meaning=_MEANINGS.get(name, ""),
            count=sum(int(item["counts"][name]) for item in with_it),
            oldest=with_it[0],
        )
        for name, with_it in found.items()
    ]


def _again(request: ScreenRequest, provider: str, begin: str, end: str, merchant: str | None) -> tuple[Any, ...]:
    days = {"from": begin, "to": end}
    return (request.command("reconcile", provider=provider, **days, merchant=merchant, reason="REASON"),)


def _show(request: ScreenRequest) -> Page:
    run_id = request.path["run"]
    run = request.session.ask("show_reconciliation", runId=run_id)["run"]
    findings = list(islice(findings_of(request.session, run_id), _MAX_FINDINGS + 1))
    begin, end = (datetime.fromtimestamp(run[name] / 1000, UTC) for name in ("fromMs", "untilMs"))
    return Page(
        template="reconciliation_run.html",
        title=f"{run['provider']}, {begin:%Y-%m-%d}",
        values={
            "run": run,
            "begin": f"{begin:%Y-%m-%d %H:%M}",
            "end": f"{end:%Y-%m-%d %H:%M}",
            "findings": findings[:_MAX_FINDINGS],
            "more": len(findings) > _MAX_FINDINGS,
            "path": f"{_PATH}/{run_id}",
        },
        commands=_again(request, run["provider"], f"{begin:%Y-%m-%d}", f"{end:%Y-%m-%d}", run["merchantId"]),
    )


def _repeat(request: ScreenRequest) -> Done:
    """The next number that was not used: a run's id is derived from it."""
    run = request.session.ask("show_reconciliation", runId=request.path["run"])["run"]
    names = {
        "provider": run["provider"],
        "merchantId": run["merchantId"],
        "accountId": run["accountId"],
        "fromMs": run["fromMs"],
        "untilMs": run["untilMs"],
    }
    for again in islice(count(1), _MAX_AGAIN):
        (begun,) = request.change("reconcile", **names, again=again)["runs"]
        if begun["phase"] not in {"done", "failed"}:
            return Done(location=f"{_PATH}/{begun['runId']}", message="The run is begun. Load the page to see how far.")
    raise OperatorError(f"It was repeated {_MAX_AGAIN} times.", Exit.REFUSED, hint="Use payflowx reconcile --again N.")


def _begin(request: ScreenRequest) -> Done:
    """A day of a provider, for one merchant or for all."""
    provider, begin = request.form.get("provider", ""), typed_day(request.form.get("day", ""))
    runs = request.change(
        "reconcile",
        provider=provider,
        merchantId=request.form.get("merchant") or None,
        fromMs=milliseconds(begin),
        untilMs=milliseconds(begin + timedelta(days=1)),
    )["runs"]
    where = f"{_PATH}/{runs[0]['runId']}" if len(runs) == 1 else _PATH
    return Done(location=where, message=f"{len(runs)} begun. Load the page to see how far.")


RECONCILIATION: Final = Screen(
    name="reconciliation",
    title="Reconciliation",
    path=_PATH,
    key="c",
    summary="our ledger against the providers' lists",
    views=(View(_PATH, _list), View(f"{_PATH}/{{run}}", _show)),
    actions=(
        Action(f"{_PATH}/{{run}}/repeat", _repeat, shown_by=_show),
        Action(f"{_PATH}/begin", _begin, shown_by=_list),
    ),
)
