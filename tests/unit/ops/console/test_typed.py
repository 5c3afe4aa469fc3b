"""What a person types: checked in one place, and no value of an address ends in a defect."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ops.console.typed import typed_amount, typed_day
from ops.errors import OperatorError
from tests.unit.ops.console.harness import browser_of
from tests.unit.ops.console.test_operating import act, answers, browser_with, changes_of
from tests.unit.ops.console.test_screens import hostile_answers
from tests.unit.ops.test_commands import FakeFunction

ODD = [
    "0",
    "-1",
    "1.5",
    "\uff11\uff12",
    "9" * 5_000,
    "0" * 5_000 + "1",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "nan",
]
ASKED = {
    "/": ["window", "done"],
    "/find": ["from", "to", "least", "most", "status", "position"],
    "/find.csv": ["from", "to", "least"],
    "/merchants": ["after"],
    "/providers": ["merchant"],
    "/reviews": ["merchant"],
    "/reviews/acme/pay_aaaaaaaaaaaaaaaa": ["amount", "held", "reference", "provider", "accountId", "providerKey"],
    "/routing": ["amount"],
}


def test_a_day_and_an_amount() -> None:
    assert typed_day("2026-11-28") == datetime(2026, 11, 28, tzinfo=UTC)
    assert [typed_amount("0"), typed_amount("999999999999", least=1)] == [0, 999_999_999_999]


@pytest.mark.parametrize("text", [*ODD[1:], "", "1999-12-31", "2200-01-01"])
def test_another_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(OperatorError, match="such as 1999"):
        typed_amount(text)
    with pytest.raises(OperatorError, match="2026-11-28"):
        typed_day(text)


def test_an_amount_has_a_least() -> None:
    with pytest.raises(OperatorError):
        typed_amount("0", least=1)


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:12])
def test_no_odd_value_of_an_address_is_a_defect(text: str, target: Any) -> None:
    """A defect would be raised here: the harness lets no error of the pages pass."""
    function = FakeFunction(**{**hostile_answers("acme"), **answers("acme")})
    browser = browser_of(function, target=target).enter()
    for address, names in ASKED.items():
        for name in names:
            assert browser.get(address, params={name: text}).status_code < 500, (address, name)


@pytest.mark.parametrize(
    ("page", "action", "fields"),
    [
        ("/merchants/acme", "/merchants/acme/limits", {"currency": "USD", "amount": "9" * 21}),
        ("/reconciliation", "/reconciliation/begin", {"provider": "stripe", "day": "9999-12-31"}),
    ],
)
def test_an_odd_value_of_a_form_changes_nothing(target: Any, page: str, action: str, fields: dict[str, str]) -> None:
    browser, function = browser_with(target)
    assert act(browser, page, action, **fields).status_code == 422
    assert changes_of(function) == []
