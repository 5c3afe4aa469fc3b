"""Changes above a merchant's limit, for the second person: one proposes, another one approves."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from ops.commands.approvals import (
    can_withdraw,
    is_waiting,
    next_of,
    proposal_of,
    refusal_text,
    subject_of,
    waiting_of,
    withdrawn_text,
)
from ops.console.parts import gather
from ops.console.rendering import words
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View, fingerprint
from ops.console.screens.story import address_of
from ops.session import Session

_PATH: Final = "/approvals/{merchant}/{proposal_id}"
_KNOWN: Final = frozenset({"command", "merchantId", "operator", "reason", "seen"})


def waiting_proposals(session: Session, merchant: str) -> list[dict[str, Any]]:
    """Those of a merchant that wait for a person, newest first, each with what it is about."""
    found = waiting_of(session, merchant)
    return [{**item, "of": subject_of(item), "address": _address(item)} for item in found]


def waiting_for(session: Session, merchant: str, subject: str) -> list[dict[str, Any]]:
    """Those about one payment, operation or merchant. A form that was made before one of them is stale.

    None where they cannot be listed: a review is closed without the list, too.
    """
    part = gather({"proposals": partial(waiting_proposals, session, merchant)})["proposals"]
    return [item for item in part.value or () if item["of"] == subject]


def seen_with(shown: object, waiting: Iterable[Mapping[str, Any]]) -> list[object]:
    """What a form was made from, where its act may become a proposal."""
    return [shown, sorted(item["proposalId"] for item in waiting)]


def proposed(answer: Mapping[str, Any]) -> Done | None:
    """Where to go when a change was proposed instead of carried out; None when it was carried out."""
    if "proposal" not in answer:
        return None
    proposal = answer["proposal"]
    return Done(
        location=_address(proposal),
        message="This is above the merchant's limit, so it is proposed. A second person has to approve it.",
    )


def _address(proposal: Mapping[str, Any]) -> str:
    return f"/approvals/{quote(proposal['merchantId'], safe='')}/{quote(proposal['proposalId'], safe='')}"


def _show(request: ScreenRequest) -> Page:
    proposal = _found(request)
    merchant, identity, change = proposal["merchantId"], proposal["proposalId"], proposal["change"]
    payment = change.get("transactionId")
    return Page(
        template="approval.html",
        title=f"Proposal {identity}",
        values={
            "proposal": proposal,
            "change": {
                "Change": words(change["command"]),
                **{words(name): value for name, value in change.items() if name not in _KNOWN and value is not None},
            },
            "address": _address(proposal),
            "story": address_of(merchant, payment) if payment else None,
            "can_approve": is_waiting(proposal),
            "can_withdraw": can_withdraw(proposal),
            "next": next_of(proposal) or None,
            "refusal": refusal_text(proposal),
            "seen": fingerprint(proposal),
        },
        commands=(
            request.command("approvals", "list", merchant=merchant),
            request.command("approvals", "approve", identity, merchant=merchant, reason="REASON"),
            request.command("approvals", "withdraw", identity, merchant=merchant, reason="REASON"),
        ),
    )


def _found(request: ScreenRequest) -> dict[str, Any]:
    """Raises `OperatorError`."""
    return proposal_of(request.session, request.path["merchant"], request.path["proposal_id"])


def _approve(request: ScreenRequest) -> Done:
    proposal = _found(request)
    request.refuse_if_changed(proposal)
    names = {"merchantId": proposal["merchantId"], "proposalId": proposal["proposalId"]}
    request.change("approve_proposal", **names)
    return Done(location=_address(proposal), message="It is approved and carried out.")


def _withdraw(request: ScreenRequest) -> Done:
    proposal = _found(request)
    names = {"merchantId": proposal["merchantId"], "proposalId": proposal["proposalId"]}
    withdrawn = request.change("withdraw_proposal", **names)["proposal"]
    return Done(location=_address(proposal), message=withdrawn_text(withdrawn))


APPROVALS: Final = Screen(
    name="approvals",
    title="Approvals",
    path="/reviews",
    key="",
    summary="what waits for a second person",
    views=(View(_PATH, _show),),
    actions=(
        Action(f"{_PATH}/approve", _approve, shown_by=_show),
        Action(f"{_PATH}/withdraw", _withdraw, shown_by=_show),
    ),
)
