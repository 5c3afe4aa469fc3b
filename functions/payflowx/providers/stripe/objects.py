"""Reads the parts that Stripe's objects have in common. Pure."""

import re
from typing import Any, Final

from payflowx.domain.shared.transport import HttpResponse
from payflowx.providers.json_fields import as_object, as_text, json_object
from payflowx.providers.stripe.fields import KEY_FIELD

_CURRENCY: Final = re.compile(r"[a-z]{3}")
_MAX_ITEMS: Final = 100


def our_key(thing: dict[str, Any]) -> str | None:
    """The provider key in the metadata of an intent, a charge or a refund."""
    key = as_object(thing.get("metadata")).get(KEY_FIELD)
    return key if isinstance(key, str) else None


def currency_of(thing: dict[str, Any]) -> str:
    """The ISO 4217 code in capitals. Raises ValueError for anything else."""
    code = as_text(thing.get("currency"))
    if not _CURRENCY.fullmatch(code):
        raise ValueError("not a currency")
    return code.upper()


def is_object(thing: dict[str, Any], kind: str) -> bool:
    """Whether the object's `object` field names this type."""
    return thing.get("object") == kind


def items_of(response: HttpResponse) -> list[dict[str, Any]]:
    """The objects of a list. Raises ValueError for anything else."""
    items = json_object(response).get("data")
    if not isinstance(items, list) or len(items) > _MAX_ITEMS or not all(isinstance(item, dict) for item in items):
        raise ValueError("data is no list of objects")
    return items
