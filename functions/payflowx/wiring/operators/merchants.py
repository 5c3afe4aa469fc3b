"""Merchants, their switches, their accounts' credentials, and their API keys."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.platform.signing_secret import SecretsManagerSigningSecret
from payflowx.application.checkout.rotate_secret import RotateCheckoutSecret
from payflowx.application.merchants.claim_account import ClaimAccount
from payflowx.application.merchants.create_key import CreateKey
from payflowx.application.merchants.create_merchant import CheckAccount, CreateMerchant
from payflowx.application.merchants.list_credentials import ListCredentials
from payflowx.application.merchants.list_keys import ListKeys
from payflowx.application.merchants.list_merchants import ListMerchants
from payflowx.application.merchants.revoke_key import RevokeKey
from payflowx.application.merchants.rotate_credentials import RotateCredentials
from payflowx.application.merchants.rotate_key import RotateKey
from payflowx.application.merchants.set_approval_limits import SetApprovalLimits
from payflowx.application.merchants.set_checkout import SetCheckout
from payflowx.application.merchants.set_credentials import SetCredentials
from payflowx.application.merchants.set_orders import SetOrders
from payflowx.application.merchants.show_merchant import ShowMerchant
from payflowx.wiring.operators.base import OperatorsBase


@dataclass(kw_only=True)
class MerchantCommands(OperatorsBase):
    @cached_property
    def create_merchant(self) -> CreateMerchant:
        return CreateMerchant(
            merchant_directory=self.merchant_directory,
            check_account=self._check_account,
            claim_account=self._claim_account,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            api_key_mode=self.settings.api_key_mode,
        )

    @cached_property
    def _claim_account(self) -> ClaimAccount:
        return ClaimAccount(
            merchant_directory=self.merchant_directory, secrets=self.account_secrets, providers=self.providers
        )

    @cached_property
    def _check_account(self) -> CheckAccount:
        return CheckAccount(providers=self.providers, loopback_allowed=self.settings.loopback_allowed)

    @cached_property
    def list_merchants(self) -> ListMerchants:
        return ListMerchants(merchant_directory=self.merchant_directory)

    @cached_property
    def show_merchant(self) -> ShowMerchant:
        return ShowMerchant(merchant_directory=self.merchant_directory)

    @cached_property
    def set_checkout(self) -> SetCheckout:
        return SetCheckout(merchant_directory=self.merchant_directory, clock=self.platform.clock)

    @cached_property
    def rotate_checkout_secret(self) -> RotateCheckoutSecret:
        secret = SecretsManagerSigningSecret(
            client=self.platform.clients.secretsmanager, arn=self.settings.checkout_token_secret_arn
        )
        return RotateCheckoutSecret(
            secret=secret,
            audit_log=self.merchant_directory,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
        )

    @cached_property
    def set_orders(self) -> SetOrders:
        return SetOrders(merchant_directory=self.merchant_directory, clock=self.platform.clock)

    @cached_property
    def set_approval_limits(self) -> SetApprovalLimits:
        return SetApprovalLimits(merchant_directory=self.merchant_directory, clock=self.platform.clock)

    @cached_property
    def set_credentials(self) -> SetCredentials:
        return SetCredentials(
            merchant_directory=self.merchant_directory,
            secrets=self.account_secrets,
            check_account=self._check_account,
            claim_account=self._claim_account,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            environment=self.settings.environment,
        )

    @cached_property
    def list_credentials(self) -> ListCredentials:
        return ListCredentials(
            merchant_directory=self.merchant_directory, secrets=self.account_secrets, clock=self.platform.clock
        )

    @cached_property
    def rotate_credentials(self) -> RotateCredentials:
        return RotateCredentials(
            merchant_directory=self.merchant_directory,
            secrets=self.account_secrets,
            claim_account=self._claim_account,
            clock=self.platform.clock,
        )

    @cached_property
    def list_keys(self) -> ListKeys:
        return ListKeys(merchant_directory=self.merchant_directory)

    @cached_property
    def create_key(self) -> CreateKey:
        return CreateKey(
            merchant_directory=self.merchant_directory,
            list_keys=self.list_keys,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            api_key_mode=self.settings.api_key_mode,
        )

    @cached_property
    def rotate_key(self) -> RotateKey:
        return RotateKey(
            merchant_directory=self.merchant_directory,
            list_keys=self.list_keys,
            clock=self.platform.clock,
            randomness=self.platform.randomness,
            api_key_mode=self.settings.api_key_mode,
        )

    @cached_property
    def revoke_key(self) -> RevokeKey:
        return RevokeKey(
            merchant_directory=self.merchant_directory, list_keys=self.list_keys, clock=self.platform.clock
        )
