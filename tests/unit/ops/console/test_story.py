"""One payment's story, over the real operators' handler and the in-memory model."""

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.console.money import Currency, bar
from ops.console.payment_story import next_step
from ops.console.rendering import time_of
from payflowx.domain.payments.payment import Customer
from payflowx.domain.shared.operation_request import OperationKind
from tests.support.world import World
from tests.unit.ops.console.conftest import handler_of, mismatched, succeeded, unknown
from tests.unit.ops.console.harness import Browser, browser_of, text_of_page
from tests.unit.ops.test_commands import payment as shown_payment


def story(payment: Any) -> str:
    return f"/payments/{payment.merchant_id}/{payment.transaction_id}"


def test_a_refunded_payment_is_told_from_the_request_to_the_refund(world: World, browser: Browser) -> None:
    payment = unknown(world)
    world.work_until_idle()
    world.request(OperationKind.REFUND, payment, 500)
    world.work_until_idle()
    text = text_of_page(browser.get(story(payment)))
    in_order = [
        "19.99 USD was asked for",
        "Rule all of document test: alpha, then beta, then gamma",
        "Attempt 1 at alpha: no usable answer; the outcome is unknown",
        "code read_timeout",
        "Attempt 1 at alpha: charged",
        "Refund of 5.00 USD was requested",
        "Refund of 5.00 USD succeeded",
        "The audit log is complete and its hashes match",
    ]
    places = [text.index(one) for one in in_order]
    assert places == sorted(places)
    assert "Nothing. The payment is final." in text
    assert "Kept by the merchant 14.99 USD" in text
    assert "Refunded 5.00 USD" in text


def test_a_payment_without_an_answer_says_who_is_asked_next_and_when(world: World, browser: Browser) -> None:
    payment = unknown(world)
    world.clock.at_ms += 3_600_000
    shown = {
        **shown_payment(status="PENDING"),
        "dueAt": "2026-11-28T10:00:00Z",
        "attempts": [{"number": 1, "provider": "alpha", "state": "UNKNOWN"}],
    }
    step = next_step(shown, time_of("2026-11-28T09:59:00Z"))
    assert (step.text, step.at) == ("alpha is asked what became of attempt 1", "2026-11-28T10:00:00Z")
    text = text_of_page(browser.get(story(payment)))
    assert "Not charged yet 19.99 USD" in text
    assert "Inquire now" in text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"status": "SUCCESS"}, "Nothing. The payment is final"),
        ({"status": "IN_REVIEW"}, "An operator decides, with evidence"),
        (
            {"status": "IN_REVIEW", "dueAt": "2026-11-28T10:00:00Z"},
            "An operator decides, with evidence. Until then the provider is asked again",
        ),
        ({"status": "AUTHORIZED"}, "The merchant captures or voids it. Nothing happens by itself"),
        ({"status": "REQUIRES_ACTION", "dueAt": "2026-11-28T10:00:00Z"}, "The payer acts."),
        ({"status": "SUCCESS", "operations": [{"status": "PENDING"}]}, "1 operation is open, see below"),
        ({"status": "SUCCESS", "attempts": [], "dueAt": "2026-11-28T10:00:00Z"}, "The provider is read once more"),
        ({"status": "PENDING"}, "Nothing is planned, and the payment is not final"),
        ({"status": "PENDING", "attempts": [], "dueAt": "2026-11-28T10:00:00Z"}, "Attempt 1 begins"),
        ({"status": "PENDING", "dueAt": "2026-11-28T09:00:00Z"}, "It is overdue by 59 min"),
        ({"status": "PENDING", "leaseUntil": "2026-11-28T10:00:00Z"}, "A worker is at it now"),
    ],
)
def test_what_happens_next_is_said_for_every_state(changes: dict[str, Any], text: str) -> None:
    assert next_step({**shown_payment(**changes)}, time_of("2026-11-28T09:59:00Z")).text.startswith(text)


AMOUNTS = st.integers(0, 10**12)


@given(
    st.fixed_dictionaries(dict.fromkeys(("amount", "refundable", "reserved", "refunded", "capturable"), AMOUNTS)),
    st.sampled_from(["PENDING", "SUCCESS", "IN_REVIEW"]),
)
def test_the_bar_always_adds_up(amounts: dict[str, int], status: str) -> None:
    parts = bar({**amounts, "status": status, "captured": 0})
    known = sum(amounts.values()) - amounts["amount"]
    assert sum(part.amount for part in parts) == max(amounts["amount"], known)
    assert sum(part.width for part in parts) == pytest.approx(1_000 if parts else 0)
    for before, after in pairwise(parts):
        assert after.start == pytest.approx(before.start + before.width)


