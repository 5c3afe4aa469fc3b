"""The rules of hosted objects that the providers document, at the simulators alone."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.cashfree import CashfreeSimulator
from sandbox.http_types import Reply, Request
from sandbox.mock import MockSimulator
from sandbox.payu import PayUSimulator, command_hash
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore

NOW = 1_790_000_000.0
CREDENTIALS = Credentials(key_id="id", key_secret="secret")
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Cashfree:
    def __init__(self) -> None:
        self.simulator = CashfreeSimulator(MemoryStore(), CREDENTIALS, public_url="https://cashfree")

    def order(self, **changes: Any) -> Reply:
        body = {
            "order_id": "order-1",
            "order_amount": 499,
            "order_currency": "INR",
            "customer_details": {"customer_id": "payer", "customer_phone": "9876543210"},
            **changes,
        }
        headers = {
            "content-type": "application/json",
            "x-api-version": "2025-01-01",
            "x-client-id": "id",
            "x-client-secret": "secret",
        }
        asked = Request(method="POST", path="/pg/orders", headers=headers, body=json.dumps(body).encode())
        return self.simulator.handle(asked, NOW)

    def open(self, session: str, method: str = "POST") -> Reply:
        body = urlencode({"payment_session_id": session}).encode()
        asked = Request(method=method, path="/pg/view/sessions/checkout", headers=FORM, body=body)
        return self.simulator.handle(asked, NOW)

    def page(self, session: str, **form: str) -> Reply:
        method = "POST" if form else "GET"
        asked = Request(method=method, path=f"/pages/{session}", headers=FORM, body=urlencode(form).encode())
        return self.simulator.handle(asked, NOW)


class TestCashfree:
    @pytest.mark.parametrize(
        ("expiry", "status"),
        [
            ("2026-09-21T14:28:20Z", 400),  # fifteen minutes
            ("2026-09-21T14:28:21Z", 200),
            ("2026-10-21T14:13:19Z", 200),
            ("2026-10-21T14:13:20Z", 400),  # thirty days
        ],
    )
    def test_an_order_lives_for_more_than_15_minutes_and_less_than_30_days(self, expiry: str, status: int) -> None:
        assert Cashfree().order(order_expiry_time=expiry).status == status

    def test_the_page_is_opened_by_a_form_with_the_session(self) -> None:
        cashfree = Cashfree()
        session = json.loads(cashfree.order().body)["payment_session_id"]
        assert cashfree.open(session).status == 303
        assert cashfree.open("session_of_nobody").status == 404
        assert cashfree.open(session, "GET").status == 404

    def test_the_page_offers_the_order_s_methods_only(self) -> None:
        cashfree = Cashfree()
        order = json.loads(cashfree.order(order_meta={"payment_methods": "upi,nb"}).body)
        page = cashfree.page(order["payment_session_id"]).body
        assert b"value='upi'" in page
        assert b"value='netbanking'" in page
        assert b"value='card'" not in page
        cashfree.page(order["payment_session_id"], act="pay", method="card")
        assert cashfree.simulator.ledger(NOW) == []

    def test_a_word_that_is_no_method_is_refused(self) -> None:
        assert Cashfree().order(order_meta={"payment_methods": "cheque"}).status == 400


class PayU:
    def __init__(self) -> None:
        self.simulator = PayUSimulator(MemoryStore(), CREDENTIALS, public_url="https://payu")

    def ask(self, command: str, var1: str) -> dict[str, Any]:
        form = {"key": "id", "command": command, "var1": var1}
        signed = {**form, "hash": command_hash(form, "secret")}
        path = "/merchant/postservice.php"
        asked = Request(method="POST", path=path, query={"form": "2"}, headers=FORM, body=urlencode(signed).encode())
        answer: dict[str, Any] = json.loads(self.simulator.handle(asked, NOW).body)
        return answer

    def invoice(self, **changes: Any) -> dict[str, Any]:
        details = {
            "amount": "499.00",
            "txnid": "pfx-1",
            "productinfo": "two seats",
            "firstname": "Payer",
            "email": "payer@example.com",
            "phone": "9876543210",
            **changes,
        }
        return self.ask("create_invoice", json.dumps(details))

    def page(self, invoice_id: str, act: str = "") -> Reply:
        body = urlencode({"act": act, "method": "upi"}).encode()
        asked = Request(method="POST" if act else "GET", path=f"/pages/{invoice_id}", headers=FORM, body=body)
        return self.simulator.handle(asked, NOW)


class TestPayU:
    """The sentences are those of PayU's own SDK: createInvoice.md and expireInvoice.md."""

    def test_a_txnid_has_one_invoice(self) -> None:
        payu = PayU()
        assert payu.invoice()["Status"] == "Success"
        assert payu.invoice() == {"status": 0, "msg": "Invoice for this transaction ID already exists."}

    @pytest.mark.parametrize("change", [{"phone": ""}, {"amount": "1.234"}, {"surl": "https://x"}, {"time_unit": "Y"}])
    def test_an_invalid_parameter_is_refused(self, change: dict[str, Any]) -> None:
        assert PayU().invoice(**change)["msg"].startswith("Invalid ")

    def test_what_the_expiry_says(self) -> None:
        payu = PayU()
        assert payu.ask("expire_invoice", "pfx-1") == {"status": 0, "msg": "Invoice does not exist for this txnid"}
        url = payu.invoice()["URL"]
        assert payu.ask("expire_invoice", "pfx-1") == {"status": 1, "msg": "Invoice expired"}
        assert b"closed" in payu.page(url.rpartition("=")[2]).body

    def test_a_try_at_the_bank_goes_on_after_the_expiry(self) -> None:
        payu = PayU()
        payu.page(payu.invoice()["URL"].rpartition("=")[2], "late")
        said = payu.ask("expire_invoice", "pfx-1")
        assert said == {"status": 1, "msg": "Invoice expired, Transaction is already in progress"}
        assert [entry["status"] for entry in payu.simulator.ledger(NOW + 3_601)] == ["charged"]

    def test_a_failed_try_may_be_charged_an_hour_later(self) -> None:
        payu = PayU()
        payu.page(payu.invoice()["URL"].rpartition("=")[2], "reopen")
        assert payu.ask("verify_payment", "pfx-1")["transaction_details"]["pfx-1"]["unmappedstatus"] == "dropped"
        assert payu.ask("expire_invoice", "pfx-1") == {"status": 1, "msg": "Invoice expired"}
        assert [[e["status"] for e in payu.simulator.ledger(NOW + s)] for s in (0, 3_599, 3_601)] == [
            ["declined"],
            ["declined"],
            ["charged"],
        ]

    @pytest.mark.parametrize("act", ["pay", "late", "reopen"])
    def test_an_invoice_takes_money_once(self, act: str) -> None:
        payu = PayU()
        invoice_id = payu.invoice()["URL"].rpartition("=")[2]
        for pressed in ("reopen", "fail", act):
            payu.page(invoice_id, pressed)
        statuses = [entry["status"] for entry in payu.simulator.ledger(NOW + 7_200)]
        assert statuses == ["declined", "declined", "charged"]

    def test_a_read_shows_the_try_that_took_money(self) -> None:
        payu = PayU()
        invoice_id = payu.invoice()["URL"].rpartition("=")[2]
        payu.page(invoice_id, "fail")
        failed = payu.ask("verify_payment", "pfx-1")["transaction_details"]["pfx-1"]
        payu.page(invoice_id, "pay")
        paid = payu.ask("verify_payment", "pfx-1")["transaction_details"]["pfx-1"]
        assert (failed["unmappedstatus"], paid["unmappedstatus"]) == ("failed", "captured")
        assert failed["mihpayid"] != paid["mihpayid"]


def test_a_mock_s_reference_is_good_for_one_session() -> None:
    simulator = MockSimulator(MemoryStore(), CREDENTIALS, public_url="https://mock")
    body = {
        "reference": "pfx-1",
        "amount": 100,
        "currency": "INR",
        "method": "card",
        "expires_at": int(NOW * 1000) + 60_000,
        "return_url": "https://shop.example",
        "capture": "automatic",
    }

    def create(**changes: Any) -> Reply:
        headers = {"authorization": "Bearer secret"}
        sent = json.dumps({**body, **changes}).encode()
        return simulator.handle(Request(method="POST", path="/v1/sessions", headers=headers, body=sent), NOW)

    assert create().body == create().body
    assert create(amount=101).status == 409
    assert create(reference="pfx-2", expires_at=int(NOW * 1000)).status == 400
    assert create(reference="pfx-3", method="cheque").status == 400
    assert create(reference="pfx-4", return_url="javascript:alert(1)").status == 400
