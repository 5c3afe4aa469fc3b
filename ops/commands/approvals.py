"""`payflowx approvals`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from ops.errors import Exit, OperatorError
from ops.options import confirm, merchant_option, reason_option, target_options, yes_option
from ops.output import key_values
from ops.session import Session, pass_session

_COLUMNS: Final = {
    "proposal": "proposalId",
    "state": "state",
    "change": "change.command",
    "of": "of",
    "amount": "amount",
    "currency": "currency",
    "by": "proposedBy",
    "why": "reason",
    "until": "expiresAt",
    "refused because": "refusal.message",
    "next": "next",
}
_WAITING: Final = frozenset({"OPEN", "APPROVED", "REFUSED"})
_APPROVED: Final = frozenset({"APPROVED", "REFUSED"})
_UNCLEAR_FOR: Final = timedelta(days=30)
"""So long after its day, a proposal whose change may have been made is listed until a person ends it."""


@click.group()
def approvals() -> None:
    """Changes above a merchant's limit: one person proposes, another one approves."""


@approvals.command("list")
@merchant_option
@click.option("--all", "everything", is_flag=True, help="Also those that are done, withdrawn or over.")
@target_options
@pass_session
def list_(session: Session, *, merchant: str | None, everything: bool) -> None:
    """What waits for a person, newest first, and what to do next. `payflowx merchants set-approvals` sets the limits.

    A proposal whose approval was interrupted is listed for 30 days after its day: its change may have been made.
    """
    name = session.merchant(merchant)
    found = proposals_of(session, name) if everything else waiting_of(session, name)
    items = [{**item, "of": subject_of(item), "next": next_of(item)} for item in found]
    session.show_table(items, _COLUMNS, nothing="Nothing waits for a second person.")


@approvals.command("approve")
@click.argument("proposal_id", metavar="ID")
@merchant_option
@yes_option
@reason_option
@target_options
@pass_session
def approve(session: Session, *, proposal_id: str, merchant: str | None, yes: bool, reason: str) -> None:
    """Carry out what somebody else proposed. AWS has to confirm who you are, and the proposer cannot approve.

    If the change itself is refused, nothing is changed: the list says REFUSED and why, and it can be approved again.
    """
    name = session.merchant(merchant)
    proposal = proposal_of(session, name, proposal_id)
    session.say(proposal_text(proposal))
    confirm("Carry it out? The merchant acts on it.", yes=yes)
    done = session.change("approve_proposal", reason, merchantId=name, proposalId=proposal_id)
    session.show(done, f"{proposal_id} is carried out.")


@approvals.command("withdraw")
@click.argument("proposal_id", metavar="ID")
@merchant_option
@reason_option
@target_options
@pass_session
def withdraw(session: Session, *, proposal_id: str, merchant: str | None, reason: str) -> None:
    """End a proposal, also after its day: nobody can approve it from then on.

    If it was approved before and interrupted, its change may have been made: the answer says so. One that was approved
    less than a minute ago may be being carried out, and cannot be withdrawn yet.
    """
    names = {"merchantId": session.merchant(merchant), "proposalId": proposal_id}
    answer = session.change("withdraw_proposal", reason, **names)
    session.show(answer, withdrawn_text(answer["proposal"]))


def proposals_of(session: Session, merchant: str) -> Iterator[dict[str, Any]]:
    """All proposals of a merchant, newest first."""
    yield from session.pages("list_proposals", "before", "nextBefore", merchantId=merchant)


def waiting_of(session: Session, merchant: str) -> Iterator[dict[str, Any]]:
    """Those that a person can still approve, or has to end; newest first. All wait equally long."""
    for proposal in proposals_of(session, merchant):
        if is_over(proposal, since=_UNCLEAR_FOR):
            return
        if can_withdraw(proposal):
            yield proposal


