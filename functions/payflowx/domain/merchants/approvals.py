"""Changes that two people decide: one proposes, another one approves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import ApprovalLimits
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import derive_id
from payflowx.domain.shared.limits import DAY_MS

PROPOSAL_LIFETIME_MS: Final = DAY_MS
MAX_CURRENCIES: Final = 20
MAX_CONTENT_CHARS: Final = 4_000
PROPOSAL_ID_PATTERN: Final = re.compile(r"prop_[0-9]{13}_[a-z2-7]{16}")


class SecondPersonNeeded(Refusal):
    """The change is valid and above the limit: it has to be proposed, and approved by somebody else.

    `seen`: the review that the change would close.
    """

    def __init__(self, amount: int, currency: str, seen: str | None = None) -> None:
        super().__init__(
            "second_person_needed", "The amount is above the merchant's limit: a second person has to approve."
        )
        self.amount = amount
        self.currency = currency
        self.seen = seen


def require_second_person(
    limits: ApprovalLimits, amount: int, currency: str, action: OperatorAction, *, seen: str | None = None
) -> None:
    """Raise `SecondPersonNeeded` unless the amount is within the limits or somebody else's proposal is approved."""
    if limits.needs_two(amount, currency) and not action.is_of_two:
        raise SecondPersonNeeded(amount, currency, seen)


class ProposalState(StrEnum):
    """The course of a proposal. An approved one is carried out, again if that was interrupted, and is then done.

    REFUSED: it was approved, and its change was refused when it was to be carried out. It can be approved again until
    its time is over. It is stored as APPROVED with its refusal, so that an older release reads it.
    WITHDRAWN: nobody can approve it any more. If it was approved before, its refusal says what became of it.
    """

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    DONE = "DONE"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRefusal:
    """Why the change of an approved proposal was refused the last time, or that it was withdrawn; and when."""

    code: str
    detail: str
    at_ms: int


_MAY_BE_DONE: Final = (
    " The proposal was approved before, and its change may have been made then: look at what it is about."
)


def refused_again(refusal: Refusal) -> Refusal:
    """Return the refusal of a change that may be done, and be refused now because it is."""
    return Refusal(refusal.code, refusal.detail + _MAY_BE_DONE, field=refusal.field)


def withdrawn_unclear(now_ms: int) -> ProposalRefusal:
    """Return what is kept of an approved proposal that is withdrawn, and of which nobody knows what became of it."""
    return ProposalRefusal(code="withdrawn", detail="It was withdrawn." + _MAY_BE_DONE, at_ms=now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A command that waits for its second person. `content` is the command as JSON; the id is derived from it."""

    proposal_id: str
    merchant_id: str
    content: str = field(repr=False)
    amount: int
    currency: str
    proposed_by: str
    why: str
    created_at_ms: int
    expires_at_ms: int
    state: ProposalState = ProposalState.OPEN
    decided_by: str | None = None
    decided_at_ms: int | None = None
    refusal: ProposalRefusal | None = None

    @property
    def may_be_done(self) -> bool:
        """Whether an earlier approval ended before it was said what became of it. Each refusal since then says so."""
        is_said = self.refusal is not None and self.refusal.detail.endswith(_MAY_BE_DONE)
        return self.state is ProposalState.APPROVED or is_said

    @property
    def is_whole(self) -> bool:
        """Whether the stored command is the one that was proposed."""
        return self.proposal_id == proposal_id_of(self.merchant_id, self.content, self.proposed_by, self.created_at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalPage:
    """Proposals, the newest first. `unreadable`: the ids of those that a newer release wrote.

    `next_before`: the id before which the list goes on; None at its end.
    """

    items: Sequence[Proposal]
    unreadable: Sequence[str]
    next_before: str | None = None


def proposal_id_of(merchant_id: str, content: str, proposed_by: str, created_at_ms: int) -> str:
    """Return the id: the time, so that ids sort by it, and a hash of what is proposed by whom."""
    return derive_id(f"prop_{created_at_ms:013d}_", merchant_id, content, proposed_by)


class Proposals(Protocol):
    """The store of proposals. Each change is written with its audit entry, both or none."""

    def add(self, proposal: Proposal, action: OperatorAction) -> bool:
        """Return False if the same command was proposed by the same person in the same millisecond."""
        ...

    def get(self, merchant_id: str, proposal_id: str) -> Proposal | None: ...

    def newest(self, merchant_id: str, *, limit: int, before: str | None = None) -> ProposalPage:
        """Return the newest proposals, or those that are older than the one with this id."""
        ...

    def approve(self, proposal: Proposal, action: OperatorAction, now_ms: int) -> bool:
        """Mark an open proposal of somebody else before it expires, or an approved one again.

        Return False otherwise, and where somebody decided it after it was read.
        """
        ...

    def finish(self, proposal: Proposal, now_ms: int) -> bool:
        """Mark an approved proposal as done."""
        ...

    def refuse(self, proposal: Proposal, refusal: ProposalRefusal, action: OperatorAction) -> bool:
        """Keep why the change was refused, unless the proposal was approved again meanwhile or is done."""
        ...

    def withdraw(
        self, proposal: Proposal, action: OperatorAction, now_ms: int, *, kept: ProposalRefusal | None
    ) -> bool:
        """Mark a proposal that is neither done nor withdrawn, by whomever, with what is `kept` of its approval.

        Return False where somebody decided it after it was read.
        """
        ...
