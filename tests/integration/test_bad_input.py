"""Every way of asking wrongly: a precise refusal, nothing written, nothing repeated, nothing logged."""

import json
from typing import Any, Final

import pytest

from payflowx.application.payments.create_payment import CreatePayment
from tests.support.handlers import Functions, payment_body

CARD = "4111111111111111"
PRECISE = {
    "no body": ("", 400, "malformed_json"),
    "no JSON": ("{amount: 1}", 400, "malformed_json"),
    "an array": ("[]", 400, "malformed_json"),
    "a text": ('"x"', 400, "malformed_json"),
    "trailing data": (json.dumps(payment_body()) + "{}", 400, "malformed_json"),
    "a byte order mark": ("\ufeff" + json.dumps(payment_body()), 400, "malformed_json"),
    "duplicate names": ('{"amount":1,"amount":2,"currency":"USD"}', 400, "malformed_json"),
    "NaN": ('{"amount":NaN}', 400, "malformed_json"),
    "Infinity": ('{"amount":-Infinity}', 400, "malformed_json"),
    "half a surrogate": ('{"amount":1,"description":"\\ud800"}', 400, "malformed_json"),
    "half a surrogate as a name": ('{"\\udfff":1}', 400, "malformed_json"),
    "too deep": ('{"a":' * 9 + "1" + "}" * 9, 400, "malformed_json"),
    "far too deep": ("[" * 30_000, 400, "malformed_json"),
    "a huge number": ('{"amount":' + "9" * 5_000 + "}", 400, "malformed_json"),
    "too large": (json.dumps(payment_body(description="x" * 70_000)), 413, "body_too_large"),
}

