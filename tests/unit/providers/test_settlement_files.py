"""The providers' settlement files: the samples in tests/data, row by row, and rows that are refused."""

import csv
from pathlib import Path
from typing import Any

import pytest

from payflowx.domain.reconciliation.reports import EntryKind
from payflowx.providers import csv_fields
from payflowx.providers.registry import connector

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "settlements"
CHARGED_MS = 1_790_000_000_000
KEY, REFUND_KEY = "pfx-aaaaaaaaaaaaaaaa-1", "pfx-cccccccccccccccc-1"
CHARGE, REFUND = EntryKind.CHARGE, EntryKind.REFUND


def rows(provider: str) -> list[dict[str, str]]:
    with (SAMPLES / f"{provider}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def read(provider: str, row: dict[str, str]) -> Any:
    entry = connector(provider).read_settlement(row)
    if entry is None:
        return None
    named = (entry.kind, entry.reference, entry.provider_key, entry.charge_reference)
    return *named, entry.amount, entry.currency, entry.succeeded


EXPECTED = {
    "stripe": [
        (CHARGE, "pi_1", KEY, None, 49_900, "USD", True),
        (CHARGE, "pi_2", "pfx-bbbbbbbbbbbbbbbb-2", None, 810, "JPY", True),
        (REFUND, "re_1", REFUND_KEY, "pi_1", 10_000, "USD", True),
        (REFUND, "re_1", REFUND_KEY, "pi_1", 10_000, "USD", False),
        None,
    ],
    "razorpay": [
        (CHARGE, "pay_1", KEY, None, 49_900, "INR", True),
        (REFUND, "rfnd_1", REFUND_KEY, "pay_1", 10_000, "INR", True),
        (CHARGE, "pay_2", None, None, 1_250, "INR", True),
        None,
    ],
    "cashfree": [
        (CHARGE, "1001", KEY, None, 49_900, "INR", True),
        (REFUND, "9002", REFUND_KEY, "1001", 10_000, "INR", True),
        (REFUND, "9003", REFUND_KEY, "1001", 10_000, "INR", False),
        None,
    ],
    "payu": [
        (CHARGE, "4001", KEY, None, 49_900, "INR", True),
        (REFUND, "7002", None, "4001", 10_000, "INR", True),
        None,
    ],
}
AMOUNTS = {
    "stripe": "customer_facing_amount",
    "razorpay": "amount",
    "cashfree": "event_amount",
    "payu": "requestamount",
}
TIMES = {"stripe": "created_utc", "razorpay": "entity_created_at", "cashfree": "event_time", "payu": "txndate"}
KINDS = {
    "stripe": "reporting_category",
    "razorpay": "transaction_entity",
    "cashfree": "event_type",
    "payu": "requestaction",
}

COMMAS = ("499,00", "4,99", "0,499", "1,2,345", "1,2345.00", "1.234,56", "1 234,56", ",499.00", "499,.00", "1,,234.00")
"""A comma that is no separator of groups may be a decimal point."""


@pytest.mark.parametrize(
    ("cell", "currency", "amount"),
    [
        *(("1,234.50", "INR", 123_450), ("1,23,456.00", "INR", 12_345_600), ("12,34,56,789.10", "INR", 12_345_678_910)),
        *(("1,234", "INR", 123_400), ("1,234,567", "JPY", 1_234_567), ("-1,234.5", "USD", 123_450)),
        *(("1,234.500", "KWD", 1_234_500), ("499", "KWD", 499_000), ("499.125", "KWD", 499_125)),
    ],
)
def test_groups_of_an_amount_are_read(cell: str, currency: str, amount: int) -> None:
    assert csv_fields.minor_amount(cell, currency) == amount


def test_a_withdrawn_currency_is_read_and_an_unknown_one_is_not() -> None:
    assert csv_fields.currency(" bgn ") == "BGN"
    with pytest.raises(ValueError, match="no currency"):
        csv_fields.currency("XXX")


def test_a_comma_that_may_be_either_is_refused() -> None:
    with pytest.raises(ValueError, match="no amount"):
        csv_fields.minor_amount("1,234", "KWD")


@pytest.mark.parametrize("provider", EXPECTED)
class TestSamples:
    def test_every_row(self, provider: str) -> None:
        assert [read(provider, row) for row in rows(provider)] == EXPECTED[provider]

    def test_times_are_in_the_providers_zone(self, provider: str) -> None:
        entry = connector(provider).read_settlement(rows(provider)[0])
        assert entry is not None
        assert entry.at_ms == CHARGED_MS

    @pytest.mark.parametrize("amount", ["", "ten", "1e3", "NaN", "1.005", "--1", "1" * 20, *COMMAS])
    def test_an_amount_that_is_none_is_refused(self, provider: str, amount: str) -> None:
        row = {**rows(provider)[0], AMOUNTS[provider]: amount}
        if provider == "stripe":
            row["gross"] = amount
        with pytest.raises((ValueError, ArithmeticError)):
            read(provider, row)

    @pytest.mark.parametrize("time", ["", "yesterday", "2026-13-01 00:00:00"])
    def test_a_time_that_is_none_is_refused(self, provider: str, time: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            read(provider, {**rows(provider)[0], TIMES[provider]: time})

    def test_a_column_that_is_missing_is_refused(self, provider: str) -> None:
        row = rows(provider)[0]
        for column in (KINDS[provider], TIMES[provider]):
            with pytest.raises(KeyError):
                read(provider, {name: cell for name, cell in row.items() if name != column})

    def test_a_foreign_key_is_not_ours(self, provider: str) -> None:
        swapped = {name: cell.replace(KEY, "shop-1") for name, cell in rows(provider)[0].items()}
        assert read(provider, swapped)[2] is None


@pytest.mark.parametrize("empty", ["customer_facing_amount", "customer_facing_currency"])
def test_stripe_s_amount_and_currency_are_those_of_one_pair(empty: str) -> None:
    """The settled amount beside the payer's currency would be another sum."""
    row = rows("stripe")[1]
    assert row["customer_facing_currency"].lower() == "jpy"
    with pytest.raises(ValueError, match="one of two"):
        read("stripe", {**row, empty: ""})


def test_without_the_payer_s_pair_it_is_the_settled_one() -> None:
    row = {**rows("stripe")[0], "customer_facing_amount": "", "customer_facing_currency": ""}
    assert read("stripe", {**row, "gross": "12.50", "currency": "eur"})[4:6] == (1_250, "EUR")
