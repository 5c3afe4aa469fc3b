"""What counts as a payment that we failed."""

from dataclasses import replace

import pytest

from payflowx.domain.payments.outcome import Declined, NotSent, Outcome, Unknown
from payflowx.domain.payments.payment import LastError, Payment
from payflowx.domain.payments.slo import missed_objective
from payflowx.domain.shared.statuses import DeclineKind, PaymentStatus
from tests.support.world import World


def payment(status: PaymentStatus, code: str | None = None) -> Payment:
    accepted = World().accept()
    error = LastError(code=code, message="x") if code else None
    return replace(accepted, status=status, last_error=error)


PENDING = payment(PaymentStatus.PENDING)


@pytest.mark.parametrize(
    ("status", "code", "missed"),
    [
        (PaymentStatus.SUCCESS, None, False),
        (PaymentStatus.CANCELLED, None, False),
        (PaymentStatus.FAILED, "hard_decline", False),
        (PaymentStatus.FAILED, "soft_decline", False),
        (PaymentStatus.FAILED, "insufficient_funds", False),
        (PaymentStatus.FAILED, "action_expired", False),
        (PaymentStatus.FAILED, "not_sent", True),
        (PaymentStatus.FAILED, "rejected", True),
        (PaymentStatus.FAILED, "fenced", True),
        (PaymentStatus.FAILED, None, True),
        (PaymentStatus.IN_REVIEW, "outcome_unknown", True),
        (PaymentStatus.REQUIRES_ACTION, None, None),
        (PaymentStatus.AUTHORIZED, None, None),
    ],
)
def test_an_answer_of_the_payers_side_is_no_miss(status: PaymentStatus, code: str | None, missed: bool | None) -> None:
    assert missed_objective(PENDING, payment(status, code)) is missed


@pytest.mark.parametrize("before", [PaymentStatus.IN_REVIEW, PaymentStatus.FAILED, PaymentStatus.SUCCESS])
def test_a_payment_counts_once(before: PaymentStatus) -> None:
    assert missed_objective(payment(before), payment(PaymentStatus.SUCCESS)) is None


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (None, [0]),
        (Declined(kind=DeclineKind.HARD, code="stolen_card"), [0]),
        (NotSent(code="connection_refused"), [1]),
        (Unknown(code="read_timeout"), []),
    ],
)
def test_the_workers_count_it(answer: Outcome | None, counted: list[int]) -> None:
    world = World()
    payment = world.accept()
    for name in world.providers.providers:
        if answer is not None:
            world.providers.get(name).charges = [answer] * 10
    if isinstance(answer, Unknown):
        world.work()
    else:
        world.work_until_idle()
    values = [value for name, value, _ in world.telemetry.counts if name == "ObjectiveMissed"]
    assert values == counted, world.now(payment)
