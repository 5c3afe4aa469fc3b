"""The health of a provider account, as far as its failed and slow calls tell.

An account without a stored state is well. The state decides two things and nothing else: the lane in which work on the
account is done, and whether the routes of new payments pass the account over (the circuit breaker). No attempt and no
stored route is ever changed by it.

What an instance sees of a provider, at all accounts together, it keeps for itself: that decides the lane only.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from payflowx.domain.payments.outcome import NotSent, Outcome, Unknown
from payflowx.domain.shared.limits import HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.slow_lane import SLOW_CALL_MS

WINDOW_MS: Final = 30 * SECOND_MS
_SLOW_FOR_MS: Final = MINUTE_MS
_MIN_SLOW: Final = 3
_SLOW_PERCENT: Final = 5
_MIN_FAILED: Final = 5
_OPEN_PERCENT: Final = 50
STREAK_MS: Final = 10 * MINUTE_MS
"""Failures with a longer pause between them do not belong together."""
_ANSWERS_TO_CLOSE: Final = 5
_QUIET_MS: Final = 10 * MINUTE_MS
_MAX_QUIET_MS: Final = HOUR_MS

_PROVIDER_WINDOW_MS: Final = MINUTE_MS
"""Long enough for three batches that hang, one after the other."""
_PROVIDER_MIN_ACCOUNTS: Final = 3
_PROVIDER_SLOW_PERCENT: Final = 10
_PROVIDER_SLOW_FOR_MS: Final = _PROVIDER_WINDOW_MS
_PROVIDER_MAX_SLOW_FOR_MS: Final = 2 * MINUTE_MS
_PROVIDER_TRIAL_MS: Final = 2 * MINUTE_MS
"""So long after the end a slow call tells that the provider still hangs."""

_OWN_CODES: Final = frozenset(
    {
        "account_removed",
        "charge_deadline_passed",
        "credentials_unavailable",
        "not_enough_time",
        "request_changed",
        "send_deadline_passed",
    }
)
"""Reasons of ours for which nothing was sent: they tell nothing about the provider."""
_FAILURES: Final = frozenset(
    {
        "answer_not_understood",
        "connect_timeout",
        "connection_failed",
        "connection_lost",
        "connection_refused",
        "name_not_resolved",
        "read_timeout",
        "too_slow",
    }
)
"""No connection, no answer, or none of the provider's API. A 5xx is one, too; every other answer shows a provider that
works, whatever it says about the payment.
"""
_SERVER_ERROR: Final = "http_5"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountName:
    """A merchant's account at a provider."""

    merchant_id: str
    provider: str
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Counts of calls to an account. `slow`: those of them, answered or not, that took longer than `SLOW_CALL_MS`.

    Failed: no answer came, none that can be read, or the provider's own error. A decline is an answer.
    """

    answered: int = 0
    failed: int = 0
    slow: int = 0

    @property
    def total(self) -> int:
        return self.answered + self.failed

    def plus(self, other: "Calls") -> "Calls":
        """Return the sums."""
        return Calls(
            answered=self.answered + other.answered, failed=self.failed + other.failed, slow=self.slow + other.slow
        )


NO_CALLS: Final = Calls()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """The stored state of an account that was not well lately. `version` 0: nothing is stored."""

    name: AccountName
    version: int = 0
    window_start_ms: int = 0
    window: Calls = NO_CALLS
    failures_in_a_row: int = 0
    last_failure_ms: int = 0
    slow_until_ms: int = 0
    open_since_ms: int | None = None
    """The time at which the breaker opened; None while it is closed."""
    trial_at_ms: int = 0
    """New payments use the account again from then on, if nothing more was learned: the first failure ends that."""
    trials: int = 0
    """Trials that failed since the breaker opened; each doubles the wait for the next one."""
    answers_in_a_row: int = 0
    """Answered calls since the last failure, counted while the breaker is open."""

    def is_passed_over(self, now_ms: int) -> bool:
        """The routes of new payments pass the account over."""
        return self.open_since_ms is not None and now_ms < self.trial_at_ms

    def is_slow(self, now_ms: int) -> bool:
        """Work on the account belongs to the slow lane."""
        return self.open_since_ms is not None or now_ms < self.slow_until_ms

    def awaits_answers(self, now_ms: int) -> bool:
        """Answered calls change the state: they close the breaker, end a streak, or belong to a window with failures.

        Otherwise the account is well again, and costs no write although its state is still stored.
        """
        window_is_open = 0 <= now_ms - self.window_start_ms < WINDOW_MS and self.window.failed + self.window.slow > 0
        streak_is_open = self.failures_in_a_row > 0 and 0 <= now_ms - self.last_failure_ms < STREAK_MS
        return self.is_slow(now_ms) or window_is_open or streak_is_open

    @property
    def reason(self) -> str:
        """Why it is passed over, for the stored decision."""
        return f"calls of {self.name.provider} fail or time out"


def after_calls(health: AccountHealth, calls: Calls, now_ms: int) -> AccountHealth:
    """Return the state after calls that one instance reports together.

    The breaker opens when half of the calls of a window failed, and where calls are few, when five in a row did. It
    closes after five answers in a row.
    """
    counted = _counted(health, calls, now_ms)
    if counted.open_since_ms is not None:
        return _while_open(counted, calls, now_ms)
    window = counted.window
    if window.slow >= _MIN_SLOW and window.slow * 100 >= _SLOW_PERCENT * window.total:
        counted = replace(counted, slow_until_ms=now_ms + _SLOW_FOR_MS)
    is_half = window.failed >= _MIN_FAILED and window.failed * 100 >= _OPEN_PERCENT * window.total
    if calls.failed and (is_half or counted.failures_in_a_row >= _MIN_FAILED):
        return replace(counted, open_since_ms=now_ms, trial_at_ms=now_ms + _QUIET_MS, trials=0, answers_in_a_row=0)
    return counted


def _counted(health: AccountHealth, calls: Calls, now_ms: int) -> AccountHealth:
    is_new = not 0 <= now_ms - health.window_start_ms < WINDOW_MS
    belongs = 0 <= now_ms - health.last_failure_ms < STREAK_MS
    earlier = health.failures_in_a_row if belongs else 0
    return replace(
        health,
        version=health.version + 1,
        window_start_ms=now_ms if is_new else health.window_start_ms,
        window=calls if is_new else health.window.plus(calls),
        # The order of calls that are reported together is not known: beside an answer, only one failure is sure.
        failures_in_a_row=min(1, calls.failed) if calls.answered else earlier + calls.failed,
        last_failure_ms=now_ms if calls.failed else health.last_failure_ms,
    )


def _while_open(health: AccountHealth, calls: Calls, now_ms: int) -> AccountHealth:
    if not calls.failed:
        answers = health.answers_in_a_row + calls.answered
        if answers >= _ANSWERS_TO_CLOSE:
            return AccountHealth(name=health.name, version=health.version)
        return replace(health, answers_in_a_row=answers)
    trials = health.trials + (now_ms >= health.trial_at_ms)
    quiet_ms = min(_MAX_QUIET_MS, _QUIET_MS << min(trials, 8))
    return replace(health, answers_in_a_row=0, trials=trials, trial_at_ms=now_ms + quiet_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCalls:
    """An instance's calls to a provider in a window, whatever the account, and what they told.

    The stored state of an account learns from three slow calls to that account. Where a provider hangs for everyone and
    its payments are spread over hundreds of accounts, no account reaches that in time. An instance that is held up by
    such a provider sees it itself: so it remembers, and hands the work at all accounts of the provider to the slow
    lane. Nothing is stored, and nothing else is decided by it: no route, and no attempt.
    """

    window_start_ms: int = 0
    total: int = 0
    slow: int = 0
    slow_accounts: frozenset[AccountName] = frozenset()
    """Those of the window's slow calls, as many as are needed."""
    prompt_at_ms: int = 0
    """The time of the last call that was not slow."""
    slow_until_ms: int = 0
    slow_for_ms: int = 0
    """How long the last time was: a minute, and two minutes where a trial began it."""

    def is_slow(self, now_ms: int) -> bool:
        """Work on all accounts at the provider belongs to the slow lane. A clock that is set back ends it."""
        return 0 < self.slow_until_ms - now_ms <= self.slow_for_ms

    def is_on_trial(self, now_ms: int) -> bool:
        """The provider was slow until lately, and its work is done beside the others' again."""
        return self.slow_for_ms > 0 and 0 <= now_ms - self.slow_until_ms < _PROVIDER_TRIAL_MS


