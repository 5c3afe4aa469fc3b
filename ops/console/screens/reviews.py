"""Manual reviews: what waits for a person, what both sides hold, and what each verdict would make true."""

from functools import partial
from typing import Any, Final
from urllib.parse import quote

from ops.commands.review import close_review, reviews_of, shown_review, with_age
from ops.console.command_line import CommandLine
from ops.console.money import Currency
from ops.console.parts import gather
from ops.console.rendering import words
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View, fingerprint
from ops.console.screens.approvals import proposed, seen_with, waiting_for, waiting_proposals
from ops.console.screens.runbooks import runbook_names
from ops.console.screens.story import address_of
from ops.console.typed import typed_amount
from ops.errors import Exit, OperatorError
from ops.review_text import AMOUNT_ROWS

_PATH: Final = "/reviews/{merchant}/{ident}"
_MAX_MERCHANTS: Final = 100
_PAYMENT: Final = "pay_"
_PLACE: Final = {"provider": "provider", "accountId": "account", "providerKey": "key"}
"""Where a payment was charged: the command's fields, and the options for them."""
_VERDICTS: Final = {"charged": "The money moved", "not_charged": "The money did not move"}
_WORDS: Final = frozenset({"operationStatus", "held", "paymentStatus"})


def _list(request: ScreenRequest) -> Page:
    session, named = request.session, request.query.get("merchant") or None
    merchants = session.merchants(named)
    asked = merchants[:_MAX_MERCHANTS]
    parts = gather({name: partial(reviews_of, session, name) for name in asked})
    proposals = gather({name: partial(waiting_proposals, session, name) for name in asked})
    items = [item for part in parts.values() if part.value for item in part.value[1]]
    items.sort(key=lambda item: str(item["since"]))
    return Page(
        template="reviews.html",
        title="Reviews",
        values={
            "items": [with_age(item) for item in items],
            "proposals": [item for part in proposals.values() if part.value for item in part.value],
            "faults": {name: part.fault for found in (parts, proposals) for name, part in found.items() if part.fault},
            "incomplete": [name for name, part in parts.items() if part.value and not part.value[0]],
            "left_out": merchants[_MAX_MERCHANTS:],
            "merchant": named,
        },
        commands=(
            request.command("review", "list", merchant=named),
            *(request.command("approvals", "list", merchant=name) for name in asked[:1]),
        ),
    )


def _show(request: ScreenRequest) -> Page:
    merchant, ident = request.path["merchant"], request.path["ident"]
    shown = shown_review(request.session, ident, merchant, **_facts(request))
    waiting = waiting_for(request.session, merchant, ident)
    currency = _currency(request, shown)
    verdicts = shown["verdicts"]
    rows = [
        {"name": name, "now": _cell(shown["ours"], name, currency)}
        | {verdict: _cell(effect, name, currency) for verdict, effect in verdicts.items()}
        for name in AMOUNT_ROWS
        if name in shown["ours"]
    ]
    return Page(
        template="review.html",
        title=f"Review of {ident}",
        values={
            "shown": shown,
            "ident": ident,
            "address": f"/reviews/{quote(merchant, safe='')}/{quote(ident, safe='')}",
            "story": address_of(merchant, shown["transactionId"]),
            "requested": currency.text(shown["requested"]),
            "money": currency.text,
            "rows": rows,
            "verdicts": _VERDICTS,
            "runbook": _runbook(str(shown["reason"])),
            "refused": {name: effect["why"] for name, effect in verdicts.items() if "refused" in effect},
            "waiting": waiting,
            "seen": fingerprint(seen_with(shown, waiting)),
            "is_operation": not ident.startswith(_PAYMENT),
            "facts": _facts(request),
        },
        commands=_commands(request, merchant, ident),
    )


def _commands(request: ScreenRequest, merchant: str, ident: str) -> tuple[CommandLine, ...]:
    given = {"evidence": "EVIDENCE", "reason": "REASON", "merchant": merchant}
    return (
        request.command("review", "show", ident, merchant=merchant, **_options(_facts(request))),
        request.command("review", "close", ident, charged=True, **given),
        request.command("review", "close", ident, not_charged=True, **given),
    )


def _facts(request: ScreenRequest) -> dict[str, Any]:
    """Return the facts beside the verdict, from the form or from the address. Raises `OperatorError`."""
    given = request.form or request.query
    amount = given.get("amount")
    return {
        "reference": given.get("reference") or None,
        "amount": typed_amount(amount, least=1) if amount else None,
        "held": given.get("held") or None,
        **{name: given.get(name) or None for name in _PLACE},
    }


def _options(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts as the options of the command."""
    return {_PLACE.get(name, name): value for name, value in facts.items()}


def _runbook(reason: str) -> str | None:
    """The address of the runbook for this reason, where there is one."""
    name = f"review-{reason.replace('_', '-')}"
    return f"/runbooks/{name}" if name in runbook_names() else None


def _currency(request: ScreenRequest, shown: dict[str, Any]) -> Currency:
    names = {"merchantId": shown["merchantId"], "transactionId": shown["transactionId"]}
    return Currency.of(request.session.ask("show_payment", **names)["money"], shown["currency"])


def _cell(effect: dict[str, Any], name: str, currency: Currency) -> str | None:
    """None for a verdict that is refused."""
    if "refused" in effect:
        return None
    value = effect[name]
    return words(value) if name in _WORDS else currency.text(value)


def _close(request: ScreenRequest) -> Done:
    merchant, ident = request.path["merchant"], request.path["ident"]
    verdict, evidence = request.form.get("verdict"), request.form.get("evidence")
    if verdict not in _VERDICTS or not evidence:
        raise OperatorError("Say what the evidence shows, and what the evidence is.", Exit.USAGE)
    shown = shown_review(request.session, ident, merchant, **_facts(request))
    request.refuse_if_changed(seen_with(shown, waiting_for(request.session, merchant, ident)))
    if "refused" in shown["verdicts"][verdict]:
        raise OperatorError(shown["verdicts"][verdict]["why"], Exit.REFUSED)
    closed = close_review(
        request.session,
        ident,
        merchant,
        request.form["reason"],
        verdict=verdict,
        evidence=evidence,
        **_facts(request),
    )
    return proposed(closed) or Done(
        location=address_of(merchant, shown["transactionId"]), message=f"{ident} is {closed['status']}."
    )


REVIEWS: Final = Screen(
    name="reviews",
    title="Reviews",
    path="/reviews",
    key="v",
    summary="what only a person can decide",
    views=(View("/reviews", _list), View(_PATH, _show)),
    actions=(Action(f"{_PATH}/close", _close, shown_by=_show),),
)
