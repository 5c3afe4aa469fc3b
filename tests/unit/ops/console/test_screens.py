"""Every screen: over the real handler, with hostile texts, with errors, empty, and as the face of its commands."""

import csv
import io
import re
import shlex
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Any

import click
import pytest

from ops.cli import payflowx
from ops.console.registry import HIDDEN, SCREENS
from ops.errors import Exit, OperatorError
from payflowx.domain.payments.payment import Customer
from payflowx.domain.shared.operation_request import OperationKind
from tests.support.world import World
from tests.unit.ops.console.conftest import CloudWatch, mismatched, succeeded, unknown
from tests.unit.ops.console.harness import Browser, browser_of, hidden_fields, text_of_page
from tests.unit.ops.test_commands import FakeFunction, local

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>\"' onclick=alert(1) {{7777*3}}"
RIGHT_TO_LEFT = "\u202egnp.exe\u2066 \u05e9\u05dc\u05d5\u05dd \x1b[2J\x00"
LONG = "x" * 10_000
HOSTILE = [MARKUP, RIGHT_TO_LEFT, LONG]
ADDRESSES = [
    "/",
    "/find",
    "/reviews",
    "/help",
    "/payments/acme/pay_aaaaaaaaaaaaaaaa",
    "/reviews/acme/pay_aaaaaaaaaaaaaaaa",
]