def after_provider_call(calls: ProviderCalls, name: AccountName, now_ms: int, *, is_slow: bool) -> ProviderCalls:
    """Return what the instance knows after a call; a slow one that held no others up does not count.

    Slow: a tenth of the calls of a window, of three accounts. The share is of calls of the same instance, all of which
    it knows: a busy provider with few slow calls among many does not reach it. On trial, one account is enough.
    """
    counted = _provider_counted(calls, name, now_ms, is_slow=is_slow)
    is_known, is_on_trial = calls.is_slow(now_ms), calls.is_on_trial(now_ms)
    needed = 1 if is_known or is_on_trial else _PROVIDER_MIN_ACCOUNTS
    is_share = counted.slow * 100 >= _PROVIDER_SLOW_PERCENT * counted.total
    if not is_slow or not is_share or len(counted.slow_accounts) < needed:
        return counted
    slow_for_ms = calls.slow_for_ms if is_known else _PROVIDER_SLOW_FOR_MS
    if is_on_trial:
        slow_for_ms = min(2 * calls.slow_for_ms, _PROVIDER_MAX_SLOW_FOR_MS)
    return replace(counted, slow_until_ms=now_ms + slow_for_ms, slow_for_ms=slow_for_ms)


def held_others_up(others: Iterable[ProviderCalls], took_ms: int, now_ms: int) -> bool:
    """Return whether calls of other providers were prompt while a slow call of `took_ms` lasted.

    Where they were not, the network or the instance was slow, and a lane of its own would help nobody.
    """
    return any(other.prompt_at_ms > now_ms - took_ms for other in others)


