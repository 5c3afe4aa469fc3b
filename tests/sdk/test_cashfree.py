"""Cashfree's SDK beside our connector and our simulator. It has models of API version 2026-01-01; ours is 2025-01-01.

No SDK for Python speaks 2025-01-01. It is told to ask for that version, as its users can; of all that is compared
here only the rows of the report have another shape in the newer one.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    Declined,
    NotFound,
    Progress,
    Succeeded,
    Unknown,
)
from payflowx.domain.providers.events import InvalidSignatureError, Webhook
from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.cashfree.connector import CONNECTOR
from payflowx.providers.cashfree.requests import idempotency_key
from payflowx.providers.cashfree.signature import signature_of
from sandbox.cashfree import CashfreeSimulator
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from tests.sdk.comparison import Call, call, compare, compare_all
from tests.sdk.official import KEY_ID, KEY_SECRET, Answered, RaisedError, Sdk, Sent
from tests.sdk.ours import (
    CREDENTIALS,
    KEY,
    OPERATION_KEY,
    PAGE,
    PAYER,
    charge_request,
    every_request,
    operation_request,
)
from tests.sdk.simulated import NOW, answering

pytestmark = pytest.mark.needs("sdk")

ENDPOINT = "https://api.cashfree.com/pg"
SESSION = "session_a1VXIPJo8kh7IBigVXX8LgTMupQW"
CHARGE = charge_request(
    token="54deabb4-ba45-4a60-9e6a-9c016fe7ab10",
    customer=PAYER,
    capture=CaptureMode.MANUAL,
    return_url="https://shop.example/back",
    description="two seats",
    metadata={"basket": "b-7"},
    charge_deadline_ms=1_700_000_000_000,
    progress={"order": "created", "payment_session_id": SESSION},
)
ORDER: dict[str, Any] = {
    "order_id": KEY,
    "order_amount": 19.99,
    "order_currency": "INR",
    "customer_details": {
        "customer_id": "cust_A1b2C3d4",
        "customer_phone": "9876543210",
        "customer_name": "Payer",
        "customer_email": "payer@example.com",
    },
    "order_tags": {"payflowx_key": KEY},
}
FULL = {
    **ORDER,
    "order_tags": {"payflowx_key": KEY, "basket": "b-7"},
    "order_meta": {"return_url": "https://shop.example/back"},
    "order_expiry_time": "2023-11-17T22:13:20Z",
    "order_note": "two seats",
}
CARD = {"card": {"channel": "link", "instrument_id": CHARGE.token}}
UPI = {"upi": {"channel": "link"}}
CAPTURE = {"action": "CAPTURE", "amount": 19.99}
REFUND = {"refund_id": OPERATION_KEY, "refund_amount": 5.0, "refund_speed": "STANDARD"}
HOUR = {"start_date": "2023-11-14T22:13:20Z", "end_date": "2023-11-14T23:13:19Z"}


def once(name: str, *arguments: Any, under: str, key: str = KEY) -> Call:
    """With the idempotency key of the operation of this name."""
    return call(name, *arguments, x_request_id=key, x_idempotency_key=idempotency_key(under, key))


def named(name: str, *arguments: Any, key: str = KEY) -> Call:
    return call(name, *arguments, x_request_id=key)


PAYMENTS_OF_CHARGE = named("PGOrderFetchPayments", KEY, key=OPERATION_KEY)
CALLS = {
    "charge/order": named("PGCreateOrder", FULL),
    "charge/read_order": named("PGFetchOrder", KEY),
    "charge/pay": named("PGPayOrder", {"payment_session_id": SESSION, "payment_method": CARD}),
    "inquiry/payments": named("PGOrderFetchPayments", KEY),
    "cancel/void": named("PGAuthorizeOrder", KEY, {"action": "VOID"}),
    "cancel/terminate": named("PGTerminateOrder", KEY, {"order_status": "TERMINATED"}),
    "cancel/order": named("PGFetchOrder", KEY),
    "cancel/payments": named("PGOrderFetchPayments", KEY),
    "capture/capture": once("PGAuthorizeOrder", KEY, CAPTURE, under="capture", key=OPERATION_KEY),
    "capture inquiry/payments": PAYMENTS_OF_CHARGE,
    "void/void": once("PGAuthorizeOrder", KEY, {"action": "VOID"}, under="void", key=OPERATION_KEY),
    "void inquiry/payments": PAYMENTS_OF_CHARGE,
    "refund/refund": named("PGOrderCreateRefund", KEY, REFUND, key=OPERATION_KEY),
    "refund inquiry/refunds": named("PGOrderFetchRefunds", KEY, key=OPERATION_KEY),
    "report": call("PGFetchRecon", {"pagination": {"limit": 100}, "filters": HOUR}),
}


class TestRequests:
    def test_every_one_is_the_sdks(self, cashfree: Sdk) -> None:
        compare_all("cashfree", cashfree, ENDPOINT, every_request(CONNECTOR, CHARGE), CALLS)

    def test_what_varies(self, cashfree: Sdk) -> None:
        order, _, pay = CONNECTOR.charge_steps
        page = ReportPage(from_ms=PAGE.from_ms, until_ms=PAGE.until_ms, cursor="cursor_1")
        ours = {
            "an order in yen": order.build(charge_request(currency="JPY", customer=PAYER)),
            "a UPI payment": pay.build(charge_request(payment_method_type="upi", progress=CHARGE.progress)),
            "report": CONNECTOR.reports.request(page),
        }
        yen = {**ORDER, "order_amount": 1999, "order_currency": "JPY"}
        calls = {
            "an order in yen": named("PGCreateOrder", yen),
            "a UPI payment": named("PGPayOrder", {"payment_session_id": SESSION, "payment_method": UPI}),
            "report": call("PGFetchRecon", {"pagination": {"limit": 100, "cursor": "cursor_1"}, "filters": HOUR}),
        }
        opened = {name: CONNECTOR.authenticate(request, CREDENTIALS) for name, request in ours.items()}
        compare("cashfree", cashfree, ENDPOINT, opened, calls)

    def test_the_order_of_a_hosted_page(self, cashfree: Sdk) -> None:
        page = HostedRequest(method="card", expires_at_ms=1_700_000_000_000, return_url="https://pay.example/back")
        (asked, _), off = CONNECTOR.hosted.create, {"enabled": False}
        request = charge_request(token="", payment_method_type="checkout", customer=PAYER, hosted=page)
        ours = {"a hosted order": CONNECTOR.authenticate(asked.build(request), CREDENTIALS)}
        order = {
            **ORDER,
            "customer_details": {**ORDER["customer_details"], "customer_id": KEY.replace("-", "")},
            "order_meta": {"return_url": "https://pay.example/back", "payment_methods": "cc,dc,ccc,ppc"},
            "order_expiry_time": "2023-11-14T22:13:20Z",
            "products": {"one_click_checkout": off, "verify_pay": off},
        }
        compare("cashfree", cashfree, ENDPOINT, ours, {"a hosted order": named("PGCreateOrder", order)})

    def test_the_sdks_models_would_find_mistakes(self, cashfree: Sdk) -> None:
        for wrong in ({"order_amount": "19.99"}, {"order_id": "x" * 46}, {"customer_details": {"customer_id": "ab"}}):
            with pytest.raises(RaisedError, match="ValidationError"):
                cashfree.request_of("PGCreateOrder", {**ORDER, **wrong})


# --- answers ----------------------------------------------------------------------------------------------------


class Shop:
    """The SDK at our simulator, at an account that may authorize cards."""

    def __init__(self, sdk: Sdk) -> None:
        credentials = Credentials(key_id=KEY_ID, key_secret=KEY_SECRET)
        self.simulator = CashfreeSimulator(
            MemoryStore(), credentials, public_url="https://cashfree.example", card_preauth=True
        )
        self.sdk = sdk
        self.answers: list[Any] = []

    def send(self, name: str, *arguments: Any, now: float = NOW) -> Any:
        """What the SDK returns. The simulator's answer is the last of `answers`."""

        def provider(sent: Sent) -> Answered:
            answered = answering(self.simulator, now)(sent)
            self.answers.append(json.loads(answered.body))
            return answered

        return self.sdk.call(name, *arguments, provider=provider)

    def ask(self, name: str, *arguments: Any) -> Any:
        """The same; fails unless the SDK's models name, and keep, all that the simulator answers."""
        returned = self.send(name, *arguments)
        assert list(lost(self.answers[-1], returned)) == []
        return returned

    def order(self, name: str = KEY, **changes: Any) -> str:
        return str(self.ask("PGCreateOrder", {**ORDER, "order_id": name, **changes})["payment_session_id"])

    def pay(self, session: str, token: str | None = "tok_success") -> Any:
        """The answer as it came: see `test_the_answer_to_a_payment`."""
        method = {"card": {"channel": "link", "instrument_id": token}} if token else UPI
        with pytest.raises(RaisedError, match="cf_payment_id\n  Input should be a valid string"):
            self.send("PGPayOrder", {"payment_session_id": session, "payment_method": method})
        return self.answers[-1]


