"""The claim of a merchant to an account at a provider."""

from dataclasses import dataclass

from payflowx.domain.merchants.account_identity import identity_of_key, identity_of_secret
from payflowx.domain.merchants.directory import AccountSecrets, MerchantDirectory
from payflowx.domain.providers.ports import Account, Providers
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAccount:
    """Raises `Refusal` (`account_taken`). A simulated provider has no accounts, and none is claimed there.

    A claim is never given up: credentials that a merchant has replaced still belong to its account.
    """

    merchant_directory: MerchantDirectory
    secrets: AccountSecrets
    providers: Providers

    def __call__(self, merchant_id: str, account: Account, key_id: str) -> None:
        """Claim the account that these new credentials are of, for a merchant that exists."""
        if self._is_simulated(account):
            return
        owner = self.merchant_directory.claim_account(merchant_id, identity_of_key(account, key_id))
        if owner != merchant_id:
            raise _taken(account, owner)

    def identity(self, account: Account) -> str | None:
        """Return the identity of an account whose credentials an operator has stored.

        By its place where they cannot be read yet; None at a simulated provider.
        """
        if self._is_simulated(account):
            return None
        try:
            return identity_of_key(account, self.secrets.key_id(account.secret_arn))
        except Refusal:
            return identity_of_secret(account)

    def check(self, merchant_id: str, account: Account, identity: str | None) -> None:
        """Refuse an account that another merchant has claimed."""
        owner = self.merchant_directory.account_owner(identity) if identity is not None else None
        if owner not in (None, merchant_id):
            raise _taken(account, owner)

    def _is_simulated(self, account: Account) -> bool:
        able = self.providers.capabilities().get(account.provider)
        return able is not None and able.simulated


def _taken(account: Account, owner: str | None) -> Refusal:
    return Refusal(
        "account_taken",
        f"These credentials are of an account at {account.provider} that belongs to merchant {owner}. "
        "An account belongs to one merchant: open another at the provider.",
    )
