"""docs/performance.md is what docs/performance.json says, and the counts in both are today's."""

import json

from bench.__main__ import JSON, PAGE
from bench.imports import imports
from bench.log_bytes import counted_lines
from bench.payment_counts import payment_counts
from bench.report import report

FOUND = json.loads(JSON.read_text())


def test_the_page_is_written_from_the_json() -> None:
    assert PAGE.read_text() == report(FOUND), "run `make counts`"


def test_the_counts_are_todays() -> None:
    assert FOUND["counted"]["payments"] == payment_counts(), "run `make counts`"


def test_the_log_lines_are_todays() -> None:
    """Times in the lines differ by a digit."""
    for batch, now in counted_lines().items():
        then = FOUND["counted"]["logBytes"][batch]
        assert abs(then["bytes"] - now["bytes"]) <= 20, "run `make counts`"
        assert then["lines"] == now["lines"]


def test_the_modules_of_ours_are_todays() -> None:
    """Those of Python and of libraries are the machine's."""
    then, now = (
        {name: (row["ours"], row["bound"]) for name, row in modules.items()}
        for modules in (FOUND["counted"]["modules"], imports())
    )
    assert then == now, "run `make counts`"


def test_the_report_names_the_goals_it_misses_and_those_it_meets() -> None:
    text = PAGE.read_text()
    rows = (
        "calls of AWS",
        "write units",
        "CPU a payment",
        "time to accept",
        "bytes of log",
        "list price",
        "an idle month",
    )
    for row in rows:
        assert f"| {row}" in text, row
