"""A second person's screen, over an operators' function that answers what a test tells it to."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from tests.unit.ops.console.harness import Browser, browser_of, hidden_fields, text_of_page
from tests.unit.ops.test_commands import FakeFunction, shown_review

PROPOSAL = "prop_1790000000000_aaaaaaaaaaaaaaaa"
ADDRESS = f"/approvals/demo/{PROPOSAL}"


def proposal(**changes: Any) -> dict[str, Any]:
    change = {
        "command": "close_review",
        "merchantId": "demo",
        "transactionId": "pay_aaaaaaaaaaaaaaaa",
        "verdict": "not_charged",
        "evidence": "settlement line 7",
        "operator": "arn:ada",
        "reason": "TICKET-1",
    }
    shown = {
        "proposalId": PROPOSAL,
        "merchantId": "demo",
        "state": "OPEN",
        "change": change,
        "amount": 500_000,
        "currency": "USD",
        "proposedBy": "arn:ada",
        "reason": "TICKET-1",
        "createdAt": "2026-11-28T10:00:00.000Z",
        "expiresAt": "2126-11-29T10:00:00.000Z",
        "decidedBy": None,
    }
    return shown | changes


def answers(**more: Any) -> dict[str, Any]:
    return {
        "list_merchants": {"items": [{"merchantId": "demo"}], "nextAfter": None},
        "list_reviews": {"items": [], "nextPosition": None, "complete": True},
        "list_proposals": {"items": [proposal(), proposal(proposalId="prop_done", state="DONE")]},
        **more,
    }


@pytest.fixture
def function() -> FakeFunction:
    return FakeFunction(
        **answers(approve_proposal={"proposalId": PROPOSAL}, withdraw_proposal={"proposal": proposal()})
    )


@pytest.fixture
def browser(function: FakeFunction) -> Browser:
    return browser_of(function, may_write=True).enter()


def changes(function: FakeFunction) -> list[str]:
    return [asked["command"] for asked in function.asked if "reason" in asked]


def test_what_waits_for_a_second_person_stands_beside_the_reviews(browser: Browser) -> None:
    page = browser.get("/reviews").text
    assert f'href="{ADDRESS}"' in page
    assert "prop_done" not in page


def test_a_proposal_is_read_and_approved_once_with_a_reason(browser: Browser, function: FakeFunction) -> None:
    text = text_of_page(browser.get(ADDRESS))
    assert "settlement line 7" in text
    assert "arn:ada" in text
    form = browser.form(ADDRESS, f"{ADDRESS}/approve") | {"reason": "TICKET-2"}
    assert browser.post(f"{ADDRESS}/approve", {**form, "reason": ""}).status_code == 422
    done = [browser.post(f"{ADDRESS}/approve", form).status_code for _ in range(2)]
    assert (done, changes(function)) == ([303, 303], ["approve_proposal"])
    sent = next(asked for asked in function.asked if asked["command"] == "approve_proposal")
    assert (sent["proposalId"], sent["operator"], sent["reason"]) == (PROPOSAL, "local:ada", "TICKET-2")


def test_a_refusal_of_the_proposer_is_shown(browser: Browser, function: FakeFunction) -> None:
    error = {"code": "same_person", "message": "The proposer cannot approve."}
    function.answers["approve_proposal"] = {"error": error}
    form = browser.form(ADDRESS, f"{ADDRESS}/approve") | {"reason": "TICKET-2"}
    answer = browser.post(f"{ADDRESS}/approve", form)
    assert answer.status_code == 409
    assert "The proposer cannot approve." in answer.text


def test_a_proposal_that_was_decided_meanwhile_is_not_approved(browser: Browser, function: FakeFunction) -> None:
    form = browser.form(ADDRESS, f"{ADDRESS}/approve") | {"reason": "TICKET-2"}
    function.answers["list_proposals"] = {"items": [proposal(state="WITHDRAWN")]}
    assert browser.post(f"{ADDRESS}/approve", form).status_code == 409
    assert changes(function) == []


def test_a_proposal_is_withdrawn(browser: Browser, function: FakeFunction) -> None:
    form = browser.form(ADDRESS, f"{ADDRESS}/withdraw") | {"reason": "TICKET-2"}
    assert browser.post(f"{ADDRESS}/withdraw", form).status_code == 303
    assert changes(function) == ["withdraw_proposal"]


def test_an_interrupted_proposal_whose_day_is_over_can_be_ended(browser: Browser, function: FakeFunction) -> None:
    yesterday = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    unclear = proposal(state="APPROVED", expiresAt=yesterday, mayBeDone=True)
    function.answers["list_proposals"] = {"items": [unclear]}
    function.answers["withdraw_proposal"] = {"proposal": {**unclear, "state": "WITHDRAWN"}}
    assert ADDRESS in browser.get("/reviews").text
    page = browser.get(ADDRESS)
    assert "its change may have been made: check pay_aaaaaaaaaaaaaaaa, then withdraw it" in text_of_page(page)
    assert f"{ADDRESS}/approve" not in page.text
    form = browser.form(ADDRESS, f"{ADDRESS}/withdraw") | {"reason": "TICKET-2"}
    done = browser.post(f"{ADDRESS}/withdraw", form)
    assert "its change may have been made then" in text_of_page(browser.get(done.headers["location"]))


def test_a_refused_change_says_why_and_can_be_approved_again(browser: Browser, function: FakeFunction) -> None:
    refusal = {"code": "busy", "message": "A worker holds the payment.", "at": "2026-11-28T11:00:00.000Z"}
    function.answers["list_proposals"] = {"items": [proposal(state="REFUSED", refusal=refusal)]}
    assert f'href="{ADDRESS}"' in browser.get("/reviews").text
    page = browser.get(ADDRESS)
    assert "A worker holds the payment. (busy" in text_of_page(page)
    assert f"{ADDRESS}/approve" in page.text


def test_a_proposal_whose_day_is_over_does_not_wait(browser: Browser, function: FakeFunction) -> None:
    function.answers["list_proposals"] = {"items": [proposal(expiresAt="2026-11-28T10:00:00.000Z")]}
    assert ADDRESS not in browser.get("/reviews").text
    assert "/approve" not in browser.get(ADDRESS).text


def test_a_proposal_that_is_over_has_no_button(browser: Browser, function: FakeFunction) -> None:
    function.answers["list_proposals"] = {"items": [proposal(state="DONE", decidedBy="arn:bob")]}
    page = browser.get(ADDRESS).text
    assert "arn:bob" in page
    assert "/approve" not in page


def test_an_unknown_proposal_is_not_found(browser: Browser) -> None:
    assert browser.get("/approvals/demo/prop_nothing").status_code == 404


REVIEW = "/reviews/demo/pay_aaaaaaaaaaaaaaaa"
CLOSING = {"verdict": "not_charged", "evidence": "line 7", "reason": "TICKET-1"}


@pytest.fixture
def reviewer(function: FakeFunction) -> Browser:
    shown = {**shown_review(), "merchantId": "demo", "transactionId": "pay_aaaaaaaaaaaaaaaa"}
    shown["ours"] = {name: value for name, value in shown["ours"].items() if name != "operationStatus"}
    function.answers |= {
        "show_review": shown,
        "show_payment": {"money": "5000.00 USD"},
        "close_review": {"proposal": proposal()},
        "list_proposals": {"items": []},
    }
    return browser_of(function, may_write=True).enter()


def test_a_closing_above_the_limit_becomes_a_proposal(reviewer: Browser, function: FakeFunction) -> None:
    fields = hidden_fields(reviewer.get(REVIEW).text, f"{REVIEW}/close") | CLOSING
    answer = reviewer.post(f"{REVIEW}/close", fields)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{ADDRESS}?done=")
    function.answers["list_proposals"] = {"items": [proposal()]}
    assert "so it is proposed" in text_of_page(reviewer.get(answer.headers["location"]))


def test_a_second_tab_does_not_propose_the_closing_again(reviewer: Browser, function: FakeFunction) -> None:
    tabs = [hidden_fields(reviewer.get(REVIEW).text, f"{REVIEW}/close") | CLOSING for _ in range(2)]
    assert reviewer.post(f"{REVIEW}/close", tabs[0]).status_code == 303
    function.answers["list_proposals"] = {"items": [proposal()]}
    refused = reviewer.post(f"{REVIEW}/close", tabs[1])
    assert refused.status_code == 409
    assert "A closing by arn:ada waits for a second person." in unescape(re.sub(r"<[^>]*>", "", refused.text))
    assert changes(function) == ["close_review"]


def test_a_second_tab_does_not_propose_limits_again(function: FakeFunction) -> None:
    merchant = "/merchants/demo"
    limits = proposal(change={"command": "set_approval_limits", "merchantId": "demo", "limits": {"USD": 1}})
    function.answers |= {
        "show_merchant": {
            "name": "Demo",
            "disabledProviders": [],
            "checkout": {"shownName": None, "newCheckouts": True},
            "automaticRefund": False,
            "approvalLimits": {"USD": 5},
        },
        "list_keys": {"items": []},
        "set_approval_limits": {"proposal": limits},
    }
    browser = browser_of(function, may_write=True).enter()
    act = f"{merchant}/limits"
    tabs = [browser.form(merchant, act) | {"currency": "USD", "amount": "1", "reason": "T"} for _ in range(2)]
    assert browser.post(act, tabs[0]).status_code == 303
    function.answers["list_proposals"] = {"items": [limits]}
    assert browser.post(act, tabs[1]).status_code == 409
    assert changes(function) == ["set_approval_limits"]


def test_without_write_a_proposal_is_read_only(function: FakeFunction) -> None:
    browser = browser_of(function).enter()
    assert "Start it with --write to approve and carry out" in text_of_page(browser.get(ADDRESS))
    assert browser.post(f"{ADDRESS}/approve", browser.new_form(f"{ADDRESS}/approve")).status_code == 409
    assert changes(function) == []
