"""Merchants: settings, API keys, and the changes that wait for a second person."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from ops.commands.approvals import decided_text
from ops.console.parts import gather
from ops.console.rendering import time_of
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View, fingerprint
from ops.console.screens.approvals import seen_with, waiting_for, waiting_proposals
from ops.console.typed import typed_amount
from ops.errors import Exit, OperatorError

_PATH: Final = "/merchants"
_ONE: Final = f"{_PATH}/{{merchant}}"
_PAGE: Final = 100
_MAX_KEY_AGE: Final = timedelta(days=365)


def _list(request: ScreenRequest) -> Page:
    page = request.session.ask("list_merchants", after=request.query.get("after") or None, limit=_PAGE)
    return Page(
        template="merchants.html",
        title="Merchants",
        values={"items": page["items"], "next": page["nextAfter"]},
        commands=(
            request.command("merchants", "list"),
            request.command("merchants", "create", "ID", name="NAME", reason="REASON"),
        ),
    )


def _show(request: ScreenRequest) -> Page:
    name = request.path["merchant"]
    ask = request.session.ask
    parts = gather(
        {
            "merchant": partial(ask, "show_merchant", merchantId=name),
            "keys": partial(ask, "list_keys", merchantId=name),
            "proposals": partial(waiting_proposals, request.session, name),
        }
    )
    merchant = parts["merchant"]
    if merchant.fault is not None:
        raise merchant.fault
    proposals = parts["proposals"].value or []
    limits = [item for item in proposals if item["of"] == name]
    keys = parts["keys"].value["items"] if parts["keys"].value else []
    return Page(
        template="merchant.html",
        title=f"Merchant {name}",
        values={
            "merchant": merchant.value,
            "name": name,
            "path": f"{_PATH}/{quote(name, safe='')}",
            "keys": keys,
            "limits_seen": fingerprint(seen_with(merchant.value["approvalLimits"] or {}, limits)),
            "seen": {key["keyId"]: fingerprint(key) for key in keys},
            "old": {key["keyId"] for key in keys if _is_old(key)},
            "proposals": proposals,
            "faults": {part: found.fault for part, found in parts.items() if found.fault is not None},
        },
        commands=(
            request.command("merchants", "show", name),
            request.command("keys", "list", name),
            request.command("keys", "create", name, reason="REASON"),
            request.command("keys", "rotate", name, "KEY", reason="REASON"),
            request.command("approvals", "list", merchant=name),
            request.command("merchants", "set-approvals", name, limit="CURRENCY=MINOR", reason="REASON"),
        ),
    )


def _is_old(key: Mapping[str, Any]) -> bool:
    """Whether it should be rotated, as docs/operations/secrets.md says."""
    return key["state"] == "valid" and datetime.now(UTC) - time_of(key["createdAt"]) > _MAX_KEY_AGE


def _revoke(request: ScreenRequest) -> Done:
    merchant, key_id = request.path["merchant"], request.form.get("key", "")
    keys = request.session.ask("list_keys", merchantId=merchant)["items"]
    found = next((key for key in keys if key["keyId"] == key_id), None)
    if found is None:
        raise OperatorError("The merchant has no such key.", Exit.REFUSED)
    request.refuse_if_changed(found)
    ended = request.change("revoke_key", merchantId=merchant, keyId=key_id)
    return _done(merchant, f"{ended['keyId']} is {ended['state']}: refused within a minute.")


def _limits(request: ScreenRequest) -> Done:
    merchant, currency, amount = request.path["merchant"], request.form.get("currency", ""), request.form.get("amount")
    if not (currency and amount):
        raise OperatorError("Say a currency, such as USD, and an amount in its minor unit.", Exit.USAGE)
    known = request.session.ask("show_merchant", merchantId=merchant)["approvalLimits"] or {}
    request.refuse_if_changed(seen_with(known, waiting_for(request.session, merchant, merchant)))
    limits = {**known, currency.upper(): typed_amount(amount)}
    answer = request.change("set_approval_limits", merchantId=merchant, limits=limits)
    return _done(merchant, decided_text(answer, f"Two people decide above {amount} {currency.upper()} from now on."))


def _done(merchant: str, message: str) -> Done:
    return Done(location=f"{_PATH}/{quote(merchant, safe='')}", message=message)


MERCHANTS: Final = Screen(
    name="merchants",
    title="Merchants",
    path=_PATH,
    key="m",
    summary="settings, API keys, and what waits for a second person",
    views=(View(_PATH, _list), View(_ONE, _show)),
    actions=(
        Action(f"{_ONE}/keys/revoke", _revoke, shown_by=_show),
        Action(f"{_ONE}/limits", _limits, shown_by=_show),
    ),
)
