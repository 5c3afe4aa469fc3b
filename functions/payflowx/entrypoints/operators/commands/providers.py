"""Providers' switches."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.providers.health import AccountHealth
from payflowx.entrypoints.api.payments.presenting import timestamp
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
            unwell = wired.list_unwell_accounts(command.merchant_id)
            now_ms = wired.platform.clock.now_ms()
            return {
                "items": [
                    {
                        **_capabilities(status.capabilities),
                        "disabledForEveryone": status.disabled_for_everyone,
                        "disabledForMerchant": status.disabled_for_merchant,
                        "unwellAccounts": [
                            _unwell(health, now_ms)
                            for health in unwell.items
                            if health.name.provider == status.capabilities.provider
                        ],
                    }
                    for status in wired.list_providers(command.merchant_id)
                ],
                "unwellComplete": unwell.complete,
            }
        case SetProviderStatusCommand():
            switch = wired.set_provider_status(
                command.provider, command.merchant_id, command.operator_action(), disabled=command.disabled
            )
            return {"provider": switch.provider, "merchantId": switch.merchant_id, "disabled": switch.disabled}


def _capabilities(declared: Capabilities) -> dict[str, Any]:
    """`currencies` None: all of ISO 4217. `needs`: facts of the payer without which it refuses a charge."""
    return {
        "provider": declared.provider,
        "simulated": declared.simulated,
        "canFence": declared.can_cancel_and_confirm,
        "currencies": sorted(declared.currencies) if declared.currencies is not None else None,
        "captureModes": sorted(declared.capture_modes),
        "paymentMethodTypes": sorted(declared.payment_method_types),
        "needs": sorted(declared.needs),
    }


def _unwell(health: AccountHealth, now_ms: int) -> dict[str, Any]:
    """`state`: "passed over" by new payments, on "trial" with them again, or "slow" only."""
    state = "slow" if health.open_since_ms is None else "passed over" if health.is_passed_over(now_ms) else "trial"
    return {
        "merchantId": health.name.merchant_id,
        "accountId": health.name.account_id,
        "state": state,
        "since": timestamp(health.open_since_ms) if health.open_since_ms is not None else None,
        "lastFailureAt": timestamp(health.last_failure_ms) if health.last_failure_ms else None,
    }
