"""The screens of operating: dead letters, routing, providers, merchants, deliveries and reconciliation."""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest

from ops.console.screens import dead_letters, reconciliation
from payflowx.application.recovery.plan_replay import ReplayStep
from payflowx.domain.reconciliation.matching import DISCREPANCIES, MatchResult
from payflowx.wiring.operators import OperatorsWiring
from tests.support.world import World
from tests.unit.ops.console.conftest import CloudWatch, handler_of, succeeded
from tests.unit.ops.console.harness import Browser, browser_of, hidden_fields, text_of_page
from tests.unit.ops.console.test_screens import HOSTILE, assert_contained, assert_parses, lines_of
from tests.unit.ops.test_commands import FakeFunction

AT = "2026-11-28T10:00:00.000Z"
ADDRESSES = [
    "/dead-letters",
    "/dead-letters/jobs",
    "/routing",
    "/routing?amount=1&currency=USD",
    "/routing/edit",
    "/providers",
    "/merchants",
    "/merchants/acme",
    "/deliveries",
    "/reconciliation",
    "/reconciliation/rec_1",
]
DOCUMENT = {
    "version": "one",
    "rules": [
        {"name": "euro", "when": {"currencies": ["EUR"], "amountAtLeast": 5}, "use": {"providers": ["beta", "alpha"]}},
        {
            "name": "rest",
            "when": {},
            "use": {"split": [{"percent": 60, "providers": ["alpha"]}, {"percent": 40, "providers": ["gamma"]}]},
        },
    ],
}


def answers(text: str = "x", **changes: Any) -> dict[str, Any]:
    """Every text that a function gives is `text`."""
    letter = dict.fromkeys(("messageId", "what", "transactionId", "status", "step", "why"), text)
    proposal = dict.fromkeys(
        ("proposalId", "merchantId", "state", "currency", "proposedBy", "reason", "decidedBy"), text
    )
    key = dict.fromkeys(("keyId", "state"), text) | {"createdAt": AT, "expiresAt": None, "revokedAt": None}
    checkout = {"shownName": text, "newCheckouts": True}
    account = dict.fromkeys(("provider", "accountId", "endpoint", "path"), text)
    unwell = dict.fromkeys(("merchantId", "accountId", "state"), text) | {"since": AT, "lastFailureAt": None}
    written = dict.fromkeys(("provider", "accountId", "fault"), text)
    written |= {"writtenAt": AT, "isOld": False, "isRotating": False}
    delivery = {"endpointId": text, "state": text, "attempts": 1, "nextAttemptAt": AT}
    event = {"id": text, "transactionId": text, "seq": 1, "type": text, "createdAt": AT, "deliveries": [delivery]}
    endpoint = dict.fromkeys(("id", "url", "status", "disabledReason"), text)
    endpoint |= {"failingSince": AT, "eventTypes": [text]}
    run = dict.fromkeys(("runId", "merchantId", "provider", "accountId", "phase", "problem"), text)
    finding = dict.fromkeys(("verdict", "remedy", "kind", "reference", "transactionId", "currency"), text)
    rule = {"name": text, "when": {"metadata": {text: [text]}, text: text}, "use": {"providers": [text]}}
    return {
        "list_merchants": {"items": [{"merchantId": text, "name": text, "createdAt": AT}], "nextAfter": None},
        "count_dead_letters": {"items": [{"queue": text, "waiting": 1, "dead": 1, "deadHidden": 0}]},
        "explain_dead_letters": {"items": [{**letter, "sentAt": AT, "receives": 5, "failures": [text]}]},
        "show_routing": {
            "number": 3,
            "state": text,
            "percent": 100,
            "document": json.dumps({"version": text, "rules": [rule]}),
        },
        "explain_route": {
            "document": text,
            "rule": text,
            "reasons": [text],
            "providers": [{"provider": text, "accountId": text}] * 2,
        },
        "check_routing": {"faults": [text]},
        "back_test_routing": {
            "compared": 5,
            "erased": 1,
            "moves": [{"from": text, "to": None, "code": text, "count": 2, "examples": [text]}],
            "rules": [{"rule": text, "count": 0}],
            "nextPosition": None,
        },
        "list_providers": {
            "items": [
                {
                    "provider": text,
                    "simulated": True,
                    "canFence": True,
                    "currencies": [text],
                    "captureModes": [text],
                    "paymentMethodTypes": [text],
                    "needs": [text],
                    "disabledForEveryone": False,
                    "disabledForMerchant": True,
                    "unwellAccounts": [unwell],
                }
            ]
        },
        "show_merchant": {
            "merchantId": text,
            "name": text,
            "disabledProviders": [text],
            "checkout": checkout,
            "automaticRefund": True,
            "approvalLimits": {text: 1},
            "accounts": [account],
        },
        "list_credentials": {"items": [written]},
        "list_keys": {"items": [key, {**key, "state": "valid"}]},
        "list_proposals": {
            "items": [
                {
                    **proposal,
                    "state": "OPEN",
                    "amount": 1,
                    "createdAt": AT,
                    "expiresAt": AT.replace("2026", "2126"),
                    "change": {"command": text, "merchantId": text, "transactionId": text, text: text},
                }
            ]
        },
        "list_endpoints": {"items": [endpoint]},
        "list_merchant_events": {"items": [event], "nextPosition": None},
        "list_reconciliations": {
            "items": [{**run, "day": "2026-11-27", "counts": {text: 1}, "differences": 1, "updatedAt": AT}]
        },
        "show_reconciliation": {
            "run": {**run, "fromMs": 1_790_000_000_000, "untilMs": 1_790_086_400_000, "pages": 1, "counts": {text: 1}},
            "findings": [finding, {**finding, "theirAmount": 5, "ourAmount": 6}],
        },
        **changes,
    }