def lost(answer: Any, returned: Any, place: str = "answer") -> Iterator[str]:
    """What a model did not keep of an answer. Null is as good as absent."""
    if isinstance(answer, dict) and isinstance(returned, dict):
        for name, value in answer.items():
            if value is not None:
                yield from lost(value, returned.get(name), f"{place}.{name}")
    elif isinstance(answer, list) and isinstance(returned, list) and len(answer) == len(returned):
        for number, (one, other) in enumerate(zip(answer, returned, strict=True)):
            yield from lost(one, other, f"{place}[{number}]")
    elif answer != returned:
        yield f"{place}: {answer!r} became {returned!r}"


@pytest.fixture
def shop(cashfree: Sdk) -> Shop:
    return Shop(cashfree)


class TestAnswers:
    def test_a_life_of_a_payment(self, shop: Shop) -> None:
        shop.pay(shop.order())
        (held,) = shop.ask("PGOrderFetchPayments", KEY)
        assert (held["payment_status"], held["is_captured"]) == ("SUCCESS", False)
        taken = shop.ask("PGAuthorizeOrder", KEY, CAPTURE)
        assert (taken["payment_status"], taken["is_captured"]) == ("SUCCESS", True)
        assert shop.ask("PGOrderFetchPayments", KEY) == [taken]
        refund = shop.ask("PGOrderCreateRefund", KEY, REFUND)
        assert refund["refund_status"] == "SUCCESS"
        assert shop.ask("PGOrderFetchRefund", KEY, OPERATION_KEY) == refund
        assert shop.ask("PGFetchOrder", KEY)["order_status"] == "PAID"

    def test_other_ends(self, shop: Shop) -> None:
        shop.pay(shop.order("declined"), "tok_hard_decline")
        shop.pay(shop.order("waiting"), "tok_requires_action")
        shop.pay(shop.order("upi"), None)
        shop.pay(shop.order("voided"))
        shop.ask("PGAuthorizeOrder", "voided", {"action": "VOID"})
        seen = {name: shop.ask("PGOrderFetchPayments", name) for name in ("declined", "waiting", "upi", "voided")}
        assert {name: payment["payment_status"] for name, (payment,) in seen.items()} == {
            "declined": "FAILED",
            "waiting": "PENDING",
            "upi": "PENDING",
            "voided": "VOID",
        }
        ended = shop.ask("PGTerminateOrder", "declined", {"order_status": "TERMINATED"})
        assert ended["order_status"] == "TERMINATED"

    @pytest.mark.parametrize(
        ("token", "kind"), [("tok_success", Unknown), ("tok_requires_action", ActionRequired), (None, ActionRequired)]
    )
    def test_the_answer_to_a_payment(self, shop: Shop, token: str | None, kind: type) -> None:
        """The id of the payment is a number here, as the provider writes it, and text in the SDK's model.

        Nothing else differs, and we take both. That a payment went well is not said here, but by the next read.
        """
        answer = shop.pay(shop.order(), token)
        assert type(answer["cf_payment_id"]) is int
        as_text = {**answer, "cf_payment_id": str(answer["cf_payment_id"])}
        assert list(lost(as_text, shop.sdk.call("sdk.PayOrderEntity.from_dict", as_text))) == []
        (*_, step) = CONNECTOR.charge_steps
        charge = charge_request(payment_method_type="card" if token else "upi")
        read = [step.read(charge, response(said)) for said in (answer, as_text)]
        assert read[0] == read[1]
        assert type(read[0]) is kind

    def test_webhooks_are_the_sdks_models(self, shop: Shop) -> None:
        shop.pay(shop.order())
        shop.ask("PGAuthorizeOrder", KEY, CAPTURE)
        shop.ask("PGOrderCreateRefund", KEY, REFUND)
        shop.pay(shop.order("declined"), "tok_hard_decline")
        seen = set()
        for event in shop.simulator.webhooks_due(NOW):
            said = json.loads(event.body)
            model = "RefundWebhook" if "refund" in said["data"] else "PaymentWebhook"
            assert list(lost(said, shop.sdk.call(f"sdk.{model}.from_dict", said))) == []
            seen.add(event.type)
        assert {"PAYMENT_SUCCESS_WEBHOOK", "PAYMENT_FAILED_WEBHOOK", "REFUND_STATUS_WEBHOOK"} <= seen

    @pytest.mark.parametrize(
        ("name", "arguments", "kind"),
        [
            ("PGFetchOrder", ("none",), "NotFoundException: (404)"),
            ("PGOrderFetchRefund", (KEY, "none"), "NotFoundException: (404)"),
            ("PGCreateOrder", (ORDER,), "ApiException: (409)"),
            ("PGCreateOrder", ({**ORDER, "order_currency": "XXX"},), "BadRequestException: (400)"),
        ],
    )
    def test_errors_are_the_sdks(self, shop: Shop, name: str, arguments: tuple[Any, ...], kind: str) -> None:
        """The SDK reads the body of an error into a model as well."""
        shop.order()
        with pytest.raises(RaisedError, match=re.escape(kind)):
            shop.ask(name, *arguments)

    def test_rows_of_the_newer_report_are_read_as_well(self, shop: Shop) -> None:
        """Version 2026-01-01 has its rows in parts. They mean the same."""
        shop.pay(shop.order())
        shop.ask("PGAuthorizeOrder", KEY, CAPTURE)
        read = shop.send("PGFetchRecon", {"pagination": {"limit": 100}, "filters": HOUR}, now=NOW + 86_400)
        report = shop.answers[-1]
        assert "answer.data[0].event_type: 'PAYMENT' became None" in lost(report, read)
        (row,) = report["data"]
        page = ReportPage(from_ms=PAGE.from_ms, until_ms=PAGE.until_ms)
        entries = CONNECTOR.reports.read(page, response(report)).entries
        assert [entry.amount for entry in entries] == [1999]
        parts = {
            "event_details": {name: value for name, value in row.items() if name.startswith("event_")},
            "order_details": {"order_id": row["order_id"]},
            "payment_details": {"cf_payment_id": row["cf_payment_id"]},
        }
        newer = {**report, "data": [parts]}
        assert list(lost(newer, shop.sdk.call("sdk.ReconEntity.from_dict", newer))) == []
        assert CONNECTOR.reports.read(page, response(newer)).entries == entries


