"""Disputes that await evidence."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.domain.payments.dispute_ports import OpenDispute
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import Command, Limit, MerchantId
from payflowx.wiring.operators import OperatorsWiring

_PAGE = 100
_DisputePosition = Annotated[str, Meta(pattern="^[0-9]{13}#pay_[a-z2-7]{16}#[!-~]{1,128}$")]


class ListDisputesCommand(Command, tag="list_disputes"):
    """The earliest deadline first."""

    merchant_id: MerchantId
    limit: Limit = _PAGE
    position: _DisputePosition | None = None


COMMANDS = (ListDisputesCommand,)


def run(wired: OperatorsWiring, command: ListDisputesCommand) -> dict[str, Any]:
    """The list, with the time that is left for each."""
    now_ms = wired.platform.clock.now_ms()
    found = wired.open_disputes.page(
        command.merchant_id, limit=command.limit, position=command.position, from_ms=now_ms
    )
    return {"items": [_present(dispute, now_ms) for dispute in found.items], "nextPosition": found.next_position}


def _present(dispute: OpenDispute, now_ms: int) -> dict[str, Any]:
    return {
        "merchantId": dispute.merchant_id,
        "transactionId": dispute.transaction_id,
        "provider": dispute.provider,
        "providerRef": dispute.reference,
        "evidenceDueAt": timestamp(dispute.evidence_due_at_ms),
        "secondsLeft": (dispute.evidence_due_at_ms - now_ms) // SECOND_MS,
    }
