"""Stripe's SDK beside our connector and our simulator. It speaks our API version, and has types for all of it."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Address, Customer
from payflowx.domain.providers.events import InvalidSignatureError, Webhook
from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode, Initiator
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.stripe.connector import CONNECTOR
from payflowx.providers.stripe.disputes import dispute_report
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from sandbox.stripe import StripeSimulator
from tests.sdk.comparison import call, compare, compare_all
from tests.sdk.official import KEY_ID, KEY_SECRET, RaisedError, Sdk
from tests.sdk.ours import CREDENTIALS, KEY, OPERATION_KEY, PAGE, charge_request, every_request, operation_request
from tests.sdk.simulated import NOW, answering

pytestmark = pytest.mark.needs("sdk")

ENDPOINT = "https://api.stripe.com"
INTENT = "pi_3MtwBwLkdIwHu7ix28a3tqPa"
RETURN_URL = "https://shop.example/back"
CHARGE = charge_request(
    token="cus_1/pm_card_visa",
    currency="USD",
    return_url=RETURN_URL,
    description="Two tickets",
    metadata={"order": "17"},
    statement_descriptor_suffix="TICKETS",
    receipt_email="asha@example.com",
    customer=Customer(name="Asha Rao", address=Address(line1="1 MG Road", city="Bengaluru", country="IN")),
    save_payment_method=True,
    sent_at_ms=1_700_000_000_000,
    progress={"payment_intent": INTENT},
)
CREATE = {
    "amount": 1999,
    "currency": "usd",
    "confirm": True,
    "payment_method": "pm_card_visa",
    "payment_method_types": ["card"],
    "capture_method": "automatic",
    "metadata": {"payflowx_key": KEY},
    "customer": "cus_1",
    "return_url": RETURN_URL,
}
WORDS = {
    "setup_future_usage": "off_session",
    "description": "Two tickets",
    "statement_descriptor_suffix": "TICKETS",
    "receipt_email": "asha@example.com",
    "metadata": {"payflowx_key": KEY, "order": "17"},
    "shipping": {"name": "Asha Rao", "address": {"line1": "1 MG Road", "city": "Bengaluru", "country": "IN"}},
}
HELD = {
    **{name: value for name, value in CREATE.items() if name not in {"customer", "return_url"}},
    "amount": 500,
    "currency": "jpy",
    "capture_method": "manual",
    "error_on_requires_action": True,
}
CAPTURE = {"amount_to_capture": 1999, "metadata": {"payflowx_capture": OPERATION_KEY}}
REFUND = {"payment_intent": "charge_1", "amount": 500, "metadata": {"payflowx_key": OPERATION_KEY}}
REPORT = {"created": {"gte": 1_700_000_000, "lt": 1_700_003_600}, "limit": 25, "expand": ["data.source"]}
NEXT_PAGE = {**REPORT, "starting_after": "txn_1"}

SESSION = "cs_test_a1YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u"
PAGE_OF_SESSION = HostedRequest(method="card", expires_at_ms=1_700_003_600_000, return_url=RETURN_URL)
OFF = {"enabled": False}
CREATE_SESSION = {
    "mode": "payment",
    "payment_method_types": ["card"],
    "client_reference_id": KEY,
    "metadata": {"payflowx_key": KEY},
    "line_items": [
        {
            "quantity": 1,
            "price_data": {"currency": "usd", "unit_amount": 1999, "product_data": {"name": "Two tickets"}},
            "adjustable_quantity": OFF,
        }
    ],
    "success_url": RETURN_URL,
    "cancel_url": RETURN_URL,
    "expires_at": 1_700_003_600,
    "adaptive_pricing": OFF,
    "after_expiration": {"recovery": OFF},
    "allow_promotion_codes": False,
    "automatic_tax": OFF,
    "billing_address_collection": "auto",
    "invoice_creation": OFF,
    "phone_number_collection": OFF,
    "tax_id_collection": OFF,
    "payment_intent_data": {"capture_method": "automatic", **WORDS},
}

UNATTENDED = {
    **{name: value for name, value in HELD.items() if name != "error_on_requires_action"},
    "off_session": True,
}
RECENT = call("payment_intents.list", {"limit": 40, "customer": "cus_1"})
AROUND = {"created": {"gte": 1_699_999_998, "lte": 1_700_000_015}, "limit": 40, "customer": "cus_1"}
SENT = call("payment_intents.list", AROUND)
SEARCH = call("payment_intents.search", {"query": f"metadata['payflowx_key']:'{KEY}'", "limit": 2})
READ = call("payment_intents.retrieve", INTENT)
READ_CHARGE = call("payment_intents.retrieve", "charge_1")
CALLS = {
    "charge/charge": call("payment_intents.create", {**CREATE, **WORDS}, {"idempotency_key": KEY}),
    "inquiry/sent": SENT,
    "inquiry/recent": RECENT,
    "inquiry/search": SEARCH,
    "inquiry/read": READ,
    "cancel/sent": SENT,
    "cancel/recent": RECENT,
    "cancel/search": SEARCH,
    "cancel/cancel": call("payment_intents.cancel", INTENT, {"cancellation_reason": "abandoned"}),
    "cancel/read": READ,
    "capture/capture": call("payment_intents.capture", "charge_1", CAPTURE, {"idempotency_key": OPERATION_KEY}),
    "capture inquiry/read_capture": READ_CHARGE,
    "void/void": call(
        "payment_intents.cancel",
        "charge_1",
        {"cancellation_reason": "requested_by_customer"},
        {"idempotency_key": OPERATION_KEY},
    ),
    "void inquiry/read_void": READ_CHARGE,
    "refund/refund": call("refunds.create", REFUND, {"idempotency_key": OPERATION_KEY}),
    "refund inquiry/read_refund": call("refunds.list", {"payment_intent": "charge_1", "limit": 100}),
    "report": call("balance_transactions.list", REPORT),
}


class TestRequests:
    def test_every_one_is_the_sdks(self, stripe: Sdk) -> None:
        compare_all("stripe", stripe, ENDPOINT, every_request(CONNECTOR, CHARGE), CALLS)

    def test_what_varies(self, stripe: Sdk) -> None:
        held = charge_request(token="pm_card_visa", currency="JPY", amount=500, capture=CaptureMode.MANUAL)
        refund = operation_request(OperationKind.REFUND, CHARGE, reference="re_1")
        (create,), (find,) = CONNECTOR.charge_steps, CONNECTOR.operation_inquiry_steps(refund)
        sent, *_, read = CONNECTOR.inquiry_steps(held)
        page = ReportPage(from_ms=PAGE.from_ms, until_ms=PAGE.until_ms, cursor="txn_1")
        ours = {
            "a held charge": create.build(held),
            "a charge by the merchant": create.build(replace(held, initiator=Initiator.MERCHANT)),
            "a held charge, read": read.build(replace(held, reference=INTENT)),
            "the next page": sent.build(replace(CHARGE, progress={"intents_after": INTENT})),
            "a refund by its id": find.build(refund),
            "report": CONNECTOR.reports.request(page),
        }
        calls = {
            "a held charge": call("payment_intents.create", HELD, {"idempotency_key": KEY}),
            "a charge by the merchant": call("payment_intents.create", UNATTENDED, {"idempotency_key": KEY}),
            "a held charge, read": call("payment_intents.retrieve", INTENT, {"expand": ["latest_charge"]}),
            "the next page": call("payment_intents.list", {**AROUND, "starting_after": INTENT}),
            "a refund by its id": call("refunds.retrieve", "re_1"),
            "report": call("balance_transactions.list", NEXT_PAGE),
        }
        opened = {name: CONNECTOR.authenticate(request, CREDENTIALS) for name, request in ours.items()}
        compare("stripe", stripe, ENDPOINT, opened, calls)

    def test_a_hosted_session(self, stripe: Sdk) -> None:
        hosted = CONNECTOR.hosted
        assert hosted is not None
        created = replace(CHARGE, hosted=PAGE_OF_SESSION, token="", progress={})
        opened = replace(created, hosted=replace(PAGE_OF_SESSION, object_id=SESSION))
        tried = replace(opened, progress={"tried_intent": INTENT})
        sent, *_, recent, expire, read, tries = hosted.close(created)
        ours = {
            "a session": hosted.create[0].build(created),
            "a session, listed": sent.build(created),
            "the newest sessions": recent.build(created),
            "a session, expired": expire.build(opened),
            "a session, read": read.build(opened),
            "the tries in a session": tries.build(tried),
        }
        calls = {
            "a session": call("checkout.sessions.create", CREATE_SESSION, {"idempotency_key": KEY}),
            "a session, listed": call("checkout.sessions.list", {"created": AROUND["created"], "limit": 40}),
            "the newest sessions": call("checkout.sessions.list", {"limit": 40}),
            "a session, expired": call("checkout.sessions.expire", SESSION),
            "a session, read": call("checkout.sessions.retrieve", SESSION, {"expand": ["payment_intent"]}),
            "the tries in a session": call("charges.list", {"payment_intent": INTENT, "limit": 40}),
        }
        authentic = {name: CONNECTOR.authenticate(request, CREDENTIALS) for name, request in ours.items()}
        compare("stripe", stripe, ENDPOINT, authentic, calls)
        mistakes = set(stripe.unlike("checkout.sessions.create", CREATE_SESSION, parameter="params"))
        assert mistakes == {"create.adaptive_pricing is no field of CreateParams"}, "it is newer than the SDK"

    @pytest.mark.parametrize(
        ("method", "fields"),
        [
            ("payment_intents.create", CREATE),
            ("payment_intents.create", {**CREATE, **WORDS}),
            ("payment_intents.create", HELD),
            ("payment_intents.create", UNATTENDED),
            ("payment_intents.list", {**AROUND, "starting_after": INTENT}),
            ("payment_intents.list", {"limit": 40, "customer": "cus_1"}),
            ("payment_intents.search", {"query": "x", "limit": 2}),
            ("payment_intents.cancel", {"cancellation_reason": "abandoned"}),
            ("payment_intents.cancel", {"cancellation_reason": "requested_by_customer"}),
            ("payment_intents.capture", CAPTURE),
            ("refunds.create", REFUND),
            ("refunds.list", {"payment_intent": "charge_1", "limit": 100}),
            ("balance_transactions.list", NEXT_PAGE),
        ],
    )
    def test_fields_are_those_of_the_sdks_types(self, stripe: Sdk, method: str, fields: dict[str, Any]) -> None:
        """At run time the SDK sends whatever it is given; its types know what Stripe takes."""
        assert stripe.unlike(method, fields, parameter="params") == []

    def test_the_types_would_find_mistakes(self, stripe: Sdk) -> None:
        wrong = {"amount": "1999", "capture_method": "never", "payment_method_types": "card", "metadta": {}}
        assert sorted(stripe.unlike("payment_intents.create", wrong, parameter="params")) == [
            "create.amount is '1999', and not a int",
            "create.capture_method is 'never', which is no word of the SDK's",
            "create.currency is missing",
            "create.metadta is no field of CreateParams",
            "create.payment_method_types is no list",
        ]


# --- answers ----------------------------------------------------------------------------------------------------


NEWER_THAN_THE_SDK = {"PaymentIntent.last_payment_error.advice_code is no field of LastPaymentError"}
"""Stripe adds fields to every version of its API."""


class Shop:
    """The SDK at our simulator."""

    def __init__(self, sdk: Sdk) -> None:
        credentials = Credentials(key_id=KEY_ID, key_secret=KEY_SECRET)
        self.simulator = StripeSimulator(MemoryStore(), credentials, public_url="https://stripe.example")
        self.sdk = sdk

    def ask(self, name: str, *arguments: Any) -> Any:
        return self.sdk.call(name, *arguments, provider=answering(self.simulator))

    def pay(self, token: str = "tok_success", **changes: Any) -> Any:
        # The simulator takes `true` only, as Stripe documents it.
        fields = {**CREATE, "confirm": "true", "payment_method": token, **changes}
        return self.ask("payment_intents.create", {k: v for k, v in fields.items() if k != "customer"})

    def wrong(self, kind: str, value: Any) -> set[str]:
        return set(self.sdk.unlike(f"sdk.{kind}", value)) - NEWER_THAN_THE_SDK


@pytest.fixture
def shop(stripe: Sdk) -> Shop:
    return Shop(stripe)


class TestAnswers:
    def test_intents_are_those_of_the_sdks_types(self, shop: Shop) -> None:
        held = [shop.pay(capture_method="manual") for _ in range(3)]
        seen = [
            shop.pay(),
            shop.pay("tok_requires_action"),
            held[0],
            shop.ask("payment_intents.capture", held[1]["id"], {"amount_to_capture": 500}),
            shop.ask("payment_intents.cancel", held[2]["id"]),
        ]
        assert [intent["status"] for intent in seen] == [
            "succeeded",
            "requires_action",
            "requires_capture",
            "succeeded",
            "canceled",
        ]
        with pytest.raises(RaisedError) as declined:
            shop.pay("tok_soft_decline")
        assert declined.value.kind == "CardError"
        listed = shop.ask("payment_intents.list", {"limit": 100})["data"]
        assert len(listed) == len(seen) + 1
        assert [shop.wrong("PaymentIntent", intent) for intent in (*seen, *listed)] == [set()] * 11

    def test_refunds_charges_reports_and_events_are_those_of_the_sdks_types(self, shop: Shop) -> None:
        intent = shop.pay()
        refund = shop.ask("refunds.create", {"payment_intent": intent["id"], "amount": 500})
        assert shop.wrong("Refund", refund) == set()
        assert shop.wrong("Charge", shop.ask("charges.retrieve", intent["latest_charge"])) == set()
        lines = shop.ask("balance_transactions.list", {"expand": ["data.source"]})["data"]
        assert {line["source"]["object"] for line in lines} == {"charge", "refund"}
        for line in lines:
            assert shop.wrong("BalanceTransaction", line) == set()
            assert shop.wrong(line["source"]["object"].capitalize(), line["source"]) == set()
        events = shop.ask("events.list")["data"]
        assert events
        assert [shop.wrong("Event", event) for event in events] == [set()] * len(events)

    def test_the_types_would_find_a_wrong_answer(self, shop: Shop) -> None:
        intent = {**shop.pay(), "status": "paid", "amount": "1999", "next_action": {"type": 3}, "new": 1}
        assert shop.wrong("PaymentIntent", intent) == {
            "PaymentIntent.status is 'paid', which is no word of the SDK's",
            "PaymentIntent.amount is '1999', and not a int",
            "PaymentIntent.next_action.type is 3, and not a str",
            "PaymentIntent.new is no field of PaymentIntent",
        }

    @pytest.mark.parametrize(
        ("name", "arguments", "kind"),
        [
            ("payment_intents.retrieve", ("pi_none",), "InvalidRequestError"),
            ("payment_intents.create", ({"amount": 5},), "InvalidRequestError"),
            ("payment_intents.cancel", ("pi_none",), "InvalidRequestError"),
        ],
    )
    def test_errors_are_the_sdks(self, shop: Shop, name: str, arguments: tuple[Any, ...], kind: str) -> None:
        with pytest.raises(RaisedError) as raised:
            shop.ask(name, *arguments)
        assert raised.value.kind == kind

    def test_a_key_that_is_used_for_something_else(self, shop: Shop) -> None:
        fields = {"amount": 100, "currency": "usd"}
        shop.ask("payment_intents.create", fields, {"idempotency_key": "k"})
        with pytest.raises(RaisedError) as raised:
            shop.ask("payment_intents.create", {**fields, "amount": 200}, {"idempotency_key": "k"})
        assert raised.value.kind == "IdempotencyError"


# --- words ------------------------------------------------------------------------------------------------------


def intent(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "object": "payment_intent",
        "id": INTENT,
        "status": status,
        "amount": 1999,
        "amount_received": 1999 if status == "succeeded" else 0,
        "amount_capturable": 1999 if status == "requires_capture" else 0,
        "currency": "usd",
        "metadata": {"payflowx_key": KEY, "payflowx_capture": OPERATION_KEY},
        **changes,
    }


def answer(body: Any) -> HttpResponse:
    return HttpResponse(status=200, headers={}, body=json.dumps(body).encode())


ACTION = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3d/1"}}
INTENTS: dict[str, tuple[type, dict[str, Any]]] = {
    "succeeded": (Succeeded, {}),
    "requires_capture": (Authorized, {}),
    "processing": (Accepted, {}),
    "requires_action": (ActionRequired, {"next_action": ACTION}),
    "requires_confirmation": (Declined, {}),
    "requires_payment_method": (Declined, {"last_payment_error": {"code": "card_declined"}}),
    "canceled": (ConfirmedCancelled, {}),
    "a word of tomorrow": (Unknown, {}),
}
REFUNDS = {
    "succeeded": Succeeded,
    "pending": Accepted,
    "requires_action": Accepted,
    "failed": Declined,
    "canceled": Declined,
    "a word of tomorrow": Unknown,
}
LINES = {
    "charge": "charge",
    "payment": "charge",
    "payment_failure_refund": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund",
}
"""The balance transactions that are entries of ours, by the object that each is about."""


class TestWords:
    def test_every_status_of_an_intent(self, stripe: Sdk) -> None:
        assert stripe.words("sdk.PaymentIntent", "status") | {"a word of tomorrow"} == set(INTENTS)
        charge = charge_request(currency="USD", reference=INTENT)
        (step,) = CONNECTOR.inquiry_steps(charge)
        read = {word: step.read(charge, answer(intent(word, **more))) for word, (_, more) in INTENTS.items()}
        assert {word: type(outcome) for word, outcome in read.items()} == {w: kind for w, (kind, _) in INTENTS.items()}

    def test_every_status_of_a_dispute(self, stripe: Sdk) -> None:
        dispute = {
            "object": "dispute",
            "id": "du_1",
            "payment_intent": INTENT,
            "amount": 500,
            "currency": "usd",
            "reason": "general",
        }
        words = stripe.words("sdk.Dispute", "status")
        assert {w for w in words if dispute_report({**dispute, "status": w}, 1_700_000_000)} == words
        assert dispute_report({**dispute, "status": "a word of tomorrow"}, 1_700_000_000) is None

    def test_every_error_code_has_its_place(self, stripe: Sdk) -> None:
        """`tests/unit/providers/test_stripe_errors.py` says what each of them is; its list is of a newer SDK."""
        known = Path(__file__).parents[1] / "data" / "stripe" / "error_codes.txt"
        listed = {line.split()[0] for line in known.read_text().splitlines() if not line.startswith("#")}
        words = stripe.words("sdk.PaymentIntent.LastPaymentError", "code")
        assert len(words) == 167
        assert words <= listed

    @pytest.mark.parametrize("kind", [OperationKind.CAPTURE, OperationKind.VOID])
    def test_only_an_end_ends_a_capture_or_a_void(self, stripe: Sdk, kind: OperationKind) -> None:
        asked = operation_request(kind, CHARGE, charge_reference=INTENT)
        (step,) = CONNECTOR.operation_inquiry_steps(asked)
        words = stripe.words("sdk.PaymentIntent", "status") | {"a word of tomorrow"}
        ended = {w for w in words if isinstance(step.read(asked, answer(intent(w))), Succeeded | Declined)}
        assert ended == {"succeeded", "canceled"}

    def test_every_status_of_a_refund(self, stripe: Sdk) -> None:
        """They have no type in the SDK; its description of the field lists them."""
        listed = re.findall(r"`(\w+)`", stripe.description("sdk.Refund", "status"))
        assert set(listed) | {"a word of tomorrow"} == set(REFUNDS)
        asked = operation_request(OperationKind.REFUND, CHARGE, reference="re_1", charge_reference=INTENT)
        (step,) = CONNECTOR.operation_inquiry_steps(asked)
        for word, kind in REFUNDS.items():
            refund = {
                "object": "refund",
                "id": "re_1",
                "status": word,
                "amount": 500,
                "currency": "usd",
                "payment_intent": INTENT,
                "metadata": {"payflowx_key": OPERATION_KEY},
            }
            assert type(step.read(asked, answer(refund))) is kind, word
            assert stripe.unlike("sdk.Refund", refund) == []

    def test_every_type_of_a_balance_transaction(self, stripe: Sdk) -> None:
        """Charges and refunds are entries; each other word of the SDK's is known to be none."""
        words = stripe.words("sdk.BalanceTransaction", "type")
        assert words >= LINES.keys()
        source = {"id": "x", "currency": "usd", "status": "succeeded", "amount": 5, "amount_captured": 5}
        read = {}
        for word in words:
            line = {"object": "balance_transaction", "id": "txn_1", "type": word, "created": 1_700_000_000}
            about = {**source, "object": LINES[word]} if word in LINES else "x"
            listed = {"data": [{**line, "source": about}], "has_more": False}
            read[word] = CONNECTOR.reports.read(PAGE, answer(listed)).entries
        assert {word for word, entries in read.items() if entries} == LINES.keys()
        succeeded = {word for word, entries in read.items() if any(entry.succeeded for entry in entries)}
        assert succeeded == LINES.keys() - {"payment_failure_refund", "refund_failure"}


