"""Lists of codes in the documents have all that the code has."""

import re
from pathlib import Path

import pytest

from payflowx.domain.payments import last_errors, retry, state_machine
from payflowx.domain.payments.event_types import EVENT_TYPES
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.entrypoints.api.problems import KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs"
API = (DOCS / "api.md").read_text()
WEBHOOKS = (DOCS / "webhooks-out.md").read_text()
ENDS = {
    state_machine._ACTION_EXPIRED.code,
    retry.CHECKOUT_EXPIRED.code,
    retry.CHECKOUT_ATTEMPTS_USED.code,
    "route_exhausted",
    "charge_deadline_passed",
}
"""Of payments that end without an attempt, and of reasons that stand instead of the last attempt's."""
GIVEN_UP = {reason.value for reason in last_errors._GIVEN_UP}
OF_CHANGES_ALONE = {"capture.pending", "capture.succeeded", "void.pending", "void.succeeded"}
"""The answer to the request says the first of each pair, the payment's new status the second."""


def codes_from(words: str) -> set[str]:
    """The code words of the paragraph that begins with these words."""
    _, found, rest = API.partition(words)
    assert found
    return set(re.findall(r"`([a-z_]+)`", rest.partition("\n\n")[0]))


def test_every_error_of_a_payment_is_listed() -> None:
    known = {*last_errors._OF_PAYMENTS, *GIVEN_UP, *ENDS, ReviewReason.RECONCILIATION.value}
    assert codes_from("`lastError.code` of a payment is") == known


def test_every_error_of_an_operation_is_listed() -> None:
    assert codes_from("`lastError.code` of an operation is") == {*last_errors._OF_OPERATIONS, *GIVEN_UP}


@pytest.mark.parametrize("code", KINDS)
def test_every_problem_is_in_the_table_with_its_status(code: str) -> None:
    rows = re.findall(r"^\| ([0-9, ]+) \| (.*) \|$", API.partition("## Problems")[2], re.MULTILINE)
    statuses = [status for status, codes in rows if f"`{code}`" in codes]
    assert len(statuses) == 1
    assert str(KINDS[code].status) in statuses[0]


def test_every_event_is_in_the_table() -> None:
    rows = re.findall(r"^\| (`[a-z.]+`.*?) \| ", WEBHOOKS, re.MULTILINE)
    named = set()
    for row in rows:
        words = re.findall(r"`([a-z._]+)`", row)
        room = words[0].rpartition(".")[0]
        for word in words:
            room = room if word.startswith(".") else word.rpartition(".")[0]
            named.add(f"{room}{word}" if word.startswith(".") else word)
    text = WEBHOOKS.partition("| type | meaning |")[2].partition("\n\n")[0]
    missing = {each for each in EVENT_TYPES - OF_CHANGES_ALONE if each not in named and f"`{each}`" not in text}
    assert missing == set()
