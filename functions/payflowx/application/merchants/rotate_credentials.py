"""Rotation of a provider account's credentials.

During a rotation, webhooks signed with the old credentials are still accepted.
"""

from dataclasses import dataclass

from payflowx.application.merchants.claim_account import ClaimAccount
from payflowx.domain.merchants.directory import (
    ROTATION_OPEN,
    AccountSecret,
    AccountSecrets,
    AuditEntry,
    MerchantDirectory,
)
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.providers.ports import Account
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateCredentials:
    """Raises `Refusal` (`not_found`, `rotation_open`, `no_rotation`, `account_taken`, and the secret store's codes)."""

    merchant_directory: MerchantDirectory
    secrets: AccountSecrets
    claim_account: ClaimAccount
    clock: Clock

    def begin(
        self, merchant_id: str, provider: str, account_id: str, secret: AccountSecret, operator_action: OperatorAction
    ) -> Account:
        """Start a rotation: calls use the new credentials, webhooks are verified with both.

        A repetition, such as after a lost answer, changes nothing: whoever finished the rotation in order to repeat it
        would end the credentials of before.
        """
        account = self._account(merchant_id, provider, account_id)
        if self.secrets.version(account.secret_arn).is_rotating:
            if self.secrets.holds(account.secret_arn, secret):
                return account
            raise Refusal("rotation_open", ROTATION_OPEN)
        self.claim_account(merchant_id, account, secret.key_id)
        self._record("credentials.rotated", merchant_id, account, operator_action)
        self.secrets.replace(account.secret_arn, secret, keep_previous=True)
        return account

    def finish(self, merchant_id: str, provider: str, account_id: str, operator_action: OperatorAction) -> Account:
        """Finish the rotation: the old credentials verify no webhook any more."""
        account = self._account(merchant_id, provider, account_id)
        if not self.secrets.version(account.secret_arn).is_rotating:
            raise Refusal("no_rotation", "No rotation of this account is open.")
        self._record("credentials.rotation_finished", merchant_id, account, operator_action)
        self.secrets.forget_previous(account.secret_arn)
        return account

    def _account(self, merchant_id: str, provider: str, account_id: str) -> Account:
        merchant = self.merchant_directory.merchant(merchant_id)
        account = merchant.account(provider, account_id) if merchant else None
        if account is None:
            raise Refusal("not_found", "The merchant or its account does not exist.")
        return account

    def _record(self, action: str, merchant_id: str, account: Account, operator_action: OperatorAction) -> None:
        record = AuditEntry(
            action=action,
            at_ms=self.clock.now_ms(),
            operator_action=operator_action,
            merchant_id=merchant_id,
            facts={"provider": account.provider, "accountId": account.account_id},
        )
        self.merchant_directory.record(record)