@pytest.mark.parametrize("text", HOSTILE, ids=["markup", "direction", "long"])
def test_hostile_texts_never_break_out(text: str, target: Any, cloudwatch: CloudWatch) -> None:
    browser = browser_of(FakeFunction(**answers(text)), may_write=True, target=target).enter()
    for address in ADDRESSES:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert_contained(answer.text)
    for test in ("", "2000"):
        form = browser.new_form("/routing/check") | {"document": text, "test": test}
        assert_contained(browser.post("/routing/check", form).text)


@pytest.mark.parametrize(
    ("address", "command", "nothing"),
    [
        ("/deliveries", "list_merchant_events", "Every event is delivered."),
        ("/deliveries", "list_endpoints", "The merchant has no endpoint."),
        ("/merchants/acme", "list_keys", "The merchant has no key."),
        ("/merchants/acme", "list_proposals", "Nothing waits."),
        ("/reviews?merchant=acme", "list_reviews", "Nothing waits for a person."),
        ("/dead-letters/jobs", "explain_dead_letters", "No dead letter can be read now."),
    ],
)
def test_what_could_not_be_read_is_not_said_to_be_nothing(
    address: str, command: str, nothing: str, target: Any
) -> None:
    refused = {"error": {"code": "storage_unavailable", "message": "It is busy."}}
    browser, _ = browser_with(target, **{command: refused})
    page = text_of_page(browser.get(address))
    assert "It is busy." in page
    assert nothing not in page


@pytest.mark.parametrize(
    "document", ["{", "[" * 90_000, '{"a":' * 10_000, "null", '{"rules": 5}', '{"rules": [5]}', "9" * 9_999]
)
def test_a_document_that_is_none_is_shown_with_its_faults(target: Any, document: str) -> None:
    browser, _ = browser_with(target, check_routing={"faults": ["It is no document."]})
    answer = browser.post("/routing/check", browser.new_form("/routing/check") | {"document": document})
    assert answer.status_code == 200
    assert "It cannot be published." in answer.text


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_every_screen_shows_commands_that_exist(target: Any, environment: str) -> None:
    function = FakeFunction(**answers("acme"))
    browser = browser_of(function, target=target, environment=environment).enter()
    for address in ADDRESSES:
        lines = lines_of(browser.get(address).text)
        assert lines, address
        for line in lines:
            if "FILE" not in line:  # a placeholder for a file that has to exist
                assert_parses(line)


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_write_no_form_acts(address: str, target: Any) -> None:
    browser = browser_of(FakeFunction(**answers("acme")), target=target).enter()
    page = browser.get(address).text
    assert 'method="post"' not in page.replace('method="post" action="/routing/check"', "")


