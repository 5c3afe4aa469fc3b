"""PayU's invoice as a hosted object: against the simulator, and every answer of PayU's documents."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotFound,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Customer
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse
from payflowx.providers.payu.connector import CONNECTOR
from payflowx.providers.payu.hosts import endpoint_of
from sandbox.hosted_pages import Act, HostedCall, lose_answers
from tests.support.hosted import AMOUNT, KEY
from tests.support.hosted_checkout import MINUTES, PAYER, HostedCheckout

HOSTED = CONNECTOR.hosted
assert HOSTED is not None
FIVE_DAYS_SECONDS = 5 * 86_400
INVOICE_ID = "9eec02ac9e2efc335bdda2d7486121ce"


@pytest.fixture
def checkout() -> HostedCheckout:
    opened = HostedCheckout("payu")
    assert isinstance(opened.create(), ActionRequired)
    return opened


def invoice_of(request: HttpRequest) -> dict[str, Any]:
    (var1,) = parse_qs(request.body.decode())["var1"]
    details: dict[str, Any] = json.loads(var1)
    return details


class TestCreating:
    def test_the_request(self) -> None:
        opened = HostedCheckout("payu", description="two seats")
        request = HOSTED.create[0].build(opened.request)
        assert parse_qs(request.body.decode())["command"] == ["create_invoice"]
        assert invoice_of(request) == {
            "amount": "499.00",
            "txnid": KEY,
            "productinfo": "two seats",
            "firstname": "Payer",
            "email": "payer@example.com",
            "phone": "9876543210",
            "validation_period": MINUTES,
            "time_unit": "M",
            "send_email_now": "0",
            "send_sms": "0",
        }

    def test_the_command_is_signed(self) -> None:
        request = HOSTED.create[0].build(HostedCheckout("payu").request)
        signed = parse_qs(CONNECTOR.authenticate(request, Credentials(key_id="k", key_secret="s")).body.decode())
        assert signed["key"] == ["k"]
        assert len(signed["hash"][0]) == 128

    def test_a_repeated_request_has_the_same_bytes(self) -> None:
        opened = HostedCheckout("payu")
        first = opened.http_provider.request_hash(opened.request)
        opened.pass_minutes(3)
        assert opened.http_provider.request_hash(replace(opened.request, reference=KEY)) == first

    def test_an_attempt_that_has_not_begun_has_no_lifetime(self) -> None:
        with pytest.raises(ValueError, match="begun"):
            HOSTED.create[0].build(HostedCheckout("payu", sent_at_ms=None).request)

    def test_the_payer_is_sent_to_the_account_s_page_host(self) -> None:
        opened = HostedCheckout("payu")
        account = replace(opened.account, endpoint="https://info.payu.in")
        body = {
            "Transaction Id": KEY,
            "Status": "Success",
            "URL": f"https://x.test/processInvoice?invoiceId={INVOICE_ID}",
        }
        opened.answers(answer(body))
        result = opened.http_provider.charge(opened.request, account)
        assert isinstance(result, ActionRequired)
        assert result.action.url == f"https://secure.payu.in/processInvoice?invoiceId={INVOICE_ID}"
        assert result.reference == INVOICE_ID

    def test_commands_stay_at_the_other_host(self) -> None:
        request = HOSTED.create[0].build(HostedCheckout("payu").request)
        assert endpoint_of("https://secure.payu.in", request) == "https://info.payu.in"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"name": None}, "firstname_missing"),
            ({"email": None}, "email_missing"),
            ({"email": "x" * 60 + "@example.com"}, "email_missing"),
            ({"phone": None}, "phone_missing"),
        ],
    )
    def test_without_a_fact_about_the_payer_nothing_is_sent(self, change: dict[str, Any], code: str) -> None:
        opened = HostedCheckout("payu", customer=replace(PAYER, **change))
        refused = opened.create()
        assert isinstance(refused, Rejected)
        assert refused.code == code
        assert opened.world.http.requests == []

    def test_without_a_customer_nothing_is_sent(self) -> None:
        assert isinstance(HostedCheckout("payu", customer=Customer()).create(), Rejected)

    def test_another_transaction_is_rejected(self) -> None:
        body = {
            "Transaction Id": "other",
            "Status": "Success",
            "URL": f"https://x/processInvoice?invoiceId={INVOICE_ID}",
        }
        assert created(body) == Rejected(code="object_differs", message="reference")

    @pytest.mark.parametrize(
        "url",
        [
            None,
            "",
            "https://x/processInvoice",
            "https://x/processInvoice?invoiceId=",
            f"https://x/other?invoiceId={INVOICE_ID}",
            "https://x/processInvoice?invoiceId=<script>",
            f"https://x/processInvoice?invoiceId={INVOICE_ID}&invoiceId={INVOICE_ID}",
        ],
    )
    def test_an_address_of_another_form_is_unknown(self, url: Any) -> None:
        assert created({"Transaction Id": KEY, "Status": "Success", "URL": url}) == Unknown(
            code="action_without_address"
        )

    def test_a_duplicate_may_be_an_earlier_request_of_ours(self) -> None:
        assert isinstance(created({"status": 0, "msg": "Invoice for this transaction ID already exists."}), Unknown)

    @pytest.mark.parametrize("name", ["amount", "email", "phone", "validation_period"])
    def test_a_refused_parameter_takes_the_next_provider(self, name: str) -> None:
        refused = created({"status": 0, "msg": f"Invalid {name}"})
        assert isinstance(refused, Rejected)
        assert refused.code == "invalid_parameter"

    def test_a_wrong_salt_is_the_account_s_fault(self) -> None:
        refused = created({"status": 0, "msg": "Invalid Hash."})
        assert isinstance(refused, Rejected)
        assert refused.misconfigured

    @pytest.mark.parametrize("said", ["Invalid txnid", "Invalid", "Some problem occurred", "", None])
    def test_any_other_sentence_is_unknown(self, said: Any) -> None:
        assert isinstance(created({"status": 0, "msg": said}), Unknown)

    def test_a_lost_answer_cannot_be_read_again(self) -> None:
        opened = HostedCheckout("payu")
        lose_answers(opened.simulator.store, {HostedCall.CREATE: 1})
        assert isinstance(opened.create(), Unknown)
        assert isinstance(opened.create(), Unknown)
        assert opened.inquire() == NotFound()
        assert isinstance(opened.close(), ConfirmedCancelled)


class TestThePayer:
    def test_pays(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.PAY)
        outcome = checkout.inquire()
        assert isinstance(outcome, Succeeded)
        assert (outcome.amount, outcome.currency, outcome.merchant_reference) == (AMOUNT, "INR", KEY)
        assert outcome.payer_paid is None
        assert isinstance(checkout.operate(OperationKind.REFUND, outcome.reference), Accepted)
        assert [(entry["reference"], entry["amount"]) for entry in checkout.world.http.charged()] == [(KEY, AMOUNT)]

    def test_a_failed_try_ends_nothing(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.NO_FUNDS)
        outcome = checkout.inquire()
        assert isinstance(outcome, ActionRequired)
        assert outcome.reference == checkout.request.reference
        assert outcome.action.url.startswith("https://payu/processInvoice?invoiceId=")
        assert outcome.failed_tries is not None
        checkout.press(Act.PAY)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_leaves_and_the_invoice_stays_open(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.LEAVE)
        assert isinstance(checkout.inquire(), ActionRequired)

    def test_the_bank_answers_an_hour_late(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.LATE)
        assert checkout.inquire() == Accepted(reference=checkout.request.reference)
        checkout.pass_minutes(61)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_pays_in_the_second_of_the_closing(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.SLOW)
        assert checkout.close() == Accepted(reference=checkout.request.reference)
        checkout.pass_minutes(1)
        assert isinstance(checkout.close(), Succeeded)

    def test_pays_after_the_expiry(self, checkout: HostedCheckout) -> None:
        checkout.pass_minutes(MINUTES - 0.05)
        checkout.press(Act.SLOW)
        checkout.pass_minutes(0.1)
        assert checkout.close() == Accepted(reference=checkout.request.reference)
        checkout.pass_minutes(1)
        assert isinstance(checkout.inquire(), Succeeded)

    def test_a_closed_invoice_takes_no_payment(self, checkout: HostedCheckout) -> None:
        assert checkout.close() == ConfirmedCancelled(reference=checkout.request.reference)
        checkout.press(Act.PAY)
        assert checkout.world.http.charged() == []

    def test_after_a_failed_try_a_closing_proves_nothing_for_five_days(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.FAIL)
        outcome = checkout.close()
        assert isinstance(outcome, Declined)
        assert (outcome.kind, outcome.reopens_for_seconds) == (DeclineKind.SOFT, FIVE_DAYS_SECONDS)
        assert CONNECTOR.capabilities.hosted is not None
        assert not CONNECTOR.capabilities.hosted.is_closing_proof

    def test_lost_answers_prove_nothing(self, checkout: HostedCheckout) -> None:
        lose_answers(checkout.simulator.store, {HostedCall.READ: 1, HostedCall.CLOSE: 1})
        assert isinstance(checkout.inquire(), Unknown)
        assert isinstance(checkout.close(), Unknown)
        assert isinstance(checkout.close(), ConfirmedCancelled)

    def test_without_an_invoice_there_is_nothing_to_close(self) -> None:
        opened = HostedCheckout("payu")
        assert opened.inquire() == NotFound()
        assert opened.close() == Unknown(code="nothing_to_close")

    def test_the_report_has_our_key(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.PAY)
        assert checkout.reported() == [(KEY, AMOUNT)]

    def test_webhooks_have_our_key_and_prove_nothing(self, checkout: HostedCheckout) -> None:
        checkout.press(Act.FAIL)
        checkout.press(Act.PAY)
        events = checkout.events()
        assert [(event.charge_key, event.outcome) for event in events] == [(KEY, None), (KEY, None)]


UNTRIED = {"status": 1, "msg": "Invoice expired"}
IN_PROGRESS = {"status": 1, "msg": "Invoice expired, Transaction is already in progress "}


class TestTheClosing:
    @pytest.mark.parametrize(
        ("said", "word", "coarse", "expected"),
        [
            (UNTRIED, None, None, ConfirmedCancelled),
            (UNTRIED, "failed", "failure", Declined),
            (UNTRIED, "userCancelled", "failure", Declined),
            (UNTRIED, "dropped", "failure", Declined),
            (UNTRIED, "pending", "pending", Accepted),
            (UNTRIED, "captured", "success", Succeeded),
            (UNTRIED, "refunded", "success", Unknown),
            (UNTRIED, "anything", "failure", Unknown),
            (IN_PROGRESS, None, None, Accepted),
            (IN_PROGRESS, "failed", "failure", Accepted),
            (IN_PROGRESS, "dropped", "failure", Accepted),
            (IN_PROGRESS, "in progress", "pending", Accepted),
            (IN_PROGRESS, "captured", "success", Succeeded),
            ({"status": 0, "msg": "Invoice does not exist for this txnid"}, None, None, Unknown),
            ({"status": 0, "msg": "Invoice does not exist for this txnid"}, "captured", "success", Succeeded),
        ],
    )
    def test_both_answers_decide(
        self, said: dict[str, Any], word: str | None, coarse: str | None, expected: type[Outcome]
    ) -> None:
        assert isinstance(closed(answer(said), verified(word, coarse)), expected)

    @pytest.mark.parametrize(
        "said",
        [
            {"status": 0, "msg": "Invoice expired"},
            {"status": 1, "msg": "Invoice does not exist for this txnid"},
            {"status": 1, "msg": "Invoice expired tomorrow"},
            {"status": True, "msg": "Invoice expired"},
            {"status": 0, "message": "paymentLink updated"},
            {},
        ],
    )
    def test_an_expiry_that_is_not_understood_closes_nothing(self, said: dict[str, Any]) -> None:
        assert isinstance(closed(answer(said), verified(None, None)), Unknown)

    @pytest.mark.parametrize("status", [301, 400, 403, 404, 429, 500, 503])
    def test_an_error_closes_nothing(self, status: int) -> None:
        broken = HttpResponse(status=status, headers={}, body=b"{}")
        assert isinstance(closed(broken, verified(None, None)), Unknown)
        assert isinstance(closed(answer(UNTRIED), broken), Unknown)


class TestMoney:
    def test_a_declared_fee_is_stored_beside(self) -> None:
        outcome = inquired(verified("captured", "success", additional_charges="10.00", net_amount_debit="509.00"))
        assert isinstance(outcome, Succeeded)
        assert (outcome.amount, outcome.payer_paid) == (AMOUNT, 50_900)

    def test_a_declared_discount_is_stored_beside(self) -> None:
        outcome = inquired(verified("captured", "success", disc="99.00", net_amount_debit=400))
        assert isinstance(outcome, Succeeded)
        assert (outcome.amount, outcome.payer_paid) == (AMOUNT, 40_000)

    def test_what_is_not_declared_is_not_believed(self) -> None:
        outcome = inquired(verified("captured", "success", net_amount_debit="509.00"))
        assert isinstance(outcome, Succeeded)
        assert outcome.payer_paid is None

    def test_amounts_that_contradict_each_other_are_a_mismatch(self) -> None:
        assert isinstance(inquired(verified("captured", "success", transaction_amount="400.00")), Mismatch)


@given(garbage=st.binary(max_size=200) | st.from_regex(r"\{.{0,50}\}").map(str.encode))
def test_garbage_is_never_a_result(garbage: bytes) -> None:
    raw = HttpResponse(status=200, headers={}, body=garbage)
    assert isinstance(inquired(raw), Unknown)
    assert isinstance(closed(raw, verified(None, None)), Unknown)
    assert isinstance(closed(answer(UNTRIED), raw), Unknown)
    assert isinstance(HOSTED.create[0].read(HostedCheckout("payu").request, raw), Unknown)


def answer(body: Any) -> HttpResponse:
    return HttpResponse(status=200, headers={"content-type": "text/html"}, body=json.dumps(body).encode())


def verified(word: str | None, coarse: str | None, **changes: Any) -> HttpResponse:
    """The answer to `verify_payment`; without a word there is no transaction."""
    if word is None:
        missing = {"mihpayid": "Not Found", "status": "Not Found"}
        return answer({"status": 0, "msg": "0 out of 1", "transaction_details": {KEY: missing}})
    details = {
        "mihpayid": "403993715521889530",
        "txnid": KEY,
        "amt": "499.00",
        "transaction_amount": "499.00",
        "additional_charges": "0.00",
        "disc": "0.00",
        "net_amount_debit": "499.00",
        "status": coarse,
        "unmappedstatus": word,
        "error_code": "E310",
        "error_Message": "Card has been blocked.",
        **changes,
    }
    return answer({"status": 1, "msg": "1 out of 1", "transaction_details": {KEY: details}})


def created(body: dict[str, Any]) -> Any:
    return HOSTED.create[0].read(HostedCheckout("payu").request, answer(body))


def _opened(*answers: HttpResponse) -> HostedCheckout:
    opened = HostedCheckout("payu", reference=INVOICE_ID)
    assert opened.request.hosted is not None
    opened.request = replace(opened.request, hosted=replace(opened.request.hosted, object_id=INVOICE_ID))
    opened.answers(*answers)
    return opened


def inquired(*answers: HttpResponse) -> Outcome:
    return _opened(*answers).inquire()


def closed(*answers: HttpResponse) -> Outcome:
    return _opened(*answers).close()
