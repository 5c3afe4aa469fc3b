"""The merchant's and the payer's texts in PayU's fields: its characters and its lengths. Pure.

PayU's hashes join fields with "|", and it refuses special characters (code 237), so they become blanks.
"""

import re
from collections.abc import Mapping
from typing import Final

from payflowx.domain.payments.payment import Address, Customer
from payflowx.domain.providers.ports import ChargeRequest

INVOICE_NUMBER: Final = "payu_invoice_number"
"""Name in the payment's metadata: the invoice number that the merchant's pre-debit notification carried."""

UDFS: Final = ("udf1", "udf2", "udf3", "udf4", "udf5")
"""Names in the payment's metadata that are PayU's own fields for the merchant's purposes."""

_DESCRIPTION_FIELD: Final = "udf2"
_MAX_UDF_CHARS: Final = 255
_MAX_INVOICE_CHARS: Final = 50
_MAX_PRODUCT_CHARS: Final = 100
_MAX_NAME_CHARS: Final = 60
_MAX_ADDRESS_CHARS: Final = 100
_MAX_CITY_CHARS: Final = 50

_SPECIAL: Final = re.compile(r"[^\w .,:/@()-]", re.ASCII)
_EMAIL: Final = re.compile(r"(?=.{3,50}\Z)[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")
_NAME: Final = re.compile(r".*[A-Za-z0-9_.,:/@()-].*", re.DOTALL)
"""A name of which `cleaned` leaves something."""
PAYER_FORMS: Final = {"customer.name": _NAME, "customer.email": _EMAIL}
"""The forms that PayU takes of the payer's facts. `payer_of` leaves out what has another one."""
_PIN_CODE: Final = re.compile(r"[1-9][0-9]{5}")
_INDIA: Final = "IN"
_DIALLING_CODE: Final = "91"
_LOCAL_DIGITS: Final = 10


def cleaned(text: str | None, max_chars: int) -> str:
    """Return the text in PayU's characters, cut to length; empty when nothing is left."""
    return " ".join(_SPECIAL.sub(" ", text or "").split())[:max_chars].strip()


def invoice_number(request: ChargeRequest) -> str:
    """The number that the payer's bank shows; without one of the merchant's, our key."""
    return cleaned(request.metadata.get(INVOICE_NUMBER), _MAX_INVOICE_CHARS) or request.provider_key


def product_of(request: ChargeRequest) -> str:
    return cleaned(request.description, _MAX_PRODUCT_CHARS) or request.provider_key


def udfs_of(request: ChargeRequest) -> dict[str, str]:
    """The merchant's own values by PayU's names; the description where its field is free."""
    texts = {_DESCRIPTION_FIELD: request.description, **_named(request.metadata)}
    kept = {name: cleaned(text, _MAX_UDF_CHARS) for name, text in texts.items()}
    return {name: text for name, text in sorted(kept.items()) if text}


def _named(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: metadata[name] for name in UDFS if name in metadata}


def payer_of(request: ChargeRequest) -> dict[str, str]:
    """E-mail, phone and name, as far as they are known; with a complete address in India, name and address in full."""
    customer = request.customer or Customer()
    facts = {"email": _email(request.receipt_email) or _email(customer.email), "phone": _phone(customer.phone)}
    first, _, last = cleaned(customer.name, _MAX_NAME_CHARS).partition(" ")
    facts["firstname"] = first
    address = _address_of(customer.address)
    if address and last:
        facts |= {"lastname": last, **address}
    return {name: value for name, value in facts.items() if value}


def _address_of(address: Address | None) -> dict[str, str]:
    """The members that a cross-border account requires, or none: a part of them is refused."""
    if address is None or (address.country or "").upper() != _INDIA:
        return {}
    found = {
        "address1": cleaned(address.line1, _MAX_ADDRESS_CHARS),
        "city": cleaned(address.city, _MAX_CITY_CHARS),
        "state": cleaned(address.state, _MAX_CITY_CHARS),
        "country": _INDIA,
        "zipcode": (address.postal_code or "").replace(" ", ""),
    }
    return found if all(found.values()) and _PIN_CODE.fullmatch(found["zipcode"]) else {}


def _email(email: str | None) -> str:
    """The address, or nothing: a part of an address is another one."""
    return email if email and _EMAIL.fullmatch(email) else ""


def _phone(phone: str | None) -> str:
    """Digits only; an Indian number without its country code."""
    digits = re.sub(r"[^0-9]", "", phone or "")
    if len(digits) == len(_DIALLING_CODE) + _LOCAL_DIGITS and digits.startswith(_DIALLING_CODE):
        return digits.removeprefix(_DIALLING_CODE)
    return digits