def _provider_counted(calls: ProviderCalls, name: AccountName, now_ms: int, *, is_slow: bool) -> ProviderCalls:
    is_new = not 0 <= now_ms - calls.window_start_ms < _PROVIDER_WINDOW_MS
    accounts = frozenset() if is_new else calls.slow_accounts
    if is_slow and len(accounts) < _PROVIDER_MIN_ACCOUNTS:
        accounts |= {name}
    return replace(
        calls,
        window_start_ms=now_ms if is_new else calls.window_start_ms,
        total=1 if is_new else calls.total + 1,
        slow=int(is_slow) if is_new else calls.slow + is_slow,
        slow_accounts=accounts,
        prompt_at_ms=calls.prompt_at_ms if is_slow else now_ms,
    )


def calls_of(outcome: Outcome, took_ms: int) -> Calls | None:
    """Return what a call counts as; None if nothing was learned about the provider."""
    slow = int(took_ms >= SLOW_CALL_MS)
    match outcome:
        case NotSent(code=code) | Unknown(code=code) if code in _OWN_CODES:
            return None
        case NotSent(code=code) | Unknown(code=code) if code in _FAILURES or code.startswith(_SERVER_ERROR):
            return Calls(failed=1, slow=slow)
        case _:
            return Calls(answered=1, slow=slow)


class HealthStore(Protocol):
    """The stored states: one item an account, which exists only if the account was not well. Raises
    `StorageUnavailableError`.
    """

    def of(self, merchant_id: str) -> Mapping[AccountName, AccountHealth]:
        """Return the states of a merchant's accounts, at most fifteen seconds old."""
        ...

    def get(self, name: AccountName) -> AccountHealth | None:
        """Return the state as stored now."""
        ...

    def save(self, before: AccountHealth, after: AccountHealth) -> bool:
        """Store the state if it is unchanged; False if another instance was first."""
        ...


class ProviderHealth(Protocol):
    """Reports of the calls to provider accounts, and what they tell about the accounts.

    Nothing here raises: what is not known is well, and a payment never depends on it.
    """

    def passed_over(self, merchant_id: str, accounts: Mapping[str, str]) -> Mapping[str, str]:
        """Return the providers that new payments pass over, with the reason, among the preferred `accounts`."""
        ...

    def is_slow(self, name: AccountName) -> bool:
        """Return whether work on the account belongs to the slow lane."""
        ...

    def has_slow_account(self, merchant_id: str, providers: Collection[str]) -> bool:
        """Return whether one of the merchant's accounts, which are at these providers, belongs to the slow lane."""
        ...

    def observe(self, name: AccountName, outcome: Outcome, took_ms: int) -> None:
        """Count a call, whatever it was about."""
        ...
