"""Scenarios: what they are about happens in each seed, nothing else goes wrong, and other seeds stay as they are."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from payflowx.domain.payments.payment import Layout
from payflowx.domain.shared.transport import HttpRequest
from sandbox.disputes import DISPUTING
from simulation.check import check_plan, evidence_of, judge
from simulation.checker.evidence import OperationEvidence, PaymentEvidence
from simulation.checkouts import is_checkout
from simulation.faults import ALL_KINDS, EPISODES
from simulation.mutants import MUTANTS, OPEN_MUTANTS, applied
from simulation.mutants.mutant import Edit, Mutant, edits
from simulation.payers import USUAL_HABITS
from simulation.runner import plans
from simulation.scenarios import SCENARIOS
from simulation.shrinking import shrink
from simulation.trace import tell
from simulation.workload import DOCUMENT, MERCHANTS, Wish, rerouted
from simulation.world import Plan, World
from testing.dynamodb.values import plain_item
from tests.unit.simulation import two_functions

_ALL_KINDS = frozenset(ALL_KINDS)


@pytest.mark.parametrize("scenario", SCENARIOS)
class TestEachScenario:
    def test_names_kinds_of_faults_that_there_are(self, scenario: str) -> None:
        assert SCENARIOS[scenario].rates.keys() <= _ALL_KINDS

    def test_has_the_same_rates_in_each_seed_and_no_episode(self, scenario: str) -> None:
        faults = Plan(1, scenario=scenario).faults()
        assert faults.rates == Plan(2, scenario=scenario).faults().rates
        assert {kind for kind, rate in faults.rates.items() if rate} == SCENARIOS[scenario].rates.keys()
        assert faults.episodes == frozenset()
        assert not any(Plan(1, scenario=scenario, without=_ALL_KINDS).faults().rates.values())

    def test_runs_clean_and_only_what_it_names_goes_wrong(self, scenario: str) -> None:
        first, again = (check_plan(Plan(3, scenario=scenario)) for _ in range(2))
        assert first.violations == ()
        assert first.hash == again.hash != check_plan(Plan(3)).hash
        assert first.faults.keys() <= SCENARIOS[scenario].rates.keys()


def test_most_payments_of_closings_are_checkouts_at_every_provider_whose_payers_hurry() -> None:
    plan = Plan(4, scenario="closings")
    evidence = evidence_of(plan)
    assert all(is_checkout(order.body) and not order.steps for order in evidence.result.orders)
    assert evidence.result.faults.counts["payer_hurries"] > 5
    acts = Counter(act for _, who, act, _ in evidence.result.history.steps if who.startswith("payer at "))
    assert acts["late"] + acts["slow"] > 5
    assert acts["pay"] < acts["late"] + acts["slow"] + acts["fail"] + acts["reopen"]


def test_objects_have_other_amounts_in_other_objects() -> None:
    assert check_plan(Plan(1, scenario="other_objects")).faults["gateway_other_object"] > 5


def test_both_layouts_are_accepted_and_in_half_of_the_seeds_the_full_one_comes_back() -> None:
    results = [evidence_of(Plan(seed, scenario="full_layout")).result for seed in range(4)]
    for result in results:
        versions = [
            plain_item(item)["schemaVersion"] for (_, (_, sort)), item in result.items.items() if sort == "PAYMENT"
        ]
        assert {min(versions), max(versions)} == {Layout.FULL, Layout.COMPACT}
    assert {result.faults.counts["compact_deployed"] for result in results} == {1, 2}


def test_more_partitions_are_written_from_a_moment_on_and_emptied_where_they_are_taken_back() -> None:
    taken_back = evidence_of(Plan(0, scenario="more_partitions")).result
    assert taken_back.faults.counts["partitions_deployed"] > 2
    days = Counter("#" in day.split("#P#")[-1] for day in _days(taken_back.items) if "#P#" in day)
    assert min(days[True], days[False]) > 2
    writes = [write for write in taken_back.history.writes if write.before and write.after]
    moved = [write for write in writes if _changed(write.before, write.after) == {"dueShard"}]
    assert moved
    assert {write.after["dueShard"]["S"] for write in moved} <= {f"due#{shard:02}" for shard in range(16)}


def _days(items: Mapping[Any, Any]) -> list[str]:
    return [item["merchantDay"]["S"] for item in items.values() if "merchantDay" in item]


def _changed(before: Any, after: Any) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def test_payments_are_cancelled_while_their_outcome_is_unknown_in_cancellations() -> None:
    evidence = evidence_of(Plan(0, scenario="cancellations"))
    assert {step.wish for order in evidence.result.orders for step in order.steps} == {Wish.CANCEL}
    asked = [payment for payment in evidence.payments.values() if (payment.item or {}).get("cancelRequested")]
    assert len(asked) > 3
    assert evidence.result.faults.counts["gateway_refuses_acts"] > 3


def test_voids_are_refused_in_cancellations_and_tried_again() -> None:
    evidence = evidence_of(Plan(18, scenario="cancellations"))
    assert evidence.result.faults.counts["gateway_refuses_voids"] > 0
    voids = [[op.item["status"] for op in each.operations.values() if op.item] for each in evidence.payments.values()]
    assert any("FAILED" in states for states in voids)
    assert all("SUCCEEDED" in states for states in voids if "FAILED" in states)


def test_the_slow_lane_is_in_use_and_reviews_are_closed_in_slow_providers() -> None:
    result = check_plan(Plan(2, scenario="slow_providers"))
    assert result.sometimes["handed to the slow lane of the worker"] > 3
    assert result.sometimes["function timeout"] > 3
    assert result.sometimes["command: close_review, done"] > 0


def test_charges_are_forgotten_and_the_route_is_another_one_afterwards() -> None:
    result = evidence_of(Plan(3, scenario="forgotten_payments")).result
    assert result.forgotten is not None
    assert len(result.forgotten.payments) > 10
    assert result.faults.counts["restore_reroutes"] == 1
    assert all(order.body["paymentMethod"]["type"] == "card" for order in result.orders)


def test_another_document_leaves_out_the_first_provider_where_there_are_others() -> None:
    rules = json.loads(rerouted(DOCUMENT))["rules"]
    providers = {rule["name"]: rule["use"].get("providers") for rule in rules}
    assert providers["stripe-on-request"] == ["stripe"]
    assert providers["inr"] == ["cashfree_mock", "mock"]
    (split,) = (rule["use"]["split"] for rule in rules if rule["name"] == "split")
    assert split[0]["providers"] == ["mock"]


def test_orders_are_cancelled_and_asked_for_again_in_cancelled_orders() -> None:
    evidence = evidence_of(Plan(0, scenario="cancelled_orders"))
    assert all("orderId" in order.body for order in evidence.result.orders)
    assert judge(evidence).statuses["CANCELLED"] > 1


def test_orders_are_paid_again_and_automatic_refunds_are_turned_on_in_declined_orders() -> None:
    evidence = evidence_of(Plan(6, scenario="declined_orders"))
    assert evidence.result.faults.counts["operator_turns_refunds_on"] == 1
    assert {order.body.get("oncePerOrder", True) for order in evidence.result.orders} == {True, False}
    assert judge(evidence).sometimes["refused: order_not_free"] > 10


def test_captures_come_too_late_in_late_captures() -> None:
    histories = [evidence_of(Plan(seed, scenario="late_captures")).result.history for seed in (0, 2)]
    calls = [call for history in histories for call in history.calls]
    refused = [call for call in calls if call.path.endswith("/capture") and call.status == 409]
    told = " ".join(str(call.answer.get("detail")) for call in refused)
    assert "has lapsed" in told
    assert "cancellation of this payment was requested" in told


def test_only_one_merchant_s_payments_pass_a_provider_over_in_sick_provider() -> None:
    payments = evidence_of(Plan(0, scenario="sick_provider")).payments.values()
    over = {p.merchant for p in payments if "passed over: calls" in str(p.versions[0][2])}
    assert over == {"acme"}


def test_a_forgotten_authorization_is_found_and_lapses_in_forgotten_holds() -> None:
    payments = evidence_of(Plan(1, scenario="forgotten_holds")).payments.values()
    found = [p for p in payments if p.item and any("search_follows" in a["progress"] for a in p.item["attempts"])]
    walks = [[version["status"] for _, _, version in payment.versions] for payment in found]
    lapsed = [walk for walk in walks if ("AUTHORIZED", "CANCELLED") in pairwise(walk)]
    assert any(walk[-1] == "CANCELLED" for walk in lapsed)


def test_people_close_reviews_with_what_was_kept_of_a_charge() -> None:
    evidence = evidence_of(Plan(0, scenario="kept_in_part"))
    closings = [c for c in evidence.result.history.commands if c.ok and "amount" in c.command]
    assert len(closings) > 1
    for closing in closings:
        payment = evidence.payments[f"{closing.command['transactionId']}@{closing.command['merchantId']}"]
        assert payment.item is not None
        assert payment.item["captured"] == closing.command["amount"] < payment.item["amount"]
    captured, returned = (
        [
            line
            for c in closings
            for line in c.books
            if line["kind"] == "charge" and bool(line["refunded"]) is is_returned
        ]
        for is_returned in (False, True)
    )
    assert captured
    assert returned


def test_charges_and_refunds_are_pending_for_days() -> None:
    results = [evidence_of(Plan(seed, scenario="slow_banks")) for seed in (0, 2)]
    owners = [owner for each in results for p in each.payments.values() for owner in (p, *p.operations.values())]
    pending = {
        (owner.item["status"], "kind" in owner.item)
        for owner in owners
        if owner.item is not None and _accepted_for_ms(owner) > 2 * 24 * 3_600_000
    }
    assert pending >= {("SUCCESS", False), ("FAILED", False), ("SUCCEEDED", True), ("FAILED", True)}


def _accepted_for_ms(owner: PaymentEvidence | OperationEvidence) -> int:
    """How long the provider's answer was "pending"."""
    attempts = [(write.at_ms, after["attempts"]) for write, _, after in owner.versions if after is not None]
    times = [at_ms for at_ms, known in attempts if known and known[-1]["state"] == "ACCEPTED"]
    return times[-1] - times[0] if times else 0


