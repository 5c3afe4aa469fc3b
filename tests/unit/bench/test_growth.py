"""No request of a payment asks for more when a merchant has a hundred times as many, which docs/performance.md says."""

import json

from bench.__main__ import JSON
from bench.growth import LARGE, SMALL, growth


def test_calls_and_units_do_not_follow_the_number_of_payments() -> None:
    """The run of the page, at both of its sizes."""
    assert LARGE == 100 * SMALL
    found = growth()
    for name, by_size in found.items():
        small, large = by_size.values()
        assert small == large, name
    assert json.loads(JSON.read_text())["counted"]["growth"] == found, "run `make counts`"
