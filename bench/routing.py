"""A routing decision's CPU time, by the number of rules before the one that matches."""

import time
from typing import Any, Final

from bench.statistics import Spread
from payflowx.domain.payments.payment import PaymentMethod
from payflowx.domain.routing.routing import (
    Availability,
    Conditions,
    RoutingDocument,
    RoutingFacts,
    Rule,
    Share,
    decide_route,
)
from payflowx.domain.routing.routing_check import MAX_RULES
from payflowx.domain.shared.statuses import CaptureMode
from tests.support.world import RESENDABLE

FEW: Final = 10
_DECISIONS: Final = 2_000


def routing(rounds: int) -> dict[str, Any]:
    """Microseconds a decision with few rules and with as many as a document may have."""
    found = {str(rules): _microseconds(rules, rounds) for rules in (FEW, MAX_RULES)}
    return {rules: spread.document() for rules, spread in found.items()}


def _microseconds(rules: int, rounds: int) -> Spread:
    document, facts, available = _document(rules), _facts(), _available()
    values = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(_DECISIONS):
            decide_route(document, facts, available)
        values.append((time.process_time() - started) / _DECISIONS * 1e6)
    return Spread.of(values)


def _document(rules: int) -> RoutingDocument:
    """The last rule matches; those before it are of other merchants."""
    share = (Share(percent=100, providers=(RESENDABLE.provider,)),)
    others = [
        Rule(name=f"r{number}", when=Conditions(merchants=frozenset({f"m{number}"})), shares=share)
        for number in range(rules - 1)
    ]
    return RoutingDocument(version="v", rules=(*others, Rule(name="all", when=Conditions(), shares=share)))


def _facts() -> RoutingFacts:
    return RoutingFacts(
        transaction_id="pay_aaaaaaaaaaaaaaaa",
        merchant_id="acme",
        amount=1999,
        currency="USD",
        country="DE",
        capture=CaptureMode.AUTOMATIC,
        payment_method=PaymentMethod(type="card", token="tok_success"),  # noqa: S106 - it opens nothing
        metadata={},
        given=frozenset(),
        save_payment_method=False,
        checkout=None,
    )


def _available() -> Availability:
    return Availability(capabilities={RESENDABLE.provider: RESENDABLE}, accounts={RESENDABLE.provider: "main"})
