"""The health of a provider account, as far as its failed and slow calls tell.

An account without a stored state is well. The state decides two things and nothing else: the lane in which work on the
account is done, and whether the routes of new payments pass the account over (the circuit breaker). No attempt and no
stored route is ever changed by it.
"""

from collections.abc import Mapping
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

    def has_slow_account(self, merchant_id: str) -> bool:
        """Return whether one of the merchant's accounts belongs to the slow lane."""
        ...

    def observe(self, name: AccountName, outcome: Outcome, took_ms: int) -> None:
        """Count a call, whatever it was about."""
        ...
