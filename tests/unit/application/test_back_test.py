"""A document tried on stored decisions."""

import json
from dataclasses import replace

import pytest

from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.application.routing.back_test import BackTest, BackTestRouting
from payflowx.application.routing.publish_routing import CheckRouting
from payflowx.domain.payments.ports import PaymentQuery
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS
from tests.support.world import MERCHANT, World


@pytest.fixture
def world() -> World:
    return World()


def trial(world: World, *rules: tuple[dict[str, object], str], position: str | None = None) -> BackTest:
    document = {
        "version": "new",
        "rules": [
            {"name": f"rule-{number}", "when": when, "use": {"providers": [provider]}}
            for number, (when, provider) in enumerate(rules, 1)
        ],
    }
    use_case = BackTestRouting(
        payments=world.payments,
        merchant_directory=world.merchant_directory,
        check=CheckRouting(decode=decode_routing_document, providers=world.providers),
        providers=world.providers,
    )
    now_ms = world.clock.now_ms()
    query = PaymentQuery(
        merchant_id=MERCHANT, from_ms=now_ms - DAY_MS, until_ms=now_ms + 1, status=None, limit=1, position=position
    )
    return use_case(json.dumps(document).encode(), query)


def test_what_would_move_from_where_to_where(world: World) -> None:
    for number in range(3):
        world.accept(f"euro-{number}", currency="EUR")
    for number in range(2):
        world.accept(f"dollar-{number}", currency="USD")
    found = trial(world, ({"currencies": ["EUR"]}, "beta"), ({"currencies": ["INR"]}, "gamma"), ({}, "alpha"))
    (move,) = found.moves
    assert (move.before, move.after, move.count, len(move.examples)) == ("alpha", "beta", 3, 3)
    assert (found.compared, found.erased, found.next_position) == (5, 0, None)
    assert found.matched == {"rule-1": 3, "rule-2": 0, "rule-3": 2}


def test_what_no_provider_of_a_rule_could_take(world: World) -> None:
    payment = world.accept(currency="EUR")
    world.set_merchant(accounts=[account for account in world.accounts if account.provider != "beta"])
    (move,) = trial(world, ({"currencies": ["EUR"]}, "beta"), ({}, "alpha")).moves
    assert (move.before, move.after, move.code) == ("alpha", None, "no_provider_available")
    assert move.examples == (payment.transaction_id,)


def test_facts_of_the_payer_and_metadata_decide_as_they_did(world: World) -> None:
    world.accept(metadata={"channel": "app"})
    found = trial(world, ({"metadata": {"channel": ["app"]}}, "gamma"), ({}, "alpha"))
    assert [(move.before, move.after) for move in found.moves] == [("alpha", "gamma")]


def test_an_erased_payment_is_not_compared(world: World) -> None:
    world.store(replace(world.accept(), erased=True))
    found = trial(world, ({}, "beta"))
    assert (found.compared, found.erased, found.moves) == (0, 1, ())


def test_switches_do_not_count(world: World) -> None:
    world.accept()
    world.set_merchant(disabled=frozenset({"alpha"}))
    assert trial(world, ({}, "alpha")).moves == ()


def test_a_call_reads_a_bounded_number_and_the_next_one_goes_on(world: World) -> None:
    for number in range(503):
        world.accept(f"order-{number}")
        world.jobs.sent.clear()
    first = trial(world, ({}, "beta"))
    assert first.compared == 500
    assert first.next_position is not None
    rest = trial(world, ({}, "beta"), position=first.next_position)
    assert (rest.compared, rest.next_position) == (3, None)


def test_a_faulty_document_is_refused(world: World) -> None:
    with pytest.raises(Refusal, match="nobody is not a provider"):
        trial(world, ({}, "nobody"))
