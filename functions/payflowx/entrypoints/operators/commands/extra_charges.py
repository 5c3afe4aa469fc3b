"""Extra charges of checkouts: which are owed to payers, and the refunds that a person made of them."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.limits import MAX_REFERENCE_CHARS, SECOND_MS
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import (
    Command,
    Limit,
    MerchantId,
    ProposableCommand,
    TransactionId,
)
from payflowx.entrypoints.operators.commands.presenting import money, payment_fields
from payflowx.entrypoints.operators.commands.second_person import decided_or_proposed
from payflowx.wiring.operators import OperatorsWiring

_PAGE = 100
_OwedPosition = Annotated[str, Meta(pattern="^[0-9]{13}#pay_[a-z2-7]{16}$")]
_Reference = Annotated[str, Meta(min_length=1, max_length=MAX_REFERENCE_CHARS)]


class ListOwedChargesCommand(Command, tag="list_owed_charges"):
    """The longest owed first, without those of payments in review. A page may be empty and still have a position."""

    merchant_id: MerchantId
    limit: Limit = _PAGE
    position: _OwedPosition | None = None


class RecordExtraRefundCommand(ProposableCommand, tag="record_extra_refund"):
    """Records a refund of an extra charge that was made in the provider's dashboard.

    `charge`: the provider's id of the extra charge. `reference`: that of its refund.
    """

    transaction_id: TransactionId
    charge: _Reference
    reference: _Reference
    evidence: str


COMMANDS = (ListOwedChargesCommand, RecordExtraRefundCommand)


def run(wired: OperatorsWiring, command: ListOwedChargesCommand | RecordExtraRefundCommand) -> dict[str, Any]:
    """The list, or the payment as it is now."""
    if isinstance(command, RecordExtraRefundCommand):
        return decided_or_proposed(wired, command, lambda action: _record(wired, command, action))
    page = wired.owed_charges.page(command.merchant_id, limit=command.limit, position=command.position)
    now_ms = wired.platform.clock.now_ms()
    able = wired.providers.capabilities()
    owed = [(payment, charge) for payment in page.items for charge in payment.owed_charges]
    return {
        "items": [_present(payment, charge, now_ms, able) for payment, charge in owed],
        "unreadable": list(page.unreadable),
        "nextPosition": page.next_position,
    }


def _record(wired: OperatorsWiring, command: RecordExtraRefundCommand, action: OperatorAction) -> dict[str, Any]:
    recorded = wired.record_extra_refund(
        command.merchant_id,
        command.transaction_id,
        action,
        charge=command.charge,
        reference=command.reference,
        evidence=command.evidence,
    )
    return payment_fields(recorded)


def _present(payment: Payment, charge: ExtraCharge, now_ms: int, able: Mapping[str, Capabilities]) -> dict[str, Any]:
    attempt = payment.attempt(charge.attempt)
    provider = able.get(attempt.provider)
    returns = provider is not None and provider.hosted is not None and provider.hosted.returns_extra_charges
    return {
        "merchantId": payment.merchant_id,
        "transactionId": payment.transaction_id,
        "provider": attempt.provider,
        "accountId": attempt.account_id,
        "providerRef": charge.reference,
        "amount": charge.amount,
        "currency": charge.currency,
        "money": money(charge.amount, charge.currency),
        "refundedBy": "provider" if returns else "operator",
        "foundAt": timestamp(charge.found_at_ms),
        "ageSeconds": (now_ms - charge.found_at_ms) // SECOND_MS,
    }
