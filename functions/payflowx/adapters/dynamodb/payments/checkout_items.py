"""A payment's checkout as an attribute of its item, and back."""

from payflowx.adapters.dynamodb.core.reading import fields_of, known
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.domain.payments.checkout import Checkout, Choice, Presentation


def checkout_to_item(checkout: Checkout) -> Item:
    """Defaults are left out."""
    return {
        "expires_at_ms": checkout.expires_at_ms,
        "address": checkout.address,
        "methods": list(checkout.methods) or None,
        "presentation": checkout.presentation.value,
        "choice": _choice_to_item(checkout.choice) if checkout.choice else None,
        "starts_at_ms": list(checkout.starts_at_ms) or None,
        "closing": checkout.closing,
        "expedited_at_ms": checkout.expedited_at_ms or None,
    }


def checkout_from_item(item: Item) -> Checkout:
    """The checkout that `checkout_to_item` was given."""
    return Checkout(
        expires_at_ms=item["expires_at_ms"],
        address=item.get("address"),
        methods=tuple(item.get("methods", ())),
        presentation=Presentation(item["presentation"]),
        choice=_choice_from_item(item["choice"]) if "choice" in item else None,
        starts_at_ms=tuple(item.get("starts_at_ms", ())),
        closing=item.get("closing"),
        expedited_at_ms=item.get("expedited_at_ms", 0),
    )


def _choice_to_item(choice: Choice) -> Item:
    return fields_of(choice) | {"ways": list(choice.ways)}


def _choice_from_item(item: Item) -> Choice:
    return Choice(**known(item, Choice) | {"ways": tuple(item["ways"])})
