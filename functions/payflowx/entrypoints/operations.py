"""Operators' commands. Invoked with IAM, never through the API; the same use cases, so nothing can be forced."""

from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from payflowx.adapters import log_context
from payflowx.bootstrap import Container
from payflowx.domain.errors import Refusal, StorageUnavailableError
from payflowx.domain.ports import Account
from payflowx.domain.webhook_tokens import webhook_path


class _Command(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True, tag_field="command"):
    pass


class AccountRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A merchant's account at a provider; its credentials lie in Secrets Manager under the ARN."""

    provider: str
    account_id: str
    endpoint: str
    secret_arn: str


class CreateMerchantCommand(_Command, tag="create_merchant"):
    """Answers with the API key, this once."""

    merchant_id: str
    name: str
    accounts: Annotated[list[AccountRequest], Meta(min_length=1, max_length=20)]


class VerifyTrailCommand(_Command, tag="verify_trail"):
    """Answers with what is wrong with a payment's audit trail."""

    merchant_id: str
    transaction_id: str


class ErasePersonalDataCommand(_Command, tag="erase_personal_data"):
    """Erases a final payment's customer, tokens, texts and URLs."""

    merchant_id: str
    transaction_id: str


_Commands = CreateMerchantCommand | VerifyTrailCommand | ErasePersonalDataCommand


@cache
def container() -> Container:
    """One a function instance; tests replace it."""
    return Container()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"ok": true, ...}`, or `{"ok": false, "error": {"code", "message"}}`."""
    with log_context.invocation(context, container().trace):
        return _answer(event)


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    try:
        command: _Commands = msgspec.convert(event, _Commands, strict=True)
        return {"ok": True, **_run(command)}
    except msgspec.ValidationError as error:
        return _failure("command_invalid", str(error))
    except Refusal as refusal:
        return _failure(refusal.code, refusal.detail)
    except StorageUnavailableError as error:
        return _failure("unavailable", f"{error}. Nothing may have been written; try again.")


def _run(command: _Commands) -> dict[str, Any]:
    wired = container()
    match command:
        case CreateMerchantCommand():
            accounts = [Account(**msgspec.structs.asdict(account)) for account in command.accounts]
            created = wired.create_merchant(command.merchant_id, command.name, accounts)
            wired.telemetry.info("merchant created", merchantId=command.merchant_id)
            return {
                "merchantId": command.merchant_id,
                "apiKey": created.api_key,
                "webhooks": [_webhook(account) for account in created.merchant.accounts],
            }
        case VerifyTrailCommand():
            faults = wired.verify_trail(command.merchant_id, command.transaction_id)
            return {"whole": not faults, "faults": faults}
        case ErasePersonalDataCommand():
            wired.erase_personal_data(command.merchant_id, command.transaction_id)
            wired.telemetry.info("personal data erased", transactionId=command.transaction_id)
            return {"erased": True}


def _webhook(account: Account) -> dict[str, str]:
    """Where the provider's dashboard is to be told to post to, below the API's address."""
    return {
        "provider": account.provider,
        "accountId": account.account_id,
        "path": webhook_path(account.provider, account.webhook_token or ""),
    }


def _failure(code: str, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"code": code, "message": message}}
