"""Decimals and minor units."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.shared.money import CURRENCY_EXPONENTS
from payflowx_client import from_minor, to_minor
from payflowx_client.money import EXPONENTS, MAX_AMOUNT


def test_the_currencies_are_those_of_the_api() -> None:
    assert dict(EXPONENTS) == dict(CURRENCY_EXPONENTS)


@given(st.integers(-MAX_AMOUNT, MAX_AMOUNT), st.sampled_from(sorted(EXPONENTS)))
def test_both_directions_are_exact(amount: int, currency: str) -> None:
    assert to_minor(from_minor(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "USD", 1999),
        ("19.9900", "USD", 1999),
        ("1999", "JPY", 1999),
        ("1.234", "KWD", 1234),
        ("1E+3", "INR", 100_000),
    ],
)
def test_examples(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency) == minor


def test_both_languages_convert_alike() -> None:
    vectors = json.loads((Path(__file__).resolve().parents[3] / "clients" / "vectors.json").read_text())
    for amount, currency, minor in vectors["money"]:
        assert to_minor(Decimal(amount), currency) == minor


def test_all_decimals_are_shown() -> None:
    assert str(from_minor(1990, "USD")) == "19.90"


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("19.999", "USD"),
        ("0.5", "JPY"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("1E+99999", "USD"),
        ("1E-99999", "USD"),
        ("1", "usd"),
        ("1", "XXX"),
        ("10000000000.00", "USD"),
    ],
)
def test_what_has_no_minor_units_is_refused_and_never_rounded(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        to_minor(Decimal(amount), currency)


@pytest.mark.parametrize("amount", [19.99, "19.99", 5, True, None])
def test_decimals_only(amount: Any) -> None:
    with pytest.raises(TypeError):
        to_minor(amount, "USD")


@pytest.mark.parametrize("amount", [19.0, "19", True, Decimal(5), None])
def test_integers_only(amount: Any) -> None:
    with pytest.raises(TypeError):
        from_minor(amount, "USD")