_BETAS = {"type": "card", "tokens": {"beta": "t"}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "amount as a float": ({"amount": 19.99}, "amount_invalid"),
    "amount as a whole float": ({"amount": 1999.0}, "amount_invalid"),
    "amount as a text": ({"amount": "1999"}, "amount_invalid"),
    "amount as a bool": ({"amount": True}, "amount_invalid"),
    "amount null": ({"amount": [None]}, "amount_invalid"),
    "amount zero": ({"amount": 0}, "amount_invalid"),
    "amount negative": ({"amount": -5}, "amount_invalid"),
    "amount too large": ({"amount": 1_000_000_000_000}, "amount_invalid"),
    "no amount": ({"amount": None}, "field_missing"),
    "no currency": ({"currency": None}, "field_missing"),
    "no method": ({"paymentMethod": None}, "field_missing"),
    "no method type": ({"paymentMethod": {"token": "t"}}, "field_missing"),
    "currency in small letters": ({"currency": "usd"}, "currency_invalid"),
    "a currency that does not exist": ({"currency": "XXX"}, "currency_invalid"),
    "currency as a number": ({"currency": 840}, "currency_invalid"),
    "an unknown field": ({"status": "SUCCESS"}, "unknown_field"),
    "an unknown field inside": ({"customer": {"vip": True}}, "unknown_field"),
    "an unknown field in the method": ({"paymentMethod": {"type": "card", "token": "t", "x": 1}}, "unknown_field"),
    "two kinds of tokens": (
        {"paymentMethod": {"type": "card", "token": "t", "tokens": {"alpha": "t"}}},
        "payment_method_invalid",
    ),
    "no token": ({"paymentMethod": {"type": "card"}}, "payment_method_invalid"),
    "an empty token": ({"paymentMethod": {"type": "card", "token": ""}}, "payment_method_invalid"),
    "a token with a space": ({"paymentMethod": {"type": "card", "token": "a b"}}, "payment_method_invalid"),
    "a token for nobody": ({"paymentMethod": {"type": "card", "tokens": {"No One": "t"}}}, "payment_method_invalid"),
    "capture unknown": ({"capture": "later"}, "field_invalid"),
    "metadata not an object": ({"metadata": []}, "metadata_invalid"),
    "metadata with a number": ({"metadata": {"a": 1}}, "metadata_invalid"),
    "metadata with many keys": ({"metadata": {f"k{n}": "v" for n in range(21)}}, "metadata_invalid"),
    "metadata with a long key": ({"metadata": {"k" * 41: "v"}}, "metadata_invalid"),
    "metadata with a long value": ({"metadata": {"k": "v" * 501}}, "metadata_invalid"),
    "description too long": ({"description": "x" * 501}, "text_invalid"),
    "description with a NUL": ({"description": "a\u0000b"}, "text_invalid"),
    "description with a line break": ({"description": "a\r\nSet-Cookie: x"}, "text_invalid"),
    "description reversed": ({"description": "abc\u202ecba"}, "text_invalid"),
    "metadata with a control character": ({"metadata": {"k": "\u0007"}}, "text_invalid"),
    "descriptor too long": ({"statementDescriptorSuffix": "X" * 23}, "field_invalid"),
    "descriptor empty": ({"statementDescriptorSuffix": ""}, "field_invalid"),
    "descriptor without a letter": ({"statementDescriptorSuffix": "2026-11"}, "field_invalid"),
    "descriptor with a line break": ({"statementDescriptorSuffix": "SHOP\n"}, "text_invalid"),
    "descriptor outside of ASCII": ({"statementDescriptorSuffix": "CAFÉ"}, "field_invalid"),
    **{f"descriptor with {sign}": ({"statementDescriptorSuffix": f"A{sign}B"}, "field_invalid") for sign in "<>\\'\"*"},
    "receipt without a host": ({"receiptEmail": "ada"}, "field_invalid"),
    "receipt too long": ({"receiptEmail": f"{'a' * 250}@a.in"}, "field_invalid"),
    "receipt with a line break": ({"receiptEmail": "ada@example.com\n"}, "text_invalid"),
    "initiator unknown": ({"initiator": "bank"}, "field_invalid"),
    "saving as a text": ({"savePaymentMethod": "true"}, "field_invalid"),
    "saving what is saved": ({"initiator": "merchant", "savePaymentMethod": True}, "field_invalid"),
    "address as a text": ({"customer": {"address": "1 Long Road"}}, "field_invalid"),
    "address line too long": ({"customer": {"address": {"line1": "x" * 201}}}, "field_invalid"),
    "postal code too long": ({"customer": {"address": {"postalCode": "1" * 21}}}, "field_invalid"),
    "address with an unknown field": ({"customer": {"address": {"street": "x"}}}, "unknown_field"),
    "address with a control character": ({"customer": {"address": {"city": "\u0007"}}}, "text_invalid"),
    "country of the address in full": ({"customer": {"address": {"country": "India"}}}, "field_invalid"),
    "e-mail without a host": ({"customer": {"email": "ada"}}, "field_invalid"),
    "phone in words": ({"customer": {"phone": "call me"}}, "field_invalid"),
    "country in full": ({"customer": {"country": "India"}}, "field_invalid"),
    "texts too large together": (
        {"metadata": {f"k{n}": "v" * 450 for n in range(5)}},
        "text_too_large",
    ),
    "URL without TLS": ({"returnUrl": "http://shop.example.com/"}, "url_not_allowed"),
    "URL with a user": ({"returnUrl": "https://a:b@shop.example.com/"}, "url_not_allowed"),
    "URL of an address": ({"returnUrl": "https://10.0.0.1/"}, "url_not_allowed"),
    "URL of an odd address": ({"returnUrl": "https://0x7f.1/"}, "url_not_allowed"),
    "URL of an IPv6 address": ({"returnUrl": "https://[::1]/"}, "url_not_allowed"),
    "URL of this machine": ({"returnUrl": "https://localhost/"}, "url_not_allowed"),
    "URL with a port": ({"returnUrl": "https://shop.example.com:8443/"}, "url_not_allowed"),
    "URL that looks like another": ({"returnUrl": "https://xn--pple-43d.com/"}, "url_not_allowed"),
    "URL with a script": ({"returnUrl": "javascript:alert(1)"}, "url_not_allowed"),
    "URL with a bad port": ({"returnUrl": "https://shop.example.com:x/"}, "url_not_allowed"),
    "a method nobody takes": ({"paymentMethod": {"type": "cash", "token": "t"}}, "no_provider_available"),
    "a capture mode nobody does": ({"capture": "manual", "paymentMethod": _BETAS}, "no_provider_available"),
    "tokens for nobody here": ({"paymentMethod": {"type": "card", "tokens": {"nobody": "t"}}}, "no_provider_available"),
}

