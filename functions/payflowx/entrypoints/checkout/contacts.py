"""The details that a payer types, held to the API's own rules of the same fields and to the provider's."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from payflowx.application.checkout.page import Contact
from payflowx.domain.checkout.offers import Offer, is_taken
from payflowx.domain.payments.payment import FACT_PREFIX
from payflowx.domain.shared.card_data import contains_card_number
from payflowx.domain.shared.text import is_clean
from payflowx.entrypoints.api.card_data_search import is_phone_number
from payflowx.entrypoints.api.payments.types import CustomerRequest

FIELDS: Final = ("name", "email", "phone")
"""The fields of the page's form, in their order."""
_LEFT_OUT: Final = str.maketrans("", "", " -().")
"""Characters that people write in telephone numbers, and that E.164 has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A form as the payer sent it, checked. `errors` maps a field to the name of its sentence."""

    method: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def contact(self) -> Contact:
        """The values of a form without errors."""
        return Contact(**{name: self.values.get(name) or None for name in FIELDS})


def asked_for(offers: tuple[Offer, ...]) -> tuple[str, ...]:
    """Return the fields that one of the offers needs, in the order of the form."""
    return tuple(name for name in FIELDS if any(needs(offer, name) for offer in offers))


def needs(offer: Offer, name: str) -> bool:
    """Return whether the offer's provider needs this field, and the payment lacks it."""
    return f"{FACT_PREFIX}{name}" in offer.missing


def _is_taken(offer: Offer, name: str, value: str) -> bool:
    return is_taken(f"{FACT_PREFIX}{name}", value, offer.forms)


def typed_form(form: Mapping[str, str], offers: tuple[Offer, ...]) -> Typed:
    """Check a form against what the page offers now."""
    method = form.get("method", "")
    chosen = next((offer for offer in offers if offer.method == method), None)
    values = {name: _normalized(name, form.get(name, "")) for name in asked_for(offers)}
    errors = {} if chosen else {"method": "method"}
    for name, value in values.items():
        is_needed = chosen is not None and needs(chosen, name)
        if (value or is_needed) and (error := _error(name, value)):
            errors[name] = error
        elif is_needed and chosen is not None and not _is_taken(chosen, name, value):
            errors[name] = f"{name}_not_taken"
    return Typed(method=method, values=values, errors=errors)


def _normalized(name: str, text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    return text.translate(_LEFT_OUT) if name == "phone" else text


def _error(name: str, value: str) -> str | None:
    """Return the name of the error's sentence; None for a valid value."""
    if contains_card_number(value) and not (name == "phone" and is_phone_number(value)):
        return "card_number"
    try:
        msgspec.convert({name: value}, CustomerRequest, strict=True)
    except msgspec.ValidationError:
        return name
    return None if is_clean(value) and not value.endswith("\n") else name
