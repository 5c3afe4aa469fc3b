"""Tokens that only some simulators know."""

import pytest

from payflowx.domain.shared.statuses import PaymentStatus
from sandbox.behaviours import BEHAVIOURS, REFUSALS, behaviour_of
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS
from tests.support.conformance import ProviderHarness


@pytest.mark.parametrize("token", REFUSALS)
def test_a_mock_refuses_nothing_with_a_documented_code(token: str) -> None:
    assert [behaviour_of(token, name) for name in SIMULATORS] == [None] * len(SIMULATORS)
    assert [behaviour_of(f"{token}@{name}", name) for name in SIMULATORS] == [None] * len(SIMULATORS)
    for name in REAL_PROVIDERS:
        assert behaviour_of(token, name) == behaviour_of(f"{token}@{name}", name) == REFUSALS[token]
        assert behaviour_of(f"{token}@{name}", "mock") == BEHAVIOURS["tok_success"]


@pytest.mark.parametrize("provider", SIMULATORS)
def test_to_a_mock_they_are_tokens_like_any_unknown_one(provider: str) -> None:
    """Before, the simulator broke down, and the payment's outcome was unknown for a day."""
    ends = {}
    for token in ("tok_refused", "tok_refused_unlisted", "tok_nonsense"):
        harness = ProviderHarness(provider)
        payment = harness.pay(token)
        harness.world.work_until_idle()
        ends[token] = harness.world.now(payment)
    assert {payment.status for payment in ends.values()} == {PaymentStatus.FAILED}
    assert len({payment.attempts[-1].code for payment in ends.values()}) == 1
