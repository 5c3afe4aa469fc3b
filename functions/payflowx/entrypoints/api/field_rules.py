"""The rule of each field in words, with the code of its refusal."""

from collections.abc import Mapping
from typing import Final

from payflowx.domain.payments.checkout import MAX_LIFETIME_SECONDS, MIN_LIFETIME_SECONDS
from payflowx.domain.shared.limits import (
    MAX_AMOUNT,
    MAX_METADATA_KEYS,
    MAX_ORDER_ID_CHARS,
    MAX_STATEMENT_DESCRIPTOR_SUFFIX_CHARS,
)

_COUNTRY: Final = "must be an ISO 3166-1 code of two capitals, such as IN."

RULES: Final[Mapping[str, tuple[str, str]]] = {
    "amount": (
        "amount_invalid",
        f"amount must be a JSON integer from 1 to {MAX_AMOUNT}, in the currency's minor unit; no text, no fraction.",
    ),
    "currency": ("currency_invalid", "currency must be an ISO 4217 code in capitals, such as INR or USD."),
    "paymentMethod": (
        "payment_method_invalid",
        (
            "paymentMethod must be {type, token} or {type, tokens: {provider: token}}; "
            "tokens have 1 to 255 printable ASCII characters. For a payer who is present: {type: checkout}."
        ),
    ),
    "paymentMethod.methods": (
        "payment_method_invalid",
        "paymentMethod.methods must be a list of card, upi, netbanking and wallet, each at most once, for a checkout.",
    ),
    "paymentMethod.presentation": (
        "payment_method_invalid",
        "paymentMethod.presentation must be page or direct, for a checkout.",
    ),
    "expiresInSeconds": (
        "field_invalid",
        f"expiresInSeconds must be an integer from {MIN_LIFETIME_SECONDS} to {MAX_LIFETIME_SECONDS}, for a checkout.",
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
    "customer.email": ("field_invalid", "customer.email must be an e-mail address of at most 254 characters."),
    "customer.phone": (
        "field_invalid",
        "customer.phone must be in E.164: a plus and 7 to 15 digits, such as +919812345678.",
    ),
    "customer.country": ("field_invalid", f"customer.country {_COUNTRY}"),
    "customer.address.country": ("field_invalid", f"customer.address.country {_COUNTRY}"),
    "statementDescriptorSuffix": (
        "field_invalid",
        (
            f"statementDescriptorSuffix must have 1 to {MAX_STATEMENT_DESCRIPTOR_SUFFIX_CHARS} characters of printable "
            "ASCII, at least one letter, and none of < > \\ ' \" *."
        ),
    ),
    "receiptEmail": ("field_invalid", "receiptEmail must be an e-mail address of at most 254 characters."),
    "initiator": ("field_invalid", "initiator must be customer or merchant."),
    "orderId": (
        "field_invalid",
        f"orderId must have 1 to {MAX_ORDER_ID_CHARS} printable characters, and no space at its ends.",
    ),
    "oncePerOrder": ("field_invalid", "oncePerOrder must be true or false, and is false only beside an orderId."),
    "savePaymentMethod": ("field_invalid", "savePaymentMethod must be true or false."),
}
"""By a field's path. The rule of the field that it is in stands for a path that is not listed."""


def rule_of(path: str) -> tuple[str, str]:
    """Return the code and the sentence for a field's path, such as `customer.email`."""
    while path:
        if path in RULES:
            return RULES[path]
        path = path.rpartition(".")[0]
    return "field_invalid", "A field has the wrong type or value; see /openapi.json."
