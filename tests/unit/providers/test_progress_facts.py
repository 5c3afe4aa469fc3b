"""Each fact of a connector's progress is either an identifier, which stays, or can pay, and is erased."""

from typing import Final

import pytest

from payflowx.domain.payments.erasure import BEARER_FACTS
from payflowx.domain.payments.hosted import HOSTED_FACTS
from payflowx.providers.registry import _MODULES, connector

IDENTIFIERS: Final = frozenset({"link_exists", "order", "order_id"})
"""Facts that pay nothing and prove nothing by themselves: operations and reports are matched by them."""


@pytest.mark.parametrize("name", sorted(_MODULES))
def test_each_stored_fact_is_classified(name: str) -> None:
    facts = _facts_of(name)
    assert facts <= IDENTIFIERS | BEARER_FACTS, "decide whether the new fact can pay the order, and add it to one set"


def test_every_fact_that_can_pay_is_of_a_connector() -> None:
    facts = HOSTED_FACTS.union(*(_facts_of(name) for name in _MODULES))
    assert facts >= BEARER_FACTS


def _facts_of(name: str) -> set[str]:
    found = connector(name)
    steps = [*found.charge_steps, *(found.hosted.create if found.hosted else ())]
    return {fact for step in steps for fact in step.yields}
