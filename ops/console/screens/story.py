"""One payment's story: what was asked, what was tried, where the money is, and what happens next."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from ops.commands.payments import personal_rows
from ops.console import aws_links
from ops.console.money import Currency, bar
from ops.console.parts import Part, gather
from ops.console.payment_story import next_step, timeline
from ops.console.rendering import time_of
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View
from ops.session import Session

_PATH: Final = "/payments/{merchant}/{transaction_id}"
_MAX_EVENTS: Final = 1_000
_MAX_OPERATIONS: Final = 500
_DONE: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED"})


def address_of(merchant: str, transaction_id: str) -> str:
    """The story's address."""
    return f"/payments/{quote(merchant, safe='')}/{quote(transaction_id, safe='')}"


def _show(request: ScreenRequest) -> Page:
    session, names = request.session, _names(request)
    parts = gather(
        {
            "payment": lambda: _payment(session, names),
            "events": lambda: list(islice(session.pages("list_events", "afterSeq", "nextSeq", **names), _MAX_EVENTS)),
            "check": lambda: session.ask("verify_trail", **names),
            "deliveries": lambda: session.ask("list_payment_deliveries", **names),
            "log groups": lambda: aws_links.groups_of(session.target),
        }
    )
    if parts["payment"].fault:
        raise parts["payment"].fault
    payment = parts["payment"].value
    currency = Currency.of(payment["money"], payment["currency"])
    identity, merchant = names["transactionId"], names["merchantId"]
    address = address_of(merchant, identity)
    personal = request.done.shown if request.done and request.done.location == address else None
    return Page(
        template="story.html",
        title=identity,
        values={
            "payment": payment,
            "address": address,
            "money": currency.text,
            "bar": bar(payment),
            "next": next_step(payment, datetime.now(UTC)),
            "entries": timeline(parts["events"].value or (), _items(parts["deliveries"]), currency),
            "parts": parts,
            "personal": personal_rows(dict(personal)) if personal else None,
            "can_resolve": payment["status"] not in _DONE,
            "query": aws_links.log_query(identity),
            "links": aws_links.of_payment(
                session.target,
                identity,
                begun=time_of(payment["createdAt"]),
                changed=time_of(payment["updatedAt"]),
                groups=parts["log groups"].value or (),
            ),
        },
        commands=tuple(
            request.command("payments", name, identity, merchant=merchant)
            for name in ("show", "events", "verify", "deliveries")
        ),
    )


def _payment(session: Session, names: Mapping[str, str]) -> dict[str, Any]:
    payment = session.ask("show_payment", **names)
    position = payment.pop("operationsPosition", None)
    if position is not None:
        rest = session.pages("list_operations", "position", "nextPosition", start=position, **names)
        payment["operations"] = [*payment["operations"], *islice(rest, _MAX_OPERATIONS)]
    return payment


def _items(part: Part) -> Any:
    return part.value["items"] if part.value else ()


def _names(request: ScreenRequest) -> dict[str, str]:
    return {"merchantId": request.path["merchant"], "transactionId": request.path["transaction_id"]}


def _resolve(request: ScreenRequest) -> Done:
    names = _names(request)
    request.change("resolve_payment", **names)
    return Done(
        location=address_of(*names.values()),
        message="A worker was woken to inquire. It charges nothing that would not be charged anyway.",
    )


def _reveal(request: ScreenRequest) -> Done:
    names = _names(request)
    shown = request.change("show_personal_data", **names)
    return Done(
        location=address_of(*names.values()),
        message="Your access to the personal data is recorded. It is shown below for ten minutes.",
        shown=shown,
    )


STORY: Final = Screen(
    name="story",
    title="A payment",
    path=_PATH,
    key="",
    summary="one payment's story",
    views=(View(_PATH, _show),),
    actions=(
        Action(f"{_PATH}/resolve", _resolve, shown_by=_show),
        Action(f"{_PATH}/personal-data", _reveal, shown_by=_show, is_access=True),
    ),
)
