"""Facts of answers that change no state: an authorization's own end, and an answer that every re-send gets."""

import pytest

from payflowx.domain.payments.attempt import ANSWER_STORED, Attempt
from payflowx.domain.payments.attempt_records import learned
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.not_sent import reopened
from payflowx.domain.payments.outcome import Authorized, Outcome, Succeeded, Unknown
from payflowx.domain.payments.recovery_plan import inquiries_end_at_ms
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS
from payflowx.domain.shared.statuses import AttemptState

HELD = Authorized(reference="pi_1", amount=100, currency="EUR", merchant_reference="key")
LONGER = Authorized(reference="pi_1", amount=100, currency="EUR", merchant_reference="key", lapses_at_ms=7 * DAY_MS)
STORED = Unknown(code="http_500", stored=True)


def attempt(state: AttemptState, **changes: object) -> Attempt:
    values: dict[str, object] = {
        "number": 1,
        "provider": "stripe",
        "account_id": "main",
        "provider_key": "key",
        "request_hash": "hash",
        "epoch": 1,
        "started_at_ms": 0,
        "state": state,
        **changes,
    }
    return Attempt(**values)  # type: ignore[arg-type]


def test_an_authorization_takes_the_end_that_the_provider_states() -> None:
    held = attempt(AttemptState.AUTHORIZED, deadline_ms=4 * DAY_MS)
    assert learned(held, LONGER).deadline_ms == 7 * DAY_MS
    assert learned(held, HELD) == held


def test_a_stored_answer_is_remembered() -> None:
    for state in (AttemptState.STARTED, AttemptState.UNKNOWN):
        known = learned(attempt(state, progress={"order": "1"}), STORED)
        assert known.answer_stored
        assert known.progress["order"] == "1"
        assert not learned(attempt(state), Unknown(code="http_500")).answer_stored


def test_an_attempt_that_is_opened_again_has_no_answer() -> None:
    unsent = attempt(AttemptState.NOT_SENT, progress={"order": "1", ANSWER_STORED: "true"})
    again = reopened(unsent, epoch=2, now_ms=5)
    assert (again.answer_stored, dict(again.progress)) == (False, {"order": "1"})


@pytest.mark.parametrize("state", [AttemptState.ACCEPTED, AttemptState.DECLINED, AttemptState.SUCCEEDED])
@pytest.mark.parametrize(
    "outcome", [LONGER, STORED, Succeeded(reference="pi_1", amount=1, currency="EUR", merchant_reference="key")]
)
def test_no_other_state_learns_from_them(state: AttemptState, outcome: Outcome) -> None:
    assert learned(attempt(state), outcome) == attempt(state)


@pytest.mark.parametrize(("lag_ms", "end_ms"), [(0, HOUR_MS), (10 * MINUTE_MS, HOUR_MS), (3 * HOUR_MS, 3 * HOUR_MS)])
def test_inquiries_about_a_stored_answer_end_once_a_charge_must_be_visible(lag_ms: int, end_ms: int) -> None:
    able = Capabilities(provider="stripe", simulated=True, visibility_lag_ms=lag_ms, inquiry_horizon_ms=2 * DAY_MS)
    assert inquiries_end_at_ms(attempt(AttemptState.UNKNOWN, progress={ANSWER_STORED: "true"}), able) == end_ms
    assert inquiries_end_at_ms(attempt(AttemptState.UNKNOWN), able) == 2 * DAY_MS


def test_the_other_amounts_that_were_reported_are_kept_up_to_a_limit() -> None:
    charged = attempt(AttemptState.SUCCEEDED)
    for amount in range(1, 100):
        charged = charged.with_amount_reported(amount).with_amount_reported(amount)
    assert charged.amounts_reported == set(range(1, 21))