@pytest.mark.parametrize("scenario", ["late_holds", "reviews_beside_late_holds"])
def test_amounts_are_held_after_a_decline(scenario: str) -> None:
    payments = [payment for payment in evidence_of(Plan(0, scenario=scenario)).payments.values() if payment.item]
    late = [
        p for p in payments if any("authorized_late_at" in a.get("progress", {}) for a in (p.item or {})["attempts"])
    ]
    assert len(late) > 5
    closed = [event for payment in late for event in payment.events if event["type"] == "review.charged"]
    assert bool(closed) == (scenario == "reviews_beside_late_holds")


def test_refunds_follow_erasures_in_erasures() -> None:
    payments = evidence_of(Plan(0, scenario="erasures")).payments.values()
    erased = [payment for payment in payments if payment.item and payment.item.get("erased")]
    assert sum(len(payment.operations) for payment in erased) > 5


def test_all_credentials_are_rotated_in_rotations() -> None:
    evidence = evidence_of(Plan(0, scenario="rotations"))
    assert {webhook.pair for webhook in evidence.result.history.webhooks} == {0, 1}


def test_endpoints_have_types_and_new_secrets_in_subscriptions() -> None:
    history = evidence_of(Plan(0, scenario="subscriptions")).result.history
    rotated_ms = [call.at_ms for call in history.calls if call.path.endswith("/rotate-secret") and call.status == 200]
    assert len(rotated_ms) == 3
    assert {delivered.body["type"] for delivered in history.deliveries if "globex-2" in delivered.url} == {
        "payment.authorized",
        "refund.succeeded",
    }
    assert max(delivered.at_ms for delivered in history.deliveries) > max(rotated_ms) + 24 * 3_600_000


