"""A command that one person may carry out up to a limit, and proposes above it."""

from collections.abc import Callable
from typing import Any

import msgspec

from payflowx.domain.merchants.approvals import Proposal, ProposalRefusal, SecondPersonNeeded
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import ProposableCommand
from payflowx.wiring.operators import OperatorsWiring


def decided_or_proposed(
    wired: OperatorsWiring, command: ProposableCommand, decide: Callable[[OperatorAction], dict[str, Any]]
) -> dict[str, Any]:
    """The answer of the command, or the proposal that it became."""
    action = command.operator_action()
    try:
        return decide(action)
    except SecondPersonNeeded as needed:
        fields = msgspec.to_builtins(msgspec.structs.replace(command, verified=None))
        kept = {name: value for name, value in fields.items() if value is not None}
        if needed.seen is not None:
            kept["seen"] = needed.seen
        content = msgspec.json.encode(kept, order="deterministic").decode()
        return {"proposal": present_proposal(wired.propose(command.merchant_id, content, needed, action))}


def present_proposal(proposal: Proposal) -> dict[str, Any]:
    """With the command as it would be carried out."""
    return {
        "proposalId": proposal.proposal_id,
        "merchantId": proposal.merchant_id,
        "state": proposal.state.value,
        "change": msgspec.json.decode(proposal.content),
        "amount": proposal.amount,
        "currency": proposal.currency,
        "proposedBy": proposal.proposed_by,
        "reason": proposal.why,
        "createdAt": timestamp(proposal.created_at_ms),
        "expiresAt": timestamp(proposal.expires_at_ms),
        "decidedBy": proposal.decided_by,
        "mayBeDone": proposal.may_be_done,
        "refusal": _present_refusal(proposal.refusal),
    }


def _present_refusal(refusal: ProposalRefusal | None) -> dict[str, Any] | None:
    if refusal is None:
        return None
    return {"code": refusal.code, "message": refusal.detail, "at": timestamp(refusal.at_ms)}
