"""The suite's payments run: a service whose answer the stand-in cannot write fails here, and not in `make bench`."""

import os
import sysconfig

import pytest

from bench.children import function_environment, run_child, stand_in
from bench.hot_path import BASE, TRIAL, VARIANTS, WITH_ENDPOINT, WITHOUT_ENDPOINTS
from bench.layout import ROOT

_PAYMENTS = 5
_CALLS = {WITHOUT_ENDPOINTS: 4, WITH_ENDPOINT: 7, TRIAL: 4, "prototype": 4, BASE: 9}
"""Of AWS, a payment: what its row of docs/performance.md compares. Polls and configuration may come on top."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_finishes_its_payments_and_makes_the_calls_that_it_is_compared_for(variant: str) -> None:
    path = os.pathsep.join((str(ROOT / "functions"), sysconfig.get_path("purelib")))
    with stand_in() as running:
        environment, (code, merchant) = function_environment(path, running), VARIANTS[variant]
        arguments = (code, merchant, str(_PAYMENTS), "10", running.url)
        found = run_child("hot_path.py", *arguments, environment=environment)
    calls = sum(found["calls"].values()) / _PAYMENTS
    assert _CALLS[variant] <= calls < _CALLS[variant] + 1


def test_a_checkout_is_created_and_its_page_shown_with_one_call_each() -> None:
    path = os.pathsep.join((str(ROOT / "functions"), sysconfig.get_path("purelib")))
    with stand_in() as running:
        environment = function_environment(path, running)
        found = run_child("checkout.py", str(_PAYMENTS), running.url, environment=environment)
    assert [found[step]["calls"] for step in ("create", "page")] == [1, 1]
    assert found["page"]["bytes"] > 0
