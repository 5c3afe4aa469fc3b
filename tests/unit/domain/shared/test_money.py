"""The table of currencies, held to the list of the standard."""

from datetime import date
from typing import Final

import iso4217
import pytest

from payflowx.domain.shared.money import ACTIVE_CURRENCIES, CURRENCY_EXPONENTS, is_currency, to_major, to_minor

FUNDS: Final = frozenset({"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"})
"""The list marks them, or, for UYW, gives a unit of an index; nobody pays in them."""
PUBLISHED: Final = date(2026, 1, 1)


def test_the_table_is_list_one_as_it_was_published() -> None:
    """Metals, test codes and units of account have no minor unit. A newer package moves the date: read its changes."""
    assert iso4217.__published__ == PUBLISHED
    listed = {currency.code: currency.exponent for currency in iso4217.Currency if currency.exponent is not None}
    assert {code: exponent for code, exponent in listed.items() if code not in FUNDS} == ACTIVE_CURRENCIES
    assert listed.keys() >= FUNDS


@pytest.mark.parametrize("code", ["ANG", "BGN", "UYI"])
def test_a_withdrawn_currency_takes_no_new_payment_and_keeps_its_unit(code: str) -> None:
    """A payment of release 0.2.0 in it is refunded and reconciled still."""
    assert not is_currency(code)
    assert to_minor(to_major(1_234, code), code) == 1_234
    assert CURRENCY_EXPONENTS[code] == (0 if code == "UYI" else 2)


@pytest.mark.parametrize("code", ["XCG", "ZWG", "SLE", "VED"])
def test_recent_currencies_are_active(code: str) -> None:
    assert is_currency(code)


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XDR", "CLF", "USN", "HRK", "SLL", "usd", "", "US"])
def test_others_are_not(code: str) -> None:
    assert not is_currency(code)
