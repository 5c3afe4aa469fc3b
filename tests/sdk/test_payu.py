"""PayU's SDK beside our connector and our simulator. It sends three of our commands, and hashes all of them."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from payflowx.domain.payments.hosted import HostedRequest
from payflowx.domain.payments.outcome import NotFound, Rejected, Succeeded, Unknown
from payflowx.domain.providers.events import InvalidSignatureError, Webhook
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.payu.connector import CONNECTOR
from payflowx.providers.payu.requests import payment_page
from payflowx.providers.payu.signature import form_hash, is_signed, reverse_hash
from sandbox.http_types import Request
from sandbox.payu import PayUSimulator
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from tests.sdk.comparison import call, compare_all
from tests.sdk.differences import NOT_IN_THE_SDK
from tests.sdk.official import KEY_ID, KEY_SECRET, Sdk
from tests.sdk.ours import CREDENTIALS, KEY, OPERATION_KEY, PAYER, charge_request, every_request, operation_request
from tests.sdk.simulated import NOW, answering

pytestmark = pytest.mark.needs("sdk")

ENDPOINT = "https://info.payu.in"
CHARGE = charge_request()
CALLS = {
    "inquiry/verify": call("verifyPayment", KEY),
    "void/void": call("cancelRefundTransaction", "charge_1", OPERATION_KEY, "19.99"),
    "refund/refund": call("cancelRefundTransaction", "charge_1", OPERATION_KEY, "5.00"),
}
PAGE_FIELDS = {
    "txnid": KEY,
    "amount": "19.99",
    "productinfo": KEY,
    "firstname": "Payer",
    "email": "payer@example.com",
    "phone": "9876543210",
    "surl": "https://shop.example/back",
    "furl": "https://shop.example/back",
}
POST = {
    **{name: PAGE_FIELDS[name] for name in ("txnid", "amount", "productinfo", "firstname", "email")},
    **{f"udf{number}": f"u{number}" for number in range(1, 6)},
    "key": KEY_ID,
    "status": "success",
}


def form_of(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))


class TestRequests:
    def test_every_one_that_the_sdk_has_is_the_sdks(self, payu: Sdk) -> None:
        compare_all("payu", payu, ENDPOINT, every_request(CONNECTOR, CHARGE), CALLS)

    def test_the_sdk_has_no_other_command_of_ours(self, payu: Sdk) -> None:
        """A newer SDK that has one fails here: then the request is to be compared."""
        names = {re.sub("[^a-z]", "", name.lower()) for name in payu.call("commands")}
        assert {"verifypayment", "cancelrefundtransaction"} <= names
        commands = NOT_IN_THE_SDK["payu"].values()
        assert not names & {re.sub("[^a-z]", "", command) for command in commands}

    def test_every_command_is_hashed_as_the_sdk_hashes_it(self, payu: Sdk) -> None:
        requests = every_request(CONNECTOR, CHARGE)
        seen = set()
        for request in requests.values():
            fields = form_of(request.body)
            seen.add(fields["command"])
            assert payu.call("command_hash", fields) == fields["hash"]
            assert payu.call("command_hash", {**fields, "var1": "another"}) != fields["hash"]
        assert seen == {"verify_payment", "cancel_refund_transaction", *NOT_IN_THE_SDK["payu"].values()}

    def test_the_invoice_of_a_hosted_page_is_the_sdks(self, payu: Sdk) -> None:
        """The SDK writes blanks into `var1`, and hashes them: the texts differ, their values do not."""
        page = HostedRequest(method="card", expires_at_ms=1_700_003_600_000, return_url="https://pay.example/back")
        request = charge_request(token="", customer=PAYER, sent_at_ms=1_700_000_000_000, hosted=page)
        ours = form_of(CONNECTOR.authenticate(CONNECTOR.hosted.create[0].build(request), CREDENTIALS).body)
        theirs = form_of(payu.request_of("createInvoice", json.loads(ours["var1"])).body)
        assert payu.call("command_hash", ours) == ours["hash"]
        assert json.loads(ours["var1"]) == json.loads(theirs["var1"])
        assert {**ours, "var1": "", "hash": ""} == {**theirs, "var1": "", "hash": ""}

    def test_the_payment_page_is_the_sdks(self, payu: Sdk) -> None:
        page = payu.call("generatePaymentForm", PAGE_FIELDS)
        theirs = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
        back = PAGE_FIELDS["surl"]
        ours = payment_page(charge_request(customer=PAYER), CREDENTIALS, endpoint=ENDPOINT, return_url=back)
        assert ours.fields == theirs
        assert ours.url == "https://secure.payu.in/_payment"
        assert f'action="{ours.url}"' in page


class Shop:
    """The SDK, and a payer, at our simulator."""

    def __init__(self, sdk: Sdk) -> None:
        credentials = Credentials(key_id=KEY_ID, key_secret=KEY_SECRET)
        self.simulator = PayUSimulator(MemoryStore(), credentials, public_url="https://payu.example")
        self.sdk = sdk

    def browse(self) -> None:
        """The payer's browser posts the SDK's form to the payment page, and the payer pays."""
        page = self.sdk.call("generatePaymentForm", PAGE_FIELDS)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
        headers = {"content-type": "application/x-www-form-urlencoded"}
        posted = Request(method="POST", path="/_payment", headers=headers, body=urlencode(fields).encode())
        assert self.simulator.handle(posted, NOW).status == 200

    def ask(self, name: str, *arguments: Any) -> Any:
        return json.loads(self.sdk.call(name, *arguments, provider=answering(self.simulator)))

    def read(self) -> Any:
        """The SDK's inquiry, read by our connector."""
        (step,) = CONNECTOR.inquiry_steps(CHARGE)
        body = json.dumps(self.ask("verifyPayment", KEY)).encode()
        return step.read(CHARGE, HttpResponse(status=200, headers={}, body=body))


