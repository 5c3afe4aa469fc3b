"""Checkout."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.application.merchants.set_checkout import CheckoutChanges
from payflowx.domain.merchants.checkout_profile import CheckoutProfile
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import MerchantId, MutatingCommand
from payflowx.wiring.operators import OperatorsWiring

_Text = Annotated[str, Meta(max_length=300)]


class SetCheckoutCommand(MutatingCommand, tag="set_checkout"):
    """A merchant's part of the payers' page. What is left out stays; an empty text removes a setting."""

    merchant_id: MerchantId
    shown_name: _Text | None = None
    support: _Text | None = None
    accent: _Text | None = None
    new_checkouts: bool | None = None
    max_refused_starts: int | None = None
    """0 removes the limit."""


class RotateCheckoutSecretCommand(MutatingCommand, tag="rotate_checkout_secret"):
    """A new secret for addresses of payers' pages. The one before it stays valid."""


COMMANDS = (SetCheckoutCommand, RotateCheckoutSecretCommand)


def run(wired: OperatorsWiring, command: SetCheckoutCommand | RotateCheckoutSecretCommand) -> dict[str, Any]:
    """The answer's fields."""
    match command:
        case SetCheckoutCommand():
            changes = CheckoutChanges(
                shown_name=command.shown_name,
                support=command.support,
                accent=command.accent,
                new_checkouts=command.new_checkouts,
                max_refused_starts=command.max_refused_starts,
            )
            profile = wired.set_checkout(command.merchant_id, changes, command.operator_action())
            return {"merchantId": command.merchant_id, **present_profile(profile)}
        case RotateCheckoutSecretCommand():
            free_at_ms = wired.rotate_checkout_secret(command.operator_action())
            return {"nextRotationAt": timestamp(free_at_ms)}


def present_profile(profile: CheckoutProfile) -> dict[str, Any]:
    """The settings by their wire names."""
    return {
        "shownName": profile.shown_name,
        "support": profile.support,
        "accent": profile.accent,
        "newCheckouts": profile.new_checkouts,
        "maxRefusedStarts": profile.max_refused_starts,
    }