def test_no_merchant_has_an_account_where_nothing_proves_an_absence_in_forgotten_orders() -> None:
    evidence = evidence_of(Plan(1, scenario="forgotten_orders"))
    assert evidence.result.forgotten is not None
    assert "razorpay_mock" not in {sent.connector for sent in evidence.result.history.sent}
    assert all("orderId" in order.body for order in evidence.result.orders)


def test_automatic_refunds_are_turned_off_again_in_refunds_turned_off() -> None:
    evidence = evidence_of(Plan(0, scenario="refunds_turned_off"))
    assert evidence.result.faults.counts["operator_turns_refunds_off"] == 1


def test_reports_have_other_amounts_than_the_books_in_false_reports() -> None:
    result = evidence_of(Plan(1, scenario="false_reports")).result
    changes = result.history.report_changes
    assert sum(change.change == "other amount" for change in changes) > 4
    assert result.faults.counts["report_short_pages"] > 0
    assert {change.change for change in changes} == {"other amount", "omitted", "repeated"}


def test_payu_reads_and_reports_lack_what_is_young_in_late_reads() -> None:
    evidence = evidence_of(Plan(0, scenario="late_reads"))
    result = evidence.result
    assert result.faults.counts["gateway_forgets_posts"] > 10
    assert result.history.sometimes["report line: not yet listed"] > 3
    at_payu = [p for p in evidence.payments.values() if p.item and p.item["attempts"][0]["provider"] == "payu"]
    assert {"SUCCESS"} <= {p.status for p in at_payu}
    assert any(state == "UNKNOWN" for p in at_payu for state in _states_of_first(p.versions))
    assert any(p.operations for p in at_payu)


def _states_of_first(versions: Any) -> set[str]:
    return {after["attempts"][0]["state"] for _, _, after in versions if after and after["attempts"]}


