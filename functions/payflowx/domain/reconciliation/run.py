"""A reconciliation run of one account over one time range: position and discrepancies. Pure.

The whole state is in one item. The write that moves the position also counts the page: so an interrupted run continues
with its current page, and counts each page once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from payflowx.domain.reconciliation.matching import DISCREPANCIES, MatchResult, ResolutionAction, TimeRange
from payflowx.domain.reconciliation.reports import EntryKind, ReportPage
from payflowx.domain.shared.identifiers import derive_id
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS

RUN_PREFIX: Final = "rec_"
MAX_SPAN_MS: Final = 31 * DAY_MS
MAX_FRUITLESS_TRIES: Final = 20
"""After this number of failed reads in a row, the run ends as failed for an operator to inspect."""
HOPELESS_PROBLEMS: Final = frozenset({"file_not_found"})
"""A file is uploaded before its run begins: one that is not there has another name."""
RETRY_SECONDS: Final = 300
MAX_ACTIONS: Final = 200
"""The number of payments that one run may touch.

More discrepancies mean a wrong file or list rather than wrong payments: they are reported without a resolution.
"""
MIN_SLICE_MS: Final = SECOND_MS
SETTLEMENT_LAG_MS: Final = 5 * DAY_MS
"""After this time a charge must be in a settlement file; bank holidays are included."""


class Source(StrEnum):
    """The kind of the provider's report."""

    LIST = "list"
    FILE = "file"


