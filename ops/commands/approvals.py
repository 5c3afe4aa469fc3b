"""`payflowx approvals`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
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
}
_WAITING: Final = frozenset({"OPEN", "APPROVED", "REFUSED"})


@click.group()
def approvals() -> None:
    """Changes above a merchant's limit: one person proposes, another one approves."""


@approvals.command("list")
@merchant_option
@click.option("--all", "everything", is_flag=True, help="Also those that are done, withdrawn or over.")
@target_options
@pass_session
def list_(session: Session, *, merchant: str | None, everything: bool) -> None:
    """What waits for a second person, newest first. `payflowx merchants set-approvals` sets the limits."""
    name = session.merchant(merchant)
    found = proposals_of(session, name) if everything else waiting_of(session, name)
    items = [{**item, "of": subject_of(item)} for item in found]
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
    """End a proposal without carrying it out."""
    names = {"merchantId": session.merchant(merchant), "proposalId": proposal_id}
    session.show(session.change("withdraw_proposal", reason, **names), f"{proposal_id} is withdrawn.")


def proposals_of(session: Session, merchant: str) -> Iterator[dict[str, Any]]:
    """All proposals of a merchant, newest first."""
    yield from session.pages("list_proposals", "before", "nextBefore", merchantId=merchant)


def waiting_of(session: Session, merchant: str) -> Iterator[dict[str, Any]]:
    """Those that somebody can still approve, newest first. All wait equally long: none before an expired one waits."""
    for proposal in proposals_of(session, merchant):
        if is_over(proposal):
            return
        if is_waiting(proposal):
            yield proposal


def proposal_of(session: Session, merchant: str, proposal_id: str) -> dict[str, Any]:
    """The one with this id, also behind many newer ones. Ids begin with their time. Raises `OperatorError`."""
    for proposal in proposals_of(session, merchant):
        if proposal["proposalId"] == proposal_id:
            return proposal
        if proposal["proposalId"] < proposal_id:
            break
    raise OperatorError("There is no proposal with this id.", Exit.REFUSED, hint="(not_found)")


def is_over(proposal: Mapping[str, Any]) -> bool:
    """Whether its day is over."""
    return datetime.now(UTC) >= datetime.fromisoformat(proposal["expiresAt"])


def is_waiting(proposal: Mapping[str, Any]) -> bool:
    """Whether somebody can still approve it. A refused one can be approved again, until its time is over."""
    return proposal["state"] in _WAITING and not is_over(proposal)


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