@pytest.mark.parametrize(
    ("money", "minor", "text"),
    [
        ("19.99 USD", 199_900, "1,999.00 USD"),
        ("500 JPY", 500, "500 JPY"),
        ("1.250 KWD", 5, "0.005 KWD"),
        ("1 JPY", -3, "-3 JPY"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(money: str, minor: int, text: str) -> None:
    assert Currency.of(money, money.split()[1]).text(minor) == text


def test_a_broken_audit_log_is_an_alarm_on_the_page(world: World, browser: Browser) -> None:
    payment = succeeded(world)
    event = world.events_of(payment)[0]
    world.store(type(event)(**{name: getattr(event, name) for name in event.__slots__} | {"actor": "mallory"}))
    text = text_of_page(browser.get(story(payment)))
    assert "The audit log is not intact." in text
    assert "event 1 was altered" in text


# -- personal data


PERSON = {
    "customer": Customer(id="cus_1", name="Ada Lovelace", email="ada@example.com"),
    "description": "A red dress",
    "metadata": {"gift": "for Bob"},
}
SECRETS = ("Ada Lovelace", "ada@example.com", "A red dress", "for Bob")


def test_personal_data_is_hidden_until_it_is_asked_for_and_the_access_is_recorded(world: World, target: Any) -> None:
    payment = succeeded(world, **PERSON)
    invoke = handler_of(world)
    browser = browser_of(invoke, target=target).enter()
    page = browser.get(story(payment)).text
    assert [secret for secret in SECRETS if secret in page] == []
    address = f"{story(payment)}/personal-data"
    form = browser.form(story(payment), address)
    assert browser.post(address, form).status_code == 422
    month = browser.console.session
    answer = browser.post(address, {**form, "reason": "TICKET-7"})
    assert answer.status_code == 303
    shown = browser.get(answer.headers["location"]).text
    assert [secret for secret in SECRETS if secret not in shown] == []
    assert [secret for secret in SECRETS if secret in browser.get(story(payment)).text] == []
    assert browser.post(address, {**form, "reason": "TICKET-7"}).headers["location"] == answer.headers["location"]
    at = time_of(re.search(r'datetime="([^"]+)"', page)[1])
    records = month.ask("list_records", month=f"{at:%Y-%m}")["items"]
    assert [(one["action"], one["operator"], one["reason"], one["facts"]) for one in records] == [
        ("personal_data.shown", "local:ada", "TICKET-7", {"transactionId": payment.transaction_id})
    ]


def test_erased_data_is_not_asked_for(world: World, browser: Browser) -> None:
    payment = succeeded(world, **PERSON)
    browser.console.session.change(
        "erase_personal_data", "TICKET-8", merchantId="acme", transactionId=payment.transaction_id
    )
    text = text_of_page(browser.get(story(payment)))
    assert "It was erased." in text
    assert "Show the personal data" not in text


# -- acting


def test_an_inquiry_is_requested_once_with_its_reason(world: World, browser: Browser) -> None:
    payment = unknown(world)
    world.jobs.sent.clear()
    address = f"{story(payment)}/resolve"
    form = browser.form(story(payment), address) | {"reason": "TICKET-9"}
    first, again = browser.post(address, form), browser.post(address, form)
    assert (first.status_code, again.status_code) == (303, 303)
    events = [event for event in world.events_of(payment) if event.type == "payment.look_requested"]
    assert [event.facts["reason"] for event in events] == ["TICKET-9"]
    text = text_of_page(browser.get(first.headers["location"]))
    assert "A worker was woken to inquire." in text
    assert "because: TICKET-9" in text


def test_a_reason_that_names_a_person_is_refused_and_what_was_typed_stays(world: World, browser: Browser) -> None:
    payment = unknown(world)
    address = f"{story(payment)}/resolve"
    answer = browser.post(address, {**browser.form(story(payment), address), "reason": "asked by ada@example.com"})
    assert answer.status_code == 409
    assert "mail address" in answer.text
    assert 'value="asked by ada@example.com"' in answer.text


def test_a_payment_that_does_not_exist_is_a_page_that_says_so(browser: Browser) -> None:
    for name in ("pay_aaaaaaaaaaaaaaaa", "nonsense", "%3Cscript%3E"):
        answer = browser.get(f"/payments/acme/{name}")
        assert answer.status_code in {404, 409}
        assert "<script>" not in answer.text.replace('<script src="/static/console.js" defer>', "")


def test_a_payment_in_review_leads_to_its_review(world: World, browser: Browser) -> None:
    payment = mismatched(world)
    page = browser.get(story(payment)).text
    assert f'href="/reviews/acme/{payment.transaction_id}"' in page
    assert "Not known" in text_of_page(browser.get(story(payment)))