# --- words ------------------------------------------------------------------------------------------------------


def response(body: Any) -> HttpResponse:
    headers = {"date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    return HttpResponse(status=200, headers=headers, body=json.dumps(body).encode())


TOMORROW = "A_WORD_OF_TOMORROW"
PAYMENT = {
    "cf_payment_id": "77",
    "order_id": KEY,
    "payment_amount": 19.99,
    "payment_currency": "INR",
    "payment_status": "SUCCESS",
    "is_captured": True,
}
PAYMENTS = {
    "SUCCESS": Succeeded,
    "NOT_ATTEMPTED": Unknown,
    "FAILED": Declined,
    "USER_DROPPED": Declined,
    "VOID": Unknown,
    "CANCELLED": Declined,
    "PENDING": Unknown,
    TOMORROW: Unknown,
}
ORDERS = {
    "ACTIVE": Unknown,
    "PAID": Progress,
    "EXPIRED": Unknown,
    "TERMINATED": Progress,
    "TERMINATION_REQUESTED": Unknown,
    TOMORROW: Unknown,
}
REFUNDS = {
    "SUCCESS": Succeeded,
    "PENDING": Accepted,
    "CANCELLED": Declined,
    "ONHOLD": Accepted,
    "FAILED": Declined,
    TOMORROW: Unknown,
}
ACTIONS = {"link": ActionRequired, "custom": ActionRequired, "form": ActionRequired, "post": Unknown, TOMORROW: Unknown}


class TestWords:
    def test_every_status_of_a_payment(self, cashfree: Sdk) -> None:
        assert cashfree.words("sdk.PaymentEntity", "payment_status") | {TOMORROW} == set(PAYMENTS)
        charge = charge_request()
        (step,) = CONNECTOR.inquiry_steps(charge)
        for word, kind in PAYMENTS.items():
            assert type(step.read(charge, response([{**PAYMENT, "payment_status": word}]))) is kind, word
        assert type(step.read(charge, response([{**PAYMENT, "is_captured": False}]))) is Authorized

    def test_every_status_of_an_order(self, cashfree: Sdk) -> None:
        """They have no type in the SDK; its description of the field lists them."""
        words = set(re.findall(r"`([A-Z_]+)`", cashfree.description("sdk.OrderEntity", "order_status")))
        assert words | {TOMORROW} == set(ORDERS)
        charge = charge_request()
        (step,) = (step for step in CONNECTOR.cancel_steps(charge) if step.name == "order")
        for word, kind in ORDERS.items():
            order = {"order_id": KEY, "order_status": word, "order_expiry_time": "2023-11-14T22:13:00Z"}
            assert type(step.read(charge, response(order))) is kind, word

    def test_every_status_of_a_refund(self, cashfree: Sdk) -> None:
        """FAILED stands in the SDK's description of the field, and not among the words that it lets through."""
        described = set(re.findall(r'"([A-Z]+)"', cashfree.description("sdk.RefundEntity", "refund_status")))
        assert described == cashfree.words("sdk.RefundEntity", "refund_status") | {"FAILED"}
        assert described | {TOMORROW} == set(REFUNDS)
        asked = operation_request(OperationKind.REFUND, CHARGE, charge_reference="77")
        (step,) = CONNECTOR.operation_inquiry_steps(asked)
        refund = {"refund_id": OPERATION_KEY, "order_id": KEY, "cf_payment_id": "77", "cf_refund_id": "88"}
        money = {"refund_amount": 5.0, "refund_currency": "INR"}
        for word, kind in REFUNDS.items():
            assert type(step.read(asked, response([{**refund, **money, "refund_status": word}]))) is kind, word

    def test_every_action_and_state_of_an_authorization(self, cashfree: Sdk) -> None:
        """Only what is done and was asked for moved money; the other action is the end of it."""
        actions = cashfree.words("sdk.AuthorizationInPaymentsEntity", "action")
        states = cashfree.words("sdk.AuthorizationInPaymentsEntity", "status")
        assert (actions, states) == ({"CAPTURE", "VOID"}, {"SUCCESS", "PENDING"})
        moved, refused = set(), set()
        for kind in (OperationKind.CAPTURE, OperationKind.VOID):
            asked = operation_request(kind, CHARGE, charge_reference="77")
            (step,) = CONNECTOR.operation_inquiry_steps(asked)
            for action in (*actions, TOMORROW):
                for state in (*states, TOMORROW):
                    taken = {"is_captured": action == "CAPTURE" and state == "SUCCESS"}
                    held = {"action": action, "status": state, "captured_amount": 19.99}
                    outcome = step.read(asked, response([{**PAYMENT, **taken, "authorization": held}]))
                    moved |= {(kind, action, state)} if isinstance(outcome, Succeeded) else set()
                    refused |= {(kind, action, state)} if isinstance(outcome, Declined | NotFound) else set()
        assert moved == {
            (OperationKind.CAPTURE, "CAPTURE", "SUCCESS"),
            (OperationKind.VOID, "VOID", "SUCCESS"),
        }
        assert refused == {
            (OperationKind.CAPTURE, "VOID", "SUCCESS"),
            (OperationKind.VOID, "CAPTURE", "SUCCESS"),
        }

    def test_every_action_of_a_payer(self, cashfree: Sdk) -> None:
        assert cashfree.words("sdk.PayOrderEntity", "action") | {TOMORROW} == set(ACTIONS)
        (*_, step) = CONNECTOR.charge_steps
        data = {"url": "https://bank.example", "method": "post", "payload": {"default": "upi://pay?tr=1"}}
        said = {"cf_payment_id": 1, "payment_amount": 19.99, "data": data}
        for word, kind in ACTIONS.items():
            assert type(step.read(CHARGE, response({**said, "action": word}))) is kind, word


# --- signatures -------------------------------------------------------------------------------------------------


class TestSignatures:
    VERIFY = "PGVerifyWebhookSignature"

    def test_the_sdk_and_we_believe_what_the_simulator_signs(self, shop: Shop) -> None:
        shop.pay(shop.order())
        shop.ask("PGAuthorizeOrder", KEY, CAPTURE)
        shop.ask("PGOrderCreateRefund", KEY, REFUND)
        believed = []
        for event in shop.simulator.webhooks_due(NOW):
            time, signature = event.headers["x-webhook-timestamp"], event.headers["x-webhook-signature"]
            shop.sdk.call(self.VERIFY, signature, event.body.decode(), time)
            arrived = int(NOW * 1000)
            said = Webhook(headers=event.headers, body=event.body, received_at_ms=arrived)
            believed.append(CONNECTOR.read_webhook(said, [KEY_SECRET]))
            rewritten = json.dumps(json.loads(event.body, parse_float=Decimal), default=float).encode() + b" "
            for body, at in ((event.body + b" ", time), (event.body, f"{time[:-1]}1"), (rewritten, time)):
                with pytest.raises(RaisedError, match="did not match"):
                    shop.sdk.call(self.VERIFY, signature, body.decode(), at)
                headers = {**event.headers, "x-webhook-timestamp": at}
                with pytest.raises(InvalidSignatureError):
                    CONNECTOR.read_webhook(Webhook(headers=headers, body=body, received_at_ms=arrived), [KEY_SECRET])
        assert any(isinstance(event.operation_outcome, Succeeded) for event in believed)

    def test_the_sdk_believes_what_we_sign(self, cashfree: Sdk) -> None:
        """It cannot sign, but it computes the signature that it expects."""
        body, time = '{"type":"PAYMENT_SUCCESS_WEBHOOK","amount":10.10}', "1700000000000"
        cashfree.call(self.VERIFY, signature_of(time, body.encode(), KEY_SECRET), body, time)
        with pytest.raises(RaisedError, match="did not match"):
            cashfree.call(self.VERIFY, signature_of(time, body.encode(), "another secret"), body, time)
        with pytest.raises(RaisedError, match="did not match"):
            cashfree.call(
                self.VERIFY, signature_of(time, body.encode(), KEY_SECRET), body.replace("10.10", "10.1"), time
            )
