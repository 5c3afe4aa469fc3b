"""The search of a request's body for card data, and the refusals. None repeats what was sent."""

import re
from collections.abc import Mapping
from typing import Any, Final

from payflowx.domain.shared.card_data import contains_card_number
from payflowx.domain.shared.card_data_names import card_data_name
from payflowx.domain.shared.errors import Refusal
from payflowx.entrypoints.api.strict_json import NotAnInteger

_PHONE: Final = re.compile(r"\+[0-9]{7,14}")
"""In international form. Numbers of 15 digits are permitted; no country whose numbers begin like a card has them."""

_INSTEAD: Final = "Send a token from the provider's vault instead. Nothing was stored or logged."


def refuse_card_data(body: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raises `Refusal` when card data is anywhere, in a name or a value; it names the field, as far as that is ours.

    `known` are the names of the request's fields, with those inside of them: other names are the client's own texts.
    """
    customer = body.get("customer")
    phone = customer.get("phone") if isinstance(customer, dict) else None
    spared = phone if isinstance(phone, str) and is_phone_number(phone) else None
    _search(body, known, None, spared)


def is_phone_number(text: str) -> bool:
    """Return whether a telephone number may be this one, although it looks like a card's by chance.

    One in ten of 13 digits from +4 does.
    """
    return _PHONE.fullmatch(text) is not None


def _search(value: Any, known: Mapping[str, Any], place: str | None, spared: str | None) -> None:
    if isinstance(value, dict):
        for name, member in value.items():
            inside = (f"{place}.{name}" if place else name) if name in known else place
            if rule := card_data_name(name, _as_text(member)):
                raise card_data_by_name(_field_words(place), rule, place)
            if contains_card_number(name):
                raise card_number(_field_words(place), place)
            _search(member, known.get(name, {}), inside, spared)
    elif isinstance(value, list):
        for member in value:
            _search(member, {}, place, spared)
    elif value is not spared and contains_card_number(_as_text(value)):
        raise card_number(_field_words(place), place)


def _as_text(value: Any) -> str:
    """A text or number as digits would stand in it; empty for all others."""
    if isinstance(value, NotAnInteger):
        value = value.whole_number
    if isinstance(value, int) and not isinstance(value, bool):
        return str(abs(value))
    return value if isinstance(value, str) else ""


def _field_words(place: str | None) -> str:
    return f"The field {place}" if place else "The request"


def card_number(where: str, field: str | None = None) -> Refusal:
    """`where` is a place in words, such as `The field description`."""
    return Refusal("card_data_refused", f"{where} holds what looks like a card number. {_INSTEAD}", field=field)


def card_data_by_name(where: str, rule: str, field: str | None = None) -> Refusal:
    """`rule` is the name, or the name with the values that make it card data; see `card_data_name`."""
    detail = f"{where} has a member with a name of card data: {rule}. {_INSTEAD}"
    return Refusal("card_data_refused", detail, field=field)
