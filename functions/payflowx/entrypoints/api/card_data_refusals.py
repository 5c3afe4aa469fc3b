"""Refusals of card data. None repeats what was sent."""

from typing import Final

from payflowx.domain.shared.errors import Refusal

_INSTEAD: Final = "Send a token from the provider's vault instead. Nothing was stored or logged."


def card_number(where: str, field: str | None = None) -> Refusal:
    """`where` is a place in words, such as `The field description`."""
    return Refusal("card_data_refused", f"{where} holds what looks like a card number. {_INSTEAD}", field=field)


def card_data_by_name(where: str, rule: str, field: str | None = None) -> Refusal:
    """`rule` is the name, or the name with the values that make it card data; see `card_data_name`."""
    detail = f"{where} has a member with a name of card data: {rule}. {_INSTEAD}"
    return Refusal("card_data_refused", detail, field=field)
