"""A hold that an event told of is watched, though its attempt was declined."""

from dataclasses import replace

import pytest

from simulation.checker.hints import told_holds_are_watched
from simulation.history import PostedWebhook, Strike
from simulation.restores import Forgotten
from tests.unit.simulation.story import Story

KEY = f"pfx-{'a' * 16}-1"
TRUE = PostedWebhook(
    at_ms=1,
    provider="mock",
    merchant="acme",
    address="acme",
    signed_by="acme",
    event_id="evt_1",
    type="charge.authorized",
    number=1,
    status=200,
    body=f'{{"reference":"{KEY}","status":"authorized"}}'.encode(),
)


def declined(webhook: PostedWebhook, *, is_watched: bool = False, is_held: bool = True) -> Story:
    story = Story()
    story.accept()
    story.claim(2)
    attempt = {"reopens_until_ms": story.now_ms + 1_000_000} if is_watched else {}
    story.outcome(2, "DECLINED", "FAILED", told="payment.failed", attempt=attempt)
    story.book("charge", KEY, 100)
    story.ledger[-1]["status"] = "authorized" if is_held else "declined"
    story.history.webhooks.append(webhook)
    return story


def test_a_hold_that_was_told_of_and_is_not_watched_is_found() -> None:
    (violation,) = told_holds_are_watched(declined(TRUE).evidence())
    assert violation.invariant == "HINTS"


@pytest.mark.parametrize(
    "story",
    [
        declined(TRUE, is_watched=True),
        declined(TRUE, is_held=False),
        declined(replace(TRUE, status=401)),
        declined(replace(TRUE, address="globex")),
        declined(replace(TRUE, provider="stripe")),
        declined(replace(TRUE, body=TRUE.body.replace(b"authorized", b"failed"))),
    ],
)
def test_what_is_watched_or_was_not_told_is_right(story: Story) -> None:
    assert list(told_holds_are_watched(story.evidence())) == []


def test_a_read_that_lacks_charges_may_answer_that_nothing_is_held() -> None:
    story = declined(TRUE)
    story.history.strikes.append(Strike(story.now_ms, "gateway_forgets", 9))
    assert list(told_holds_are_watched(story.evidence())) == []


def test_a_restore_forgets_events() -> None:
    evidence = declined(TRUE).evidence()
    evidence.result.forgotten = Forgotten()
    assert list(told_holds_are_watched(evidence)) == []
