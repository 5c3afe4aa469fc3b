"""Checks of requests, in the order of the API's own."""

from collections.abc import Mapping
from typing import Any, Final

from payflowx_client.money import EXPONENTS, MAX_AMOUNT
from payflowx_client.testing.data import DATA, RefusedError
from payflowx_client.testing.spellings import is_allowed

MAX_ENDPOINTS: Final = 5
_MAX_KEY_CHARS: Final = 255


def checked_payment(body: Mapping[str, Any]) -> dict[str, Any]:
    """The request without what says nothing: two requests with the same result ask for the same."""
    _check_fields(body, DATA["requestFields"], DATA["requiredFields"])
    check_amount(body["amount"])
    if body["currency"] not in EXPONENTS or body["currency"] in DATA["withdrawnCurrencies"]:
        raise RefusedError("currency")
    _check_method(body["paymentMethod"])
    if body.get("capture", "automatic") not in {"automatic", "manual"}:
        raise RefusedError("capture")
    if not str(body.get("returnUrl") or "https://").startswith("https://"):
        raise RefusedError("return_url")
    _check_expiry(body)
    for name, usual in DATA["requestFields"].items():
        if usual is not None and body.get(name, usual) is None:
            raise RefusedError("null", field=name)
    return said(_in_one_spelling(body), DATA["requestFields"])


def check_query(given: Mapping[str, list[str]], known: list[str], method: str) -> None:
    """Raises `RefusedError`. A change takes none, and no address one that it does not know."""
    if given and (method != "GET" or not known):
        raise RefusedError("no_query")
    for name, values in given.items():
        if name not in known:
            raise RefusedError("unknown_parameter")
        if len(values) > 1:
            raise RefusedError("parameter_twice", field=name)


def check_cancellation(headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """A key is checked and not used."""
    _check_fields(body, {"idempotencyKey": None}, [])
    if headers.get("idempotency-key") is not None or body.get("idempotencyKey") is not None:
        key_of(headers, body)


def checked_operation(body: Mapping[str, Any]) -> int | None:
    """The amount of a capture or refund; None for all that is left."""
    _check_fields(body, {"amount": None, "idempotencyKey": None}, [])
    if "amount" not in body:
        return None
    check_amount(body["amount"])
    return int(body["amount"])


def check_amount(amount: object) -> None:
    """Raises `RefusedError`."""
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= MAX_AMOUNT:
        raise RefusedError("amount")


def checked_endpoint(body: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The address and the types of events."""
    _check_fields(body, {"url": None, "eventTypes": []}, ["url"])
    url, types = body["url"], body.get("eventTypes") or []
    if not isinstance(url, str) or not is_allowed(url):
        raise RefusedError("url")
    if not isinstance(types, list) or len(set(types)) < len(types) or not set(types) <= set(DATA["eventTypes"]):
        raise RefusedError("event_types")
    return url, types


def key_of(headers: Mapping[str, str], body: Mapping[str, Any]) -> str:
    """The idempotency key, from the header or the body."""
    found = {each for each in (headers.get("idempotency-key"), body.get("idempotencyKey")) if each is not None}
    if not found:
        raise RefusedError("key_required")
    if len(found) > 1:
        raise RefusedError("key_conflict")
    key = found.pop()
    if not isinstance(key, str) or not 1 <= len(key) <= _MAX_KEY_CHARS or any(not "!" <= each <= "~" for each in key):
        raise RefusedError("key_invalid")
    return key


def said(body: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Without nulls, empty objects and defaults; the key is no part of the request."""
    return {
        name: value
        for name, value in body.items()
        if value is not None and value != {} and value != defaults[name] and name != "idempotencyKey"
    }


def _in_one_spelling(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The order of a checkout's methods says nothing, and neither does the time that it has anyway."""
    method, is_usual = body["paymentMethod"], body.get("expiresInSeconds") == DATA["checkout"]["defaultSeconds"]
    spelled = {name: value for name, value in method.items() if value is not None and value != {}}
    if spelled.get("presentation") == "page":
        del spelled["presentation"]
    if "methods" in spelled:
        spelled["methods"] = sorted(spelled["methods"])
    return {**body, "paymentMethod": spelled, **({"expiresInSeconds": None} if is_usual else {})}


def _check_fields(body: Mapping[str, Any], known: Mapping[str, Any], required: list[str]) -> None:
    for name in body:
        if name not in known:
            raise RefusedError("unknown_field", field=name)
    for name in required:
        if name not in body:
            raise RefusedError("field_missing", field=name)


def _check_method(method: object) -> None:
    if not isinstance(method, dict) or not isinstance(method.get("type"), str):
        raise RefusedError("payment_method")
    has_tokens = any(method.get(name) is not None for name in ("token", "tokens"))
    if method["type"] == "checkout":
        _check_checkout(method, has_tokens=has_tokens)
        return
    for name, default in (("methods", None), ("presentation", "page")):
        if method.get(name, default) != default:
            raise RefusedError("only_checkout_method", field=f"paymentMethod.{name}")
    if (method.get("token") is None) == (method.get("tokens") is None):
        raise RefusedError("payment_method")


def _check_checkout(method: Mapping[str, Any], *, has_tokens: bool) -> None:
    rules, methods = DATA["checkout"], method.get("methods")
    if has_tokens:
        raise RefusedError("checkout_token")
    if methods is not None and not _is_choice(methods, rules["methods"]):
        raise RefusedError("checkout_methods")
    if method.get("presentation", "page") not in rules["presentations"]:
        raise RefusedError("checkout_presentation")


def _is_choice(found: object, known: list[str]) -> bool:
    """Some of the known ones, each at most once."""
    if not isinstance(found, list) or not found:
        return False
    return all(each in known for each in found) and len(set(found)) == len(found)


def _check_expiry(body: Mapping[str, Any]) -> None:
    rules, seconds = DATA["checkout"], body.get("expiresInSeconds")
    if body["paymentMethod"]["type"] != "checkout":
        if seconds is not None:
            raise RefusedError("only_checkout_expiry")
        return
    if body.get("initiator") not in {None, "customer"}:
        raise RefusedError("checkout_initiator")
    if body.get("savePaymentMethod"):
        raise RefusedError("checkout_saves")
    if seconds is None:
        return
    is_integer = isinstance(seconds, int) and not isinstance(seconds, bool)
    if not is_integer or not rules["minSeconds"] <= seconds <= rules["maxSeconds"]:
        raise RefusedError("checkout_expiry")
