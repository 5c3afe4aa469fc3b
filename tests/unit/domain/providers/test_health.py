"""When the breaker opens and closes, and when an account is slow."""

import pytest

from payflowx.domain.providers.health import AccountHealth, AccountName, Calls, after_calls
from tests.support.memory import NOW_MS

NAME = AccountName(merchant_id="acme", provider="alpha", account_id="main")
SECOND, MINUTE = 1_000, 60_000
WELL = AccountHealth(name=NAME)
FAILED, ANSWERED = Calls(failed=1), Calls(answered=1)


def after(health: AccountHealth, *calls: Calls, at_ms: int = NOW_MS, every_ms: int = 0) -> AccountHealth:
    for number, each in enumerate(calls):
        health = after_calls(health, each, at_ms + number * every_ms)
    return health


OPEN = after(WELL, *[FAILED] * 5)


class TestOpening:
    def test_after_five_failures_in_a_row(self) -> None:
        assert after(WELL, *[FAILED] * 4).open_since_ms is None
        assert OPEN.open_since_ms == NOW_MS
        assert OPEN.is_passed_over(NOW_MS)
        assert OPEN.is_slow(NOW_MS)

    def test_also_where_calls_are_few(self) -> None:
        assert after(WELL, *[FAILED] * 5, every_ms=5 * MINUTE).open_since_ms is not None

    def test_failures_with_long_pauses_do_not_belong_together(self) -> None:
        assert after(WELL, *[FAILED] * 20, every_ms=11 * MINUTE).open_since_ms is None

    def test_when_half_of_a_window_failed(self) -> None:
        assert after(WELL, *[Calls(answered=1, failed=1)] * 5, every_ms=SECOND).open_since_ms is not None
        assert after(WELL, *[Calls(answered=2, failed=1)] * 50, every_ms=SECOND).open_since_ms is None

    def test_an_answer_never_opens_it(self) -> None:
        full = after(WELL, Calls(answered=9, failed=9), at_ms=NOW_MS)
        assert full.open_since_ms is not None
        nearly = after(WELL, *[FAILED] * 4)
        assert after(nearly, ANSWERED).open_since_ms is None

    @pytest.mark.parametrize("percent", [1, 10, 40])
    def test_a_provider_that_fails_for_some_payments_is_not_passed_over(self, percent: int) -> None:
        report = Calls(answered=100 - percent, failed=percent)
        assert after(WELL, *[report] * 100, every_ms=SECOND).open_since_ms is None


class TestClosing:
    def test_after_five_answers_in_a_row(self) -> None:
        assert after(OPEN, *[ANSWERED] * 4).open_since_ms is not None
        closed = after(OPEN, *[ANSWERED] * 5)
        assert (closed.open_since_ms, closed.is_slow(NOW_MS), closed.version) == (None, False, OPEN.version + 5)

    def test_a_failure_between_them_starts_the_count_anew(self) -> None:
        assert after(OPEN, *[ANSWERED] * 4, FAILED, *[ANSWERED] * 4).open_since_ms is not None

    def test_without_news_new_payments_try_it_again_and_the_first_failure_ends_that(self) -> None:
        at_ms = NOW_MS + 10 * MINUTE
        assert OPEN.is_passed_over(at_ms - 1)
        assert not OPEN.is_passed_over(at_ms)
        failed = after(OPEN, FAILED, at_ms=at_ms)
        assert failed.is_passed_over(at_ms + 20 * MINUTE - 1)
        assert not failed.is_passed_over(at_ms + 20 * MINUTE)

    def test_failures_meanwhile_put_the_trial_off(self) -> None:
        later = after(OPEN, FAILED, at_ms=NOW_MS + 9 * MINUTE)
        assert later.is_passed_over(NOW_MS + 18 * MINUTE)
        assert later.trials == 0

    def test_the_wait_for_a_trial_has_a_limit(self) -> None:
        health = OPEN
        for _ in range(30):
            health = after(health, FAILED, at_ms=health.trial_at_ms)
        assert health.trial_at_ms - health.last_failure_ms == 60 * MINUTE


class TestSlow:
    def test_an_account_with_slow_calls_is_slow_for_a_minute(self) -> None:
        health = after(WELL, *[Calls(answered=10, slow=1)] * 3, every_ms=SECOND)
        assert health.is_slow(NOW_MS + 2 * SECOND)
        assert not health.is_slow(NOW_MS + 63 * SECOND)
        assert not health.is_passed_over(NOW_MS + 2 * SECOND)

    def test_two_slow_calls_are_not_enough(self) -> None:
        assert not after(WELL, *[Calls(answered=1, slow=1)] * 2).is_slow(NOW_MS)

    def test_three_of_a_thousand_are_not_enough(self) -> None:
        assert not after(WELL, Calls(answered=1_000, slow=3)).is_slow(NOW_MS)
