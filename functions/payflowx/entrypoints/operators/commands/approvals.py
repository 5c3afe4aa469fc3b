"""Proposals and their second person."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any, Final

import msgspec

from payflowx.domain.merchants.approvals import Proposal, refused_again
from payflowx.domain.merchants.caller import VerifiedCaller
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.shared.errors import Refusal
from payflowx.entrypoints.operators.commands import extra_charges, merchants, payments, reviews
from payflowx.entrypoints.operators.commands.base import (
    Command,
    MerchantId,
    MutatingCommand,
    ProposableCommand,
    ProposalId,
)
from payflowx.entrypoints.operators.commands.second_person import present_proposal
from payflowx.wiring.operators import OperatorsWiring

APPROVABLE: Final[Mapping[type[ProposableCommand], Any]] = {
    reviews.CloseReviewCommand: reviews.run,
    reviews.CloseOperationReviewCommand: reviews.run,
    payments.RecordRefundCommand: payments.run,
    extra_charges.RecordExtraRefundCommand: extra_charges.run,
    merchants.SetApprovalLimitsCommand: merchants.run,
}
"""The function of each command that can be proposed."""
_ANY: Final[Any] = reduce(or_, APPROVABLE)


class ListProposalsCommand(Command, tag="list_proposals"):
    """A hundred, newest first: those before the one that is named, else the newest."""

    merchant_id: MerchantId
    before: ProposalId | None = None


class ApproveProposalCommand(MutatingCommand, tag="approve_proposal"):
    """Carries the proposed command out, by another person than the one who proposed it."""

    merchant_id: MerchantId
    proposal_id: ProposalId


class WithdrawProposalCommand(MutatingCommand, tag="withdraw_proposal"):
    """Nobody can approve it from then on."""

    merchant_id: MerchantId
    proposal_id: ProposalId


COMMANDS = (ListProposalsCommand, ApproveProposalCommand, WithdrawProposalCommand)


def run(
    wired: OperatorsWiring, command: ListProposalsCommand | ApproveProposalCommand | WithdrawProposalCommand
) -> dict[str, Any]:
    """The proposal, after an approval with the answer of the command that it holds."""
    match command:
        case ListProposalsCommand():
            found = wired.list_proposals(command.merchant_id, command.before)
            items = [present_proposal(proposal) for proposal in found.items]
            return {"items": items, "unreadable": list(found.unreadable), "nextBefore": found.next_before}
        case ApproveProposalCommand():
            return _approve(wired, command)
        case WithdrawProposalCommand():
            names = (command.merchant_id, command.proposal_id)
            return {"proposal": present_proposal(wired.decide_proposal.withdraw(*names, command.operator_action()))}


def _approve(wired: OperatorsWiring, command: ApproveProposalCommand) -> dict[str, Any]:
    action = command.operator_action()
    proposal = wired.decide_proposal.approve(command.merchant_id, command.proposal_id, action)
    try:
        approved = _command_of(proposal, action)
        answer: dict[str, Any] = APPROVABLE[type(approved)](wired, approved)
    except Refusal as refusal:
        said = refused_again(refusal) if proposal.may_be_done else refusal
        wired.decide_proposal.refuse(proposal, said, action)
        raise said from refusal
    wired.decide_proposal.finish(proposal)
    return {"proposalId": proposal.proposal_id, "answer": answer}


def _command_of(proposal: Proposal, action: OperatorAction) -> Any:
    """Return the proposed command as one of both people. Raises `Refusal` (`not_readable`)."""
    try:
        proposed = msgspec.json.decode(proposal.content, type=_ANY)
    except msgspec.ValidationError as error:
        raise Refusal(
            "not_readable",
            "Another release made this proposal, and this one cannot carry it out. Withdraw it, and propose the change "
            "again.",
        ) from error
    return msgspec.structs.replace(
        proposed,
        operator=action.who,
        reason=action.why,
        verified=VerifiedCaller(action.who, proposed_by=proposal.proposed_by, proposal_id=proposal.proposal_id),
    )
