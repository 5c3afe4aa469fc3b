"""Stripe's form parameters: parsed by type, refused with Stripe's errors."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.http_types import Reply, json_reply
from sandbox.store import Record

Checker = Callable[[str, Any], Any]
_CURRENCY_NAMES: Final = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad
cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd
hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl
mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg
qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah
ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
_CURRENCIES: Final = frozenset(_CURRENCY_NAMES.split())
_MINIMA: Final = {"usd": 50, "eur": 50, "gbp": 30, "inr": 50, "aud": 50, "cad": 50, "sgd": 50, "chf": 50, "jpy": 50}
_THREE_DECIMALS: Final = {"bhd", "jod", "kwd", "omr", "tnd"}
_MAX_AMOUNT: Final = 99_999_999


class RefusedError(Exception):
    """An error answer. `began`: execution had begun, so the answer is stored under the key."""

    def __init__(self, reply: Reply, *, began: bool = False) -> None:
        super().__init__()
        self.reply = reply
        self.began = began


def text(longest: int = 5000) -> Checker:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise refused(f"Invalid string: {value}", param=name)
        if not value:
            raise refused(
                f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; "
                f"however '{name}' cannot be unset.",
                code="parameter_invalid_empty",
                param=name,
            )
        if len(value) > longest:
            raise refused(f"Invalid string: {value[:20]}...; must be at most {longest} characters", param=name)
        return value

    return check


def enum(*choices: str) -> Checker:
    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise refused(f"Invalid {name}: must be one of {', '.join(choices)}", param=name)
        return str(value)

    return check


def integer(name: str, value: Any) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise refused(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    return int(value)


def boolean(name: str, value: Any) -> bool:
    if value not in ("true", "false"):
        raise refused(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def limit(name: str, value: Any) -> int:
    limit = integer(name, value)
    if not 1 <= limit <= 100:
        raise refused("The limit must be between 1 and 100.", param=name)
    return limit


def texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise refused("Invalid array", param=name)
    return [text()(f"{name}[{index}]", item) for index, item in enumerate(value)]


def expand(name: str, value: Any) -> list[str]:
    """Lists put `data.` in front. Only charges and the sources of balance transactions can be expanded here."""
    found = [item.removeprefix("data.") for item in texts(name, value)]
    for item in found:
        if item not in {"latest_charge", "source"}:
            raise refused(f"This property cannot be expanded ({item}).", param=name)
    return found


def any_object(name: str, value: Any) -> Record:
    """Any object: Stripe has this parameter, and the simulator does not read its members."""
    if not isinstance(value, dict):
        raise refused("Invalid object", param=name)
    return value


def shipping(name: str, value: Any) -> Record:
    """An address and a name: one without the other is refused."""
    lines = dict.fromkeys(("line1", "line2", "city", "state", "postal_code", "country"), text())
    known: dict[str, Checker] = {
        "address": lambda full, given: check(any_object(full, given), lines, within=full),
        **dict.fromkeys(("name", "phone", "carrier", "tracking_number"), text()),
    }
    return check(any_object(name, value), known, ("address", "name"), within=name)


def metadata(name: str, value: Any) -> dict[str, str]:
    if value == "":
        return {}
    found = any_object(name, value)
    if len(found) > 50:
        raise refused("Metadata can have up to 50 keys.", param=name)
    for key, item in found.items():
        if not isinstance(item, str):
            raise refused(f"Invalid string: {item}", param=f"{name}[{key}]")
        if len(key) > 40:
            raise refused("Metadata keys can have up to 40 characters.", param=f"{name}[{key}]")
        if len(item) > 500:
            raise refused("Metadata values can have up to 500 characters.", param=f"{name}[{key}]")
    return {key: item for key, item in found.items() if item}


def off_session(name: str, value: Any) -> bool:
    return True if value in ("one_off", "recurring") else boolean(name, value)


def currency(name: str, value: Any) -> str:
    if value not in _CURRENCIES:
        raise refused(f"Invalid currency: {value}. Stripe wants a supported code in lower case.", param=name)
    return str(value)


def automatic(name: str, value: Any) -> Record:
    known: dict[str, Checker] = {"enabled": boolean, "allow_redirects": enum("always", "never")}
    found = check(any_object(name, value), known, ("enabled",), within=name)
    return {"allow_redirects": "always", **found}


def created(name: str, value: Any) -> Record:
    if isinstance(value, str):
        at = integer(name, value)
        return {"gte": at, "lte": at}
    return check(any_object(name, value), dict.fromkeys(("gt", "gte", "lt", "lte"), integer), within=name)


def nest(pairs: Any) -> Record:
    """Parse `metadata[a]=1`, `expand[]=b` and `expand[0]=b` into objects and arrays; the last repeated name counts."""
    nested: Record = {}
    for name, value in pairs:
        parts = re.findall(r"^[^\[\]]+|\[[^\[\]]*\]", name)
        if "".join(parts) != name or not parts:
            raise refused(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
        keys, place = [part.strip("[]") for part in parts], nested
        for key in keys[:-1]:
            inner = place.setdefault(key, {})
            if not isinstance(inner, dict):
                raise refused(f"Invalid object: {name}", param=keys[0])
            place = inner
        place[keys[-1] or str(len(place))] = value
    return {name: _listed(value) for name, value in nested.items()}


def _listed(value: Any) -> Any:
    """An object with the keys 0, 1, 2... becomes an array."""
    if isinstance(value, dict) and list(value) == [str(index) for index in range(len(value))]:
        return [_listed(item) for item in value.values()]
    return value


def check(form: Record, known: Mapping[str, Checker], required: tuple[str, ...] = (), within: str = "") -> Record:
    """Parse the values by type. Raises for unknown, missing and wrongly typed parameters."""
    full: Callable[[str], str] = lambda name: f"{within}[{name}]" if within else name  # noqa: E731
    for name in form:
        if name not in known:
            message = f"Received unknown parameter: {full(name)}"
            raise refused(message, code="parameter_unknown", param=full(name))
    for name in required:
        if name not in form:
            raise refused(f"Missing required param: {full(name)}.", code="parameter_missing", param=full(name))
    return {name: known[name](full(name), value) for name, value in form.items()}


def require_positive(name: str, amount: int) -> None:
    if amount < 1:
        message = f"This value must be greater than or equal to 1. ({name})"
        raise refused(message, code="parameter_invalid_integer", param=name)


def require_amount(amount: int, currency: str) -> None:
    """Check the amount of a payment in minor units."""
    require_positive("amount", amount)
    if amount > _MAX_AMOUNT:
        raise refused("Amount must be no more than 999,999.99", code="amount_too_large", param="amount")
    if amount < _MINIMA.get(currency, 1):
        message = f"Amount must be at least {_MINIMA[currency]} in the smallest unit of {currency}"
        raise refused(message, code="amount_too_small", param="amount")
    if currency in _THREE_DECIMALS and amount % 10:
        raise refused(f"Invalid amount: the last digit must be 0 for {currency}.", param="amount")


def refused(message: str, **more: Any) -> RefusedError:
    """A parameter error: execution has not begun."""
    return RefusedError(error_reply(400, "invalid_request_error", message, **more))


def error_reply(status: int, kind: str, message: str, **more: Any) -> Reply:
    return json_reply(status, {"error": {"type": kind, "message": message, **more}})
