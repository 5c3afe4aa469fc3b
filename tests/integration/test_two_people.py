"""Changes above a merchant's limit need two people, whom the engine's STS names."""

import json
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ops.identity import prove
from ops.target import Target
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.merchants.proposals import DynamoDBProposals
from payflowx.application.merchants.set_approval_limits import SetApprovalLimits
from payflowx.application.operators import proposals
from payflowx.domain.merchants.approvals import ProposalState, SecondPersonNeeded
from payflowx.domain.merchants.caller import Identity
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context as ChangeContext
from payflowx.domain.payments.outcome import Mismatch
from payflowx.domain.reconciliation.matching import MatchResult, review_discrepancy
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult
from payflowx.entrypoints.operators import handler as operators
from payflowx.entrypoints.operators.commands.approvals import APPROVABLE
from payflowx.entrypoints.operators.commands.base import ProposableCommand
from payflowx.entrypoints.operators.commands.registry import RUNNERS
from tests.integration.test_checkout_operators import charged_twice
from tests.support.engine import REGION, InProcessEngine
from tests.support.handlers import Context, Functions

FUNCTION = "operations"
WHY = {"operator": "local:somebody", "reason": "TICKET-9"}
Operate = Callable[..., dict[str, Any]]


class EngineWire:
    """Sends a request to the engine."""

    def __init__(self, engine: InProcessEngine) -> None:
        self.engine = engine

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        asked = SimpleNamespace(
            method=request.method, url=endpoint + request.path, headers=dict(request.headers), body=request.body
        )
        answer = self.engine._answer(asked)
        return HttpResponse(status=answer.status_code, headers=dict(answer.headers), body=answer.content)


@pytest.fixture
def operate(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operate]:
    """`operate("ada", ...)` runs a command with a proof of that user, `operate(None, ...)` without one."""
    functions.platform.wire = EngineWire(functions.engine)
    functions.deploy(AWS_REGION=REGION, AWS_LAMBDA_FUNCTION_NAME=FUNCTION, AWS_ENDPOINT_URL="http://engine.test")
    functions.clock.at_ms = int(time.time() * 1000)
    iam = functions.engine.client("iam")
    keys = {}
    for name in ("ada", "bob"):
        iam.create_user(UserName=name)
        keys[name] = iam.create_access_key(UserName=name)["AccessKey"]
    options = {"endpoint_url": "http://engine.test", "region_name": REGION}
    target = Target(name="local", outputs={}, options=options, base_url="", stack_prefix="Dev")

    def run(who: str | None, **command: Any) -> dict[str, Any]:
        event = {**WHY, **command}
        if who is None:
            return operators.handler(event, Context())
        monkeypatch.setenv("PAYFLOWX_LOCAL_KEY_ID", keys[who]["AccessKeyId"])
        monkeypatch.setenv("PAYFLOWX_LOCAL_KEY_SECRET", keys[who]["SecretAccessKey"])
        return operators.handler({**event, "proof": prove(target, FUNCTION, event)}, Context())

    yield run
    for name, key in keys.items():
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)


def arn(name: str) -> str:
    return f"arn:aws:iam::000000000000:user/{name}"


def code(answer: dict[str, Any]) -> str:
    return str(answer["error"]["code"]) if not answer["ok"] else "ok"


@pytest.fixture
def limited(operate: Operate) -> Operate:
    """One dollar may be decided alone."""
    assert code(operate("ada", command="set_approval_limits", merchantId="acme", limits={"USD": 100})) == "ok"
    return operate


@pytest.fixture
def closing(functions: Functions) -> dict[str, Any]:
    """Closes a review of 19.99 USD."""
    functions.providers.get("alpha").charges = [Mismatch(code="reference_differs")]
    _, payment, _ = functions.pay()
    functions.work()
    return {
        "command": "close_review",
        "merchantId": "acme",
        "transactionId": payment["transactionId"],
        "verdict": "charged",
        "evidence": "settlement 7",
        "reference": "ch_7",
    }


def approve(operate: Operate, who: str | None, proposal: dict[str, Any]) -> dict[str, Any]:
    names = {"merchantId": "acme", "proposalId": proposal["proposalId"]}
    return operate(who, command="approve_proposal", **names)


