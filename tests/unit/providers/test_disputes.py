"""The disputes in the webhooks of Razorpay, Cashfree and PayU, from the samples of their pages."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from payflowx.domain.payments.dispute import DisputeReport, DisputeState
from payflowx.domain.providers.events import Webhook
from payflowx.providers.cashfree import disputes as cashfree
from payflowx.providers.payu import disputes as payu
from payflowx.providers.razorpay import disputes as razorpay
from payflowx.providers.registry import connector

OPEN, UNDER_REVIEW, WON, LOST, CLOSED = DisputeState

RAZORPAY: dict[str, Any] = {
    "id": "disp_EsIAlDcoUr8CaQ",
    "entity": "dispute",
    "payment_id": "pay_EFtmUsbwpXwBHI",
    "amount": 39000,
    "currency": "INR",
    "amount_deducted": 0,
    "reason_code": "processed_invalid_expired_card",
    "respond_by": 1590431400,
    "status": "open",
    "phase": "chargeback",
    "created_at": 1589907957,
}
CASHFREE: dict[str, Any] = {
    "dispute_id": "433475258",
    "dispute_type": "DISPUTE",
    "reason_code": "1402",
    "reason_description": "Duplicate Processing",
    "dispute_amount": 3,
    "created_at": "2023-06-15T21:49:48+05:30",
    "updated_at": "2023-06-15T21:49:48+05:30",
    "respond_by": "2023-06-18T23:59:59+05:30",
    "dispute_status": "DISPUTE_CREATED",
    "dispute_action_on": "MERCHANT",
}
CASHFREE_ORDER = {"order_id": "pfx-abcdefghijklmnop-1", "order_currency": "INR", "payment_currency": "INR"}
PAYU = {
    "type": "payments",
    "event": "dispute",
    "reason_code": "Fraud - Card Present Environment",
    "created_at": "2025-01-15T21:28:25.000+05:30",
    "updated_at": "2025-05-27T22:08:16.000+05:30",
    "cb_id": "1761758",
    "txn_id": "999000000000468",
    "due_date": "2025-03-31",
    "cb_amount": "1.0",
    "cb_status": "New",
}


def test_razorpay_s_sample() -> None:
    assert razorpay.report_of(RAZORPAY, 1589907977) == DisputeReport(
        reference="disp_EsIAlDcoUr8CaQ",
        state=OPEN,
        amount=39000,
        currency="INR",
        reason="processed_invalid_expired_card",
        reported_at_ms=1589907977000,
        evidence_due_at_ms=1590431400000,
    )


def test_razorpay_s_payment_beside_a_dispute_proves_nothing() -> None:
    paid = {"id": "pay_other", "status": "captured", "amount": 1, "currency": "INR", "order_id": "order_1"}
    payload = {"payment": {"entity": paid}, "dispute": {"entity": RAZORPAY}}
    body = json.dumps({"event": "payment.dispute.created", "payload": payload, "created_at": 1589907977}).encode()
    signature = hmac.new(b"webhook-secret", body, hashlib.sha256).hexdigest()
    webhook = Webhook(headers={"x-razorpay-signature": signature}, body=body, received_at_ms=1)
    event = connector("razorpay").read_webhook(webhook, ["webhook-secret"])
    assert (event.charge_reference, event.outcome) == ("pay_EFtmUsbwpXwBHI", None)
    assert event.dispute is not None
    assert event.dispute.reference == "disp_EsIAlDcoUr8CaQ"


@pytest.mark.parametrize(("payment_id", "key"), [("pay_EFtmUsbwpXwBHI", "pfx-abcdefghijklmnop-1"), ("pay_other", None)])
def test_razorpay_s_notes_name_the_payment_of_a_charge_that_nobody_knows_yet(payment_id: str, key: str | None) -> None:
    """The second charge inside one link, or one whose answer was lost, has no owner by its id."""
    paid = {"id": payment_id, "status": "captured", "notes": {"payflowx_key": "pfx-abcdefghijklmnop-1"}}
    payload = {"payment": {"entity": paid}, "dispute": {"entity": RAZORPAY}}
    body = json.dumps({"event": "payment.dispute.created", "payload": payload, "created_at": 1589907977}).encode()
    signature = hmac.new(b"webhook-secret", body, hashlib.sha256).hexdigest()
    webhook = Webhook(headers={"x-razorpay-signature": signature}, body=body, received_at_ms=1)
    event = connector("razorpay").read_webhook(webhook, ["webhook-secret"])
    assert (event.charge_reference, event.charge_key) == ("pay_EFtmUsbwpXwBHI", key)


def test_cashfree_s_sample() -> None:
    assert cashfree.report_of(CASHFREE, CASHFREE_ORDER) == DisputeReport(
        reference="433475258",
        state=OPEN,
        amount=300,
        currency="INR",
        reason="1402",
        reported_at_ms=1686845988000,
        evidence_due_at_ms=1687112999000,
    )


def test_payu_s_sample() -> None:
    assert payu.report_of(PAYU) == DisputeReport(
        reference="1761758",
        state=OPEN,
        amount=100,
        currency="INR",
        reason="Fraud_-_Card_Present_Environment",
        reported_at_ms=1748363896000,
        evidence_due_at_ms=1743445800000,
        is_signed=False,
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [("open", OPEN), ("under_review", UNDER_REVIEW), ("won", WON), ("lost", LOST), ("closed", CLOSED)],
)
def test_razorpay_s_words(word: str, state: DisputeState) -> None:
    report = razorpay.report_of({**RAZORPAY, "status": word}, 1)
    assert report is not None
    assert report.state is state


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("RETRIEVAL_CREATED", OPEN),
        ("CHARGEBACK_CREATED", OPEN),
        ('"DISPUTE_CREATED"', OPEN),
        ("DISPUTE_DOCS_RECEIVED", UNDER_REVIEW),
        ("PRE_ARBITRATION_UNDER_REVIEW", UNDER_REVIEW),
        ("ARBITRATION_MERCHANT_WON", WON),
        ("CHARGEBACK_MERCHANT_LOST", LOST),
        ("CHARGEBACK_MERCHANT_ACCEPTED", LOST),
        ("CHARGEBACK_INSUFFICIENT_EVIDENCE", LOST),
    ],
)
def test_cashfree_s_words(word: str, state: DisputeState) -> None:
    report = cashfree.report_of({**CASHFREE, "dispute_status": word}, CASHFREE_ORDER)
    assert report is not None
    assert report.state is state


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Pending Response", OPEN),
        ("ME Comm Sent", OPEN),
        ("Insufficient Document", OPEN),
        ("Doc Rejected", OPEN),
        ("Pending Doc Review", UNDER_REVIEW),
        ("Bank Comm Sent", UNDER_REVIEW),
        ("Closed in Merchant Favour", WON),
        ("Closed Merchant favour", WON),
        ("Closed under Fraud Liability", WON),
        ("Closed Customer Favour", LOST),
        ("Closed in Customer favour", LOST),
    ],
)
def test_payu_s_words(word: str, state: DisputeState) -> None:
    report = payu.report_of({**PAYU, "cb_status": word})
    assert report is not None
    assert report.state is state


@pytest.mark.parametrize(
    ("code", "reason"),
    [("1402", "1402"), (1402, "1402"), (None, "unrecognized"), (True, "unrecognized"), ([], "unrecognized")],
)
def test_a_reason_that_cashfree_does_not_give_is_no_word(code: object, reason: str) -> None:
    report = cashfree.report_of({**CASHFREE, "reason_code": code}, CASHFREE_ORDER)
    assert report is not None
    assert report.reason == reason


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "reopened"},
        {"id": None},
        {"amount": 1.5},
        {"amount": "39000"},
        {"currency": None},
        {"respond_by": "soon"},
    ],
)
def test_what_razorpay_does_not_say_is_not_recorded(changes: dict[str, Any]) -> None:
    assert razorpay.report_of({**RAZORPAY, **changes}, 1) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"dispute_status": "DISPUTE_LOST_AND_FOUND"},
        {"dispute_status": None},
        {"dispute_id": None},
        {"dispute_amount": "three"},
        {"dispute_amount": 3.001},
        {"updated_at": None, "created_at": None},
        {"updated_at": "15 June"},
        {"respond_by": "18 June"},
    ],
)
def test_what_cashfree_does_not_say_is_not_recorded(changes: dict[str, Any]) -> None:
    assert cashfree.report_of({**CASHFREE, **changes}, CASHFREE_ORDER) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"cb_status": "Reopened"},
        {"cb_id": "abc"},
        {"cb_amount": "one"},
        {"updated_at": "yesterday"},
        {"updated_at": "2025-05-27T22:08:16"},
        {"due_date": "31.03.2025"},
    ],
)
def test_what_payu_does_not_say_is_not_recorded(changes: dict[str, str]) -> None:
    assert payu.report_of({**PAYU, **changes}) is None


def test_payu_s_chargeback_without_a_deadline_or_update_is_recorded() -> None:
    fields = {name: value for name, value in PAYU.items() if name not in {"due_date", "updated_at"}}
    report = payu.report_of(fields)
    assert report is not None
    assert (report.evidence_due_at_ms, report.reported_at_ms) == (None, 1736956705000)


ABSURD = {
    "a negative amount": lambda: razorpay.report_of({**RAZORPAY, "amount": -39000}, 1589907977),
    "an amount above every payment": lambda: payu.report_of({**PAYU, "cb_amount": "999999999999999"}),
    "a currency of no list": lambda: razorpay.report_of({**RAZORPAY, "currency": "x" * 10_000}, 1589907977),
    "a currency in small letters": lambda: razorpay.report_of({**RAZORPAY, "currency": "inr"}, 1589907977),
    "a time in milliseconds": lambda: razorpay.report_of(RAZORPAY, 1589907977000),
    "a time of no calendar": lambda: razorpay.report_of(RAZORPAY, 10**17),
    "a time before 1970": lambda: razorpay.report_of(RAZORPAY, -1),
    "the year 1": lambda: cashfree.report_of({**CASHFREE, "updated_at": "0001-01-01T00:00:00+05:30"}, CASHFREE_ORDER),
    "the year 9999": lambda: payu.report_of({**PAYU, "updated_at": "9999-12-31T23:59:59+05:30"}),
}


@pytest.mark.parametrize("report", ABSURD.values(), ids=ABSURD)
def test_a_report_that_could_not_be_shown_is_not_understood(report: Any) -> None:
    """Its times are printed with the payment, and order later reports: such a one would hide them or fail the page."""
    assert report() is None


def test_a_dispute_with_an_absurd_deadline_is_recorded_without_one() -> None:
    reports = [
        razorpay.report_of({**RAZORPAY, "respond_by": 1590431400000}, 1589907977),
        razorpay.report_of({**RAZORPAY, "respond_by": 0}, 1589907977),
        cashfree.report_of({**CASHFREE, "respond_by": "9999-12-31T23:59:59"}, CASHFREE_ORDER),
        payu.report_of({**PAYU, "due_date": "9999-12-31"}),
    ]
    assert [report and (report.state, report.evidence_due_at_ms) for report in reports] == [(OPEN, None)] * 4
