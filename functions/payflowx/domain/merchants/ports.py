"""What this capability needs from outside."""

from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.providers.ports import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """A tenant, its accounts in order of preference, and the providers switched off for it or for everyone."""

    merchant_id: str
    name: str
    accounts: tuple[Account, ...]
    disabled: frozenset[str] = frozenset()

    def preferred_accounts(self) -> dict[str, str]:
        """Provider to the id of the account that new payments use there: the first one."""
        return {account.provider: account.account_id for account in reversed(self.accounts)}

    def account(self, provider: str, account_id: str) -> Account | None:
        """The account an attempt was begun with; None if it was removed since."""
        wanted = (provider, account_id)
        return next((a for a in self.accounts if (a.provider, a.account_id) == wanted), None)


class MerchantConfiguration(Protocol):
    """Merchants and their accounts; answers may be up to a minute old."""

    def get(self, merchant_id: str) -> Merchant | None: ...
