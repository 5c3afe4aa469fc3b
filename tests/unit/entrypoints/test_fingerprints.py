"""Fingerprints are stored for ever: a later release must give the same ones."""

from typing import Any, Final

import pytest

from payflowx.entrypoints.api.bodies import converted
from payflowx.entrypoints.api.payments.fingerprints import content_fingerprint, fingerprint
from payflowx.entrypoints.api.payments.types import CreatePaymentRequest

SMALL: Final = {"amount": 1999, "currency": "USD", "paymentMethod": {"type": "card", "token": "tok_success"}}
LARGE: Final = {
    **SMALL,
    "capture": "manual",
    "customer": {"id": "c-1", "email": "ada@example.com", "address": {"city": "Pune", "postalCode": "411001"}},
    "description": "Caf\u00e9",
    "metadata": {"order": "7", "a": ""},
    "returnUrl": "https://shop.example.com/",
    "statementDescriptorSuffix": "ORDER 7",
    "receiptEmail": "ada@example.com",
    "initiator": "merchant",
}


def content_of(body: dict[str, Any]) -> str:
    return content_fingerprint(converted(body, CreatePaymentRequest))


def test_stored_fingerprints_are_those_of_today() -> None:
    """A change of these texts makes every repeat of a stored request look like another request."""
    assert content_of(SMALL) == "2:7d5042624091eda5b4f905dbb1a6ada6"
    assert content_of(LARGE) == "2:c2143905d5c04759660e7c2f232f9050"
    assert fingerprint("POST", "/payments", SMALL) == "66a7b7275d4fbfe0a664f2878272651e9fe652dec7f79293e5438f970bfda3f0"


@pytest.mark.parametrize("name", [name for name in LARGE if name not in {"amount", "currency", "paymentMethod"}])
def test_every_field_is_part_of_the_fingerprint(name: str) -> None:
    without = {key: value for key, value in LARGE.items() if key != name}
    assert content_of(without) != content_of(LARGE)


def test_the_key_is_no_part_of_it_and_values_that_differ_in_type_only_are_not_mixed_up() -> None:
    assert content_of({**SMALL, "idempotencyKey": "k"}) == content_of(SMALL)
    assert content_of({**SMALL, "amount": 1}) != content_of({**SMALL, "amount": 2})
    assert content_of({**SMALL, "metadata": {"a": ""}}) != content_of(SMALL)
    assert content_of({**SMALL, "savePaymentMethod": True}) != content_of(SMALL)


CHECKOUT: Final = {**SMALL, "paymentMethod": {"type": "checkout", "methods": ["card", "upi"]}}


@pytest.mark.parametrize(
    "spelling",
    [
        {"expiresInSeconds": 86_400},
        {"expiresInSeconds": None},
        {"paymentMethod": {"type": "checkout", "methods": ["upi", "card"]}},
        {"paymentMethod": {"type": "checkout", "methods": ["card", "upi"], "presentation": "page"}},
    ],
)
def test_spellings_of_one_checkout_are_one_request(spelling: dict[str, Any]) -> None:
    assert content_of({**CHECKOUT, **spelling}) == content_of(CHECKOUT)


@pytest.mark.parametrize(
    "change",
    [
        {"expiresInSeconds": 86_401},
        {"paymentMethod": {"type": "checkout", "methods": ["card"]}},
        {"paymentMethod": {"type": "checkout"}},
        {"paymentMethod": {"type": "checkout", "methods": ["card", "upi"], "presentation": "direct"}},
    ],
)
def test_other_checkouts_are_other_requests(change: dict[str, Any]) -> None:
    assert content_of({**CHECKOUT, **change}) != content_of(CHECKOUT)