def browser_with(target: Any, **changes: Any) -> tuple[Browser, FakeFunction]:
    function = FakeFunction(**answers("acme", **changes))
    return browser_of(function, may_write=True, target=target).enter(), function


def changes_of(function: FakeFunction) -> list[dict[str, Any]]:
    return [{k: v for k, v in asked.items() if k != "operator"} for asked in function.asked if "reason" in asked]


def act(browser: Browser, page: str, action: str, **fields: str) -> Any:
    form = browser.form(page, action) | {"reason": "TICKET-1", **fields}
    return browser.post(action, form)


# -- dead letters


def test_dead_letters_are_replayed_batch_by_batch_with_the_rest_said(target: Any) -> None:
    letters = [{"step": "resolve"}] * dead_letters.BATCH
    browser, function = browser_with(target, replay_dead_letters=[{"items": letters}, {"items": [{"step": "keep"}]}])
    done = act(browser, "/dead-letters/jobs", "/dead-letters/jobs/replay")
    assert done.status_code == 303
    assert len(changes_of(function)) == 2
    assert "11 replayed: 1 keep, 10 resolve." in text_of_page(browser.get(done.headers["location"]))


def test_every_step_of_a_replay_is_said_in_words(target: Any) -> None:
    assert set(dead_letters._STEPS) == {str(step) for step in ReplayStep}
    letters = answers("acme")["explain_dead_letters"]["items"]
    steps = [{**letters[0], "step": step} for step in ("skip", "skip", "go_on")]
    browser, _ = browser_with(target, explain_dead_letters={"items": steps})
    text = text_of_page(browser.get("/dead-letters/jobs"))
    assert "2 skip: no work is left, and the message is removed." in text
    assert "1 go on: a reconciliation goes on where it stopped." in text


def test_one_press_replays_a_bounded_number(target: Any) -> None:
    letters = [{"step": "resolve"}] * dead_letters.BATCH
    browser, function = browser_with(target, replay_dead_letters={"items": letters})
    act(browser, "/dead-letters/jobs", "/dead-letters/jobs/replay")
    assert len(changes_of(function)) == 5


def test_dead_letters_that_changed_meanwhile_are_not_purged(target: Any) -> None:
    browser, function = browser_with(target, purge_dead_letters={"purged": True})
    form = browser.form("/dead-letters/jobs", "/dead-letters/jobs/purge") | {"reason": "TICKET-1"}
    letter = {**answers("acme")["explain_dead_letters"]["items"][0], "messageId": "another"}
    function.answers["explain_dead_letters"] = {"items": [letter]}
    assert browser.post("/dead-letters/jobs/purge", form).status_code == 409
    assert changes_of(function) == []
    assert act(browser, "/dead-letters/jobs", "/dead-letters/jobs/purge").status_code == 303
    assert changes_of(function) == [{"command": "purge_dead_letters", "queue": "jobs", "reason": "TICKET-1"}]


def test_an_unknown_queue_is_no_page(target: Any) -> None:
    browser, _ = browser_with(target)
    assert browser.get("/dead-letters/other").status_code == 404


# -- routing


def served(document: dict[str, Any] = DOCUMENT, number: int = 3) -> dict[str, Any]:
    return {"number": number, "state": "COMPLETE", "percent": 100, "document": json.dumps(document)}


def test_the_document_is_a_readable_table(target: Any) -> None:
    browser, _ = browser_with(target, show_routing=served())
    text = text_of_page(browser.get("/routing"))
    assert "currency is EUR , and the amount is at least 5" in text
    assert "60 %: alpha ; 40 %: gamma" in text


