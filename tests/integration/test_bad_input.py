"""Every way of asking wrongly: a precise refusal, nothing written, nothing repeated, nothing logged."""

import json
from typing import Any, Final

import pytest

from payflowx.application.payments.create_payment import CreatePayment
from payflowx.entrypoints.api.routes import API_ROUTES, Route
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


def test_a_card_number_as_the_key(functions: Functions) -> None:
    answer = functions.call("POST", "/payments", payment_body(), headers={"Idempotency-Key": f"no-{CARD}"})
    check(functions, answer, 422, "card_data_refused")
    assert "Idempotency-Key" in answer[1]["detail"]


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


@pytest.mark.parametrize("header", ["X-Order", "User-Agent", "baggage", "Referer", "X-Correlation-Id"])
def test_other_headers_are_not_searched_since_nothing_of_them_is_kept(
    functions: Functions, header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A decimal trace id may be in any header, and one in twenty looks like a card number."""
    for value in (CARD, f"client/1.0 ({CARD})", "4111 1111 1111 1111"):
        headers = {"Idempotency-Key": f"k-{len(value)}", header: value}
        assert functions.call("POST", "/payments", payment_body(), headers=headers)[0] == 202
    functions.work()
    tables = ("transactions", "idempotency")
    kept = [functions.engine.client("dynamodb").scan(TableName=table)["Items"] for table in tables]
    said = json.dumps([kept, functions.answers, functions.messages()], default=str) + "".join(capsys.readouterr())
    assert CARD not in said
    assert "4111 1111" not in said


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


FIELD_OF_CARD_DATA: Final[dict[str, tuple[dict[str, Any], str | None, str]]] = {
    "a text": ({"description": f"a {CARD}"}, "description", "The field description holds what looks like a card"),
    "a fact of the payer": ({"customer": {"name": CARD}}, "customer.name", "customer.name"),
    "the address": ({"customer": {"address": {"line1": CARD}}}, "customer.address.line1", "customer.address.line1"),
    "the token": ({"paymentMethod": {"type": "card", "token": CARD}}, "paymentMethod.token", "paymentMethod.token"),
    "a token of a provider": ({"paymentMethod": {"type": "card", "tokens": {"x": CARD}}}, "paymentMethod.tokens", ""),
    "a value of metadata": ({"metadata": {"secret": CARD}}, "metadata", "The field metadata holds"),
    "a name of metadata": ({"metadata": {CARD: "x"}}, "metadata", "The field metadata holds"),
    "the key": ({"idempotencyKey": CARD}, "idempotencyKey", "idempotencyKey"),
    "an unknown field": ({"surprise": CARD}, None, "The request holds"),
    "an unknown name inside": ({"customer": {"surprise": CARD}}, "customer", "The field customer holds"),
    "a name for card data": ({"metadata": {"cvv": "x"}}, "metadata", "a name of card data: cvv."),
    "a pin": ({"metadata": {"PIN": "1234"}}, "metadata", "pin with 4 to 12 digits"),
    "a cid": ({"metadata": {"cid": "1234"}}, "metadata", "cid with 3 or 4 digits"),
    "a pan": ({"metadata": {"P.A.N.": "4111 1111 1111"}}, "metadata", "pan with 12 to 19 digits"),
    "a track": ({"metadata": {"track": "B411111111111^DOE"}}, "metadata", "track with 12 or more digits"),
}


@pytest.mark.parametrize("case", FIELD_OF_CARD_DATA)
def test_a_refusal_of_card_data_names_field_and_rule(functions: Functions, case: str) -> None:
    changes, field, words = FIELD_OF_CARD_DATA[case]
    answer = functions.pay("k", **changes)
    check(functions, answer, 422, "card_data_refused")
    assert answer[1].get("field") == field
    assert words in answer[1]["detail"]
    assert not {"secret", "surprise", CARD} & set(answer[1]["detail"].replace(".", " ").split())


def test_names_with_another_meaning_are_welcome_with_its_values(functions: Functions) -> None:
    metadata = {"pan": "ABCDE1234F", "pin": "560001", "cid": "campaign-17", "track": "Blue in Green", "csc_centre": "x"}
    more = {"account_number": "50100123456788", "PAN_CARD": "ABCDE1234F", "pincode": "560001", "Cid": "48213"}
    assert functions.pay("k", metadata={**metadata, **more})[0] == 202


PATHS: Final[dict[str, dict[str, Any]]] = {
    "customer.email": {"customer": {"email": "ada"}},
    "customer.phone": {"customer": {"phone": "0981234"}},
    "customer.country": {"customer": {"country": "India"}},
    "customer.address.country": {"customer": {"address": {"country": "India"}}},
    "customer.address.line1": {"customer": {"address": {"line1": ""}}},
    "paymentMethod.token": {"paymentMethod": {"type": "card", "token": "a b"}},
    "metadata": {"metadata": {"order": 7}},
    "capture": {"capture": "later"},
}


@pytest.mark.parametrize("field", PATHS)
def test_a_refusal_names_the_field_with_its_path(functions: Functions, field: str) -> None:
    _, body, _ = functions.pay("k", **PATHS[field])
    assert body["field"] == field
    assert field.split(".", maxsplit=1)[0] in body["detail"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\nb", "a line break (U+000A)"),
        ("a\rb", "a line break (U+000D)"),
        ("a\u0085b", "a line break (U+0085)"),
        ("a\tb", "a tab (U+0009)"),
        ("a\x00b", "a control character (U+0000)"),
        ("a\u202eb", "a mark that changes the reading direction (U+202E)"),
        ("a\u200fb", "a mark that changes the reading direction (U+200F)"),
        ("\uf8ff", "a private character (U+F8FF)"),
        ("\ufffe", "a code point that is no character (U+FFFE)"),
    ],
)
@pytest.mark.parametrize("field", ["description", "customer.name", "customer.address.city", "metadata"])
def test_a_refused_text_says_which_character_and_field(functions: Functions, text: str, words: str, field: str) -> None:
    changes: dict[str, Any] = {
        "description": {"description": text},
        "customer.name": {"customer": {"name": text}},
        "customer.address.city": {"customer": {"address": {"city": text}}},
        "metadata": {"metadata": {"note": text}},
    }[field]
    _, body, _ = functions.pay("k", **changes)
    assert (body["code"], body["field"]) == ("text_invalid", field)
    assert body["detail"] == f"{field} holds {words}. Remove it."


@pytest.mark.parametrize(
    "text", ["\U0001fae8", "\U0001fae9", "\U0001fadf", "\u0378", "5\ufe0f\u20e3", "\U0001f1ee\U0001f1f3"]
)
def test_an_emoji_that_is_newer_than_python_s_table_is_welcome(functions: Functions, text: str) -> None:
    assert functions.pay("k", description=text)[0] == 202


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ('"metadata":{"caf\\u00e9":"1","cafe\\u0301":"2"}', "metadata"),
        ('"metadata":{"\\u212b":"1","\\u00c5":"2"}', "metadata"),
        ('"\\u00e9":1,"e\\u0301":2', None),
    ],
)
def test_names_that_are_one_in_nfc_are_refused(functions: Functions, raw: str, field: str | None) -> None:
    body = json.dumps(payment_body())[:-1] + "," + raw + "}"
    answer = functions.call("POST", "/payments", raw=body, headers={"Idempotency-Key": "k"})
    check(functions, answer, 400, "malformed_json")
    assert answer[1].get("field") == field


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


CHANGES = [route for route in API_ROUTES if route.method in {"POST", "DELETE"}]


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.operation_id)
def test_a_change_takes_nothing_from_its_address(functions: Functions, route: Route) -> None:
    """An amount there would be ignored, and a refund without an amount returns all that is left."""
    path = route.path.format(transactionId=f"pay_{'a' * 16}", endpointId=f"we_{'a' * 16}", eventId=f"evt_{'a' * 16}_1")
    status, problem, _ = functions.call(
        route.method, path, headers={"Idempotency-Key": "k"}, query={"amount": "500"}, raw=""
    )
    assert (status, problem["code"]) == (400, "parameter_invalid")
    assert "no query parameters" in problem["detail"]


@pytest.mark.parametrize("path", ["/payments", "/events"])
def test_times_in_every_spelling_of_the_standard(functions: Functions, path: str) -> None:
    for text in ("2026-11-01T00:00:00.123456789Z", "2026-11-01t00:00:00z", "2026-11-01T00:00:00.1-05:30"):
        assert functions.call("GET", path, query={"from": text, "to": "2026-11-27T00:00:00+05:30"})[0] == 200
    status, body, _ = functions.call("GET", path, query={"to": "2026-11-27T00:00:00 05:30"})
    assert (status, body["code"], body["field"]) == (400, "parameter_invalid", "to")
    assert "%2B" in body["detail"]
    assert "%2B" not in functions.call("GET", path, query={"to": "2026-11-27"})[1]["detail"]


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
