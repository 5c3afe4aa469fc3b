"""Creation of a merchant with its accounts and its first API key."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from payflowx.application.merchants.api_key_issuer import issue_key
from payflowx.application.merchants.claim_account import ClaimAccount
from payflowx.domain.inbound_webhooks.tokens import TOKEN_CHARS
from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.providers.ports import Account, Providers
from payflowx.domain.shared.ambient import Clock, Randomness
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import MERCHANT_ID_PATTERN
from payflowx.domain.shared.limits import MAX_URL_CHARS

MAX_ACCOUNTS: Final = 20
_MAX_NAME_CHARS = 100
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMerchant:
    """A new merchant with its API key, shown this once: only the key's hash is stored."""

    merchant: Merchant
    key_id: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAccount:
    """Validation of every new account. Raises `Refusal` (`merchant_invalid`)."""

    providers: Providers
    loopback_allowed: bool
    """Allow simulated providers on this machine; never set in production."""

    def __call__(self, account: Account) -> None:
        if account.provider not in self.providers.capabilities():
            known = ", ".join(sorted(self.providers.capabilities()))
            raise Refusal(
                "merchant_invalid", f"This deployment does not have that provider. Available providers: {known}."
            )
        if not MERCHANT_ID_PATTERN.fullmatch(account.account_id):
            raise Refusal("merchant_invalid", "accountId must have 2 to 40 characters of a-z, 0-9, _ and -.")
        if not account.secret_arn.startswith("arn:"):
            raise Refusal("merchant_invalid", "secretArn must be the ARN of a secret in Secrets Manager.")
        if not self._is_allowed_endpoint(account):
            raise Refusal("merchant_invalid", "endpoint must be the provider's https address.")

    def _is_allowed_endpoint(self, account: Account) -> bool:
        try:
            parts = urlsplit(account.endpoint)
        except ValueError:
            return False  # such as a bracket that is not closed
        if len(account.endpoint) > MAX_URL_CHARS or not parts.hostname:
            return False
        loopback = self.loopback_allowed and parts.hostname in _LOOPBACK_HOSTS
        simulated = self.providers.capabilities()[account.provider].simulated
        return parts.scheme == "https" or (parts.scheme == "http" and (simulated or loopback))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMerchant:
    """Raises `Refusal` (`merchant_invalid`, `merchant_exists`, `account_taken`)."""

    merchant_directory: MerchantDirectory
    check_account: CheckAccount
    claim_account: ClaimAccount
    clock: Clock
    randomness: Randomness
    api_key_mode: str

    def __call__(
        self, merchant_id: str, name: str, accounts: Sequence[Account], operator_action: OperatorAction
    ) -> NewMerchant:
        """Create the merchant. Every account gets a webhook URL; accounts may be added later."""
        self._check(merchant_id, name, accounts)
        identities = [self.claim_account.identity(account) for account in accounts]
        now_ms = self.clock.now_ms()
        issued = issue_key(self.api_key_mode, merchant_id, self.randomness, now_ms=now_ms)
        reachable = tuple(replace(a, webhook_token=self.randomness.secret_text(TOKEN_CHARS)) for a in accounts)
        merchant = Merchant(merchant_id=merchant_id, name=name, accounts=reachable)
        record = AuditEntry(
            action="merchant.created",
            at_ms=now_ms,
            operator_action=operator_action,
            merchant_id=merchant_id,
            facts={"keyId": issued.stored.key_id, "accounts": len(accounts)},
        )
        claims = [identity for identity in identities if identity is not None]
        if not self.merchant_directory.create_merchant(merchant, issued.stored, record, claims=claims):
            for account, identity in zip(accounts, identities, strict=True):
                self.claim_account.check(merchant_id, account, identity)
            raise Refusal("merchant_exists", "A merchant with this id exists already. Choose another id.")
        return NewMerchant(merchant=merchant, key_id=issued.stored.key_id, api_key=issued.api_key)

    def _check(self, merchant_id: str, name: str, accounts: Sequence[Account]) -> None:
        if not MERCHANT_ID_PATTERN.fullmatch(merchant_id):
            raise Refusal("merchant_invalid", "merchantId must have 2 to 40 characters of a-z, 0-9, _ and -.")
        if not 1 <= len(name) <= _MAX_NAME_CHARS:
            raise Refusal("merchant_invalid", f"name must have 1 to {_MAX_NAME_CHARS} characters.")
        if len(accounts) > MAX_ACCOUNTS:
            raise Refusal("merchant_invalid", f"accounts must hold at most {MAX_ACCOUNTS} accounts.")
        if len({(a.provider, a.account_id) for a in accounts}) != len(accounts):
            raise Refusal("merchant_invalid", "Two accounts have the same provider and accountId.")
        for account in accounts:
            self.check_account(account)
