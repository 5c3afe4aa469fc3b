"""A text that asks for a manual review has a reason with a runbook page."""

from payflowx.domain.payments import last_errors
from payflowx.domain.payments.review_reasons import ReviewReason

TEXTS: dict[str, str] = {**last_errors._OF_PAYMENTS, **last_errors._OF_OPERATIONS, **last_errors._GIVEN_UP}


def test_every_code_that_asks_for_a_manual_review_is_a_review_reason() -> None:
    asking = {code for code, text in TEXTS.items() if "manual review" in text}
    assert len(asking) >= 4
    assert asking <= set(ReviewReason)