class Page(HTMLParser):
    """Collects what a browser would run or load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def assert_contained(text: str) -> None:
    """Nothing of the texts from outside became markup, and no control of direction reached the page."""
    page = Page(text)
    assert [dict(attrs).get("src") for tag, attrs in page.tags if tag == "script"] == ["/static/console.js"]
    names = {name for _, attrs in page.tags for name in attrs}
    assert [name for name in names if name.startswith("on") or name == "style"] == []
    assert [tag for tag, _ in page.tags if tag in {"img", "iframe", "object", "embed", "base", "style"}] == []
    assert [char for char in text if char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x1b\x00"] == []
    links = [attrs.get("href") or "" for tag, attrs in page.tags if tag == "a"]
    assert [link for link in links if not link.startswith(("/", "#"))] == []


def hostile_payment(text: str) -> dict[str, Any]:
    """As a function would answer that stored whatever it was given."""
    error = {"code": text, "message": text, "providerMessage": text, "provider": text}
    attempt = dict.fromkeys(("provider", "accountId", "state", "providerKey", "providerRef", "providerCode"), text)
    attempt |= {"number": 1, "startedAt": "2026-11-28T10:00:00.000Z", "settledAt": None}
    operation = dict.fromkeys(("operationId", "kind", "status", "origin"), text)
    operation |= {"amount": 1, "lastError": error, "createdAt": "2026-11-28T10:00:00.000Z"}
    texts = dict.fromkeys(
        ("merchantId", "transactionId", "status", "provider", "orderId", "capture", "contendsWith"), text
    )
    amounts = dict.fromkeys(("capturable", "captured", "refundable", "refunded", "reserved", "excess"), 1)
    return {
        **texts,
        **amounts,
        "initiator": text,
        "paymentMethodType": text,
        "providerRef": text,
        "amount": 6,
        "currency": text,
        "money": "0.06 USD",
        "attempts": [attempt],
        "operations": [operation],
        "operationsPosition": None,
        "lastError": error,
        "routing": {"document": text, "rule": text, "reasons": [text], "providers": [text]},
        "disputes": [{"state": text, "amount": 1, "evidenceDueAt": None}],
        "extraCharges": [
            {"providerRef": text, "amount": 6, "refundRef": None},
            {"providerRef": text, "amount": 6, "refundRef": text},
        ],
        "erased": False,
        "dueAt": None,
        "leaseUntil": None,
        "version": 1,
        "createdAt": "2026-11-28T10:00:00.000Z",
        "updatedAt": "2026-11-28T10:00:00.000Z",
    }


def hostile_proposal(text: str) -> dict[str, Any]:
    names = ("proposalId", "merchantId", "currency", "proposedBy", "reason", "decidedBy")
    times = {"createdAt": "2026-11-28T10:00:00.000Z", "expiresAt": "2126-11-28T10:00:00.000Z"}
    refusal = {"code": text, "message": text, "at": text}
    change = {"command": text, "merchantId": text, text: text}
    return {
        **dict.fromkeys(names, text),
        **times,
        "state": "REFUSED",
        "amount": 1,
        "change": change,
        "refusal": refusal,
    }


def hostile_answers(text: str) -> dict[str, Any]:
    state = {"operationStatus": text, "held": text, "paymentStatus": text}
    state |= dict.fromkeys(("capturable", "captured", "refundable", "refunded", "reserved", "excess"), 1)
    event = {"seq": 1, "type": text, "from": text, "to": "SUCCESS", "actor": text, "at": "2026-11-28T10:00:00.000Z"}
    delivery = {"endpointId": text, "state": text, "tries": 1, "nextAt": None, "status": 500, "code": text}
    review = dict.fromkeys(
        ("merchantId", "transactionId", "operationId", "money", "reason", "provider", "providerKey"), text
    )
    return {
        "list_merchants": {"items": [{"merchantId": text}], "nextAfter": None},
        "list_payments": {"items": [hostile_payment(text)] * 2, "nextPosition": None},
        "find_payments": {"items": [hostile_payment(text)] * 2, "unreadable": []},
        "show_payment": hostile_payment(text),
        "list_events": {"items": [{**event, "facts": {text: text, "operator": text, "reason": text}}], "nextSeq": None},
        "verify_trail": {"faults": [text], "events": 1, "complete": True, "whole": False},
        "list_payment_deliveries": {"items": [{"seq": 1, "deliveries": [delivery]}], "complete": True},
        "list_reviews": {"items": [{**review, "since": "x", "ageSeconds": 1}], "nextPosition": None, "complete": False},
        "show_review": {
            **review,
            "currency": text,
            "requested": 1,
            "ours": state,
            "theirs": {text: text, "reportedAmount": 1},
            "verdicts": {"charged": state, "not_charged": {"refused": text, "why": text}},
        },
        "list_proposals": {"items": [hostile_proposal(text)]},
        "count_dead_letters": {"items": [{"queue": text, "waiting": 1, "dead": 1, "deadHidden": 0}]},
        "diagnose": {"items": [{"check": text, "health": text, "words": text, "advice": text}]},
        "show_personal_data": {
            "erased": False,
            "customer": {text: text},
            "description": text,
            "metadata": {text: text},
            "receiptEmail": text,
        },
    }


@pytest.mark.parametrize("text", HOSTILE, ids=["markup", "direction", "long"])
def test_hostile_texts_never_break_out_of_any_screen(text: str, target: Any, cloudwatch: CloudWatch) -> None:
    cloudwatch.put("PaymentsFinal", 1, status=text, provider=text)
    cloudwatch.put("ProviderLatency", 1, provider=text)
    cloudwatch.alarms = [{"AlarmName": text, "AlarmDescription": text}]
    function = FakeFunction(**hostile_answers(text))
    browser = browser_of(function, may_write=True, target=target).enter()
    for address in [*ADDRESSES, "/find?text=x", "/reviews/acme/ref_aaaaaaaaaaaaaaaa"]:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert_contained(answer.text)
        assert "23331" not in answer.text
    address = "/payments/acme/pay_aaaaaaaaaaaaaaaa/personal-data"
    done = browser.post(address, browser.new_form(address))
    assert done.status_code == 303
    assert_contained(browser.get(done.headers["location"]).text)


@pytest.mark.parametrize("text", HOSTILE, ids=["markup", "direction", "long"])
def test_hostile_requests_never_break_out(text: str, world: World, browser: Browser) -> None:
    for name in ("text", "merchant", "status", "from", "to", "least", "most", "position", "window", "done"):
        for address in ("/find", "/", "/reviews"):
            assert_contained(browser.get(address, params={name: text}).text)
    payment = mismatched(world)
    address = f"/reviews/acme/{payment.transaction_id}"
    for name in ("amount", "reference", "held", "provider", "accountId", "providerKey"):
        assert_contained(browser.get(address, params={name: text}).text)
    answer = browser.post(f"{address}/close", {"form": text, "reason": text, "evidence": text, "verdict": text})
    assert_contained(answer.text)


def test_a_hostile_payment_that_was_really_stored_is_shown_as_text(world: World, browser: Browser) -> None:
    payment = succeeded(world, description=MARKUP, metadata={"k": MARKUP}, customer=Customer(name=RIGHT_TO_LEFT))
    address = f"/payments/acme/{payment.transaction_id}"
    assert_contained(browser.get(address).text)
    form = browser.form(address, f"{address}/personal-data") | {"reason": "TICKET-1"}
    page = browser.get(browser.post(f"{address}/personal-data", form).headers["location"]).text
    assert_contained(page)
    assert "<script>alert(1)</script>" in unescape(page)


# -- commands


def lines_of(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'<li><code tabindex="0">(.*?)</code>', page)]


def assert_parses(line: str) -> None:
    """The command exists with exactly these options and arguments; placeholders are values."""
    program, *words = shlex.split(line)
    assert program == "payflowx"
    context = click.Context(payflowx)
    command: click.Command = payflowx
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, [word.replace("MINOR", "1") for word in words], parent=context)


@pytest.mark.parametrize("environment", ["local", "prod"])
def test_every_screen_shows_commands_that_exist(
    world: World, target: Any, environment: str, cloudwatch: CloudWatch
) -> None:
    payment = mismatched(world)
    from tests.unit.ops.console.conftest import HEALTH, QUEUES, handler_of

    invoke = handler_of(world, count_dead_letters=QUEUES, diagnose=HEALTH)
    browser = browser_of(invoke, target=target, environment=environment).enter()
    story = f"/payments/acme/{payment.transaction_id}"
    pages = ["/", "/find", f"/find?text={payment.transaction_id[:-1]}", "/find?status=SUCCESS", "/reviews"]
    for address in [*pages, story, f"/reviews/acme/{payment.transaction_id}"]:
        lines = lines_of(browser.get(address).text)
        assert lines, address
        for line in lines:
            assert_parses(line)


def test_screens_have_different_addresses_names_and_keys() -> None:
    screens = (*SCREENS, *HIDDEN)
    paths = [part.path for screen in screens for part in (*screen.views, *screen.actions)]
    assert len(paths) == len(set(paths))
    assert len({screen.name for screen in screens}) == len(screens)
    keys = [screen.key for screen in SCREENS]
    assert len(set(keys)) == len(keys)
    assert [key for key in keys if len(key) != 1 or key == "h"] == []


# -- errors and nothing


class Broken:
    def __call__(self, command: Mapping[str, Any]) -> dict[str, Any]:
        raise OperatorError(
            "Could not ask the operations function: ConnectTimeoutError.", Exit.UNAVAILABLE, hint="Try."
        )


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_function_that_does_not_answer_is_said_and_no_screen_fails(address: str, target: Any) -> None:
    browser = browser_of(Broken(), target=target).enter()
    answer = browser.get(address)
    assert answer.status_code in {200, 503}
    if address != "/help":
        assert "Could not ask the operations function" in answer.text


def test_a_console_whose_environment_is_gone_says_so() -> None:
    def nowhere(_name: str, _region: str | None) -> Any:
        raise OperatorError("No local environment is running.", Exit.NO_ACCESS, hint="Start one with `make run`.")

    browser = browser_of(FakeFunction(), target=local()).enter()
    browser.console.session.find_target = nowhere
    browser.console.session.__dict__.pop("target", None)
    answer = browser.get("/find")
    assert answer.status_code == 403
    assert "No local environment is running." in answer.text


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/", "No payment ended in this time."),
        ("/find", "No payments in these days."),
        ("/find?text=nothing", "Nothing has this name."),
        ("/reviews", "Nothing waits for a person."),
    ],
)
def test_nothing_is_said_in_words(world: World, browser: Browser, address: str, text: str) -> None:
    assert text in text_of_page(browser.get(address))


def test_an_address_that_does_not_exist_is_a_page(browser: Browser) -> None:
    answer = browser.get("/nowhere")
    assert answer.status_code == 404
    assert "There is no page at this address." in answer.text


# -- find


def test_a_payment_is_found_by_each_of_its_names_and_opened(world: World, browser: Browser) -> None:
    payment = succeeded(world)
    attempt = payment.attempts[0]
    operation = world.request(OperationKind.REFUND, payment, 500).operation
    for text in (payment.transaction_id, attempt.provider_key, attempt.reference, operation.operation_id):
        answer = browser.get("/find", params={"text": text})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/payments/acme/{payment.transaction_id}")


def test_payments_are_listed_by_status_time_and_amount(world: World, browser: Browser) -> None:
    paid = [succeeded(world, f"order-{number}", amount=100 * number) for number in range(1, 4)]
    waiting = unknown(world, "order-9")

    def found(**query: str) -> set[str]:
        page = browser.get("/find", params=query).text
        return set(re.findall(r"pay_[a-z2-7]{16}", page))

    ids = [payment.transaction_id for payment in paid]
    assert found() == {*ids, waiting.transaction_id}
    assert found(status="SUCCESS") == set(ids)
    assert found(least="200", most="200") == {ids[1]}
    assert found(to="2020-01-02", **{"from": "2020-01-01"}) == set()


def test_a_list_goes_on_page_by_page(world: World, browser: Browser) -> None:
    for number in range(130):
        world.accept(f"order-{number}")
        world.clock.at_ms += 1_000
    first = browser.get("/find").text
    more = unescape(re.search(r'href="(/find\?[^"]*position=[^"]*)"', first)[1])
    second = browser.get(more).text
    ids = [set(re.findall(r"/payments/acme/(pay_[a-z2-7]{16})", page)) for page in (first, second)]
    assert [len(found) for found in ids] == [100, 30]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"least": "1.5"},
        {"most": "9" * 13},
        {"status": "LOST"},
        {"from": "2026-02-02", "to": "2026-01-01"},
    ],
)
def test_a_wrong_filter_is_said_in_words(browser: Browser, query: dict[str, str]) -> None:
    answer = browser.get("/find", params=query)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_csv_that_is_refused_is_a_page_that_says_why(browser: Browser) -> None:
    answer = browser.get("/find.csv", params={"merchant": "x" * 100})
    assert answer.status_code >= 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "merchantId is not valid" in answer.text


def test_the_csv_has_the_rows_of_the_list_and_no_formula(world: World, browser: Browser) -> None:
    paid = [succeeded(world, f"order-{number}", amount=100 * number) for number in range(1, 4)]
    answer = browser.get("/find.csv", params={"least": "200"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["transactionId"] for row in rows} == {payment.transaction_id for payment in paid[1:]}
    assert answer.headers["content-disposition"].startswith("attachment;")
    function = FakeFunction(list_payments={"items": [hostile_payment("=HYPERLINK(1)")], "nextPosition": None})
    (row,) = csv.DictReader(io.StringIO(browser_of(function).enter().get("/find.csv?merchant=demo").text))
    assert row["orderId"] == "'=HYPERLINK(1)"


# -- reviews


def test_a_review_shows_both_sides_and_is_closed_with_evidence(world: World, browser: Browser) -> None:
    payment = mismatched(world)
    listed = browser.get("/reviews").text
    assert f"/reviews/acme/{payment.transaction_id}" in listed
    address = f"/reviews/acme/{payment.transaction_id}"
    text = text_of_page(browser.get(address))
    assert "Reported amount 19.98 USD" in text
    form = browser.form(address, f"{address}/close") | {"reason": "TICKET-3"}
    refused = browser.post(f"{address}/close", form)
    assert refused.status_code == 422
    form = hidden_fields(refused.text, f"{address}/close") | {"reason": "TICKET-3"}
    closed = browser.post(f"{address}/close", {**form, "verdict": "not_charged", "evidence": "settlement line 7"})
    assert closed.status_code == 303
    assert world.now(payment).status == "FAILED"
    story = text_of_page(browser.get(closed.headers["location"]))
    assert f"{payment.transaction_id} is FAILED." in story
    assert "settlement line 7" in story
    assert "Nothing waits for a person." in text_of_page(browser.get("/reviews"))


def test_a_second_tab_with_a_stale_review_changes_nothing(world: World, browser: Browser) -> None:
    payment = mismatched(world)
    address = f"/reviews/acme/{payment.transaction_id}"
    tabs = [browser.form(address, f"{address}/close") | {"reason": "TICKET-3"} for _ in range(2)]
    verdict = {"evidence": "line 7"}
    assert browser.post(f"{address}/close", {**tabs[0], **verdict, "verdict": "not_charged"}).status_code == 303
    before = world.now(payment)
    refused = browser.post(f"{address}/close", {**tabs[1], **verdict, "verdict": "charged"})
    assert refused.status_code == 409
    assert refused.text.count('role="alert"') == 1
    assert world.now(payment) == before


def test_effects_are_shown_for_another_amount(world: World, browser: Browser) -> None:
    payment = mismatched(world)
    address = f"/reviews/acme/{payment.transaction_id}"
    text = text_of_page(browser.get(address, params={"amount": "1998", "reference": "ch_1"}))
    assert "Amount that moved: 19.98 USD" in text


# -- now


def test_now_shows_objective_payments_latency_queues_and_alarms(browser: Browser, cloudwatch: CloudWatch) -> None:
    cloudwatch.put("PaymentsFinal", 8, status="SUCCESS", provider="stripe")
    cloudwatch.put("PaymentsFinal", 2, status="FAILED", provider="stripe")
    cloudwatch.put("ProviderLatency", 420, provider="stripe")
    cloudwatch.put("OldestDueAge", 125)
    cloudwatch.put("ObjectiveMissed", 2)
    cloudwatch.alarms = [
        {
            "AlarmName": "Dev-Service-AlarmsMismatchEE9D1F1D-7FA1CC5",
            "AlarmDescription": "Runbook: docs/runbooks/mismatch.md",
        }
    ]
    for window in ("1h", "24h", "7d"):
        text = text_of_page(browser.get("/", params={"window": window}))
        assert "80 % 10 420 420" in text
        assert "2 min 5 s" in text
        assert "Jobs 3 ! 2" in text
        assert "Mismatch" in text
        assert "2 dead letters in jobs." in text
    page = browser.get("/").text
    assert 'href="/runbooks/mismatch"' in page
    assert "What to do" in browser.get("/runbooks/mismatch").text


def test_the_charts_ask_for_the_span_that_was_chosen(browser: Browser, cloudwatch: CloudWatch) -> None:
    cloudwatch.put("ProviderLatency", 420, provider="stripe")
    spans = {}
    for window in ("1h", "24h", "7d"):
        cloudwatch.asked.clear()
        browser.get("/", params={"window": window})
        spans[window] = {
            round((asked["EndTime"] - asked["StartTime"]).total_seconds() / 3_600)
            for asked in cloudwatch.asked
            if asked["MetricDataQueries"][0]["MetricStat"]["Stat"] == "p50"
        }
    assert spans == {"1h": {1}, "24h": {24}, "7d": {168}}
