"""Create a merchant with its accounts and its first API key."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from payflowx.domain.api_keys import SECRET_CHARS, compose_api_key, hash_api_key
from payflowx.domain.errors import Refusal
from payflowx.domain.identifiers import MERCHANT_ID_PATTERN
from payflowx.domain.limits import MAX_URL_CHARS
from payflowx.domain.ports import Account, Clock, Merchant, MerchantAdministration, Providers, Randomness
from payflowx.domain.webhook_tokens import TOKEN_CHARS

_MAX_ACCOUNTS = 20
_MAX_NAME_CHARS = 100
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMerchant:
    """The API key is stored as a hash only, so this is the one time that anybody sees it."""

    merchant: Merchant
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMerchant:
    """Raises `Refusal` (`merchant_invalid`, `merchant_exists`)."""

    administration: MerchantAdministration
    providers: Providers
    clock: Clock
    randomness: Randomness
    api_key_mode: str
    loopback_allowed: bool
    """Whether real vendors may be simulated on the machine itself; production has no such thing."""

    def __call__(self, merchant_id: str, name: str, accounts: Sequence[Account]) -> NewMerchant:
        """Every account gets an address for its provider's webhooks."""
        self._check(merchant_id, name, accounts)
        key = compose_api_key(self.api_key_mode, self.randomness.secret_text(SECRET_CHARS))
        reachable = tuple(replace(a, webhook_token=self.randomness.secret_text(TOKEN_CHARS)) for a in accounts)
        merchant = Merchant(merchant_id=merchant_id, name=name, accounts=reachable)
        if not self.administration.create(merchant, hash_api_key(key), self.clock.now_ms()):
            raise Refusal("merchant_exists", "A merchant with this id exists already.")
        return NewMerchant(merchant=merchant, api_key=key)

    def _check(self, merchant_id: str, name: str, accounts: Sequence[Account]) -> None:
        if not MERCHANT_ID_PATTERN.fullmatch(merchant_id):
            raise Refusal("merchant_invalid", "merchantId must be 2 to 40 of a-z, 0-9, _ and -.")
        if not 1 <= len(name) <= _MAX_NAME_CHARS:
            raise Refusal("merchant_invalid", f"name must have 1 to {_MAX_NAME_CHARS} characters.")
        if not 1 <= len(accounts) <= _MAX_ACCOUNTS:
            raise Refusal("merchant_invalid", f"accounts must hold 1 to {_MAX_ACCOUNTS} accounts.")
        if len({(a.provider, a.account_id) for a in accounts}) != len(accounts):
            raise Refusal("merchant_invalid", "Two accounts have the same provider and accountId.")
        for account in accounts:
            self._check_account(account)

    def _check_account(self, account: Account) -> None:
        if account.provider not in self.providers.capabilities():
            raise Refusal("merchant_invalid", "An account names a provider that this deployment does not have.")
        if not MERCHANT_ID_PATTERN.fullmatch(account.account_id):
            raise Refusal("merchant_invalid", "accountId must be 2 to 40 of a-z, 0-9, _ and -.")
        if not account.secret_arn.startswith("arn:"):
            raise Refusal("merchant_invalid", "secretArn must be the ARN of a secret in Secrets Manager.")
        if not self._is_allowed_endpoint(account):
            raise Refusal("merchant_invalid", "endpoint must be the https address of the provider.")

    def _is_allowed_endpoint(self, account: Account) -> bool:
        parts = urlsplit(account.endpoint)
        if len(account.endpoint) > MAX_URL_CHARS or not parts.hostname:
            return False
        loopback = self.loopback_allowed and parts.hostname in _LOOPBACK_HOSTS
        simulated = self.providers.capabilities()[account.provider].simulated
        return parts.scheme == "https" or (parts.scheme == "http" and (simulated or loopback))