CARD_DATA: dict[str, dict[str, Any]] = {
    "as the token": {"paymentMethod": {"type": "card", "token": CARD}},
    "in the description": {"description": f"card {CARD} please"},
    "grouped": {"description": "4111 1111 1111 1111"},
    "with dashes": {"description": "4111-1111-1111-1111"},
    "with dots": {"description": "4111.1111.1111.1111"},
    "followed by digits": {"description": "4111 1111 1111 1111 123"},
    "in letters around": {"description": f"x{CARD}y"},
    "in another script": {"description": "４１１１１１１１１１１１１１１１"},
    "in Arabic digits": {"description": "٤١١١١١١١١١١١١١١١"},
    "in metadata": {"metadata": {"note": CARD}},
    "as a metadata name": {"metadata": {CARD: "x"}},
    "as a number": {"amount": int(CARD)},
    "as a number with a fraction": {"amount": float(CARD)},
    "as a number with an exponent": {"surprise": 4.111111111111111e60 / 1e45},
    "as a negative number": {"amount": -int(CARD)},
    "with blanks and dashes": {"description": "4111 - 1111 - 1111 - 1111"},
    "with invisible characters": {"description": "4111\u200b1111\u200b1111\u200b1111"},
    "with HTML entities": {"description": "4111&nbsp;1111&nbsp;1111&nbsp;1111"},
    "with commas": {"description": "4111,1111,1111,1111"},
    "as an unknown field": {"surprise": int(CARD)},
    "as a field's name": {CARD: 1},
    "deep inside": {"customer": {"name": [{"x": CARD}]}},
    "as the key": {"idempotencyKey": CARD},
    "American Express": {"description": "378282246310005"},
    "RuPay": {"description": "6074819900004939"},
    "as a phone number": {"customer": {"phone": "+378282246310005"}},
    "a CVV field": {"cvv": "123"},
    "a CVC inside": {"paymentMethod": {"type": "card", "token": "t", "cvc": "123"}},
    "a security code in metadata": {"metadata": {"card_security_code": "123"}},
    "a card number field": {"customer": {"cardNumber": "x"}},
    "track data": {"metadata": {"Track2": "x"}},
}


def written(functions: Functions) -> int:
    client = functions.engine.client("dynamodb")
    return sum(client.scan(TableName=table)["Count"] for table in ("transactions", "idempotency"))


def check(functions: Functions, answer: tuple[int, dict[str, Any], dict[str, str]], status: int, code: str) -> None:
    found_status, body, headers = answer
    assert (found_status, body["code"]) == (status, code)
    assert body["type"] == f"urn:payflowx:problem:{code}"
    assert body["status"] == status
    assert body["requestId"] == "req-1"
    assert len(body["detail"]) > 20
    assert headers["Content-Type"] == "application/problem+json"
    assert written(functions) == 0
    assert functions.messages() == []


@pytest.mark.parametrize("case", PRECISE)
def test_a_body_that_is_no_acceptable_json(functions: Functions, case: str) -> None:
    raw, status, code = PRECISE[case]
    check(functions, functions.call("POST", "/payments", raw=raw, headers={"Idempotency-Key": "k"}), status, code)


@pytest.mark.parametrize("case", REFUSED)
def test_a_field_that_is_wrong(functions: Functions, case: str) -> None:
    changes, code = REFUSED[case]
    answer = functions.pay("k", **changes)
    check(functions, answer, 422, code)
    if code in {"field_invalid", "text_invalid"}:
        assert answer[1]["field"].split(".")[0] in changes


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": None}, "amount_invalid"),
        ({"currency": None}, "currency_invalid"),
        ({"capture": None}, "field_invalid"),
        ({"paymentMethod": None}, "payment_method_invalid"),
        ({"paymentMethod": {"type": "card", "tokens": {"alpha": None}}}, "payment_method_invalid"),
        ({"metadata": {"order": None}}, "metadata_invalid"),
    ],
)
def test_null_is_refused_where_it_says_something_else_than_nothing(
    functions: Functions, change: dict[str, Any], code: str
) -> None:
    raw = json.dumps({**payment_body(), **change})
    check(functions, functions.call("POST", "/payments", raw=raw, headers={"Idempotency-Key": "k"}), 422, code)