def test_payus_list_of_actions_lacks_what_is_young_and_its_report_does_not_follow_that_lag() -> None:
    world = World(Plan(0, scenario="late_reads"))
    shop = world.providers.shop(MERCHANTS[0], "payu")
    verify = HttpRequest(method="POST", path="/x", headers={}, body=b"command=verify_payment&var1=t")
    report = HttpRequest(method="POST", path="/x", headers={}, body=b"command=get_transaction_info&var1=t")
    debit = HttpRequest(method="POST", path="/x", headers={}, body=b"command=si_transaction&var1=t")
    world.faults.rates["gateway_forgets_posts"] = 1.0
    hidden = [world.providers._hidden_seconds(shop, request, None) for request in (verify, report, debit)]
    assert 0 < hidden[0] < 900
    assert hidden[1:] == [0.0, 0.0]


def test_api_keys_end_in_each_way_and_requests_come_again_with_others_in_api_keys() -> None:
    walked = check_plan(Plan(0, scenario="api_keys")).sometimes
    for way in ("revocation", "rotation", "expiry"):
        assert walked[f"API key: refused after its {way}"]
    assert walked["API key: refused, and accepted with another one"]
    assert walked["API key: let in for the minute after its end"]
    assert walked["API key: a request and its repetition bear two keys"]


def test_people_propose_and_approve_in_approvals() -> None:
    walked = check_plan(Plan(2, scenario="approvals")).sometimes
    assert walked["decided by two"] > walked["command: set_approval_limits, done"] == 2
    assert walked["proposal: approved by two people"]
    assert walked["approval: same_person"]


def test_tables_are_restored_beside_proposals_in_a_part_of_approvals() -> None:
    restored = [World(Plan(seed, scenario="approvals"))._is_restored_beside() for seed in range(40)]
    assert 5 < sum(restored) < 20


def test_a_usual_seed_has_usual_payers_and_its_own_rates() -> None:
    assert Plan(1).habits is USUAL_HABITS
    assert Plan(1).faults().rates != Plan(2).faults().rates
    assert any(Plan(seed).faults().episodes for seed in range(5))
    assert set(EPISODES) >= Plan(1).faults().episodes


def test_one_seed_of_each_scenario_for_32_others_and_pieces_add_up() -> None:
    whole = plans(range(64))
    assert sum(plan.scenario is None for plan in whole) == 64
    assert sum(plan.scenario is not None for plan in whole) == 2 * len(SCENARIOS)
    pieces = [plan for start in range(0, 64, 16) for plan in plans(range(start, start + 16))]
    assert Counter(pieces) == Counter(whole)
    assert plans(range(3)) == [Plan(0), Plan(1), Plan(2)]


def test_a_finding_in_a_scenario_is_made_smaller_inside_it_and_told() -> None:
    mutant = next(m for m in MUTANTS if m.name == "the amount of a created link of Razorpay is not compared")
    with applied(mutant):
        plan = shrink(check_plan(Plan(0, scenario="other_objects")))
        evidence = evidence_of(plan)
        small = judge(evidence)
    assert plan.scenario == "other_objects"
    assert small.violations[0].invariant == "I20"
    assert small.payments < 4
    assert "razorpay" in "\n".join(tell(evidence, small.violations[0].payment))


class TestMutantsNameScenarios:
    def test_that_there_are(self) -> None:
        named = {mutant.scenario for mutant in (*MUTANTS, *OPEN_MUTANTS) if mutant.scenario}
        assert named == set(SCENARIOS), "a scenario is there for a broken design that the other seeds do not find"

    def test_two_changed_functions_of_a_module_see_each_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "payflowx.two_functions", two_functions)  # edits change the product's modules
        parts = (
            Edit(two_functions, "outer", "return inner() + 1", "return inner() + more"),
            Edit(two_functions, "inner", "return 1", "return 10"),
        )
        with applied(Mutant("payments", "both", lambda: edits(*parts, more=100))):
            assert two_functions.outer() == 110
        assert two_functions.outer() == 2
        assert "more" not in vars(two_functions)


def test_charges_are_disputed_at_each_provider_that_tells_of_it_in_disputes() -> None:
    evidence = evidence_of(Plan(0, scenario="disputes"))
    history, result = evidence.result.history, judge(evidence)
    assert {turn.provider for turn in history.dispute_turns} == set(DISPUTING)
    assert {turn.state for turn in history.dispute_turns} >= {"OPEN", "UNDER_REVIEW", "WON", "LOST"}
    assert result.sometimes["refund beside an open dispute"] > 0
    assert result.sometimes["a list of open disputes: a further page"] > 0
    assert len(history.warnings) == 3


def test_disputes_are_forgotten_and_told_again_in_forgotten_disputes() -> None:
    result = evidence_of(Plan(0, scenario="forgotten_disputes")).result
    assert result.forgotten is not None
    turns = result.history.dispute_turns
    assert min(turn.at_ms for turn in turns) < result.forgotten.until_ms < max(turn.at_ms for turn in turns)
