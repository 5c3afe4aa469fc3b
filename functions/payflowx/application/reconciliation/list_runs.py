"""The daily reconciliations of the last days, found by their derived ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from payflowx.domain.payments.capabilities import ReportCapability
from payflowx.domain.reconciliation.ports import AccountDirectory, AccountOwner, ListingProviders, Runs
from payflowx.domain.reconciliation.run import NewRun, Run, begin
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.domain.shared.limits import DAY_MS

MAX_ACCOUNTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRun:
    """A day of an account; `run` None: it is not reconciled yet, or this release cannot read the run."""

    owner: AccountOwner
    from_ms: int
    run_id: str
    run: Run | None
    is_unreadable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRuns:
    """The newest day first. `complete` False: there are more accounts with a report than were looked at."""

    items: Sequence[DailyRun]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRuns:
    """Starts nothing."""

    directory: AccountDirectory
    runs: Runs
    providers: ListingProviders
    clock: Clock
    max_accounts: int = MAX_ACCOUNTS

    def __call__(self, *, days: int, provider: str | None = None, merchant_id: str | None = None) -> DailyRuns:
        """Return the days of the first hundred accounts with a report."""
        now_ms = self.clock.now_ms()
        today_ms = now_ms // DAY_MS * DAY_MS
        owners = (
            owner
            for owner in self.directory.accounts()
            if provider in {None, owner.provider}
            and merchant_id in {None, owner.merchant_id}
            and self._has_reports(owner.provider)
        )
        looked_at = list(islice(owners, self.max_accounts))
        wanted = [(owner, today_ms - day * DAY_MS) for owner in looked_at for day in range(1, days + 1)]
        ids = [_run_id(owner, from_ms, now_ms) for owner, from_ms in wanted]
        known = self.runs.all_of(ids)
        found = [
            DailyRun(
                owner=owner,
                from_ms=from_ms,
                run_id=run_id,
                run=known.get(run_id),
                is_unreadable=run_id in known and known[run_id] is None,
            )
            for (owner, from_ms), run_id in zip(wanted, ids, strict=True)
        ]
        items = sorted(found, key=lambda day: (-day.from_ms, day.owner.provider, day.owner.merchant_id))
        return DailyRuns(items=items, complete=next(owners, None) is None)

    def _has_reports(self, provider: str) -> bool:
        try:
            return self.providers.get(provider).capabilities.reports is not None
        except ConfigurationError:
            return False


def _run_id(owner: AccountOwner, from_ms: int, now_ms: int) -> str:
    new = NewRun(
        merchant_id=owner.merchant_id,
        provider=owner.provider,
        account_id=owner.account_id,
        from_ms=from_ms,
        until_ms=from_ms + DAY_MS,
    )
    plain = ReportCapability()
    return begin(new, lag_ms=plain.lag_ms, max_slice_ms=plain.span_ms, now_ms=now_ms).run_id