@pytest.mark.parametrize("case", CARD_DATA)
def test_card_data_anywhere(functions: Functions, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = functions.pay("k", **CARD_DATA[case])
    check(functions, answer, 422, "card_data_refused")
    said = json.dumps(functions.answers) + "".join(capsys.readouterr())
    assert CARD not in said
    assert "CardDataRefused" in said


@pytest.mark.parametrize(
    ("header", "value"), [("Idempotency-Key", CARD), ("X-Order", f"no {CARD}"), ("User-Agent", "4111-1111-1111-1111")]
)
def test_a_card_number_in_a_header(functions: Functions, header: str, value: str) -> None:
    headers = {"Idempotency-Key": "k", header: value}
    check(functions, functions.call("POST", "/payments", payment_body(), headers=headers), 422, "card_data_refused")


_UUID: Final = "b416da5b-1ea5-4600-9172-01545c79ed2e"
"""Its digits 4600-9172-01545 pass all checks of a card number."""


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Idempotency-Key", _UUID),
        ("Idempotency-Key", f'"{_UUID}"'),
        ("X-Request-Id", _UUID),
        ("X-Datadog-Trace-Id", "4539148803436467008"),
        ("X-Datadog-Parent-Id", "4539148803436467008"),
        ("X-Cloud-Trace-Context", "105445aa7843bc8bf206b12000100000/4539148803436467008;o=1"),
        ("X-B3-SpanId", "4111111111111111"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-4111111111111111-01"),
    ],
)
def test_an_id_in_a_header_is_no_card_number(functions: Functions, header: str, value: str) -> None:
    headers = {"Idempotency-Key": "k", header: value}
    assert functions.call("POST", "/payments", payment_body(), headers=headers)[0] == 202


@pytest.mark.parametrize("value", [f"{CARD}-1", f"card {CARD}", "4111 1111 1111 1111"])
def test_a_card_number_in_a_trace_header_of_another_form(functions: Functions, value: str) -> None:
    headers = {"Idempotency-Key": "k", "traceparent": value}
    check(functions, functions.call("POST", "/payments", payment_body(), headers=headers), 422, "card_data_refused")


@pytest.mark.parametrize(
    "path",
    [
        "/payments/pay_2222222227222222",
        "/payments/pay_2222222227222222/events",
        "/events/evt_2222222227222222_1/redeliver",
    ],
)
def test_an_id_of_digits_in_the_address_is_no_card_number(functions: Functions, path: str) -> None:
    method = "POST" if path.endswith("redeliver") else "GET"
    assert functions.call(method, path)[1]["code"] == "not_found"


@pytest.mark.parametrize(
    "query", [{"cursor": CARD}, {CARD: "1"}, {"cvv": "123"}, {"status": "4111%201111%201111%201111"}]
)
def test_a_card_number_in_the_address(functions: Functions, query: dict[str, str]) -> None:
    status, body, _ = functions.call("GET", "/payments", query=query)
    assert (status, body["code"]) == (422, "card_data_refused")


@pytest.mark.parametrize(
    "text",
    [
        "order 1234567890123456",
        "4111111111111112",
        "1764015000000",
        "+441234567890",
        "9999999999999",
        "411111111111111",
    ],
)
def test_numbers_that_are_no_cards_are_welcome(functions: Functions, text: str) -> None:
    assert functions.pay("k", description=text)[0] == 202


