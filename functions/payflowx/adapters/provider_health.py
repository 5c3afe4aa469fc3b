"""Reports of the calls to provider accounts, and what they tell about the accounts."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from payflowx.domain.payments.outcome import Outcome
from payflowx.domain.providers.health import (
    NO_CALLS,
    STREAK_MS,
    WINDOW_MS,
    AccountHealth,
    AccountName,
    Calls,
    HealthStore,
    ProviderCalls,
    after_calls,
    after_provider_call,
    calls_of,
    held_others_up,
)
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.metrics import Metric

_REPORT_INTERVAL_MS: Final = SECOND_MS
_MAX_ACCOUNTS: Final = 1_000
_MAX_TRIES: Final = 3


@dataclass(slots=True)
class _Pending:
    """Calls of an account that this instance has not reported yet, and the time of the first of them."""

    calls: Calls = NO_CALLS
    since_ms: int = 0
    reported_at_ms: int = 0

    def add(self, calls: Calls, now_ms: int) -> None:
        """Count a call. Those before it are forgotten if they are too old to be told as calls of now.

        Failures without an answer in between are told also later: a report says that so many came in a row.
        """
        age_ms = now_ms - self.since_ms
        is_streak = self.calls.failed > 0 and not self.calls.answered and calls.failed > 0
        if not 0 <= age_ms < (STREAK_MS if is_streak else WINDOW_MS):
            self.calls = NO_CALLS
        if self.calls == NO_CALLS:
            self.since_ms = now_ms
        self.calls = self.calls.plus(calls)


@dataclass(slots=True, kw_only=True)
class CountingProviderHealth:
    """Implements `ProviderHealth`. Nothing here raises: what is not known is well, and a payment never depends on it.

    An instance counts the calls of each account, and writes them at a failure, and while the account is not well: once
    a second at most. So a well account costs no write. What it knows of a provider at all accounts together it keeps.
    """

    store: HealthStore
    clock: Clock
    telemetry: Telemetry
    _pending: dict[AccountName, _Pending] = field(default_factory=dict)
    _providers: dict[str, ProviderCalls] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _of(self, merchant_id: str) -> Mapping[AccountName, AccountHealth]:
        try:
            return self.store.of(merchant_id)
        except StorageUnavailableError:
            return {}

    def passed_over(self, merchant_id: str, accounts: Mapping[str, str]) -> Mapping[str, str]:
        """Return the providers that new payments pass over, with the reason, among the preferred `accounts`."""
        now_ms = self.clock.now_ms()
        found = self._of(merchant_id).values()
        return {
            health.name.provider: health.reason
            for health in found
            if accounts.get(health.name.provider) == health.name.account_id and health.is_passed_over(now_ms)
        }

    def is_slow(self, name: AccountName) -> bool:
        """Return whether work on the account belongs to the slow lane."""
        if self._is_slow_everywhere(name.provider):
            return True
        health = self._of(name.merchant_id).get(name)
        return health is not None and health.is_slow(self.clock.now_ms())

    def has_slow_account(self, merchant_id: str, providers: Collection[str]) -> bool:
        """Return whether one of the merchant's accounts, which are at these providers, belongs to the slow lane."""
        now_ms = self.clock.now_ms()
        is_slow_everywhere = any(self._is_slow_everywhere(provider) for provider in providers)
        return is_slow_everywhere or any(health.is_slow(now_ms) for health in self._of(merchant_id).values())

    def _is_slow_everywhere(self, provider: str) -> bool:
        calls = self._providers.get(provider)
        return calls is not None and calls.is_slow(self.clock.now_ms())

    def observe(self, name: AccountName, outcome: Outcome, took_ms: int) -> None:
        """Count a call, whatever it was about, and report what is pending."""
        calls = calls_of(outcome, took_ms)
        if calls is None:
            return
        self._observe_provider(name, took_ms, is_slow=calls.slow > 0)
        stored = self._of(name.merchant_id).get(name)
        is_awaited = stored is not None and stored.awaits_answers(self.clock.now_ms())
        with self._lock:
            now_ms = self.clock.now_ms()  # in the order of the lock: an earlier time would begin a new window
            pending = self._pending_of(name)
            pending.add(calls, now_ms)
            has_news = pending.calls.failed > 0 or pending.calls.slow > 0 or is_awaited
            if not has_news or 0 <= now_ms - pending.reported_at_ms < _REPORT_INTERVAL_MS:
                return
            reported, pending.calls, pending.reported_at_ms = pending.calls, NO_CALLS, now_ms
        self._report(name, reported)

    def _observe_provider(self, name: AccountName, took_ms: int, *, is_slow: bool) -> None:
        with self._lock:
            now_ms = self.clock.now_ms()
            others = (calls for provider, calls in self._providers.items() if provider != name.provider)
            if is_slow and not held_others_up(others, took_ms, now_ms):
                return
            before = self._providers.get(name.provider, ProviderCalls())
            after = self._providers[name.provider] = after_provider_call(before, name, now_ms, is_slow=is_slow)
        if after.is_slow(now_ms) and not before.is_slow(now_ms):
            accounts = len(after.slow_accounts)
            self.telemetry.warn("calls of a provider are slow", provider=name.provider, accounts=accounts)

    def _pending_of(self, name: AccountName) -> _Pending:
        if name not in self._pending and len(self._pending) >= _MAX_ACCOUNTS:
            del self._pending[next(iter(self._pending))]
        return self._pending.setdefault(name, _Pending())

    def _report(self, name: AccountName, calls: Calls) -> None:
        try:
            for _ in range(_MAX_TRIES):
                before = self.store.get(name) or AccountHealth(name=name)
                after = after_calls(before, calls, self.clock.now_ms())
                if self.store.save(before, after):
                    self._tell(before, after)
                    return
        except StorageUnavailableError:
            self.telemetry.warn("calls of a provider account could not be reported", provider=name.provider)

    def _tell(self, before: AccountHealth, after: AccountHealth) -> None:
        was_open, is_open = before.open_since_ms is not None, after.open_since_ms is not None
        facts = {
            "merchantId": after.name.merchant_id,
            "provider": after.name.provider,
            "accountId": after.name.account_id,
        }
        if is_open and not was_open:
            self.telemetry.count(Metric.BREAKERS_OPENED)
            self.telemetry.warn("a provider account fails; new payments pass it over", **facts)
        elif was_open and not is_open:
            self.telemetry.info("a provider account answers again", **facts)