def proposal_of(session: Session, merchant: str, proposal_id: str) -> dict[str, Any]:
    """The one with this id, also behind many newer ones. Ids begin with their time. Raises `OperatorError`."""
    for proposal in proposals_of(session, merchant):
        if proposal["proposalId"] == proposal_id:
            return proposal
        if proposal["proposalId"] < proposal_id:
            break
    raise OperatorError("There is no proposal with this id.", Exit.REFUSED, hint="(not_found)")


def is_over(proposal: Mapping[str, Any], *, since: timedelta = timedelta()) -> bool:
    """Whether its day is over, and has been for so long."""
    return datetime.now(UTC) >= datetime.fromisoformat(proposal["expiresAt"]) + since


def is_waiting(proposal: Mapping[str, Any]) -> bool:
    """Whether somebody can still approve it. A refused one can be approved again, until its time is over."""
    return proposal["state"] in _WAITING and not is_over(proposal)


def may_be_done(proposal: Mapping[str, Any]) -> bool:
    """Whether nobody knows if its change was made: an approval was interrupted. An older function does not say."""
    return bool(proposal.get("mayBeDone", proposal["state"] == "APPROVED"))


def can_withdraw(proposal: Mapping[str, Any]) -> bool:
    """Whether it waits for a second person, or for one who ends it."""
    return is_waiting(proposal) or (proposal["state"] in _APPROVED and may_be_done(proposal))


def next_of(proposal: Mapping[str, Any]) -> str:
    """What a person does with it next; empty where nothing is left to do."""
    if not can_withdraw(proposal):
        return ""
    if not may_be_done(proposal):
        return "approve it or withdraw it"
    check = f"its change may have been made: check {subject_of(proposal)}, then "
    return check + ("withdraw it" if is_over(proposal) else "approve it again or withdraw it")


def withdrawn_text(proposal: Mapping[str, Any]) -> str:
    """What a withdrawal has ended."""
    text = f"{proposal['proposalId']} is withdrawn."
    if not may_be_done(proposal):
        return text
    return f"{text} It was approved before, and its change may have been made then: check {subject_of(proposal)}."


def refusal_text(proposal: Mapping[str, Any]) -> str | None:
    """Why its change was refused when it was carried out, and when; None if it was not."""
    refusal = proposal.get("refusal")  # an older function does not say
    return f"{refusal['message']} ({refusal['code']}, {refusal['at']})" if refusal else None


def proposal_text(proposal: Mapping[str, Any]) -> str:
    """What is proposed, for the person who decides."""
    hidden = {"command", "merchantId", "operator", "reason", "seen"}
    change = {name: value for name, value in proposal["change"].items() if name not in hidden}
    rows = {
        "Proposal": proposal["proposalId"],
        "State": proposal["state"],
        "Refused because": refusal_text(proposal),
        "Change": proposal["change"]["command"],
        **change,
        "Proposed by": proposal["proposedBy"],
        "Why": proposal["reason"],
        "Until": proposal["expiresAt"],
        "Next": next_of(proposal) or None,
    }
    return key_values(rows)


def subject_of(proposal: Mapping[str, Any]) -> str:
    """The payment, operation or merchant that it is about."""
    change = proposal["change"]
    return str(change.get("operationId") or change.get("transactionId") or change["merchantId"])


def show_decided(session: Session, answer: Mapping[str, Any], text: str) -> None:
    """What a command did, or that it waits for a second person."""
    session.show(answer, decided_text(answer, text))


def decided_text(answer: Mapping[str, Any], text: str) -> str:
    """`text`, or what to do with the proposal that the command became."""
    if "proposal" not in answer:
        return text
    proposal = answer["proposal"]
    return (
        f"This is above the merchant's limit. It is proposed as {proposal['proposalId']}, and somebody else carries it "
        f"out until {proposal['expiresAt']}: payflowx approvals approve {proposal['proposalId']} "
        f"--merchant {proposal['merchantId']} --reason ..."
    )