def test_a_phone_number_that_looks_like_a_card_is_welcome(functions: Functions) -> None:
    assert functions.pay("k", customer={"phone": "+4222222222222"})[0] == 202


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, {}, "idempotency_key_required"),
        ({"Idempotency-Key": ""}, {}, "idempotency_key_invalid"),
        ({"Idempotency-Key": "a b"}, {}, "idempotency_key_invalid"),
        ({"Idempotency-Key": "é"}, {}, "idempotency_key_invalid"),
        ({"Idempotency-Key": "x" * 256}, {}, "idempotency_key_invalid"),
        ({"Idempotency-Key": "a"}, {"idempotencyKey": "b"}, "idempotency_key_conflict"),
    ],
)
def test_the_key(functions: Functions, headers: dict[str, str], body: dict[str, str], code: str) -> None:
    check(functions, functions.call("POST", "/payments", payment_body(**body), headers=headers), 400, code)


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("", 400, "idempotency_key_invalid"),
        (5, 422, "idempotency_key_invalid"),
        ("x" * 256, 400, "idempotency_key_invalid"),
    ],
)
def test_the_key_in_the_body(functions: Functions, key: Any, status: int, code: str) -> None:
    answer = functions.call("POST", "/payments", payment_body(idempotencyKey=key))
    assert answer[1]["code"] == code
    assert written(functions) == 0


def test_the_header_twice(functions: Functions) -> None:
    from payflowx.entrypoints.api import handler as api
    from tests.support.handlers import Context, rest_event

    event = rest_event(
        "POST", "/payments", {"Content-Type": "application/json"}, {}, json.dumps(payment_body()), "acme"
    )
    event["multiValueHeaders"]["Idempotency-Key"] = ["a", "a"]
    answer = api.handler(event, Context())
    assert json.loads(answer["body"])["code"] == "idempotency_key_invalid"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        ({"Content-Type": ""}, 415, "unsupported_media_type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
        ({"X-Large": "x" * 9_000}, 413, "headers_too_large"),
    ],
)
def test_headers(functions: Functions, headers: dict[str, str], status: int, code: str) -> None:
    sent = {"Idempotency-Key": "k", **headers}
    check(functions, functions.call("POST", "/payments", payment_body(), headers=sent), status, code)


def test_a_media_type_with_a_parameter_is_welcome(functions: Functions) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json; charset=utf-8"}
    assert functions.call("POST", "/payments", payment_body(), headers=headers)[0] == 202


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "ten"},
        {"limit": "1.5"},
        {"limit": "٥"},
        {"limit": ["1", "2"]},
        {"status": "DONE"},
        {"status": "success"},
        {"from": "yesterday"},
        {"from": "2026-11-23"},
        {"from": "2026-11-23T10:00:00"},
        {"from": "2026-13-23T10:00:00Z"},
        {"from": "2026-11-24T00:00:00Z", "to": "2026-11-23T00:00:00Z"},
        {"from": "2024-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"from": "1960-01-01T00:00:00Z"},
        {"order": "asc"},
    ],
)
def test_the_lists_parameters(functions: Functions, query: dict[str, Any]) -> None:
    status, body, _ = functions.call("GET", "/payments", query=query)
    assert (status, body["code"]) == (400, "parameter_invalid")


@pytest.mark.parametrize("wrong", ["x", "pay_", "pay_ABCDEFGHIJKLMNOP", "pay_aaaaaaaaaaaaaaa1", "cap_aaaaaaaaaaaaaaaa"])
def test_ids_that_cannot_be(functions: Functions, wrong: str) -> None:
    status, body, _ = functions.call("GET", f"/payments/{wrong}")
    assert (status, body["code"]) == (400, "parameter_invalid")


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/payments"), ("PUT", "/health")])
def test_routes_that_do_not_exist(functions: Functions, method: str, path: str) -> None:
    status, body, _ = functions.call(method, path)
    assert (status, body["code"]) == (404, "not_found")


def test_a_defect_is_told_without_its_cause(
    functions: Functions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: object, _request: object) -> None:
        raise RuntimeError(f"secret detail {CARD}")

    monkeypatch.setattr(CreatePayment, "__call__", broken)
    status, body, _ = functions.pay()
    assert (status, body["code"]) == (500, "internal_error")
    assert "secret detail" not in json.dumps(body)
    logged = "".join(capsys.readouterr())
    assert "secret detail" in logged
    assert CARD not in logged


def test_what_was_refused_may_be_sent_again_under_the_same_key(functions: Functions) -> None:
    assert functions.pay("k", amount=-1)[0] == 422
    assert functions.pay("k")[0] == 202
