"""How old the credentials of a merchant's accounts are. No credential is shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from payflowx.domain.merchants.directory import AccountSecrets, MerchantDirectory
from payflowx.domain.providers.ports import Account
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS

MAX_CREDENTIALS_AGE_MS: Final = 365 * DAY_MS
"""Credentials that are older should be rotated (docs/operations/secrets.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsAge:
    """Of one account. `written_at_ms` is None where `fault` says why the secret cannot be read."""

    provider: str
    account_id: str
    written_at_ms: int | None = None
    is_old: bool = False
    is_rotating: bool = False
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCredentials:
    """Raises `Refusal` (`not_found`).

    The time is that of the secret's current version: the last `credentials set` or `rotate`, or the end of a rotation.
    """

    merchant_directory: MerchantDirectory
    secrets: AccountSecrets
    clock: Clock

    def __call__(self, merchant_id: str) -> Iterator[CredentialsAge]:
        """Return the accounts in the merchant's order."""
        merchant = self.merchant_directory.merchant(merchant_id)
        if merchant is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        return map(self._of, merchant.accounts)

    def _of(self, account: Account) -> CredentialsAge:
        try:
            version = self.secrets.version(account.secret_arn)
        except Refusal as refusal:
            return CredentialsAge(provider=account.provider, account_id=account.account_id, fault=refusal.detail)
        return CredentialsAge(
            provider=account.provider,
            account_id=account.account_id,
            written_at_ms=version.written_at_ms,
            is_old=self.clock.now_ms() - version.written_at_ms > MAX_CREDENTIALS_AGE_MS,
            is_rotating=version.is_rotating,
        )