def entries(operate: Operate) -> list[dict[str, Any]]:
    return operators.handler({"command": "list_records", "month": time.strftime("%Y-%m", time.gmtime())}, Context())[
        "items"
    ]


def test_without_limits_one_person_decides_and_the_log_says_claimed_or_proven(
    operate: Operate, functions: Functions, closing: dict[str, Any]
) -> None:
    assert operate(None, **closing)["status"] == "SUCCESS"
    names = {"merchantId": "acme", "transactionId": closing["transactionId"]}
    events = functions.operate(command="list_events", **names)["items"]
    assert events[-1]["facts"]["identity"] == "claimed"
    operate("ada", command="set_orders", merchantId="acme", automaticRefund=True)
    newest = entries(operate)[0]
    assert (newest["operator"], newest["identity"]) == (arn("ada"), "proven")


def test_above_the_limit_one_proposes_and_another_one_approves(
    limited: Operate, functions: Functions, closing: dict[str, Any]
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    assert (proposal["state"], proposal["proposedBy"], proposal["amount"]) == ("OPEN", arn("ada"), 1999)
    names = {"merchantId": "acme", "transactionId": closing["transactionId"]}
    assert functions.operate(command="show_payment", **names)["status"] == "IN_REVIEW"
    assert code(approve(limited, "ada", proposal)) == "same_person"
    assert code(approve(limited, None, proposal)) == "proof_needed"
    approved = approve(limited, "bob", proposal)
    assert approved["answer"]["status"] == "SUCCESS"
    facts = functions.operate(command="list_events", **names)["items"][-1]["facts"]
    assert (facts["operator"], facts["identity"], facts["proposedBy"]) == (arn("bob"), "proven", arn("ada"))
    assert code(approve(limited, "bob", proposal)) == "proposal_closed"
    found = {entry["action"]: entry for entry in entries(limited)}
    assert found["approval.proposed"]["operator"] == arn("ada")
    assert found["approval.approved"]["operator"] == arn("bob")


def test_without_a_proof_nothing_above_the_limit_is_done_or_proposed(limited: Operate, closing: dict[str, Any]) -> None:
    assert code(limited(None, **closing)) == "proof_needed"
    assert code(limited(None, **{**closing, "operator": arn("ada")})) == "proof_needed"
    listed = operators.handler({"command": "list_proposals", "merchantId": "acme"}, Context())
    assert listed["items"] == []


def test_proposals_are_listed_page_by_page_and_an_old_one_can_be_approved(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "_MAX_LISTED", 2)
    made: list[dict[str, Any]] = []
    for _ in range(5):
        made.append(limited("ada", **closing)["proposal"])
        functions.clock.advance(1)
    found: list[str] = []
    position: dict[str, str] = {}
    while True:
        page = functions.operate(command="list_proposals", merchantId="acme", **position)
        found += [item["proposalId"] for item in page["items"]]
        if page["nextBefore"] is None:
            break
        position = {"before": page["nextBefore"]}
    assert found == [proposal["proposalId"] for proposal in reversed(made)]
    assert approve(limited, "bob", made[0])["ok"]


def test_nobody_becomes_verified_by_saying_so(limited: Operate, closing: dict[str, Any]) -> None:
    for claimed in ({"arn": arn("bob")}, arn("bob"), True):
        assert code(operators.handler({**WHY, **closing, "verified": claimed}, Context())) == "command_invalid"


def test_a_proof_is_good_for_its_command_and_once(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    handler = operators.handler

    def recorded(event: dict[str, Any], context: Any) -> dict[str, Any]:
        sent.append(event)
        return handler(event, context)

    monkeypatch.setattr(operators, "handler", recorded)
    proposal = limited("ada", **closing)["proposal"]
    assert code(handler(sent[0], Context())) == "proof_invalid"
    other = {**WHY, "command": "approve_proposal", "merchantId": "acme", "proposalId": proposal["proposalId"]}
    functions.platform.wire = None  # the engine does not verify signatures: the unit tests have an STS that does
    expired = {**other, "proof": {**sent[0]["proof"], "signedAt": "20200101T000000Z"}}
    assert code(handler(expired, Context())) == "proof_invalid"


def test_a_proposal_expires_and_can_be_withdrawn(
    limited: Operate, functions: Functions, closing: dict[str, Any]
) -> None:
    first = limited("ada", **closing)["proposal"]
    second = limited("bob", **closing)["proposal"]
    names = {"merchantId": "acme", "proposalId": second["proposalId"]}
    assert limited("ada", command="withdraw_proposal", **names)["proposal"]["state"] == "WITHDRAWN"
    assert code(approve(limited, "ada", second)) == "proposal_closed"
    functions.clock.at_ms += DAY_MS + 1
    bob = OperatorAction(who=arn("bob"), why="late", identity=Identity.PROVEN)
    with pytest.raises(Refusal, match="older than a day"):
        functions.operators.decide_proposal.approve("acme", first["proposalId"], bob)


def test_a_changed_proposal_is_none(limited: Operate, functions: Functions, closing: dict[str, Any]) -> None:
    proposal = limited("ada", **closing)["proposal"]
    changed = json.dumps({**closing, **WHY, "verdict": "not_charged"})
    functions.engine.client("dynamodb").update_item(
        TableName="configuration",
        Key={"pk": {"S": "M#acme#PROPOSALS"}, "sk": {"S": proposal["proposalId"]}},
        UpdateExpression="SET content = :c",
        ExpressionAttributeValues={":c": {"S": changed}},
    )
    assert code(approve(limited, "bob", proposal)) == "not_found"


def test_a_review_that_asks_something_else_by_now_is_not_closed_by_an_older_proposal(
    limited: Operate, functions: Functions, closing: dict[str, Any]
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    names = {"merchantId": "acme", "transactionId": closing["transactionId"]}
    verdict = {**{name: value for name, value in closing.items() if name != "reference"}, "verdict": "not_charged"}
    assert code(approve(limited, "ada", limited("bob", **verdict)["proposal"])) == "ok"
    functions.clock.advance(1)
    _review_again(functions, closing["transactionId"])
    assert functions.operate(command="show_payment", **names)["status"] == "IN_REVIEW"
    assert code(approve(limited, "bob", proposal)) == "invalid_state"
    again = limited("ada", **closing)["proposal"]
    assert again["change"]["seen"] != proposal["change"]["seen"]
    assert approve(limited, "bob", again)["answer"]["status"] == "SUCCESS"


def test_an_approval_that_was_interrupted_is_carried_out_by_the_next_one(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    with monkeypatch.context() as interrupted:
        interrupted.setattr(type(functions.operators.close_review), "__call__", _interrupt)
        with pytest.raises(RuntimeError):
            approve(limited, "bob", proposal)
    (listed,) = operators.handler({"command": "list_proposals", "merchantId": "acme"}, Context())["items"]
    assert (listed["state"], listed["decidedBy"]) == ("APPROVED", arn("bob"))
    assert code(withdraw(limited, "ada", proposal)) == "conflict"  # it may be being carried out
    functions.clock.advance(1)
    assert approve(limited, "bob", proposal)["answer"]["status"] == "SUCCESS"


def withdraw(operate: Operate, who: str, proposal: dict[str, Any]) -> dict[str, Any]:
    names = {"merchantId": "acme", "proposalId": proposal["proposalId"]}
    return operate(who, command="withdraw_proposal", **names)


@pytest.mark.parametrize("days", [0, 1])
def test_an_interrupted_approval_can_be_ended_and_says_that_it_may_be_done(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    with monkeypatch.context() as dying:
        dying.setattr(proposals.DecideProposal, "finish", _interrupt)
        with pytest.raises(RuntimeError):
            approve(limited, "bob", proposal)
    assert listed_proposal()["mayBeDone"]
    functions.clock.at_ms += days * DAY_MS + MINUTE_MS
    ada = OperatorAction(who=arn("ada"), why="ended", identity=Identity.PROVEN)
    withdrawn = functions.operators.decide_proposal.withdraw("acme", proposal["proposalId"], ada)
    assert (withdrawn.state, withdrawn.may_be_done) == (ProposalState.WITHDRAWN, True)
    shown = listed_proposal()
    assert (shown["state"], shown["decidedBy"], shown["mayBeDone"]) == ("WITHDRAWN", arn("ada"), True)
    assert "may have been made" in shown["refusal"]["message"]
    with pytest.raises(Refusal, match="withdrawn already"):
        functions.operators.decide_proposal.withdraw("acme", proposal["proposalId"], ada)
    bob = OperatorAction(who=arn("bob"), why="late", identity=Identity.PROVEN)
    with pytest.raises(Refusal, match="withdrawn already"):
        functions.operators.decide_proposal.approve("acme", proposal["proposalId"], bob)


def test_a_proposal_of_a_newer_release_is_refused_and_not_left_as_one_that_may_be_done(
    limited: Operate, functions: Functions, closing: dict[str, Any]
) -> None:
    content = json.dumps({**closing, **WHY, "byWhatANewerReleaseKnows": 1})
    ada = OperatorAction(who=arn("ada"), why="T-1", identity=Identity.PROVEN)
    kept = functions.operators.propose("acme", content, SecondPersonNeeded(1999, "USD"), ada)
    assert code(approve(limited, "bob", {"proposalId": kept.proposal_id})) == "not_readable"
    shown = listed_proposal()
    assert (shown["state"], shown["refusal"]["code"], shown["mayBeDone"]) == ("REFUSED", "not_readable", False)


def test_a_refused_change_can_be_withdrawn_at_once_and_keeps_its_reason(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    with monkeypatch.context() as busy:
        refused = Refusal("busy", "A worker holds the payment.")
        busy.setattr(type(functions.operators.close_review), "__call__", _raise(refused))
        assert code(approve(limited, "bob", proposal)) == "busy"
    shown = withdraw(limited, "ada", proposal)["proposal"]
    assert (shown["state"], shown["refusal"]["code"], shown["mayBeDone"]) == ("WITHDRAWN", "busy", False)
    assert code(approve(limited, "bob", proposal)) == "proposal_closed"


def test_a_withdrawal_that_read_before_an_approval_ends_nothing(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what is being carried out would be withdrawn, without a word that it may be done."""
    proposal = limited("ada", **closing)["proposal"]
    withdraw_stored = DynamoDBProposals.withdraw

    def slowly(self: DynamoDBProposals, *given: Any, **named: Any) -> bool:
        with monkeypatch.context() as patch:
            patch.setattr(proposals.DecideProposal, "finish", _interrupt)
            with pytest.raises(RuntimeError):
                approve(limited, "bob", proposal)
        return withdraw_stored(self, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(DynamoDBProposals, "withdraw", slowly)
        assert code(withdraw(limited, "ada", proposal)) == "conflict"
    assert listed_proposal()["state"] == "APPROVED"


def listed_proposal() -> dict[str, Any]:
    (item,) = operators.handler({"command": "list_proposals", "merchantId": "acme"}, Context())["items"]
    return dict(item)


def test_an_approval_that_was_carried_out_and_interrupted_is_not_said_to_have_changed_nothing(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    with monkeypatch.context() as dying:
        store = functions.operators.decide_proposal.proposals
        dying.setattr(type(store), "finish", lambda *_arguments: (_ for _ in ()).throw(StorageUnavailableError("died")))
        assert code(approve(limited, "bob", proposal)) == "unavailable"
    names = {"merchantId": "acme", "transactionId": closing["transactionId"]}
    assert functions.operate(command="show_payment", **names)["status"] == "SUCCESS"
    for _ in range(3):
        functions.clock.advance(1)
        again = approve(limited, "bob", proposal)
        assert code(again) == "invalid_state"
        assert again["error"]["message"].count("may have been made") == 1
        (listed,) = functions.operate(command="list_proposals", merchantId="acme")["items"]
        assert listed["refusal"]["message"] == again["error"]["message"]


def test_an_approval_that_read_before_another_one_was_carried_out_and_interrupted_says_that_it_may_be_done(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    approve_stored = DynamoDBProposals.approve
    faster: list[str] = []

    def slowly(self: DynamoDBProposals, *given: Any) -> bool:
        if not faster:
            faster.append("begins")
            with monkeypatch.context() as patch:
                patch.setattr(proposals.DecideProposal, "finish", _interrupt)
                with pytest.raises(RuntimeError):
                    approve(limited, "bob", proposal)
            functions.clock.advance(1)
        return approve_stored(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(DynamoDBProposals, "approve", slowly)
        answer = approve(limited, "bob", proposal)
    assert code(answer) == "invalid_state"
    assert "may have been made" in answer["error"]["message"]
    (shown,) = functions.operate(command="list_proposals", merchantId="acme")["items"]
    assert "may have been made" in shown["refusal"]["message"]


def test_an_interrupted_approval_whose_day_is_over_is_not_said_to_be_proposed_again_without_a_look(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    with monkeypatch.context() as patch:
        patch.setattr(proposals.DecideProposal, "finish", _interrupt)
        with pytest.raises(RuntimeError):
            approve(limited, "bob", proposal)
    functions.clock.at_ms += DAY_MS + 1
    bob = OperatorAction(who=arn("bob"), why="late", identity=Identity.PROVEN)
    with pytest.raises(Refusal, match=r"older than a day.* may have been made then"):
        functions.operators.decide_proposal.approve("acme", proposal["proposalId"], bob)


def test_an_approved_change_that_is_refused_says_so_and_why_until_it_is_approved_again(
    limited: Operate, functions: Functions, closing: dict[str, Any]
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    assert listed_proposal()["refusal"] is None
    refused = Refusal("busy", "A worker holds the payment. Repeat the command in a minute.")
    close_review = type(functions.operators.close_review)
    with pytest.MonkeyPatch.context() as busy:
        busy.setattr(close_review, "__call__", _raise(refused))
        assert code(approve(limited, "bob", proposal)) == "busy"
    shown = listed_proposal()
    assert (shown["state"], shown["decidedBy"]) == ("REFUSED", arn("bob"))
    assert (shown["refusal"]["code"], shown["refusal"]["message"]) == ("busy", refused.detail)
    assert shown["refusal"]["at"]
    found = {entry["action"]: entry for entry in entries(limited)}
    assert found["approval.refused"]["operator"] == arn("bob")
    assert found["approval.refused"]["facts"]["code"] == "busy"
    functions.clock.advance(1)
    assert approve(limited, "bob", proposal)["answer"]["status"] == "SUCCESS"
    assert (listed_proposal()["state"], listed_proposal()["refusal"]) == ("DONE", None)


def test_a_refusal_of_an_earlier_approval_does_not_hide_a_later_one(
    limited: Operate, functions: Functions, closing: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = limited("ada", **closing)["proposal"]
    decide, bob = (
        functions.operators.decide_proposal,
        OperatorAction(who=arn("bob"), why="first", identity=Identity.PROVEN),
    )
    first = decide.approve("acme", proposal["proposalId"], bob)
    functions.clock.advance(1)
    monkeypatch.setattr(type(functions.operators.close_review), "__call__", _interrupt)
    with pytest.raises(RuntimeError):
        approve(limited, "bob", proposal)
    decide.refuse(first, Refusal("busy", "A worker holds the payment."), bob)
    assert (listed_proposal()["state"], listed_proposal()["refusal"]) == ("APPROVED", None)


def _raise(error: Exception) -> Callable[..., None]:
    def fail(*_given: object) -> None:
        raise error

    return fail


def _review_again(functions: Functions, transaction_id: str) -> None:
    resolve = functions.operators.resolve_payment
    payment = resolve.payments.get("acme", transaction_id)
    assert payment is not None
    context = ChangeContext(now_ms=functions.clock.now_ms(), actor="reconciliation", policy=resolve.policy)
    change = review_discrepancy(payment, MatchResult.STATUS, context)
    assert change is not None
    assert resolve.outcome_writer.commit(change) is not None


def _interrupt(*_given: object) -> None:
    raise RuntimeError


def test_a_change_of_the_limits_needs_two(limited: Operate, functions: Functions) -> None:
    off = {"command": "set_approval_limits", "merchantId": "acme"}
    assert code(limited(None, **off)) == "proof_needed"
    proposal = limited("bob", **off)["proposal"]
    shown = functions.operate(command="show_merchant", merchantId="acme")
    assert shown["approvalLimits"] == {"USD": 100}
    assert code(approve(limited, "ada", proposal)) == "ok"
    assert functions.operate(command="show_merchant", merchantId="acme")["approvalLimits"] is None


def test_of_two_people_who_set_the_first_limits_at_once_one_does(
    operate: Operate, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limits = {"command": "set_approval_limits", "merchantId": "acme"}
    unlimited = functions.operators.merchant_directory.merchant("acme")
    assert code(operate("ada", **set_limits, limits={"USD": 100})) == "ok"
    with monkeypatch.context() as patch:
        patch.setattr(DynamoDBMerchantDirectory, "merchant", lambda _self, _merchant: unlimited)
        assert code(operate("bob", **set_limits, limits={"USD": 1_000_000})) == "conflict"
    assert functions.operate(command="show_merchant", merchantId="acme")["approvalLimits"] == {"USD": 100}


def test_limits_that_were_approved_and_interrupted_are_not_set_again_over_newer_ones(
    limited: Operate, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limits = {"command": "set_approval_limits", "merchantId": "acme"}
    first = limited("bob", **set_limits, limits={"USD": 1_000})["proposal"]
    with monkeypatch.context() as patch:
        patch.setattr(proposals.DecideProposal, "finish", _interrupt)
        with pytest.raises(RuntimeError):
            approve(limited, "ada", first)
    second = limited("bob", **set_limits, limits={"USD": 50})["proposal"]
    assert code(approve(limited, "ada", second)) == "ok"
    assert code(approve(limited, "ada", first)) == "proposal_closed"
    assert functions.operate(command="show_merchant", merchantId="acme")["approvalLimits"] == {"USD": 50}


def test_of_two_approvals_of_new_limits_at_once_one_sets_them(
    limited: Operate, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limits = {"command": "set_approval_limits", "merchantId": "acme"}
    first = limited("bob", **set_limits, limits={"USD": 1_000})["proposal"]
    carry_out = SetApprovalLimits.__call__
    faster: list[dict[str, Any]] = []

    def slowly(self: SetApprovalLimits, *given: Any) -> None:
        if not faster:
            faster.append({})
            functions.clock.advance(1)
            faster[0] = approve(limited, "ada", first)
        carry_out(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(SetApprovalLimits, "__call__", slowly)
        slower = approve(limited, "ada", first)
    assert code(faster[0]) == "ok"
    assert code(slower) == "conflict"
    shown = functions.operate(command="list_proposals", merchantId="acme")["items"]
    assert [(proposal["state"], proposal["refusal"]) for proposal in shown] == [("DONE", None)]


def test_a_person_who_approves_twice_in_one_moment_is_not_told_that_the_day_is_over(
    limited: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = limited("bob", command="set_approval_limits", merchantId="acme")["proposal"]
    with monkeypatch.context() as patch:
        patch.setattr(SetApprovalLimits, "__call__", _interrupt)
        with pytest.raises(RuntimeError):
            approve(limited, "ada", proposal)
    assert code(approve(limited, "ada", proposal)) == "conflict"


def test_a_refund_recorded_by_hand_above_the_limit_needs_two(limited: Operate, functions: Functions) -> None:
    _, payment, _ = functions.pay()
    functions.work()
    names = {"merchantId": "acme", "transactionId": payment["transactionId"]}
    refund = {"command": "record_refund", **names, "evidence": "case 7"}
    assert limited(None, **refund, reference="re_small", amount=100)["refunded"] == 100
    proposal = limited("ada", **refund, reference="re_large", amount=101)["proposal"]
    assert functions.operate(command="show_payment", **names)["refunded"] == 100
    assert approve(limited, "bob", proposal)["answer"]["refunded"] == 201


def test_the_refund_of_an_extra_charge_above_the_limit_needs_two(limited: Operate, functions: Functions) -> None:
    names = charged_twice(functions)
    refund = {"command": "record_extra_refund", **names, "charge": "pi_2", "reference": "re_2", "evidence": "case 7"}
    proposal = limited("ada", **refund)["proposal"]
    assert functions.operate(command="show_payment", **names)["extraCharges"][0]["refundRef"] is None
    assert approve(limited, "bob", proposal)["answer"]["extraCharges"][0]["refundRef"] == "re_2"


def test_what_can_be_proposed_can_be_approved() -> None:
    proposable = {command for command in RUNNERS if issubclass(command, ProposableCommand)}
    assert proposable == set(APPROVABLE)
    assert len(proposable) == 5


def test_a_currency_without_a_limit_needs_two_for_every_amount(limited: Operate, functions: Functions) -> None:
    _, payment, _ = functions.pay(currency="EUR")
    functions.work()
    names = {"merchantId": "acme", "transactionId": payment["transactionId"]}
    refund = {"command": "record_refund", **names, "evidence": "case 7", "reference": "re_1", "amount": 1}
    assert "proposal" in limited("ada", **refund)
