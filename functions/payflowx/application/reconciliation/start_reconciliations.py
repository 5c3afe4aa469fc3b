"""Start of reconciliations: the last days of every account by schedule, or an operator's range."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.domain.merchants.directory import AuditEntry, AuditLog
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.capabilities import ReportCapability
from payflowx.domain.payments.events import Fact
from payflowx.domain.reconciliation.ports import (
    AccountDirectory,
    AccountOwner,
    ListingProviders,
    RunQueue,
    Runs,
)
from payflowx.domain.reconciliation.run import MAX_SPAN_MS, NewRun, Run, begin
from payflowx.domain.shared.ambient import Clock, Deadline, Telemetry
from payflowx.domain.shared.errors import ConfigurationError, Refusal, UnreadableItemError
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric

_MAX_RUNS_AT_ONCE: Final = 100
_SILENT_MS: Final = HOUR_MS
"""A run without progress for this time has lost its message: it gets another one."""
_ACCOUNTS_AT_ONCE: Final = 100
_DAYS: Final = 3
_TIME_TO_STOP_MS: Final = 5 * SECOND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An operator's request. `merchant_id` None: every merchant with an account at the provider."""

    provider: str
    from_ms: int
    until_ms: int
    merchant_id: str | None = None
    account_id: str | None = None
    file: str | None = None
    again: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StartReconciliations:
    """Idempotent: a run's id is derived from its account, source and range."""

    directory: AccountDirectory
    runs: Runs
    queue: RunQueue
    providers: ListingProviders
    audit_log: AuditLog
    clock: Clock
    telemetry: Telemetry

    def of_last_days(self, deadline: Deadline) -> int:
        """Start runs of every account for the days whose reports are complete.

        Returns the number of unfinished runs. Three days, so that an outage of two days leaves no day out.
        """
        now_ms = self.clock.now_ms()
        unfinished, oldest_ms = 0, now_ms
        for owners in self._batches():
            if deadline.remaining_ms() < _TIME_TO_STOP_MS:
                self.telemetry.warn("not all accounts were reconciled in time")
                break
            begun = self._due(owners, now_ms)
            started = list(self._started(begun, now_ms))
            open_runs = [run for run in started if not run.is_over]
            # Nobody knows whether a run that this release cannot read is over.
            unfinished += len(open_runs) + len(begun) - len(started)
            oldest_ms = min([oldest_ms, *(run.created_at_ms for run in open_runs)])
        self.telemetry.seconds(Metric.RECONCILIATION_AGE, (now_ms - oldest_ms) // SECOND_MS)
        return unfinished

    def _batches(self) -> Iterator[list[AccountOwner]]:
        batch: list[AccountOwner] = []
        for owner in self.directory.accounts():
            batch.append(owner)
            if len(batch) == _ACCOUNTS_AT_ONCE:
                yield batch
                batch = []
        yield batch

    def _due(self, owners: Sequence[AccountOwner], now_ms: int) -> list[Run]:
        today_ms = now_ms // DAY_MS * DAY_MS
        ends = [today_ms - days * DAY_MS for days in range(_DAYS)]
        return [
            self._begun(_new(owner, until_ms - DAY_MS, until_ms), now_ms)
            for owner in owners
            for until_ms in ends
            if self._is_listed(owner.provider, until_ms, now_ms)
        ]

    def asked_for(self, asked: Asked, operator_action: OperatorAction) -> list[Run]:
        """Return the runs as they are now; the audit log holds the operator. Raises `Refusal`."""
        now_ms = self.clock.now_ms()
        _check(asked, now_ms)
        if self._lag_ms(asked.provider) is None:
            raise Refusal("provider_not_reconciled", "This deployment reads no reports of that provider.")
        owners = [
            owner
            for owner in self.directory.accounts()
            if owner.provider == asked.provider
            and asked.merchant_id in {None, owner.merchant_id}
            and asked.account_id in {None, owner.account_id}
        ]
        if not owners:
            raise Refusal("no_account", "No merchant has an account at this provider. Check the names.")
        if len(owners) > _MAX_RUNS_AT_ONCE:
            raise Refusal("too_many_accounts", "More than 100 accounts match. Name a merchant.")
        if asked.file is not None and len(owners) > 1:
            raise Refusal(
                "file_of_several_accounts",
                "A settlement file belongs to one account. Name the merchant and the account.",
            )
        self.audit_log.record(_record(asked, operator_action, now_ms))
        runs = [self._begun(_new(owner, asked.from_ms, asked.until_ms, asked), now_ms) for owner in owners]
        started = list(self._started(runs, now_ms, resends_untouched=True))
        if len(started) < len(runs):
            raise UnreadableItemError("reconciliation run", None, "a newer release wrote it; the others are started")
        return started

    def _begun(self, new: NewRun, now_ms: int) -> Run:
        reports = self.providers.get(new.provider).capabilities.reports or ReportCapability()
        return begin(new, lag_ms=reports.lag_ms, max_slice_ms=reports.span_ms, now_ms=now_ms)

    def _started(self, runs: Sequence[Run], now_ms: int, *, resends_untouched: bool = False) -> Iterator[Run]:
        """Yield the stored runs; send a message for a new one, and for one without progress.

        One that this release cannot read is left out, and stops none of the others.
        `resends_untouched`: also for one that nobody has worked on. Who stored it may have died before its message, and
        of what an operator asked for nothing but the operator's repetition sends another one. Two do no harm.
        """
        known = self.runs.all_of([run.run_id for run in runs])
        for begun in runs:
            run = known[begun.run_id] if begun.run_id in known else self.runs.start(begun)
            if run is None:
                self.telemetry.warn("item not readable", kind="reconciliation run", runId=begun.run_id)
                continue
            is_unknown = run == begun or (resends_untouched and run.version == 1)
            if not run.is_over and (is_unknown or now_ms - run.updated_at_ms > _SILENT_MS):
                self.queue.send(run.run_id)
            yield run

    def _is_listed(self, provider: str, until_ms: int, now_ms: int) -> bool:
        lag_ms = self._lag_ms(provider)
        return lag_ms is not None and now_ms >= until_ms + lag_ms

    def _lag_ms(self, provider: str) -> int | None:
        """Return the report's lag; None for a provider without a report, or not allowed any more."""
        try:
            reports = self.providers.get(provider).capabilities.reports
        except ConfigurationError:
            return None
        return reports.lag_ms if reports else None


def _new(owner: AccountOwner, from_ms: int, until_ms: int, asked: Asked | None = None) -> NewRun:
    return NewRun(
        merchant_id=owner.merchant_id,
        provider=owner.provider,
        account_id=owner.account_id,
        from_ms=from_ms,
        until_ms=until_ms,
        file=asked.file if asked else None,
        again=asked.again if asked else 0,
    )


def _record(asked: Asked, operator_action: OperatorAction, now_ms: int) -> AuditEntry:
    facts: dict[str, Fact | None] = {
        "provider": asked.provider,
        "fromMs": asked.from_ms,
        "untilMs": asked.until_ms,
        "accountId": asked.account_id,
        "file": asked.file,
        "again": asked.again,
    }
    known = {name: fact for name, fact in facts.items() if fact is not None}
    return AuditEntry(
        action="reconciliation.started",
        at_ms=now_ms,
        operator_action=operator_action,
        merchant_id=asked.merchant_id,
        facts=known,
    )


def _check(asked: Asked, now_ms: int) -> None:
    if not 0 < asked.from_ms < asked.until_ms:
        raise Refusal("span_invalid", "The time range must begin before it ends.")
    if asked.until_ms > now_ms:
        raise Refusal("span_in_future", "The time range must be over: reports of the future do not exist.")
    if asked.until_ms - asked.from_ms > MAX_SPAN_MS:
        raise Refusal("span_too_long", "The time range must not exceed 31 days. Split it into several requests.")
