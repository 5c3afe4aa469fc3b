"""Providers and a merchant's accounts there: state, switches, addresses for webhooks. No secret is shown or typed."""

from typing import Any, Final

from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View, fingerprint
from ops.errors import Exit, OperatorError

_PATH: Final = "/providers"
_OFF: Final = {"off": True, "on": False}


def _show(request: ScreenRequest) -> Page:
    merchant = request.query.get("merchant") or request.session.target.merchant
    items = request.session.ask("list_providers", merchantId=merchant)["items"]
    accounts = request.session.ask("show_merchant", merchantId=merchant)["accounts"] if merchant else []
    base = request.session.target.base_url
    provider = "PROVIDER"
    return Page(
        template="providers.html",
        title="Providers and accounts",
        values={
            "items": items,
            "merchant": merchant,
            "accounts": [{**account, "webhooks": f"{base}{account['path']}"} for account in accounts],
            "seen": {item["provider"]: fingerprint(_state(item)) for item in items},
            "lines": {
                account["provider"]: str(
                    request.command(
                        "credentials",
                        "rotate",
                        account["provider"],
                        merchant=merchant,
                        account=account["accountId"],
                        reason="REASON",
                    )
                )
                for account in accounts
            },
        },
        commands=(
            request.command("providers", "status", merchant=merchant),
            request.command("providers", "disable", provider, merchant=merchant, reason="REASON"),
            request.command("credentials", "set", provider, merchant=merchant, endpoint="URL", reason="REASON"),
            request.command("certify", "stripe"),
        ),
    )


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
        location=f"{_PATH}?merchant={merchant}" if merchant else _PATH,
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
