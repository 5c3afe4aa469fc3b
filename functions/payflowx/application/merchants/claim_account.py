"""The claim of a merchant to an account at a provider, made before the account is registered."""

from collections.abc import Sequence
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

    def with_key(self, merchant_id: str, account: Account, key_id: str) -> None:
        """Claim the account that these new credentials are of."""
        if not self._is_simulated(account):
            self._claim(merchant_id, account, [identity_of_key(account, key_id)])

    def with_stored_secret(self, merchant_id: str, account: Account) -> None:
        """Claim the account whose credentials an operator has stored; without a key id if they cannot be read."""
        if self._is_simulated(account):
            return
        key_id = self._key_id(account)
        known = [identity_of_key(account, key_id)] if key_id is not None else []
        self._claim(merchant_id, account, [identity_of_secret(account), *known])

    def _claim(self, merchant_id: str, account: Account, identities: Sequence[str]) -> None:
        for identity in identities:
            owner = self.merchant_directory.claim_account(merchant_id, identity)
            if owner != merchant_id:
                raise Refusal(
                    "account_taken",
                    f"These credentials are of an account at {account.provider} that belongs to merchant {owner}. "
                    "An account belongs to one merchant: open another at the provider.",
                )

    def _key_id(self, account: Account) -> str | None:
        try:
            return self.secrets.key_id(account.secret_arn)
        except Refusal:
            return None

    def _is_simulated(self, account: Account) -> bool:
        able = self.providers.capabilities().get(account.provider)
        return able is not None and able.simulated
