"""Providers and a merchant's accounts there: state, switches, addresses for webhooks. No secret is shown or typed."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from ops.commands.credentials import state_of
from ops.commands.providers import UNWELL_INCOMPLETE
from ops.console.parts import Part, gather
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View, fingerprint
from ops.errors import Exit, OperatorError

_PATH: Final = "/providers"
_OFF: Final = {"off": True, "on": False}


def _show(request: ScreenRequest) -> Page:
    merchant = request.query.get("merchant") or request.session.target.merchant
    found = request.session.ask("list_providers", merchantId=merchant)
    items = found["items"]
    accounts = request.session.ask("show_merchant", merchantId=merchant)["accounts"] if merchant else []
    written = _credentials(request, merchant) if merchant else Part(value={})
    provider = "PROVIDER"
    return Page(
        template="providers.html",
        title="Providers and accounts",
        values={
            "items": items,
            "merchant": merchant,
            "accounts": [_account(request, merchant, account, written) for account in accounts],
            "credentials_fault": written.fault,
            "cut": "" if found.get("unwellComplete", True) else UNWELL_INCOMPLETE,
            "unwell": [account for item in items for account in _unwell(item)],
            "seen": {item["provider"]: fingerprint(_state(item)) for item in items},
        },
        commands=(
            request.command("providers", "status", merchant=merchant),
            request.command("providers", "disable", provider, merchant=merchant, reason="REASON"),
            request.command("credentials", "list", merchant=merchant),
            request.command("credentials", "set", provider, merchant=merchant, endpoint="URL", reason="REASON"),
            request.command("certify", "stripe"),
        ),
    )


def _credentials(request: ScreenRequest, merchant: str) -> Part:
    """By provider and account. A deployment that does not have the command yet shows the page without them."""
    ask = partial(request.session.ask, "list_credentials", merchantId=merchant)
    part = gather({"credentials": ask})["credentials"]
    if part.fault:
        return part
    return Part(value={(one["provider"], one["accountId"]): one for one in part.value["items"]})


def _account(request: ScreenRequest, merchant: str | None, account: dict[str, Any], written: Part) -> dict[str, Any]:
    """With what a person asks about it: where its webhooks go, how old its credentials are, how they are replaced."""
    names = (account["provider"], account["accountId"])
    credentials = (written.value or {}).get(names)
    is_rotating = bool(credentials and credentials["isRotating"])
    line = request.command(
        "credentials",
        "rotate",
        names[0],
        merchant=merchant,
        account=names[1],
        finish=is_rotating,
        reason="REASON",
    )
    return {
        **account,
        "webhooks": f"{request.session.target.base_url}{account['path']}",
        "credentials": credentials,
        "state": state_of(credentials) if credentials else None,
        "line": str(line),
    }


def _unwell(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The accounts at a provider whose calls fail or are slow."""
    return ({**account, "provider": item["provider"]} for account in item.get("unwellAccounts", ()))


def _state(item: dict[str, Any]) -> list[bool]:
    return [bool(item["disabledForEveryone"]), bool(item["disabledForMerchant"])]


def _switch(request: ScreenRequest) -> Done:
    """For one merchant where the form names it, else for everyone."""
    provider, wanted = request.path["provider"], request.form.get("switch", "")
    whom = request.form.get("whom", "")
    if wanted not in _OFF or not whom:
        raise OperatorError("Say for whom, and on or off.", Exit.USAGE)
    named = None if whom == "everyone" else whom
    merchant = request.form.get("merchant") or None
    items = request.session.ask("list_providers", merchantId=merchant)["items"]
    found = next((item for item in items if item["provider"] == provider), None)
    if found is None:
        raise OperatorError("This deployment does not have this provider.", Exit.REFUSED)
    request.refuse_if_changed(_state(found))
    request.change("set_provider_switch", provider=provider, merchantId=named, disabled=_OFF[wanted])
    return Done(
        location=f"{_PATH}?{urlencode({'merchant': merchant})}" if merchant else _PATH,
        message=f"{provider} is switched {wanted} for {whom}; heeded within a minute.",
    )


PROVIDERS: Final = Screen(
    name="providers",
    title="Providers",
    path=_PATH,
    key="p",
    summary="who moves the money, and the merchant's accounts there",
    views=(View(_PATH, _show),),
    actions=(Action(f"{_PATH}/{{provider}}/switch", _switch, shown_by=_show),),
)