@pytest.fixture
def shop(payu: Sdk) -> Shop:
    return Shop(payu)


class TestAnswers:
    def test_a_payment_by_the_sdks_form_is_found_by_the_sdks_inquiry(self, shop: Shop) -> None:
        assert shop.read() == NotFound()
        shop.browse()
        found = shop.read()
        assert isinstance(found, Succeeded)
        assert (found.amount, found.currency, found.merchant_reference) == (1999, "INR", KEY)
        assert shop.ask("checkPayment", found.reference)["status"] == 1

    def test_the_simulator_wants_the_amount_where_payu_documents_it(self, shop: Shop) -> None:
        """The SDK names it otherwise; see the table of differences. No refund comes of that."""
        shop.browse()
        answer = shop.ask("cancelRefundTransaction", shop.read().reference, OPERATION_KEY, "5.00")
        assert answer == {"status": 0, "msg": "Parameter missing"}
        (charge,) = shop.simulator.ledger(NOW)
        assert charge["kind"] == "charge"

    def test_no_answer_to_the_sdks_refund_is_a_success_to_us(self, shop: Shop) -> None:
        asked = operation_request(OperationKind.REFUND, CHARGE)
        (step,) = CONNECTOR.operation_steps(asked)
        answer = shop.ask("cancelRefundTransaction", "none", OPERATION_KEY, "5.00")
        outcome = step.read(asked, HttpResponse(status=200, headers={}, body=json.dumps(answer).encode()))
        assert isinstance(outcome, Unknown | Rejected)


def posted(fields: dict[str, str]) -> Webhook:
    return Webhook(headers={}, body=urlencode(fields).encode(), received_at_ms=0)


class TestSignatures:
    def test_the_sdk_and_we_believe_what_the_simulator_signs(self, shop: Shop) -> None:
        shop.browse()
        (post,) = shop.simulator.webhooks_due(NOW)
        fields = form_of(post.body)
        assert shop.sdk.call("validateReverseHash", fields) is True
        assert CONNECTOR.read_webhook(posted(fields), [KEY_SECRET]).charge_key == KEY
        for name in ("status", "amount", "txnid", "email", "udf1"):
            forged = {**fields, name: fields[name] + "0"}
            assert shop.sdk.call("validateReverseHash", forged) is False
            with pytest.raises(InvalidSignatureError):
                CONNECTOR.read_webhook(posted(forged), [KEY_SECRET])

    @pytest.mark.parametrize("extra", [{}, {"additionalCharges": "2.50"}])
    def test_we_believe_what_the_sdk_signs(self, payu: Sdk, extra: dict[str, str]) -> None:
        fields = {**POST, **extra}
        signed = {**fields, "hash": payu.call("generateReverseHash", fields)}
        assert is_signed(signed, ("an old salt", KEY_SECRET))
        assert not is_signed({**signed, "amount": "1.00"}, (KEY_SECRET,))
        assert not is_signed(signed, ("another salt",))

    @pytest.mark.parametrize("extra", [{}, {"additionalCharges": "2.50"}])
    def test_the_sdk_believes_what_we_sign(self, payu: Sdk, extra: dict[str, str]) -> None:
        fields = {**POST, **extra}
        assert payu.call("validateReverseHash", {**fields, "hash": reverse_hash(fields, KEY_SECRET)}) is True
        assert payu.call("validateReverseHash", {**fields, "hash": reverse_hash(fields, "another salt")}) is False

    def test_a_form_is_hashed_as_the_sdk_hashes_it(self, payu: Sdk) -> None:
        fields = {name: value for name, value in POST.items() if name != "status"}
        assert payu.call("generatePaymentHash", fields) == form_hash(fields, KEY_SECRET)
        assert payu.call("generatePaymentHash", {**fields, "udf5": ""}) != form_hash(fields, KEY_SECRET)
