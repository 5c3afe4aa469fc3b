"""Proposals: the first person's command is kept, and the second person has it carried out."""

from dataclasses import dataclass, replace

from payflowx.domain.merchants.approvals import (
    MAX_CONTENT_CHARS,
    PROPOSAL_LIFETIME_MS,
    Proposal,
    ProposalPage,
    ProposalRefusal,
    Proposals,
    ProposalState,
    SecondPersonNeeded,
    proposal_id_of,
    refused_again,
    withdrawn_unclear,
)
from payflowx.domain.merchants.caller import Identity
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES, MINUTE_MS

_MAX_LISTED = 100
_CARRIED_OUT_WITHIN_MS = MINUTE_MS
"""The operators' function, which carries an approved change out, ends within 30 seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Raises `Refusal` (`proof_needed`, `proposal_invalid`)."""

    proposals: Proposals
    clock: Clock

    def __call__(self, merchant_id: str, content: str, needed: SecondPersonNeeded, action: OperatorAction) -> Proposal:
        """Keep the command for a day. `content` is the command as JSON."""
        _require_proof(action)
        if len(content) > MAX_CONTENT_CHARS:
            raise Refusal("proposal_invalid", "The command is too long to be proposed.")
        now_ms = self.clock.now_ms()
        proposal = Proposal(
            proposal_id=proposal_id_of(merchant_id, content, action.who, now_ms),
            merchant_id=merchant_id,
            content=content,
            amount=needed.amount,
            currency=needed.currency,
            proposed_by=action.who,
            why=action.why,
            created_at_ms=now_ms,
            expires_at_ms=now_ms + PROPOSAL_LIFETIME_MS,
        )
        self.proposals.add(proposal, action)  # the same command in the same millisecond is the same proposal
        return proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideProposal:
    """Raises `Refusal`.

    Codes: `not_found`, `proof_needed`, `proposal_closed`, `proposal_expired`, `same_person`, `conflict`.
    """

    proposals: Proposals
    clock: Clock

    def approve(self, merchant_id: str, proposal_id: str, action: OperatorAction) -> Proposal:
        """Mark the proposal; the caller carries its command out and calls `finish`, or `refuse`. Its state is that of
        before: APPROVED, if nobody knows what became of an earlier approval.

        An approved one can be approved again, by anybody but its author, until it is done or over: the call that was to
        carry it out may have ended before.
        """
        _require_proof(action)
        for _ in range(MAX_COMMIT_TRIES):
            proposal = self._found(merchant_id, proposal_id)
            now_ms = self.clock.now_ms()
            if self.proposals.approve(proposal, action, now_ms):
                return replace(proposal, decided_at_ms=now_ms)
            refusal = _reason(self._found(merchant_id, proposal_id), action, now_ms)
            if refusal is not None:
                raise refusal
        raise Refusal("conflict", "It was approved at the same time. List the proposals to see what became of it.")

    def finish(self, proposal: Proposal) -> None:
        """Mark it as done. A second approval that was faster has marked it already."""
        self.proposals.finish(proposal, self.clock.now_ms())

    def refuse(self, proposal: Proposal, refusal: Refusal, action: OperatorAction) -> None:
        """Keep why the approved change was refused. A second approval that came later, or was faster, stays."""
        kept = ProposalRefusal(code=refusal.code, detail=refusal.detail, at_ms=self.clock.now_ms())
        self.proposals.refuse(proposal, kept, action)

    def withdraw(self, merchant_id: str, proposal_id: str, action: OperatorAction) -> Proposal:
        """Anybody may, also its author, and also after its day: nobody can approve it from then on.

        Of an approved one nobody may know whether its change was made. It keeps that, and is not withdrawn while the
        call that carries it out may be running.
        """
        proposal = self._found(merchant_id, proposal_id)
        now_ms = self.clock.now_ms()
        if proposal.state is ProposalState.APPROVED and now_ms < (proposal.decided_at_ms or 0) + _CARRIED_OUT_WITHIN_MS:
            raise Refusal(
                "conflict",
                "It was approved less than a minute ago and may be being carried out. List the proposals in a minute, "
                "and withdraw it if it still waits.",
            )
        kept = withdrawn_unclear(now_ms) if proposal.state is ProposalState.APPROVED else None
        if not self.proposals.withdraw(proposal, action, now_ms, kept=kept):
            raise _closed(self._found(merchant_id, proposal_id)) or Refusal(
                "conflict", "It was approved at the same time. List the proposals to see what became of it."
            )
        return self._found(merchant_id, proposal_id)

    def _found(self, merchant_id: str, proposal_id: str) -> Proposal:
        proposal = self.proposals.get(merchant_id, proposal_id)
        if proposal is None or not proposal.is_whole:
            raise Refusal("not_found", "There is no proposal with this id.")
        return proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProposals:
    """Newest first."""

    proposals: Proposals

    def __call__(self, merchant_id: str, before: str | None = None) -> ProposalPage:
        """Return a page: the newest ones, or those before the one with this id."""
        return self.proposals.newest(merchant_id, limit=_MAX_LISTED, before=before)


def _reason(proposal: Proposal, action: OperatorAction, now_ms: int) -> Refusal | None:
    """Return why it cannot be approved; None where it can, but was approved by somebody else after it was read."""
    closed = _closed(proposal)
    if closed is not None:
        return closed
    if proposal.proposed_by == action.who:
        return Refusal("same_person", "You proposed it, so another user or role has to approve it.")
    if proposal.expires_at_ms > now_ms:
        return None
    over = Refusal("proposal_expired", "The proposal is older than a day. Propose the change again.")
    return refused_again(over) if proposal.may_be_done else over


def _closed(proposal: Proposal) -> Refusal | None:
    if proposal.state not in {ProposalState.DONE, ProposalState.WITHDRAWN}:
        return None
    return Refusal("proposal_closed", f"The proposal is {proposal.state.lower()} already.")


def _require_proof(action: OperatorAction) -> None:
    if action.identity is not Identity.PROVEN:
        raise Refusal(
            "proof_needed",
            "This needs two people, and AWS has not confirmed who you are. Sign in with your own user or role; if you "
            "did, STS did not answer: try again.",
        )