class Phase(StrEnum):
    """First the provider's entries are matched with the ledger, then our charges with the report."""

    THEIRS = "theirs"
    OURS = "ours"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The state of a run. Every stored change raises `version` by one.

    Of two workers on one run, one stops at the version conflict.
    """

    run_id: str
    merchant_id: str
    provider: str
    account_id: str
    source: Source
    file: str | None
    from_ms: int
    until_ms: int
    listed_from_ms: int
    listed_until_ms: int
    lag_ms: int
    created_at_ms: int
    updated_at_ms: int
    slice_from_ms: int
    slice_ms: int
    max_slice_ms: int
    phase: Phase = Phase.THEIRS
    cursor: str | None = None
    pages: int = 0
    actions: int = 0
    tries: int = 0
    problem: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    version: int = 1

    @property
    def is_over(self) -> bool:
        """The run is done, or it failed."""
        return self.phase in {Phase.DONE, Phase.FAILED}

    @property
    def differences(self) -> int:
        """Number of discrepancies that need manual review or woke a worker."""
        return sum(self.counts.get(result.value, 0) for result in DISCREPANCIES)

    @property
    def time_range(self) -> TimeRange:
        """The range that was read, and that the expected charges lie in."""
        return TimeRange(
            from_ms=self.from_ms,
            until_ms=self.until_ms,
            listed_from_ms=self.listed_from_ms,
            listed_until_ms=self.listed_until_ms,
            lag_ms=self.lag_ms,
        )

    @property
    def page(self) -> ReportPage:
        """The next page of the provider's report."""
        until_ms = min(self.slice_from_ms + self.slice_ms, self.listed_until_ms)
        return ReportPage(from_ms=self.slice_from_ms, until_ms=until_ms, cursor=self.cursor)

    def may_act(self, more: int) -> bool:
        """Return whether the run may act on more payments.

        `more` counts those acted on since the run was stored.
        """
        return self.actions + more < MAX_ACTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """A discrepancy as the report shows it. The payment's audit log shows its resolution."""

    result: MatchResult
    action: ResolutionAction
    kind: EntryKind
    reference: str
    provider_key: str | None
    transaction_id: str | None
    operation_id: str | None
    their_amount: int | None
    our_amount: int | None
    currency: str
    at_ms: int
    line: str | None = None

    @property
    def name(self) -> str:
        """The identity of the discrepancy: found again, it is the same one, and the first result stands."""
        return f"{self.kind}#{self.reference}#{self.line or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """The account, source and time range to reconcile."""

    merchant_id: str
    provider: str
    account_id: str
    from_ms: int
    until_ms: int
    file: str | None = None
    again: int = 0
    """Counts deliberate repetitions: without it, the same time range is the same run."""


def begin(new: NewRun, *, lag_ms: int, max_slice_ms: int, now_ms: int) -> Run:
    """Create a run. Its id is derived, so equal requests get the same run and report.

    The report is read a little beyond both ends: a charge at midnight may be dated before it in one list and after it
    in the other.
    """
    source = Source.FILE if new.file else Source.LIST
    parts = (new.merchant_id, new.provider, new.account_id, new.file or "", str(new.from_ms), str(new.until_ms))
    listed_until_ms = min(new.until_ms + lag_ms, now_ms) if source is Source.LIST else now_ms
    listed_from_ms = new.from_ms - lag_ms if source is Source.LIST else 0
    return Run(
        run_id=derive_id(RUN_PREFIX, *parts, str(new.again)),
        merchant_id=new.merchant_id,
        provider=new.provider,
        account_id=new.account_id,
        source=source,
        file=new.file,
        from_ms=new.from_ms,
        until_ms=new.until_ms,
        listed_from_ms=listed_from_ms,
        listed_until_ms=listed_until_ms,
        lag_ms=lag_ms if source is Source.LIST else SETTLEMENT_LAG_MS,
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
        slice_from_ms=listed_from_ms,
        slice_ms=max_slice_ms,
        max_slice_ms=max_slice_ms,
    )


def after_report_page(run: Run, next_cursor: str | None, found: Counter[str], actions: int, now_ms: int) -> Run:
    """Count a page of the report and move the position behind it, for one write."""
    counted = _counted(run, found, actions, now_ms)
    if next_cursor is not None:
        return replace(counted, cursor=next_cursor)
    slice_until_ms = run.page.until_ms
    if run.source is Source.FILE or slice_until_ms >= run.listed_until_ms:
        return replace(counted, phase=Phase.OURS, cursor=None)
    wider_ms = min(run.max_slice_ms, 2 * run.slice_ms)
    return replace(counted, cursor=None, slice_from_ms=slice_until_ms, slice_ms=wider_ms)


def after_ledger_page(run: Run, next_position: str | None, found: Counter[str], actions: int, now_ms: int) -> Run:
    """Count a page of our charges and move the position behind it; the last page ends the run."""
    counted = _counted(run, found, actions, now_ms)
    phase = Phase.OURS if next_position is not None else Phase.DONE
    return replace(counted, cursor=next_position, phase=phase)


def narrower(run: Run, now_ms: int) -> Run | None:
    """Halve the range of an unpaged report that was too long; None where that cannot help."""
    if run.source is Source.FILE or run.cursor is not None or run.slice_ms <= MIN_SLICE_MS:
        return None
    half_ms = max(MIN_SLICE_MS, run.slice_ms // 2 // SECOND_MS * SECOND_MS)
    return replace(run, slice_ms=half_ms, tries=0, version=run.version + 1, updated_at_ms=now_ms)


def after_problem(run: Run, code: str, now_ms: int) -> Run:
    """Record a failed read. After `MAX_FRUITLESS_TRIES` in a row, or when no try can help, the run ends as failed."""
    tries = run.tries + 1
    phase = Phase.FAILED if tries >= MAX_FRUITLESS_TRIES or code in HOPELESS_PROBLEMS else run.phase
    return replace(run, tries=tries, problem=code, phase=phase, version=run.version + 1, updated_at_ms=now_ms)


def _counted(run: Run, found: Counter[str], actions: int, now_ms: int) -> Run:
    return replace(
        run,
        counts=dict(Counter(run.counts) + found),
        actions=run.actions + actions,
        pages=run.pages + 1,
        tries=0,
        problem=None,
        version=run.version + 1,
        updated_at_ms=now_ms,
    )
