"""Broken designs of changes that two people decide."""

from typing import Final

from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.merchants.proposals import DynamoDBProposals
from payflowx.application.operators import proposals
from payflowx.application.operators.proposals import DecideProposal
from payflowx.domain.merchants import approvals, caller
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments import review_since
from simulation.mutants.mutant import Edit, Mutant, broken

_ROOM: Final = "operators"
_SCENARIO: Final = "approvals"

DECIDING: Final[tuple[Mutant, ...]] = (
    broken(
        _ROOM,
        "one person decides above a merchant's limit",
        Edit(
            approvals, "require_second_person", "limits.needs_two(amount, currency) and not action.is_of_two", "False"
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "authors approve their own proposals",
        Edit(DynamoDBProposals, "approve", "<> {expression.value(action.who)}", "<> {expression.value('nobody')}"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "who two people are is what they say",
        Edit(proposals, "_require_proof", "action.identity is not Identity.PROVEN", "False"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "the name of a session tells two people apart",
        Edit(caller, "principal_of", "return session[1]", "return arn"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "the audit log names the second person only",
        Edit(OperatorAction, "facts", "if self.proposed_by is not None else {}", "if False else {}"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "of two who set the first limits at once, the second one replaces them",
        Edit(DynamoDBMerchantDirectory, "set_approval_limits", ", before=_limits(before)", ""),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "approved limits are set in one write, and their proposal ends in another",
        Edit(DynamoDBMerchantDirectory, "set_approval_limits", "if proposal_id else ()", "if False else ()"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "an approved closing ends whatever review there is by then",
        Edit(review_since, "check_seen", "seen not in {None, found}", "False"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a proposal is approved after its day",
        Edit(DynamoDBProposals, "approve", "> {expression.value(now_ms)}", "> {expression.value(0)}"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a withdrawn proposal is approved",
        Edit(DynamoDBProposals, "approve", "if proposal.state not in _APPROVABLE:", "if False:"),
        Edit(DynamoDBProposals, "approve", "*_as_read(expression, proposal),", ""),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "an approval does not see that another one came after its read",
        Edit(
            DynamoDBProposals,
            "approve",
            "*_as_read(expression, proposal),",
            "_is_any_of(expression, (ProposalState.OPEN, ProposalState.APPROVED)),",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "what was approved and done is not said to be done",
        Edit(DecideProposal, "finish", "self.proposals.finish(proposal, self.clock.now_ms())", "pass"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "an interrupted approval is withdrawn, and nothing says that it may be done",
        Edit(DecideProposal, "withdraw", "withdrawn_unclear(now_ms) if", "None if"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "the refusal of an approved change is not kept",
        Edit(DecideProposal, "refuse", "self.proposals.refuse(proposal, kept, action)", "pass"),
        scenario=_SCENARIO,
    ),
)
