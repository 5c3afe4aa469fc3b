"""The vendors' settlement files: the samples in tests/data, row by row, and rows that are refused."""

import csv
from pathlib import Path
from typing import Any

import pytest

from payflowx.domain.reconciliation.reports import EntryKind
from payflowx.providers.registry import connector

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "settlements"
CHARGED_MS = 1_790_000_000_000
KEY, REFUND_KEY = "pfx-aaaaaaaaaaaaaaaa-1", "pfx-cccccccccccccccc-1"
CHARGE, REFUND = EntryKind.CHARGE, EntryKind.REFUND


def rows(vendor: str) -> list[dict[str, str]]:
    with (SAMPLES / f"{vendor}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def read(vendor: str, row: dict[str, str]) -> Any:
    entry = connector(vendor).read_settlement(row)
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


@pytest.mark.parametrize("vendor", EXPECTED)
class TestSamples:
    def test_every_row(self, vendor: str) -> None:
        assert [read(vendor, row) for row in rows(vendor)] == EXPECTED[vendor]

    def test_times_are_in_the_vendors_zone(self, vendor: str) -> None:
        entry = connector(vendor).read_settlement(rows(vendor)[0])
        assert entry is not None
        assert entry.at_ms == CHARGED_MS

    @pytest.mark.parametrize("amount", ["", "ten", "1e3", "NaN", "1.005", "--1", "1" * 20])
    def test_an_amount_that_is_none_is_refused(self, vendor: str, amount: str) -> None:
        row = {**rows(vendor)[0], AMOUNTS[vendor]: amount}
        if vendor == "stripe":
            row["gross"] = amount
        with pytest.raises((ValueError, ArithmeticError)):
            read(vendor, row)

    @pytest.mark.parametrize("time", ["", "yesterday", "2026-13-01 00:00:00"])
    def test_a_time_that_is_none_is_refused(self, vendor: str, time: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            read(vendor, {**rows(vendor)[0], TIMES[vendor]: time})

    def test_a_column_that_is_missing_is_refused(self, vendor: str) -> None:
        row = rows(vendor)[0]
        for column in (KINDS[vendor], TIMES[vendor]):
            with pytest.raises(KeyError):
                read(vendor, {name: cell for name, cell in row.items() if name != column})

    def test_somebody_elses_key_is_none_of_ours(self, vendor: str) -> None:
        swapped = {name: cell.replace(KEY, "shop-1") for name, cell in rows(vendor)[0].items()}
        assert read(vendor, swapped)[2] is None