def test_what_would_happen_to_a_payment(target: Any) -> None:
    browser, function = browser_with(target, show_routing=served())
    text = text_of_page(browser.get("/routing?amount=1999&currency=usd&metadata=channel=app&country=in"))
    assert "It would begin at acme , then acme" in text
    asked = function.asked[-1]
    assert (asked["amount"], asked["currency"], asked["country"]) == (1999, "USD", "IN")
    assert asked["metadata"] == {"channel": "app"}
    assert browser.get("/routing?amount=x&currency=USD").status_code == 422


def test_a_document_is_checked_without_a_reason_and_cannot_be_published_with_a_fault(target: Any) -> None:
    browser, function = browser_with(target, show_routing=served(), check_routing={"faults": ["rule x: no provider"]})
    form = browser.form("/routing/edit", "/routing/check") | {"document": "{}"}
    page = browser.post("/routing/check", form)
    assert "rule x: no provider" in text_of_page(page)
    assert "/routing/publish" not in page.text
    assert changes_of(function) == []


@pytest.mark.parametrize("last", [2_000, 10_000])
def test_a_checked_document_is_tried_on_stored_decisions_and_published(target: Any, last: int) -> None:
    published = {**served(number=4), "state": "DEPLOYING", "percent": 10}
    moves = [{"from": "alpha", "to": "beta", "code": None, "count": 2, "examples": ["pay_a"]}]
    rules = [{"rule": "euro", "count": 0}]
    tested = {"compared": 1_000, "erased": 0, "moves": moves, "rules": rules, "nextPosition": "more"}
    browser, function = browser_with(
        target,
        show_routing=served(),
        check_routing={"faults": []},
        back_test_routing=tested,
        publish_routing=published,
    )
    document = json.dumps(DOCUMENT)
    form = browser.form("/routing/edit", "/routing/check") | {"document": document, "test": str(last)}
    page = browser.post("/routing/check", form)
    text = text_of_page(page)
    pages = last // 1_000
    assert sum(asked["command"] == "back_test_routing" for asked in function.asked) == pages
    assert f"{2 * pages} payments would begin at another provider." in text
    assert "euro matches nothing" in text
    publish = hidden_fields(page.text, "/routing/publish") | {"reason": "TICKET-1"}
    done = browser.post("/routing/publish", publish)
    assert "Version 4 is deploying at 10 percent." in text_of_page(browser.get(done.headers["location"]))
    assert changes_of(function)[0]["document"] == document


def test_a_document_of_several_lines_is_published_as_it_was_typed(target: Any) -> None:
    browser, function = browser_with(
        target, show_routing=served(), check_routing={"faults": []}, publish_routing={**served(number=4)}
    )
    typed = json.dumps(DOCUMENT, indent=2)
    form = browser.form("/routing/edit", "/routing/check") | {"document": typed.replace("\n", "\r\n")}
    page = browser.post("/routing/check", form)
    assert "?" not in page.text.partition("<textarea")[2].partition("</textarea>")[0]
    publish = hidden_fields(page.text, "/routing/publish") | {"reason": "TICKET-1"}
    browser.post("/routing/publish", publish)
    sent = [asked["document"] for asked in function.asked if "document" in asked]
    assert sent == [typed, typed]


def test_a_document_that_another_person_published_meanwhile_is_not_replaced(target: Any) -> None:
    browser, function = browser_with(
        target, show_routing=served(), check_routing={"faults": []}, roll_back_routing=served()
    )
    form = browser.form("/routing", "/routing/rollback") | {"reason": "TICKET-1"}
    function.answers["show_routing"] = served(number=4)
    assert browser.post("/routing/rollback", form).status_code == 409
    assert changes_of(function) == []


def test_a_question_needs_a_form_of_this_session(target: Any) -> None:
    browser, function = browser_with(target)
    assert browser.post("/routing/check", {"form": "x.1.y", "document": "{}"}).status_code == 409
    assert [asked for asked in function.asked if asked["command"] == "check_routing"] == []


