"""Enabling and disabling of providers, for one merchant or for all.

It affects new attempts only; open attempts are still resolved.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory, ProviderStatus
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.providers.health import AccountHealth, HealthStore
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProviderStatus:
    """Raises `Refusal` (`not_found`). Idempotent."""

    merchant_directory: MerchantDirectory
    providers: Providers
    clock: Clock

    def __call__(
        self, provider: str, merchant_id: str | None, operator_action: OperatorAction, *, disabled: bool
    ) -> ProviderStatus:
        """Set the status. Every function applies it within a minute."""
        if provider not in self.providers.capabilities():
            known = ", ".join(sorted(self.providers.capabilities()))
            raise Refusal("not_found", f"This deployment does not have that provider. Available providers: {known}.")
        if merchant_id is not None:
            _require_merchant(self.merchant_directory, merchant_id)
        now_ms = self.clock.now_ms()
        switch = ProviderStatus(provider=provider, merchant_id=merchant_id, disabled=disabled, changed_at_ms=now_ms)
        record = AuditEntry(
            action="provider.disabled" if disabled else "provider.enabled",
            at_ms=now_ms,
            operator_action=operator_action,
            merchant_id=merchant_id,
            facts={"provider": provider},
        )
        if not self.merchant_directory.set_provider_status(switch, record):
            raise StorageUnavailableError("the provider status could not be stored")
        return switch


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOverview:
    """A provider of this deployment, what it can do, and its disabled statuses."""

    capabilities: Capabilities
    disabled_for_everyone: bool
    disabled_for_merchant: bool


_MAX_MERCHANTS: Final = 500
"""A query each: the command ends within the function's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwellAccounts:
    """The longest failing first. `complete` False: there are more merchants than were looked at."""

    items: Sequence[AccountHealth]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListUnwellAccounts:
    """Lists the provider accounts whose calls fail or are slow."""

    merchants_with_accounts: Callable[[], Iterable[str]]
    """May name a merchant several times."""
    health: HealthStore
    clock: Clock
    max_merchants: int = _MAX_MERCHANTS

    def __call__(self, merchant_id: str | None) -> UnwellAccounts:
        """Return those of a merchant, or of the first 500 merchants that have accounts."""
        merchants, complete = self._merchants() if merchant_id is None else ([merchant_id], True)
        now_ms = self.clock.now_ms()
        found = [health for merchant in merchants for health in self.health.of(merchant).values()]
        unwell = [health for health in found if health.is_slow(now_ms)]
        items = sorted(unwell, key=lambda health: (health.open_since_ms is None, health.open_since_ms or 0))
        return UnwellAccounts(items=items, complete=complete)

    def _merchants(self) -> tuple[Iterable[str], bool]:
        """Read no more of the directory than is looked at."""
        found: dict[str, None] = {}
        for merchant_id in self.merchants_with_accounts():
            if merchant_id not in found and len(found) == self.max_merchants:
                return found, False
            found[merchant_id] = None
        return found, True


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProviders:
    """Lists the deployment's providers and their statuses. Raises `Refusal` (`not_found`) for an unknown merchant."""

    merchant_directory: MerchantDirectory
    providers: Providers

    def __call__(self, merchant_id: str | None) -> Sequence[ProviderOverview]:
        """Return the providers by name."""
        if merchant_id is not None:
            _require_merchant(self.merchant_directory, merchant_id)
        everyone = {s.provider for s in self.merchant_directory.provider_statuses(None) if s.disabled}
        own = self.merchant_directory.provider_statuses(merchant_id) if merchant_id else []
        merchant = {s.provider for s in own if s.disabled}
        return [
            ProviderOverview(
                capabilities=declared,
                disabled_for_everyone=name in everyone,
                disabled_for_merchant=name in merchant,
            )
            for name, declared in sorted(self.providers.capabilities().items())
        ]


def _require_merchant(merchant_directory: MerchantDirectory, merchant_id: str) -> None:
    if merchant_directory.merchant(merchant_id) is None:
        raise Refusal("not_found", "There is no merchant with this id.")
