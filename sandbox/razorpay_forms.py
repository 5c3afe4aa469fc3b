"""Razorpay's request fields and error answers: parsed by type, refused with Razorpay's texts."""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.http_types import Reply, Request, html_reply, json_reply
from sandbox.store import Record

Check = Callable[[str, Any], None]
MANUAL_EXPIRY_SECONDS: Final = 3 * 24 * 3600
"""The time until an authorized payment is returned, unless its order has another one."""
_REFUND_KEY: Final = re.compile(r"[A-Za-z0-9_-]{10,}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CONTACT: Final = re.compile(r"\+?[0-9]{8,15}")
_CURRENCIES: Final = frozenset({"INR", "USD", "EUR", "GBP", "SGD", "AED", "AUD", "CAD", "JPY", "KWD", "BHD", "OMR"})
_THREE_DECIMALS: Final = frozenset({"KWD", "BHD", "OMR"})
_MIN_INR: Final = 100


class RefusedError(Exception):
    """An answer that ends the request, without effect."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


# -- requests


def body_of(request: Request) -> Record:
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise RefusedError(error_reply(400, "The content type must be application/json"))
    return request.json()


def content_of(request: Request) -> str:
    return hashlib.sha256(request.path.encode() + b"\n" + request.body).hexdigest()


def check(body: Record, known: Mapping[str, Check], required: tuple[str, ...]) -> None:
    """Unknown fields are refused, as Razorpay does."""
    extra = [name for name in body if name not in known]
    if extra:
        verb = "is/are not required and should not be sent"
        raise RefusedError(error_reply(400, f"{', '.join(extra)} {verb}"))
    for name in required:
        if name not in body:
            raise invalid(name, f"The {name.replace('_', ' ')} field is required.")
    for name, value in body.items():
        known[name](name, value)


def amount(name: str, value: Any) -> None:
    if type(value) is not int:
        raise invalid(name, f"The {name} must be an integer.")


def check_amount(amount: int, currency: str) -> None:
    least = _MIN_INR if currency == "INR" else 1
    if amount < least:
        text = "The amount must be at least INR 1.00." if currency == "INR" else "The amount must be at least 1."
        raise invalid("amount", text)
    if currency in _THREE_DECIMALS and amount % 10:
        raise invalid("amount", f"The last digit of an amount in {currency} must be 0.")


def currency(name: str, value: Any) -> None:
    if value not in _CURRENCIES:
        raise RefusedError(error_reply(400, "The currency is not supported.", reason="invalid_currency", field=name))


def text(longest: int = 255) -> Check:
    def check(name: str, value: Any) -> None:
        if type(value) is not str or not value:
            raise invalid(name, f"The {name} must be a string.")
        if len(value) > longest:
            raise invalid(name, f"The {name} may not be greater than {longest} characters.")

    return check


def like(pattern: re.Pattern[str], reason: str) -> Check:
    def check(name: str, value: Any) -> None:
        if type(value) is not str or not pattern.fullmatch(value):
            raise RefusedError(error_reply(400, f"The {name} format is invalid.", reason=reason, field=name))

    return check


def one_of(*choices: object) -> Check:
    def check(name: str, value: Any) -> None:
        if not any(value == choice and type(value) is type(choice) for choice in choices):
            raise invalid(name, f"The selected {name} is invalid.")

    return check


def any_object(name: str, value: Any) -> None:
    if type(value) is not dict:
        raise invalid(name, f"The {name} must be an object.")


def notes(name: str, value: Any) -> None:
    if value == []:
        return
    any_object(name, value)
    if len(value) > 15:
        raise invalid(name, "Number of fields in notes should be less than or equal to 15.")
    for key, text in value.items():
        if type(text) is not str or len(key) > 256 or len(text) > 256:
            raise invalid(name, "Keys and values of notes must be strings of at most 256 characters.")


def card(name: str, value: Any) -> None:
    """A saved card needs at most its CVV; a card number is refused."""
    any_object(name, value)
    check(value, {"cvv": text(4)}, ())


BOOLEAN: Final = one_of(True, False)  # noqa: FBT003 - the two values themselves
ORDER_FIELDS: Final[Mapping[str, Check]] = {
    "amount": amount,
    "currency": currency,
    "receipt": text(40),
    "notes": notes,
    "partial_payment": one_of(False),  # noqa: FBT003 - to be paid in parts is a feature of some accounts
    "payment": any_object,
    "payment_capture": one_of(True, False, 0, 1),  # noqa: FBT003 - the older spelling
    "notification": any_object,
}
NOTIFICATION_FIELDS: Final[Mapping[str, Check]] = {"token_id": text(), "payment_after": amount}
CAPTURE_FIELDS: Final[Mapping[str, Check]] = {
    "capture": one_of("automatic", "manual"),
    "capture_options": any_object,
}
CAPTURE_OPTIONS: Final[Mapping[str, Check]] = {
    "automatic_expiry_period": amount,
    "manual_expiry_period": amount,
    "refund_speed": one_of("normal", "optimum"),
}
PAYMENT_FIELDS: Final[Mapping[str, Check]] = {
    "amount": amount,
    "currency": currency,
    "email": like(_EMAIL, "invalid_email"),
    "contact": like(_CONTACT, "invalid_mobile_number"),
    "order_id": text(),
    "customer_id": text(),
    "description": text(),
    "notes": notes,
}
RECURRING_FIELDS: Final[Mapping[str, Check]] = {
    **PAYMENT_FIELDS,
    "token": text(),
    "recurring": one_of(True),  # noqa: FBT003 - nothing else makes sense
}
PRESENCE_FIELDS: Final[Mapping[str, Check]] = {"ip": text(45), "user_agent": text(1000), "referer": text(1000)}
CARD_FIELDS: Final[Mapping[str, Check]] = {
    **PAYMENT_FIELDS,
    **PRESENCE_FIELDS,
    "method": one_of("card"),
    "token": text(),
    "card": card,
}
UPI_FIELDS: Final[Mapping[str, Check]] = {
    **PAYMENT_FIELDS,
    **PRESENCE_FIELDS,
    "method": one_of("upi"),
    "upi": any_object,
}
REFUND_FIELDS: Final[Mapping[str, Check]] = {
    "amount": amount,
    "speed": one_of("normal", "optimum"),
    "notes": notes,
    "receipt": text(40),
}


def capture_settings(body: Record) -> Record:
    payment = body.get("payment", {})
    check(payment, CAPTURE_FIELDS, ("capture",) if payment else ())
    options = payment.get("capture_options", {})
    check(options, CAPTURE_OPTIONS, ())
    automatic, manual = options.get("automatic_expiry_period"), options.get("manual_expiry_period")
    if automatic is not None and automatic < 12:
        raise invalid("automatic_expiry_period", "The automatic expiry period must be at least 12.")
    if manual is not None and manual < (automatic or 1):
        raise invalid("manual_expiry_period", "The manual expiry period may not be shorter than the automatic one.")
    older = "automatic" if body.get("payment_capture", True) else "manual"
    return {
        "capture": payment.get("capture", older),
        "automatic_expiry": None if automatic is None else automatic * 60,
        "manual_expiry": MANUAL_EXPIRY_SECONDS if manual is None else manual * 60,
    }


def check_refund_key(key: str) -> None:
    if len(key) < 10:
        raise RefusedError(blank_error(400, "The idempotency key must be at least 10 characters long."))
    if not _REFUND_KEY.fullmatch(key):
        text = "The idempotency key must only contain alphanumeric characters, underscores, and hyphens"
        raise RefusedError(blank_error(400, text))


def replay(stored: Record, content: str, now: float) -> Reply:
    if stored["content"] != content:
        text = "Different request with the same idempotency key has already been processed."
        raise RefusedError(blank_error(400, text))
    if now < stored["busy_until"]:
        text = "Another request with the same idempotency key is still in progress."
        raise RefusedError(blank_error(409, text))
    return Reply(status=200, body=stored["body"].encode(), headers={"content-type": "application/json"})


def check_query(query: Mapping[str, str], known: set[str]) -> None:
    extra = [name for name in query if name not in known]
    if extra:
        raise RefusedError(error_reply(400, f"{', '.join(extra)} is/are not required and should not be sent"))


def number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,13}", text):
        raise invalid(name, f"The {name} must be an integer.")
    return int(text)


def page_of_list(records: list[Record], query: Mapping[str, str], *, most: int) -> list[Record]:
    count, skip = number(query, "count", 10), number(query, "skip", 0)
    if not 1 <= count <= most:
        raise invalid("count", f"The count must be between 1 and {most}.")
    return records[skip : skip + count]


# -- answers


def simple_page(text: str) -> Reply:
    return html_reply(200, f"<html><body>{text}</body></html>")


def collection(items: list[Record]) -> Reply:
    return json_reply(200, {"entity": "collection", "count": len(items), "items": items})


def invalid(field: str, text: str) -> RefusedError:
    return RefusedError(error_reply(400, text, field=field))


def missing(field: str | None = None) -> Reply:
    return error_reply(400, "The id provided does not exist", field=field)


def not_found() -> Reply:
    """Razorpay's answer for an address, a method or a feature that the account does not have."""
    return blank_error(400, "The requested URL was not found on the server.")


def already_paid() -> Reply:
    text = "Your payment has been declined as the order is already paid. Please initiate the payment with a new order."
    return error_reply(400, text, reason="order_already_paid")


def rate_limited() -> Reply:
    return blank_error(429, "Request failed. Please try after sometime.")


def blank_error(status: int, text: str) -> Reply:
    """A request refused before execution has no source, step or reason."""
    return error_reply(status, text, reason="NA", source="NA", step="NA")


def error_reply(
    status: int,
    text: str,
    *,
    code: str = "BAD_REQUEST_ERROR",
    reason: str = "input_validation_failed",
    source: str = "business",
    step: str = "payment_initiation",
    field: str | None = None,
    metadata: Record | None = None,
) -> Reply:
    error = {
        "code": code,
        "description": text,
        "source": source,
        "step": step,
        "reason": reason,
        "metadata": metadata or {},
        **({"field": field} if field else {}),
    }
    return json_reply(status, {"error": error})