# -- providers


def test_a_provider_is_switched_off_for_the_one_who_is_named(target: Any) -> None:
    item = answers("acme")["list_providers"]["items"][0] | {"provider": "stripe", "disabledForMerchant": False}
    browser, function = browser_with(
        target, list_providers={"items": [item]}, set_provider_switch={"provider": "stripe"}
    )
    done = act(browser, "/providers", "/providers/stripe/switch", whom="acme")
    assert done.status_code == 303
    (change,) = changes_of(function)
    assert (change["provider"], change["merchantId"], change["disabled"]) == ("stripe", "acme", True)
    form = browser.form("/providers", "/providers/stripe/switch") | {"reason": "T-1", "whom": "everyone"}
    function.answers["list_providers"] = {"items": [{**item, "disabledForEveryone": True}]}
    assert browser.post("/providers/stripe/switch", form).status_code == 409


def test_a_switch_is_stored_and_the_page_says_so(world: World, target: Any) -> None:
    browser = browser_of(handler_of(world), may_write=True, target=target).enter()
    done = act(browser, "/providers", "/providers/alpha/switch", whom="everyone")
    text = text_of_page(browser.get(done.headers["location"]))
    assert "alpha is switched off for everyone; heeded within a minute." in text
    done = act(browser, "/providers", "/providers/alpha/switch")
    assert "alpha is switched on for everyone" in text_of_page(browser.get(done.headers["location"]))


def test_no_page_has_a_field_for_a_secret(target: Any) -> None:
    browser, _ = browser_with(target)
    page = browser.get("/providers").text
    assert 'type="password"' not in page
    assert "payflowx credentials rotate acme" in page


def test_accounts_that_are_not_well_are_named_with_their_state(target: Any) -> None:
    item = answers("acme")["list_providers"]["items"][0]
    unwell = {"merchantId": "acme", "accountId": "main", "state": "passed over", "since": AT, "lastFailureAt": AT}
    browser, function = browser_with(target, list_providers={"items": [{**item, "unwellAccounts": [unwell]}]})
    assert "acme / main Passed over 2026-11-28 10:00:00 UTC" in text_of_page(browser.get("/providers"))
    function.answers["list_providers"] = {"items": [{**item, "unwellAccounts": []}]}
    assert "Accounts that are not well" not in text_of_page(browser.get("/providers"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"isOld": True}, "Credentials: more than a year old: rotate them."),
        ({"isOld": True, "isRotating": True}, "Credentials: a rotation is open: finish it."),
        ({"writtenAt": None, "fault": "The secret does not exist"}, "Credentials: The secret does not exist."),
    ],
)
def test_an_account_says_how_old_its_credentials_are(target: Any, changes: dict[str, Any], said: str | None) -> None:
    written = {"provider": "acme", "accountId": "acme", "writtenAt": AT, "isOld": False, "isRotating": False}
    browser, _ = browser_with(target, list_credentials={"items": [{**written, "fault": None, **changes}]})
    text = text_of_page(browser.get("/providers"))
    assert ("Credentials written 2026-11-28 10:00:00 UTC" in text) is ("writtenAt" not in changes)
    assert (said or "rotate acme") in text
    assert ("Credentials:" in text) is (said is not None)
    assert ("--finish" in text) is bool(changes.get("isRotating"))


def test_a_deployment_that_cannot_tell_the_ages_shows_its_accounts_all_the_same(target: Any) -> None:
    error = {"code": "command_invalid", "message": "Unknown command."}
    browser, _ = browser_with(target, list_credentials={"error": error})
    text = text_of_page(browser.get("/providers"))
    assert "Unknown command." in text
    assert "Webhooks go to" in text


def test_each_account_of_a_provider_has_its_own_line_for_the_terminal(target: Any) -> None:
    merchant = answers("acme")["show_merchant"]
    accounts = [{**merchant["accounts"][0], "accountId": name} for name in ("one", "two")]
    browser, _ = browser_with(target, show_merchant={**merchant, "accounts": accounts})
    text = text_of_page(browser.get("/providers"))
    assert "rotate acme --merchant acme --account one" in text
    assert "rotate acme --merchant acme --account two" in text


