"""What a search after a restore lets happen, where all attempts of an item are used."""

from dataclasses import replace

import pytest

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.order_link import OrderLink
from payflowx.domain.payments.payment import Candidate, Lease, Payment
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.payments.restored import (
    Search,
    forgotten_attempt,
    keys_in_question,
    may_send_after,
    postponed,
    searched,
)
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.shared.limits import MAX_ATTEMPTS, MINUTE_MS
from payflowx.domain.shared.statuses import AttemptState
from tests.support.memory import NOW_MS
from tests.support.world import World

UNPROVEN = Search(found=None, proven=False)
PROVEN = Search()
WINDOW = RestoreWindow(
    restored_to_ms=NOW_MS - MINUTE_MS, stopped_at_ms=NOW_MS, recorded_at_ms=NOW_MS, opened_at_ms=NOW_MS
)


def payment_with(*states: AttemptState) -> Payment:
    attempts = tuple(
        Attempt(
            number=number,
            provider=("alpha", "beta")[number % 2],
            account_id="main",
            provider_key=f"pfx-{number}",
            request_hash="h",
            epoch=number,
            started_at_ms=NOW_MS,
            state=state,
        )
        for number, state in enumerate(states, 1)
    )
    return replace(World().accept(), attempts=attempts)


@pytest.mark.parametrize("place", range(1, MAX_ATTEMPTS + 1))
def test_no_attempt_follows_the_last_one_that_is_allowed(place: int) -> None:
    states = [AttemptState.DECLINED] * MAX_ATTEMPTS
    states[place - 1] = AttemptState.NOT_SENT
    item = WorkItem(payment=payment_with(*states))
    assert [key.number for key in keys_in_question(item, item.payment.route.candidates, max_retries=3)] == [place]
    number, candidate = forgotten_attempt(item, UNPROVEN)
    assert (number, candidate) == (place, Candidate(provider=("alpha", "beta")[place % 2], account_id="main"))


@pytest.mark.parametrize("used", range(MAX_ATTEMPTS))
def test_with_room_the_next_attempt_stands_for_what_was_forgotten(used: int) -> None:
    item = WorkItem(payment=payment_with(*[AttemptState.DECLINED] * used))
    number, _ = forgotten_attempt(item, UNPROVEN)
    assert number == used + 1


@pytest.mark.parametrize(
    ("states", "goes_on"),
    [
        ([AttemptState.DECLINED] * MAX_ATTEMPTS, True),
        ([AttemptState.DECLINED] * (MAX_ATTEMPTS - 1), False),
        ([*[AttemptState.DECLINED] * (MAX_ATTEMPTS - 1), AttemptState.NOT_SENT], False),
    ],
)
def test_an_order_that_looks_free_matters_only_where_a_request_can_still_leave(
    states: list[AttemptState], *, goes_on: bool
) -> None:
    payment = replace(payment_with(*states), order=OrderLink(order_hash="o", order_id="order-7"))
    assert may_send_after(WorkItem(payment=payment), WINDOW, PROVEN) is goes_on


def test_the_write_after_a_search_releases_a_lease_that_has_expired() -> None:
    """Who stalled under it writes nothing beside what follows the search."""
    stalled = replace(payment_with(AttemptState.UNKNOWN), lease=Lease(owner="stalled", epoch=4, expires_at_ms=NOW_MS))
    assert searched(stalled, WINDOW, NOW_MS, is_proven=True).lease == Lease(epoch=5)
    assert postponed(stalled, NOW_MS, NOW_MS).lease == Lease(epoch=5)
