"""Rate limits and bad credentials: one reader for every connector, and none believes an answer that names an object."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from payflowx.domain.payments.outcome import RATE_LIMITED, UNAUTHORIZED, Rejected
from payflowx.domain.payments.payment import Address, Customer
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.edge import rejected_at_edge
from payflowx.providers.registry import connector

KEY: Final = "pfx-A1b2C3d4E5f6G7h8-1"
SENTENCE: Final = "Slow down."
PROVIDERS: Final = ("mock", "razorpay_mock", "cashfree_mock", "stripe", "razorpay", "cashfree", "payu")
WAIT_HEADERS: Final = {"cashfree": "x-ratelimit-retry", "cashfree_mock": "x-ratelimit-retry"}
PAYER: Final = Customer(
    id="cust_A1b2C3d4E5f6G7",
    name="Li Examplename",
    email="li@example.com",
    phone="+919876543210",
    address=Address(line1="12 Hidden Lane", city="Udaipur", postal_code="313001", country="IN"),
)

NAMING: Final[Mapping[str, Mapping[str, Any]]] = {
    "stripe": {"error": {"message": SENTENCE, "payment_intent": {"id": "pi_1"}}},
    "razorpay": {"error": {"description": SENTENCE, "metadata": {"payment_id": "pay_1"}}},
    "cashfree": {"message": SENTENCE, "cf_payment_id": "77"},
    "payu": {"msg": SENTENCE, "details": {KEY: {"payuid": "77"}}},
}
"""An error of each provider that names what the request has made."""


THE_OBJECT: Final[Mapping[str, Mapping[str, Any]]] = {
    "stripe": {"id": "pi_1", "object": "payment_intent", "status": "succeeded"},
    "mock": {"id": "ch_1", "object": "charge", "status": "succeeded"},
    "razorpay": {"razorpay_payment_id": "pay_1", "razorpay_order_id": "order_1"},
    "razorpay_mock": {"id": "pay_1", "status": "captured"},
    "cashfree": {"cf_payment_id": "77", "action": "link"},
    "cashfree_mock": {"cf_payment_id": "77", "payment_status": "SUCCESS"},
    "payu": {"status": 1, "details": {KEY: {"payuid": "77"}}},
}
"""The object itself: what a proxy makes of an answer when it puts another status on it."""


def error_of(provider: str, message: str) -> dict[str, Any]:
    match provider:
        case "stripe" | "mock":
            return {"error": {"message": message}}
        case "razorpay" | "razorpay_mock":
            return {"error": {"description": message}}
        case "payu":
            return {"status": 0, "msg": message}
        case _:
            return {"message": message}


def answer(status: int, body: Mapping[str, Any], **headers: str) -> HttpResponse:
    return HttpResponse(status=status, headers=headers, body=json.dumps(body).encode())


def charge(provider: str, response: HttpResponse) -> Any:
    """Read the answer to the request that charges."""
    request = ChargeRequest(
        provider_key=KEY,
        amount=49_900,
        currency="INR",
        token="cust_A1b2C3d4E5f6G7:instrumentsecret",
        payment_method_type="card",
        capture=CaptureMode.AUTOMATIC,
        customer=PAYER,
        receipt_email="receipts@example.com",
        progress={"order_id": "order_1", "payment_session_id": "session_1"},
    )
    return connector(provider).charge_steps[-1].read(request, response)


def refund(provider: str, response: HttpResponse) -> Any:
    request = OperationRequest(
        kind=OperationKind.REFUND,
        provider_key=KEY,
        amount=20_000,
        currency="INR",
        charge_key=KEY,
        charge_reference="77",
        charge_amount=49_900,
    )
    (step,) = connector(provider).operation_steps(request)
    return step.read(request, response)


@pytest.mark.parametrize("read", [charge, refund])
@pytest.mark.parametrize("provider", PROVIDERS)
class TestEveryConnector:
    def test_a_rate_limit_waits_as_long_as_it_says_and_keeps_the_sentence(self, provider: str, read: Any) -> None:
        header = WAIT_HEADERS.get(provider, "retry-after")
        found = read(provider, answer(429, error_of(provider, SENTENCE), **{header: "7"}))
        assert found == Rejected(code=RATE_LIMITED, message=SENTENCE, retry_after_seconds=7)

    @pytest.mark.parametrize("status", [401, 403])
    def test_bad_credentials_are_misconfigured(self, provider: str, read: Any, status: int) -> None:
        found = read(provider, answer(status, error_of(provider, SENTENCE)))
        assert found == Rejected(code=UNAUTHORIZED, message=SENTENCE, misconfigured=True)


@pytest.mark.parametrize("read", [charge, refund])
@pytest.mark.parametrize("provider", NAMING)
@pytest.mark.parametrize("status", [429, 401, 403])
def test_an_answer_that_names_an_object_is_never_rejected(provider: str, read: Any, status: int) -> None:
    assert not isinstance(read(provider, answer(status, NAMING[provider])), Rejected)


@pytest.mark.parametrize("provider", THE_OBJECT)
@pytest.mark.parametrize("status", [429, 401, 403])
def test_nor_is_one_that_is_the_object_itself(provider: str, status: int) -> None:
    assert not isinstance(charge(provider, answer(status, THE_OBJECT[provider])), Rejected)


@pytest.mark.parametrize("provider", ["stripe", "razorpay", "cashfree", "payu"])
@pytest.mark.parametrize("status", [400, 401, 402, 429, 500])
def test_no_message_keeps_what_the_payer_gave(provider: str, status: int) -> None:
    private = [
        *("Li Examplename", "examplename", "li@example.com", "receipts@example.com", "+919876543210", "9876543210"),
        *("12 Hidden Lane", "Udaipur", "313001", "cust_A1b2C3d4E5f6G7", "instrumentsecret"),
    ]
    for value in private:
        found = charge(provider, answer(status, error_of(provider, f"Refused for {value}: try {value}.")))
        assert value.lower() not in repr(found).lower(), (value, found)
    plain = charge(provider, answer(429, error_of(provider, "Limited to a line. Li, please wait.")))
    assert plain.message == "Limited to a line. [removed], please wait."


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("3601", 3_600),
        ("9" * 5_000, 3_600),
        *(("", 60), ("-1", 60), ("1.5", 60), ("soon", 60), ("٣", 60), ("Sat, 28 Nov 2026 12:00:00 GMT", 60)),
    ],
)
def test_the_wait_is_a_bounded_number_of_seconds(value: str, seconds: int) -> None:
    found = rejected_at_edge(answer(429, {}, **{"retry-after": value}), "", names_object=False, default_wait_seconds=60)
    assert found == Rejected(code=RATE_LIMITED, retry_after_seconds=seconds)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Sat, 28 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 28 Nov 2026 12:00:00 GMT", 0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 29 Nov 2026 12:00:00 GMT", 3_600),
        *(("Sat, 28 Nov 2026 12:00:30", 60), ("28 Nov", 60), ("Sat, 99 Nov 2026 12:00:30 GMT", 60), ("\ud800", 60)),
    ],
)
def test_a_date_counts_from_the_date_of_the_answer(value: str, seconds: int) -> None:
    """The provider's clock says both. Without the answer's own date, there is no time to count from."""
    headers = {"retry-after": value, "date": "Sat, 28 Nov 2026 12:00:00 GMT"}
    found = rejected_at_edge(answer(429, {}, **headers), "", names_object=False, default_wait_seconds=60)
    assert found == Rejected(code=RATE_LIMITED, retry_after_seconds=seconds)


@pytest.mark.parametrize("status", [200, 400, 402, 404, 409, 500, 503])
def test_no_other_status_is_rejected_by_itself(status: int) -> None:
    assert rejected_at_edge(answer(status, {}), "", names_object=False) is None
