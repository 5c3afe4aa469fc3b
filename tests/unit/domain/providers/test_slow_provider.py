"""When an instance takes a provider for slow, whichever account a call is about."""

from random import Random

import pytest

from payflowx.domain.providers.health import AccountName, ProviderCalls, after_provider_call, held_others_up
from tests.support.memory import NOW_MS

SECOND, MINUTE = 1_000, 60_000
NOTHING = ProviderCalls()


def account(number: int) -> AccountName:
    return AccountName(merchant_id=f"merchant-{number}", provider="alpha", account_id="main")


def after(
    calls: ProviderCalls, slow: int, *, prompt: int = 0, at_ms: int = NOW_MS, every_ms: int = 0, accounts: int = 300
) -> ProviderCalls:
    """So many prompt calls, and then so many slow ones, each at the next account."""
    for number in range(prompt + slow):
        name = account(number % accounts)
        calls = after_provider_call(calls, name, at_ms + number * every_ms, is_slow=number >= prompt)
    return calls


SLOW = after(NOTHING, 3)


def relapsed(calls: ProviderCalls, times: int) -> ProviderCalls:
    for _ in range(times):
        calls = after(calls, 1, at_ms=calls.slow_until_ms)
    return calls


def test_after_slow_calls_of_three_accounts() -> None:
    assert not after(NOTHING, 2).is_slow(NOW_MS)
    assert SLOW.is_slow(NOW_MS)


def test_not_after_any_number_of_slow_calls_of_two_accounts() -> None:
    assert not after(NOTHING, 500, accounts=2).is_slow(NOW_MS)


def test_three_batches_that_hang_one_after_the_other_belong_together() -> None:
    assert after(NOTHING, 3, every_ms=13 * SECOND).is_slow(NOW_MS + 26 * SECOND)


def test_slow_calls_with_a_minute_between_them_do_not() -> None:
    assert after(NOTHING, 500, every_ms=MINUTE).slow_until_ms == 0


@pytest.mark.parametrize(("prompt", "is_slow"), [(27, True), (28, False)])
def test_a_tenth_of_the_calls(prompt: int, *, is_slow: bool) -> None:
    assert after(NOTHING, 3, prompt=prompt).is_slow(NOW_MS) is is_slow


@pytest.mark.parametrize("every_ms", [5, 50, 500, 2 * SECOND, 10 * SECOND])
def test_a_provider_that_is_well_is_not_slow(every_ms: int) -> None:
    """One call of a thousand is slow, at a thousand accounts."""
    random, calls = Random(1), NOTHING
    for number in range(50_000):
        name, is_slow = account(random.randrange(1_000)), random.random() < 0.001
        calls = after_provider_call(calls, name, NOW_MS + number * every_ms, is_slow=is_slow)
    assert calls.slow_for_ms == 0


def test_it_ends_by_itself() -> None:
    assert SLOW.is_slow(NOW_MS + MINUTE - 1)
    assert not SLOW.is_slow(NOW_MS + MINUTE)


def test_a_clock_that_is_set_back_ends_it() -> None:
    assert not SLOW.is_slow(NOW_MS - 1)


def test_one_slow_call_afterwards_tells_that_it_still_hangs_and_the_next_time_is_twice_as_long() -> None:
    again = relapsed(SLOW, 1)
    assert again.slow_until_ms == NOW_MS + 3 * MINUTE
    assert relapsed(again, 5).slow_for_ms == 2 * MINUTE


def test_a_slow_call_among_prompt_ones_does_not() -> None:
    assert not after(SLOW, 1, prompt=10, at_ms=SLOW.slow_until_ms).is_slow(SLOW.slow_until_ms)


def test_two_minutes_later_all_begins_anew() -> None:
    later_ms = relapsed(SLOW, 3).slow_until_ms + 2 * MINUTE
    assert not after(relapsed(SLOW, 3), 2, at_ms=later_ms).is_slow(later_ms)
    assert after(relapsed(SLOW, 3), 3, at_ms=later_ms).slow_for_ms == MINUTE


def test_slow_calls_meanwhile_move_the_end() -> None:
    at_ms = NOW_MS + 50 * SECOND
    assert after(SLOW, 2, at_ms=at_ms).slow_until_ms == at_ms + MINUTE


def test_prompt_calls_of_others_during_a_slow_call_show_that_it_held_them_up() -> None:
    quick = after(NOTHING, 0, prompt=1)
    assert held_others_up([quick], 12 * SECOND, NOW_MS + 11 * SECOND)
    assert not held_others_up([quick], 12 * SECOND, NOW_MS + 12 * SECOND)
    assert not held_others_up([SLOW], 12 * SECOND, NOW_MS)
    assert not held_others_up([], 12 * SECOND, NOW_MS)


def test_it_remembers_few_accounts() -> None:
    assert len(after(NOTHING, 300).slow_accounts) == 3