def test_what_a_provider_can_do_is_a_row_of_the_table(world: World, target: Any) -> None:
    browser = browser_of(handler_of(world), target=target).enter()
    text = text_of_page(browser.get("/providers"))
    assert re.search(r"alpha on on \w+ [\w, ]+ card [\w, ]*automatic[\w, ]* [-\w., ]+ (yes|no) ", text), text


# -- merchants


def test_a_key_that_is_older_than_a_year_should_be_rotated(target: Any) -> None:
    key = answers("acme")["list_keys"]["items"][1]
    keys = [{**key, "keyId": "key_old", "createdAt": "2020-01-01T00:00:00.000Z"}, {**key, "keyId": "key_new"}]
    browser, _ = browser_with(target, list_keys={"items": keys})
    text = text_of_page(browser.get("/merchants/acme"))
    assert "key_old Valid more than a year old: rotate it 2020" in text
    assert "key_new Valid 2026" in text


def test_what_waits_for_a_second_person_leads_to_where_it_is_decided(target: Any) -> None:
    browser, _ = browser_with(target)
    assert 'href="/approvals/acme/acme"' in browser.get("/merchants/acme").text


def test_a_limit_is_added_to_those_that_are_set(target: Any) -> None:
    merchant = answers("acme")["show_merchant"] | {"approvalLimits": {"USD": 5}}
    browser, function = browser_with(target, show_merchant=merchant, set_approval_limits={"merchantId": "acme"})
    act(browser, "/merchants/acme", "/merchants/acme/limits", currency="eur", amount="100")
    assert changes_of(function)[0]["limits"] == {"USD": 5, "EUR": 100}


def test_a_key_is_revoked_and_none_is_made_in_the_page(target: Any) -> None:
    keys = {"items": answers("acme")["list_keys"]["items"][1:]}
    browser, function = browser_with(target, list_keys=keys, revoke_key={"keyId": "acme", "state": "revoked"})
    act(browser, "/merchants/acme", "/merchants/acme/keys/revoke")
    assert changes_of(function)[0] == {
        "command": "revoke_key",
        "merchantId": "acme",
        "keyId": "acme",
        "reason": "TICKET-1",
    }


# -- deliveries


def test_a_list_of_events_that_was_cut_off_does_not_say_that_all_are_delivered(target: Any) -> None:
    busy = {"items": [], "nextPosition": "1800000000000#pay_aaaaaaaaaaaaaaaa#000001"}
    browser, _ = browser_with(target, list_merchant_events=busy, list_endpoints={"items": []})
    page = browser.get("/deliveries?merchant=acme").text
    assert "Every event since 2027-01-15T08:00:00Z is delivered." in page
    assert "were not looked at" in page


def test_waiting_events_are_delivered_again_the_oldest_first(target: Any) -> None:
    event = answers("acme")["list_merchant_events"]["items"][0]
    events = [{**event, "id": f"evt_{number}", "seq": number} for number in range(25, 0, -1)]
    browser, function = browser_with(
        target, list_merchant_events={"items": events, "nextPosition": None}, redeliver_event={"id": "x"}
    )
    done = act(browser, "/deliveries", "/deliveries/redeliver")
    sequences = [change["seq"] for change in changes_of(function)]
    assert sorted(sequences) == list(range(1, 21))
    assert "20 are on their way again. 5 more wait." in text_of_page(browser.get(done.headers["location"]))


def test_an_event_without_an_enabled_endpoint_does_not_stop_the_others(target: Any) -> None:
    refused = {"error": {"code": "invalid_state", "message": "No enabled endpoint."}}
    browser, _ = browser_with(target, redeliver_event=refused)
    done = act(browser, "/deliveries", "/deliveries/redeliver")
    page = unquote(done.headers["location"])
    assert "0 are on their way again. 1 have no enabled endpoint." in text_of_page(browser.get(page))


