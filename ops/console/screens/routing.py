"""The routing document: a table, a check, a back-test and a trial payment; published with a reason, rolled back."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ops.commands.routing import MAX_BACK_TEST, back_test_of
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View, fingerprint
from ops.console.typed import typed_amount

_PATH: Final = "/routing"
_EDIT: Final = "/routing/edit"
_SAMPLES: Final = (2_000, MAX_BACK_TEST)
"""How many decisions a new document is tried on, as the person chooses: some seconds, or five times that."""
_LINES: Final = 18
_ASKED: Final = ("amount", "currency", "method", "country", "metadata", "merchant", "capture")


def _show(request: ScreenRequest) -> Page:
    served = request.session.ask("show_routing")
    return Page(
        template="routing.html",
        title="Routing",
        values={
            "served": served,
            "rules": list(_rules(served["document"])),
            "answer": _explained(request),
            "asked": {name: request.query.get(name, "") for name in _ASKED},
            "seen": fingerprint(served["number"]),
        },
        commands=(
            request.command("routing", "show"),
            request.command("routing", "explain", amount="MINOR", currency="CURRENCY", merchant="ID"),
            request.command("routing", "rollback", reason="REASON"),
        ),
    )


def _rules(document: str) -> Iterator[dict[str, Any]]:
    """Rows of the table. A document that cannot be read has none: its text is shown anyway."""
    try:
        rules = json.loads(document)["rules"]
        for rule in rules:
            use = rule["use"]
            shares = use.get("split") or [{"percent": 100, "providers": use["providers"]}]
            yield {"name": rule["name"], "when": list(_conditions(rule["when"])), "shares": shares}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return


def _conditions(when: Mapping[str, Any]) -> Iterator[str]:
    said = {
        "currencies": "currency is {}",
        "countries": "the payer's country is {}",
        "paymentMethodTypes": "the payment method is {}",
        "merchants": "the merchant is {}",
        "amountAtLeast": "the amount is at least {}",
        "amountBelow": "the amount is below {}",
    }
    for name, value in when.items():
        if name == "metadata":
            yield from (f"metadata {key} is {_one_of(values)}" for key, values in value.items())
        else:
            yield said.get(name, f"{name} is {{}}").format(_one_of(value))


def _one_of(value: Any) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)


def _explained(request: ScreenRequest) -> dict[str, Any] | None:
    """The route of the payment that the address describes."""
    asked = request.query
    if not asked.get("amount"):
        return None
    metadata = dict([asked["metadata"].split("=", 1)]) if "=" in asked.get("metadata", "") else None
    return request.session.ask(
        "explain_route",
        merchantId=request.merchant(),
        amount=typed_amount(asked["amount"], least=1),
        currency=asked.get("currency", "").upper(),
        paymentMethodType=asked.get("method") or None,
        capture=asked.get("capture") or None,
        country=asked.get("country", "").upper() or None,
        metadata=metadata,
    )


def _edit(request: ScreenRequest) -> Page:
    """The document to change; after a question with its faults, and with a back-test where one is asked for."""
    served = request.session.ask("show_routing")
    typed = request.form.get("document")
    document = typed or str(served["document"]).rstrip()
    faults = request.session.ask("check_routing", document=document)["faults"] if typed else []
    tested = None
    chosen = [count for count in _SAMPLES if request.form.get("test") == str(count)]
    if typed and not faults and chosen:
        tested = back_test_of(request.session, document, merchant=None, last=chosen[0])
    return Page(
        template="routing_edit.html",
        title="Change the routing document",
        values={
            "document": document,
            "lines": max(_LINES, document.count("\n") + 2),
            "faults": faults,
            "typed": bool(typed),
            "tested": tested,
            "rules": list(_rules(document)),
            "seen": fingerprint(served["number"]),
            "samples": _SAMPLES,
        },
        commands=(
            request.command("routing", "check", "FILE"),
            request.command("routing", "back-test", "FILE"),
            request.command("routing", "publish", "FILE", reason="REASON"),
        ),
    )


def _publish(request: ScreenRequest) -> Done:
    request.refuse_if_changed(request.session.ask("show_routing")["number"])
    made = request.change("publish_routing", document=request.form.get("document", ""))
    return Done(
        location=_PATH, message=f"Version {made['number']} is {made['state'].lower()} at {made['percent']} percent."
    )


def _roll_back(request: ScreenRequest) -> Done:
    request.refuse_if_changed(request.session.ask("show_routing")["number"])
    made = request.change("roll_back_routing")
    return Done(location=_PATH, message=f"Version {made['number']} is {made['state'].lower()}.")


ROUTING: Final = Screen(
    name="routing",
    title="Routing",
    path=_PATH,
    key="r",
    summary="which provider takes which payment",
    views=(View(_PATH, _show), View(_EDIT, _edit)),
    questions=(View(f"{_PATH}/check", _edit),),
    actions=(
        Action(f"{_PATH}/publish", _publish, shown_by=_edit),
        Action(f"{_PATH}/rollback", _roll_back, shown_by=_show),
    ),
)
