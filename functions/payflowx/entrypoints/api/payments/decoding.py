"""From the raw request to a validated command. The order matters: card data is looked for before anything is said."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from payflowx.application.payments.create_payment import NewPayment
from payflowx.domain.payments.payment import Address, Customer, PaymentMethod
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import (
    MAX_AMOUNT,
    MAX_FREE_TEXT_BYTES,
    MAX_METADATA_KEYS,
    MAX_STATEMENT_DESCRIPTOR_SUFFIX_CHARS,
)
from payflowx.domain.shared.money import is_currency
from payflowx.domain.shared.statuses import CaptureMode, Initiator
from payflowx.domain.shared.text import is_clean
from payflowx.domain.shared.urls import why_not_allowed
from payflowx.entrypoints.api.payments.types import CreatePaymentRequest, CustomerRequest
from payflowx.entrypoints.api.requests import ApiRequest, idempotency_key, refuse_card_data
from payflowx.entrypoints.api.strict_json import decode_json_object

FINGERPRINT_FORMAT: Final = 1

T = TypeVar("T")

_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`$")
_UNKNOWN: Final = re.compile(r"contains unknown field `(?P<name>[^`]*)`")
_MISSING: Final = re.compile(r"missing required field `(?P<name>[^`]*)`")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")

_RULES: Final[Mapping[str, tuple[str, str]]] = {
    "amount": (
        "amount_invalid",
        f"amount must be a JSON integer from 1 to {MAX_AMOUNT}, in the currency's minor unit; no text, no fraction.",
    ),
    "currency": ("currency_invalid", "currency must be an ISO 4217 code in capitals, such as INR or USD."),
    "paymentMethod": (
        "payment_method_invalid",
        (
            "paymentMethod must be {type, token} or {type, tokens: {provider: token}}; "
            "tokens have 1 to 255 printable ASCII characters."
        ),
    ),
    "metadata": (
        "metadata_invalid",
        f"metadata must be an object of at most {MAX_METADATA_KEYS} texts: names up to 40 characters, values to 500.",
    ),
    "idempotencyKey": ("idempotency_key_invalid", "idempotencyKey must be a text of 1 to 255 characters."),
    "returnUrl": ("url_not_allowed", "returnUrl must be a public https URL of at most 2048 characters."),
    "capture": ("field_invalid", "capture must be automatic or manual."),
    "description": ("text_invalid", "description must be a text of at most 500 characters."),
    "customer": (
        "field_invalid",
        (
            "customer takes id, name, email, phone (E.164, such as +919812345678), country (two capitals) and address "
            "(line1, line2, city, state, postalCode, country)."
        ),
    ),
    "statementDescriptorSuffix": (
        "field_invalid",
        (
            f"statementDescriptorSuffix must have 1 to {MAX_STATEMENT_DESCRIPTOR_SUFFIX_CHARS} characters of printable "
            "ASCII, at least one letter, and none of < > \\ ' \" *."
        ),
    ),
    "receiptEmail": ("field_invalid", "receiptEmail must be an e-mail address of at most 254 characters."),
    "initiator": ("field_invalid", "initiator must be customer or merchant."),
    "savePaymentMethod": ("field_invalid", "savePaymentMethod must be true or false."),
}


def decode_new_payment(request: ApiRequest) -> NewPayment:
    """Raises `Refusal` with the precise code; nothing of the request is repeated in it."""
    request.check_path_and_query()
    request.check_headers()
    body = normalized(decode_json_object(request.body()))
    refuse_card_data(body)
    key = idempotency_key(request.headers("idempotency-key"), key_in(body))
    typed = converted(body, CreatePaymentRequest)
    _check(typed)
    without_key = {name: value for name, value in body.items() if name != "idempotencyKey"}
    return _command(request.merchant_id, key, fingerprint("POST", "/payments", without_key), typed)


def fingerprint(method: str, path: str, body: Mapping[str, Any]) -> str:
    """Identifies a request's content: method, path and body without the key. Order and white space do not matter."""
    content = json.dumps([FINGERPRINT_FORMAT, method, path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def key_in(body: Mapping[str, Any]) -> str | None:
    """The idempotency key of the body, if there is one."""
    key = body.get("idempotencyKey")
    if key is not None and not isinstance(key, str):
        raise Refusal(*_RULES["idempotencyKey"], field="idempotencyKey")
    return key


def normalized(value: Any) -> Any:
    """Texts in NFC: what looks the same is the same."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {unicodedata.normalize("NFC", name): normalized(member) for name, member in value.items()}
    if isinstance(value, list):
        return [normalized(member) for member in value]
    return value


def converted(body: Mapping[str, Any], to: type[T]) -> T:
    """The typed request; raises `Refusal` with the precise code."""
    try:
        return msgspec.convert(body, to, strict=True)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None  # the library's text may repeat the request


def _refusal(message: str) -> Refusal:
    """The library's finding in our words: its place names the rule, its values stay unsaid."""
    found = _PLACE.search(message)
    place = found["path"].split(".")[0].split("[")[0] if found else ""
    if unknown := _UNKNOWN.search(message):
        name = unknown["name"]
        named = f"The field {name} is" if _PLAIN_NAME.fullmatch(name) else "A field is"
        inside = f" in {place}" if place in _RULES else ""
        return Refusal(
            "unknown_field",
            f"{named} not known{inside}. Remove it, or see /openapi.json.",
            field=place or None,
        )
    if missing := _MISSING.search(message):
        name = f"{place}.{missing['name']}" if place else missing["name"]
        return Refusal("field_missing", f"The field {name} is required.", field=name)
    code, detail = _RULES.get(place, ("field_invalid", "A field has the wrong type or value; see /openapi.json."))
    return Refusal(code, detail, field=place or None)


def _check(typed: CreatePaymentRequest) -> None:
    """Check the rules that a schema cannot express."""
    if not is_currency(typed.currency):
        _refuse("currency", "The currency is not an active one of ISO 4217.")
    method = typed.payment_method
    if (method.token is None) == (not method.tokens):
        _refuse("paymentMethod", "Send either token or tokens, not both.")
    tokens = method.tokens or {}
    # The decoder's $ lets a final line break pass, which the document's $ does not.
    if not all(is_clean(text) for text in [method.type, method.token or "", *tokens.keys(), *tokens.values()]):
        _refuse("paymentMethod", _RULES["paymentMethod"][1])
    if Initiator(typed.initiator) is Initiator.MERCHANT and typed.save_payment_method:
        _refuse("savePaymentMethod", "A merchant charges a payment method that is saved already; leave this out.")
    texts = list(_free_texts(typed))
    for field, text in texts:
        if not is_clean(text):
            detail = "A text holds control characters or marks that change the reading direction."
            raise Refusal("text_invalid", detail, field=field)
    if typed.return_url is not None and (fault := why_not_allowed(typed.return_url)):
        _refuse("returnUrl", f"The return URL is not allowed: {fault}.")
    size = sum(len(text.encode()) for _, text in [*texts, ("returnUrl", typed.return_url or "")])
    if size > MAX_FREE_TEXT_BYTES:
        raise Refusal(
            "text_too_large",
            "Customer, receiptEmail, metadata, description, statementDescriptorSuffix and URLs may have "
            f"{MAX_FREE_TEXT_BYTES} bytes together, not {size}.",
        )


def _free_texts(typed: CreatePaymentRequest) -> Iterator[tuple[str, str]]:
    """The texts that a person may have written, each with the name of its field."""
    given = msgspec.to_builtins(typed)
    for field in ("description", "statementDescriptorSuffix", "receiptEmail"):
        yield field, given[field] or ""
    customer = given["customer"] or {}
    address = customer.pop("address", None) or {}
    yield from ((f"customer.{name}", value or "") for name, value in customer.items())
    yield from ((f"customer.address.{name}", value or "") for name, value in address.items())
    for name, value in (given["metadata"] or {}).items():
        yield from (("metadata", name), ("metadata", value))


def _refuse(field: str, detail: str) -> NoReturn:
    raise Refusal(_RULES[field][0], detail, field=field)


def _command(merchant_id: str, key: str, content: str, typed: CreatePaymentRequest) -> NewPayment:
    method = typed.payment_method
    return NewPayment(
        merchant_id=merchant_id,
        idempotency_key=key,
        fingerprint=content,
        amount=typed.amount,
        currency=typed.currency,
        capture=CaptureMode(typed.capture),
        payment_method=PaymentMethod(type=method.type, token=method.token, tokens=method.tokens or {}),
        customer=_customer(typed.customer) if typed.customer else None,
        description=typed.description,
        metadata=typed.metadata or {},
        statement_descriptor_suffix=typed.statement_descriptor_suffix,
        receipt_email=typed.receipt_email,
        initiator=Initiator(typed.initiator),
        save_payment_method=typed.save_payment_method,
        return_url=typed.return_url,
    )


def _customer(given: CustomerRequest) -> Customer:
    lines = msgspec.structs.asdict(given.address) if given.address else {}
    address = Address(**lines) if any(lines.values()) else None
    return Customer(**msgspec.structs.asdict(given) | {"address": address})