# --- signatures -------------------------------------------------------------------------------------------------


def arrived(body: bytes, header: str) -> Webhook:
    return Webhook(headers={"stripe-signature": header}, body=body, received_at_ms=int(NOW * 1000))


class TestSignatures:
    VERIFY = "sdk.Webhook.construct_event"
    ANY_AGE = 0

    def test_the_sdk_believes_what_the_simulator_signs(self, shop: Shop) -> None:
        shop.pay()
        events = shop.simulator.webhooks_due(NOW)
        assert events
        secret = shop.simulator.webhook_secret
        for event in events:
            header, body = event.headers["stripe-signature"], event.body.decode()
            seen = shop.sdk.call(self.VERIFY, body, header, secret, self.ANY_AGE)
            assert (seen["type"], seen["api_version"]) == (event.type, "2023-10-16")
            for forged in ((body + " ", header, secret), (body, header, secret + "x"), (body, header[:-1], secret)):
                with pytest.raises(RaisedError, match="SignatureVerificationError"):
                    shop.sdk.call(self.VERIFY, *forged, self.ANY_AGE)

    def test_we_believe_what_the_sdk_signs(self, stripe: Sdk) -> None:
        event = {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": intent("succeeded")}}
        body = json.dumps({"object": "event", **event}).encode()
        time = str(int(NOW))
        signed = stripe.call("sdk.WebhookSignature._compute_signature", f"{time}.{body.decode()}", "whsec_x")
        header = f"t={time},v1={signed}"
        said = CONNECTOR.read_webhook(arrived(body, header), ["whsec_old", "whsec_x"])
        assert said.outcome == Succeeded(reference=INTENT, amount=1999, currency="USD", merchant_reference=KEY)
        for forged, secret in ((arrived(body + b" ", header), "whsec_x"), (arrived(body, header), "whsec_y")):
            with pytest.raises(InvalidSignatureError):
                CONNECTOR.read_webhook(forged, [secret])

    def test_both_refuse_an_old_one(self, shop: Shop) -> None:
        shop.pay()
        event = shop.simulator.webhooks_due(NOW)[0]
        header, secret = event.headers["stripe-signature"], shop.simulator.webhook_secret
        with pytest.raises(RaisedError, match="Timestamp outside the tolerance zone"):
            shop.sdk.call(self.VERIFY, event.body.decode(), header, secret)
        late = Webhook(headers=event.headers, body=event.body, received_at_ms=int((NOW + 301) * 1000))
        with pytest.raises(InvalidSignatureError):
            CONNECTOR.read_webhook(late, [secret])
