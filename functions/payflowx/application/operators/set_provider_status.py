"""Switch a provider off or on, for one merchant or for everyone: for new attempts, never for what is open there."""

from collections.abc import Sequence
from dataclasses import dataclass

from payflowx.domain.merchants.directory import Administration, Record, Switch
from payflowx.domain.merchants.operator_action import Decision
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProviderSwitch:
    """Raises `Refusal` (`not_found`). Idempotent."""

    administration: Administration
    providers: Providers
    clock: Clock

    def __call__(self, provider: str, merchant_id: str | None, decision: Decision, *, disabled: bool) -> Switch:
        """Heeded everywhere within a minute."""
        if provider not in self.providers.capabilities():
            known = ", ".join(sorted(self.providers.capabilities()))
            raise Refusal("not_found", f"This deployment does not have that provider. It has: {known}.")
        if merchant_id is not None and self.administration.merchant(merchant_id) is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        now_ms = self.clock.now_ms()
        switch = Switch(provider=provider, merchant_id=merchant_id, disabled=disabled, changed_at_ms=now_ms)
        record = Record(
            action="provider.disabled" if disabled else "provider.enabled",
            at_ms=now_ms,
            decision=decision,
            merchant_id=merchant_id,
            facts={"provider": provider},
        )
        if not self.administration.set_switch(switch, record):
            raise StorageUnavailableError("the switch could not be stored")
        return switch


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """A provider of this deployment, and who may not use it at the moment."""

    provider: str
    simulated: bool
    can_fence: bool
    disabled_for_everyone: bool
    disabled_for_merchant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProviders:
    """What exists, and what is switched off."""

    administration: Administration
    providers: Providers

    def __call__(self, merchant_id: str | None) -> Sequence[ProviderStatus]:
        """By name."""
        everyone = {s.provider for s in self.administration.switches(None) if s.disabled}
        own = self.administration.switches(merchant_id) if merchant_id else []
        merchant = {s.provider for s in own if s.disabled}
        return [
            ProviderStatus(
                provider=name,
                simulated=able.simulated,
                can_fence=able.can_fence,
                disabled_for_everyone=name in everyone,
                disabled_for_merchant=name in merchant,
            )
            for name, able in sorted(self.providers.capabilities().items())
        ]
