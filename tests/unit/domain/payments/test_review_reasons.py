"""A text that asks for a manual review has a reason with a runbook page."""

from payflowx.domain.payments import operation_state_machine, state_machine
from payflowx.domain.payments.review_reasons import ReviewReason

TEXTS = {**state_machine._FAILURE_TEXTS, **operation_state_machine._TEXTS}


def test_every_code_that_asks_for_a_manual_review_is_a_review_reason() -> None:
    asking = {code for code, text in TEXTS.items() if "manual review" in text}
    assert len(asking) >= 4
    assert asking <= set(ReviewReason)
