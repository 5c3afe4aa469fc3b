"""The suite's payments run: a service whose answer the stand-in cannot write fails here, and not in `make bench`."""

import os
import sysconfig

import pytest

from bench.children import function_environment, run_child, stand_in
from bench.hot_path import VARIANTS
from bench.layout import ROOT

_PAYMENTS = 5
_CALLS = {"ours": 4, "prototype": 4, "original": 9}
"""Whole calls of AWS a payment, at least; pollers' last calls and configuration come on top."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_finishes_its_payments_and_makes_the_calls_that_it_is_compared_for(variant: str) -> None:
    path = os.pathsep.join((str(ROOT / "functions"), sysconfig.get_path("purelib")))
    with stand_in() as running:
        environment = function_environment(path, running)
        found = run_child("hot_path.py", variant, str(_PAYMENTS), "10", running.url, environment=environment)
    assert all(found["cpuMs"][step] >= 0 for step in ("accept", "work", "finish"))
    assert _CALLS[variant] <= sum(found["calls"].values()) / _PAYMENTS < _CALLS[variant] + 2
