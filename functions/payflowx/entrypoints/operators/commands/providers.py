"""Providers' switches."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.entrypoints.operators.commands.base import Command, MerchantId, MutatingCommand
from payflowx.wiring.operators import OperatorsWiring


class ListProvidersCommand(Command, tag="list_providers"):
    """List the providers, and which are disabled."""

    merchant_id: MerchantId | None = None


class SetProviderStatusCommand(MutatingCommand, tag="set_provider_switch"):
    """For everyone, unless a merchant is named."""

    provider: Annotated[str, Meta(min_length=1, max_length=40)]
    disabled: bool
    merchant_id: MerchantId | None = None


COMMANDS = (ListProvidersCommand, SetProviderStatusCommand)


def run(wired: OperatorsWiring, command: ListProvidersCommand | SetProviderStatusCommand) -> dict[str, Any]:
    """The answer's fields."""
    match command:
        case ListProvidersCommand():
            return {
                "items": [
                    {
                        "provider": status.provider,
                        "simulated": status.simulated,
                        "canFence": status.can_cancel_and_confirm,
                        "disabledForEveryone": status.disabled_for_everyone,
                        "disabledForMerchant": status.disabled_for_merchant,
                    }
                    for status in wired.list_providers(command.merchant_id)
                ]
            }
        case SetProviderStatusCommand():
            switch = wired.set_provider_status(
                command.provider, command.merchant_id, command.operator_action(), disabled=command.disabled
            )
            return {"provider": switch.provider, "merchantId": switch.merchant_id, "disabled": switch.disabled}
