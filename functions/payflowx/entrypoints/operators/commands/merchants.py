"""Merchants."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from payflowx.application.merchants.create_merchant import MAX_ACCOUNTS
from payflowx.domain.inbound_webhooks.tokens import webhook_path
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import ApprovalLimits
from payflowx.domain.providers.ports import Account
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import Command, Limit, MerchantId, MutatingCommand, ProposableCommand
from payflowx.entrypoints.operators.commands.checkout import present_profile
from payflowx.entrypoints.operators.commands.second_person import decided_or_proposed
from payflowx.wiring.operators import OperatorsWiring


class AccountRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A merchant's account at a provider; its credentials lie in Secrets Manager under the ARN."""

    provider: str
    account_id: str
    endpoint: str
    secret_arn: str


class CreateMerchantCommand(MutatingCommand, tag="create_merchant"):
    """Answers with the API key, this once."""

    merchant_id: str
    name: str
    accounts: Annotated[list[AccountRequest], Meta(max_length=MAX_ACCOUNTS)] = msgspec.field(default_factory=list)


class ListMerchantsCommand(Command, tag="list_merchants"):
    """By id, a page at a time."""

    after: MerchantId | None = None
    limit: Limit = 100


class ShowMerchantCommand(Command, tag="show_merchant"):
    """Its accounts and where their webhooks go."""

    merchant_id: MerchantId


class SetOrdersCommand(MutatingCommand, tag="set_orders"):
    """Set the treatment of a charge beside the payment that holds its order."""

    merchant_id: MerchantId
    automatic_refund: bool


class SetApprovalLimitsCommand(ProposableCommand, tag="set_approval_limits"):
    """The amounts by currency, in minor units, up to which one operator decides alone; none: any amount."""

    limits: dict[str, int] | None = None


COMMANDS = (
    CreateMerchantCommand,
    ListMerchantsCommand,
    ShowMerchantCommand,
    SetOrdersCommand,
    SetApprovalLimitsCommand,
)


def run(
    wired: OperatorsWiring,
    command: CreateMerchantCommand
    | ListMerchantsCommand
    | ShowMerchantCommand
    | SetOrdersCommand
    | SetApprovalLimitsCommand,
) -> dict[str, Any]:
    """The answer's fields."""
    match command:
        case CreateMerchantCommand():
            accounts = [Account(**msgspec.structs.asdict(account)) for account in command.accounts]
            created = wired.create_merchant(command.merchant_id, command.name, accounts, command.operator_action())
            wired.telemetry.info("merchant created", merchantId=command.merchant_id)
            return {
                "merchantId": command.merchant_id,
                "keyId": created.key_id,
                "apiKey": created.api_key,
                "webhooks": [present_webhook(account) for account in created.merchant.accounts],
            }
        case ListMerchantsCommand():
            page = wired.list_merchants(after=command.after, limit=command.limit)
            return {
                "items": [
                    {"merchantId": m.merchant_id, "name": m.name, "createdAt": timestamp(m.created_at_ms)}
                    for m in page.items
                ],
                "nextAfter": page.next_after,
            }
        case ShowMerchantCommand():
            merchant = wired.show_merchant(command.merchant_id)
            return {
                "merchantId": merchant.merchant_id,
                "name": merchant.name,
                "disabledProviders": sorted(merchant.disabled),
                "checkout": present_profile(merchant.checkout),
                "automaticRefund": merchant.automatic_refund,
                "approvalLimits": merchant.approval_limits.by_currency,
                "accounts": [{**present_webhook(a), "endpoint": a.endpoint} for a in merchant.accounts],
            }
        case SetOrdersCommand():
            switch = command.automatic_refund
            wired.set_orders(command.merchant_id, command.operator_action(), automatic_refund=switch)
            return {"merchantId": command.merchant_id, "automaticRefund": switch}
        case SetApprovalLimitsCommand():
            return decided_or_proposed(wired, command, lambda action: _set_approval_limits(wired, command, action))


def _set_approval_limits(
    wired: OperatorsWiring, command: SetApprovalLimitsCommand, action: OperatorAction
) -> dict[str, Any]:
    wired.set_approval_limits(command.merchant_id, ApprovalLimits(by_currency=command.limits), action)
    return {"merchantId": command.merchant_id, "approvalLimits": command.limits}


def present_webhook(account: Account) -> dict[str, str]:
    """Where the provider's dashboard is to be told to post to, below the API's address."""
    return {
        "provider": account.provider,
        "accountId": account.account_id,
        "path": webhook_path(account.provider, account.webhook_token or ""),
    }
