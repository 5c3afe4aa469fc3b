"""Provider accounts' credentials. They come in with the command and go to the vault; no answer holds any."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from payflowx.application.merchants.list_credentials import CredentialsAge
from payflowx.application.merchants.set_credentials import WantedAccount
from payflowx.domain.merchants.directory import AccountSecret
from payflowx.domain.shared.limits import MAX_SECRET_CHARS, MAX_URL_CHARS
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import Command, MerchantId, MutatingCommand
from payflowx.entrypoints.operators.commands.merchants import present_webhook
from payflowx.wiring.operators import OperatorsWiring

_Secret = Annotated[str, Meta(max_length=MAX_SECRET_CHARS, pattern=r"^[!-~](?:[ -~]*[!-~])?\Z")]
"""Printable ASCII, without blanks at its ends: no provider's secret has any other."""
_Name = Annotated[str, Meta(min_length=1, max_length=40)]


class SecretRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """`webhookSecret` is left out where the provider signs webhooks with the key secret."""

    key_id: _Secret
    key_secret: _Secret
    webhook_secret: _Secret | None = None

    def __repr__(self) -> str:
        """Nothing of it may get into a message."""
        return "SecretRequest(...)"

    def secret(self) -> AccountSecret:
        """As the use cases take it."""
        return AccountSecret(key_id=self.key_id, key_secret=self.key_secret, webhook_secret=self.webhook_secret)


class ListCredentialsCommand(Command, tag="list_credentials"):
    """How old each account's credentials are."""

    merchant_id: MerchantId


class SetCredentialsCommand(MutatingCommand, tag="set_credentials"):
    """Adds the account if the merchant does not have it."""

    merchant_id: MerchantId
    provider: _Name
    account_id: _Name
    secret: SecretRequest
    endpoint: Annotated[str, Meta(max_length=MAX_URL_CHARS)] | None = None


class RotateCredentialsCommand(MutatingCommand, tag="rotate_credentials"):
    """The ones of before verify webhooks until the rotation is finished."""

    merchant_id: MerchantId
    provider: _Name
    account_id: _Name
    secret: SecretRequest


class FinishRotationCommand(MutatingCommand, tag="finish_credentials_rotation"):
    """The ones of before verify nothing any more."""

    merchant_id: MerchantId
    provider: _Name
    account_id: _Name


COMMANDS = (ListCredentialsCommand, SetCredentialsCommand, RotateCredentialsCommand, FinishRotationCommand)


def run(
    wired: OperatorsWiring,
    command: ListCredentialsCommand | SetCredentialsCommand | RotateCredentialsCommand | FinishRotationCommand,
) -> dict[str, Any]:
    """The ages, or where the changed account's webhooks go."""
    if isinstance(command, ListCredentialsCommand):
        return {"items": [_age(account) for account in wired.list_credentials(command.merchant_id)]}
    names = (command.merchant_id, command.provider, command.account_id)
    match command:
        case SetCredentialsCommand():
            wanted = WantedAccount(
                merchant_id=command.merchant_id,
                provider=command.provider,
                account_id=command.account_id,
                endpoint=command.endpoint,
            )
            account = wired.set_credentials(wanted, command.secret.secret(), command.operator_action())
        case RotateCredentialsCommand():
            account = wired.rotate_credentials.begin(*names, command.secret.secret(), command.operator_action())
        case FinishRotationCommand():
            account = wired.rotate_credentials.finish(*names, command.operator_action())
    return {"merchantId": command.merchant_id, **present_webhook(account)}


def _age(account: CredentialsAge) -> dict[str, Any]:
    return {
        "provider": account.provider,
        "accountId": account.account_id,
        "writtenAt": timestamp(account.written_at_ms) if account.written_at_ms is not None else None,
        "isOld": account.is_old,
        "isRotating": account.is_rotating,
        "fault": account.fault,
    }
