"""Credentials of a provider account: store them, and add the account if it is new."""

from dataclasses import dataclass, replace

from payflowx.application.merchants.claim_account import ClaimAccount
from payflowx.application.merchants.create_merchant import MAX_ACCOUNTS, CheckAccount
from payflowx.domain.inbound_webhooks.tokens import TOKEN_CHARS
from payflowx.domain.merchants.directory import AccountSecret, AccountSecrets, AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.providers.ports import Account
from payflowx.domain.shared.ambient import Clock, Randomness
from payflowx.domain.shared.errors import Refusal

_ARN_TO_COME = "arn:"
"""A placeholder: the account is validated before its secret is stored and has a real ARN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAccount:
    """The account to set. `endpoint` is required if the merchant does not have the account yet."""

    merchant_id: str
    provider: str
    account_id: str
    endpoint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCredentials:
    """Raises `Refusal`.

    Codes: `not_found`, `endpoint_needed`, `endpoint_known`, `merchant_invalid`, `account_taken`, `secret_forbidden`.
    The previous credentials of an existing account end at once, which corrects a mistake. To replace credentials that
    work, rotate them.
    """

    merchant_directory: MerchantDirectory
    secrets: AccountSecrets
    check_account: CheckAccount
    claim_account: ClaimAccount
    clock: Clock
    randomness: Randomness
    environment: str

    def __call__(
        self,
        wanted: WantedAccount,
        secret: AccountSecret,
        operator_action: OperatorAction,
    ) -> Account:
        """Return the account as stored now."""
        merchant = self.merchant_directory.merchant(wanted.merchant_id)
        if merchant is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        account = merchant.account(wanted.provider, wanted.account_id)
        if account is None:
            return self._add(merchant, wanted, secret, operator_action)
        if wanted.endpoint not in (None, account.endpoint):
            raise Refusal(
                "endpoint_known",
                "The account exists with another endpoint, and attempts are bound to it. Add another account.",
            )
        self.claim_account(merchant.merchant_id, account, secret.key_id)
        self.merchant_directory.record(self._record("credentials.set", merchant.merchant_id, account, operator_action))
        self.secrets.replace(account.secret_arn, secret, keep_previous=False)
        return account

    def _add(
        self, merchant: Merchant, wanted: WantedAccount, secret: AccountSecret, operator_action: OperatorAction
    ) -> Account:
        if wanted.endpoint is None:
            raise Refusal(
                "endpoint_needed", "The merchant does not have this account yet. Give its endpoint to add it."
            )
        if len(merchant.accounts) >= MAX_ACCOUNTS:
            raise Refusal("merchant_invalid", f"The merchant has reached the limit of {MAX_ACCOUNTS} accounts.")
        account = Account(
            provider=wanted.provider,
            account_id=wanted.account_id,
            endpoint=wanted.endpoint,
            secret_arn=_ARN_TO_COME,
        )
        self.check_account(account)
        self.claim_account(merchant.merchant_id, account, secret.key_id)
        name = f"payflowx/{self.environment}/accounts/{wanted.merchant_id}/{wanted.provider}/{wanted.account_id}"
        account = replace(
            account,
            secret_arn=self.secrets.put(name, secret),
            webhook_token=self.randomness.secret_text(TOKEN_CHARS),
        )
        record = self._record("account.added", merchant.merchant_id, account, operator_action)
        number = len(merchant.accounts) + 1
        if not self.merchant_directory.put_account(merchant.merchant_id, account, record, number=number):
            raise Refusal("conflict", "Another writer added an account at the same time. Repeat the command.")
        return account

    def _record(self, action: str, merchant_id: str, account: Account, operator_action: OperatorAction) -> AuditEntry:
        return AuditEntry(
            action=action,
            at_ms=self.clock.now_ms(),
            operator_action=operator_action,
            merchant_id=merchant_id,
            facts={"provider": account.provider, "accountId": account.account_id},
        )