def test_an_event_is_redelivered_to_nobody_and_nothing_is_recorded(world: World, target: Any) -> None:
    payment = succeeded(world)
    names = {"merchantId": payment.merchant_id, "operator": "ada", "reason": "TICKET-1"}
    invoke = handler_of(world)
    items = invoke({"command": "list_merchant_events", "merchantId": payment.merchant_id})["items"]
    assert items[0]["transactionId"] == payment.transaction_id
    event = {"transactionId": payment.transaction_id, "seq": items[0]["seq"]}
    answer = invoke({"command": "redeliver_event", **names, **event})
    assert answer["error"]["code"] == "invalid_state"  # the merchant has no endpoint
    records = world.wired(OperatorsWiring).list_audit_entries
    assert [record.action for record in records(_month(world), limit=5)] == []
    assert invoke({"command": "list_endpoints", "merchantId": payment.merchant_id})["items"] == []


def test_an_event_that_nobody_was_to_be_told_of_does_not_wait(world: World) -> None:
    payment = succeeded(world)
    asked = {"command": "list_merchant_events", "merchantId": payment.merchant_id}
    assert handler_of(world)(asked)["items"]
    assert handler_of(world)({**asked, "undelivered": True})["items"] == []


def _month(world: World) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(world.clock.now_ms() / 1000, UTC).strftime("%Y-%m")


# -- reconciliation


def test_a_finished_run_is_repeated_under_the_next_number(target: Any) -> None:
    begun = [{"runs": [{"runId": "rec_2", "phase": "done"}]}, {"runs": [{"runId": "rec_3", "phase": "theirs"}]}]
    browser, function = browser_with(target, reconcile=begun)
    done = act(browser, "/reconciliation/rec_1", "/reconciliation/rec_1/repeat")
    assert done.headers["location"].startswith("/reconciliation/rec_3?")
    assert [change["again"] for change in changes_of(function)] == [1, 2]


def test_both_lines_of_a_discrepancy_are_shown(target: Any) -> None:
    browser, _ = browser_with(target)
    text = text_of_page(browser.get("/reconciliation/rec_1"))
    assert "no line no line" in text
    assert "5 acme 6 acme" in text


def test_discrepancies_are_added_up_by_kind_with_the_oldest_day(target: Any) -> None:
    run = answers("stripe")["list_reconciliations"]["items"][0] | {"problem": None}
    items = [
        {**run, "day": "2026-11-27", "runId": "rec_new", "counts": {"matched": 7, "amount": 1}},
        {**run, "day": "2026-11-24", "runId": "rec_old", "counts": {"timing": 1, "amount": 2, "missing_here": 1}},
    ]
    browser, _ = browser_with(target, list_reconciliations={"items": items})
    page = browser.get("/reconciliation")
    text = text_of_page(page)
    assert "Amount 3 2026-11-24 at stripe the amounts differ" in text
    assert "Missing here 1 2026-11-24 at stripe the provider lists money that we do not hold" in text
    assert 'href="/reconciliation/rec_old">2026-11-24 at' in page.text
    assert "7 matched, 1 amount" in text
    assert "Matched 7" not in text


def test_every_result_of_a_comparison_is_explained_or_no_discrepancy() -> None:
    assert set(reconciliation._MEANINGS) == {str(one) for one in DISCREPANCIES}
    assert {str(one) for one in MatchResult} - set(reconciliation._MEANINGS) == reconciliation._AGREE


def test_a_day_is_begun(target: Any) -> None:
    browser, function = browser_with(target, reconcile={"runs": [{"runId": "rec_9", "phase": "theirs"}]})
    done = act(browser, "/reconciliation", "/reconciliation/begin", provider="stripe", day="2026-11-27")
    assert done.headers["location"].startswith("/reconciliation/rec_9")
    (change,) = changes_of(function)
    assert change["untilMs"] - change["fromMs"] == 86_400_000
    assert act(browser, "/reconciliation", "/reconciliation/begin", provider="x", day="x").status_code == 422
