"""Ports of merchants and API keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from payflowx.domain.merchants.checkout_profile import NO_PROFILE, CheckoutProfile
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.providers.ports import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLimits:
    """The amounts, in minor units, up to which one operator decides alone.

    None: every amount; so are the merchants of release 0.2.0. A currency that is not named has the limit 0.
    """

    by_currency: Mapping[str, int] | None = None

    @property
    def are_set(self) -> bool:
        return self.by_currency is not None

    def needs_two(self, amount: int, currency: str) -> bool:
        """Whether a change of this amount needs a second person."""
        return self.by_currency is not None and amount > self.by_currency.get(currency, 0)


NO_LIMITS: Final = ApprovalLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """A tenant: its accounts in order of preference, and the providers disabled for it or for all."""

    merchant_id: str
    name: str
    accounts: tuple[Account, ...]
    disabled: frozenset[str] = frozenset()
    checkout: CheckoutProfile = NO_PROFILE
    """Of a merchant of release 0.2.0, and of one without settings: the defaults."""
    restored: RestoreWindow | None = None
    """The deployment's last restore; None if it was never restored."""
    automatic_refund: bool = False
    """A charge beside the payment that holds its order is refunded without a person."""
    approval_limits: ApprovalLimits = NO_LIMITS

    def preferred_accounts(self) -> dict[str, str]:
        """Return for each provider the account that new payments use: the first one."""
        return {account.provider: account.account_id for account in reversed(self.accounts)}

    def account(self, provider: str, account_id: str) -> Account | None:
        """Return the account that an attempt used; None if it was removed since."""
        wanted = (provider, account_id)
        return next((a for a in self.accounts if (a.provider, a.account_id) == wanted), None)


class MerchantConfiguration(Protocol):
    """Merchants and their accounts; up to a minute old."""

    def get(self, merchant_id: str) -> Merchant | None: ...
