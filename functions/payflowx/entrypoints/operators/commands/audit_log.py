"""The operators' audit log."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import Command, Limit
from payflowx.wiring.operators import OperatorsWiring


class ListAuditLogCommand(Command, tag="list_records"):
    """A month's changes that belong to no payment, newest first."""

    month: Annotated[str, Meta(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$")]
    limit: Limit = 100


COMMANDS = (ListAuditLogCommand,)


def run(wired: OperatorsWiring, command: ListAuditLogCommand) -> dict[str, Any]:
    """Who, what and why."""
    return {
        "items": [
            {
                "at": timestamp(record.at_ms),
                "action": record.action,
                "merchantId": record.merchant_id,
                "operator": record.operator_action.who,
                "reason": record.operator_action.why,
                "identity": record.operator_action.identity.value,
                "proposedBy": record.operator_action.proposed_by,
                "facts": dict(record.facts),
            }
            for record in wired.list_audit_entries(command.month, limit=command.limit)
        ]
    }
