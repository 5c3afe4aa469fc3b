"""The pages on which a payer pays a simulator's hosted object: their HTML, their form and their way back.

A page works without script: plain forms whose answers redirect with 303. The button decides how the try ends, because
a simulator has no bank. Pages need no credentials: whoever knows the address may pay, as at the providers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sandbox.behaviours import Behaviour, Effect
from sandbox.http_types import Reply, Request, html_reply
from sandbox.store import Store

PAGES: Final = "/pages/"
"""The path of all pages; the id of the object follows."""
SLOW_BANK_SECONDS: Final = 10.0
LATE_BANK_SECONDS: Final = 3600.0

_LOST: Final = "lost answers"
_MINOR_DIGITS: Final[Mapping[str, int]] = {"JPY": 0, "KRW": 0, "BHD": 3, "KWD": 3}


class Act(StrEnum):
    """The button that the payer presses."""

    PAY = "pay"
    FAIL = "fail"
    NO_FUNDS = "insufficient_funds"
    SLOW = "slow"
    LATE = "late"
    REOPEN = "reopen"
    LEAVE = "leave"

    @property
    def bank_seconds(self) -> float:
        """How long the bank takes until it pays, even if the object was closed meanwhile."""
        return {Act.SLOW: SLOW_BANK_SECONDS, Act.LATE: LATE_BANK_SECONDS, Act.REOPEN: LATE_BANK_SECONDS}.get(self, 0.0)

    @property
    def fails(self) -> bool:
        """Whether the try fails at once. Where the page offers `REOPEN`, that one is charged afterwards."""
        return self in {Act.FAIL, Act.NO_FUNDS, Act.REOPEN}

    @property
    def behaviour(self) -> Behaviour:
        """The effect of a try; `LEAVE` is none."""
        return Behaviour(_EFFECTS.get(self, Effect.CHARGE))


_EFFECTS: Final[Mapping[Act, Effect]] = {
    Act.FAIL: Effect.SOFT_DECLINE,
    Act.NO_FUNDS: Effect.FUNDS_DECLINE,
    Act.REOPEN: Effect.REOPENED_DECLINE,
    Act.SLOW: Effect.LATER_CHARGE,
    Act.LATE: Effect.LATER_CHARGE,
}
_BUTTONS: Final = {
    Act.PAY: "Pay",
    Act.FAIL: "Fail",
    Act.NO_FUNDS: "Insufficient funds",
    Act.SLOW: "Bank answers in 10 seconds",
    Act.LATE: "Bank answers later",
    Act.REOPEN: "Fail, charged later",
    Act.LEAVE: "Leave",
}
_METHODS: Final = {"card": "Card", "upi": "UPI", "netbanking": "Netbanking", "wallet": "Wallet"}


class PageState(StrEnum):
    """The state of the object as the payer sees it."""

    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    CLOSED = "closed"


SENTENCES: Final = {
    PageState.PROCESSING: "Your bank is processing the payment.",
    PageState.PAID: "The payment was successful.",
    PageState.CLOSED: "This page is closed: nothing can be paid here any more.",
}
"""What a page says that takes no payment now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedPage:
    """The content of one page. `amount` is in the currency's minor units."""

    provider: str
    amount: int
    currency: str
    methods: tuple[str, ...]
    """The methods that the payer may choose here, of "card", "upi", "netbanking" and "wallet"."""
    state: PageState = PageState.OPEN
    description: str = ""
    error: str = ""
    """The sentence about the last failed try."""
    back_url: str = ""
    """The shop's address, for the link on a page that takes no payment."""
    reopens: bool = False
    """Whether the payer may choose that a failed try is charged afterwards, as this provider's rules allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request for a page: the payer opens it (`act` None) or submits its form."""

    object_id: str
    act: Act | None = None
    method: str = ""
    """The chosen method; empty if the form has none of the known ones."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """All fields of the form."""


def page_request_of(request: Request) -> PageRequest | None:
    """Read a request under `PAGES`. None for another path, another HTTP method, or a button that does not exist."""
    object_id = request.path.removeprefix(PAGES)
    if not request.path.startswith(PAGES) or not object_id or request.method not in {"GET", "POST"}:
        return None
    if request.method == "GET":
        return PageRequest(object_id=object_id)
    fields = dict(parse_qsl(request.body.decode(errors="replace")))
    if fields.get("act") not in set(Act):
        return None
    method = fields.get("method", "")
    return PageRequest(
        object_id=object_id, act=Act(fields["act"]), method=method if method in _METHODS else "", fields=fields
    )


def page_url(public_url: str, object_id: str) -> str:
    """The address that the payer opens."""
    return f"{public_url.rstrip('/')}{PAGES}{object_id}"


def with_query(url: str, **fields: str) -> str:
    """The address with further query fields."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
    return urlunsplit(parts._replace(query=query))


def see_other(url: str) -> Reply:
    """Send the browser to `url` after a form."""
    return Reply(status=303, headers={"location": url, "cache-control": "no-store"})


def no_page() -> Reply:
    """The page for an address that names nothing."""
    return _html(404, "Not found", "<h1>Not found</h1><p>There is nothing to pay here.</p>")


def show(page: HostedPage) -> Reply:
    """The page as HTML."""
    shown = [
        f"<p class='provider'>{escape(page.provider)} (simulator)</p>",
        f"<h1>{escape(amount_text(page.amount, page.currency))}</h1>",
    ]
    if page.description:
        shown.append(f"<p>{escape(page.description)}</p>")
    if page.error:
        shown.append(f"<p role='alert' class='error'>{escape(page.error)}</p>")
    if page.state is PageState.OPEN:
        shown.append(_form(page))
    else:
        shown.append(f"<p role='status'>{SENTENCES[page.state]}</p>")
        if page.back_url:
            shown.append(f"<p><a href='{escape(page.back_url)}'>Back to the shop</a></p>")
    return _html(200, f"{page.provider}: pay", "\n".join(shown))


def amount_text(amount: int, currency: str) -> str:
    """`499.00 INR` for 49900."""
    digits = _MINOR_DIGITS.get(currency.upper(), 2)
    whole, part = divmod(amount, 10**digits)
    return f"{whole}.{part:0{digits}d} {currency.upper()}" if digits else f"{whole} {currency.upper()}"


def _form(page: HostedPage) -> str:
    """The methods as radio buttons and one button an act. Without `action` the form posts to the page's address."""
    methods = "".join(
        f"<label><input type='radio' name='method' value='{escape(method)}'{' checked' if first else ''}>"
        f" {_METHODS[method]}</label>"
        for first, method in ((index == 0, method) for index, method in enumerate(page.methods))
    )
    shown = {act: label for act, label in _BUTTONS.items() if act is not Act.REOPEN or page.reopens}
    buttons = "".join(f"<button name='act' value='{act}'>{label}</button>" for act, label in shown.items())
    return (
        f"<form method='post'><fieldset><legend>Pay with</legend>{methods}</fieldset>"
        f"<div class='buttons'>{buttons}</div></form>"
    )


_STYLE: Final = """
body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 0 auto; padding: 1rem;
  max-width: 30rem; }
fieldset { border: 1px solid #595959; padding: .5rem 1rem; }
label { display: block; padding: .25rem 0; }
button { font: inherit; display: block; width: 100%; min-height: 2.75rem; margin: .5rem 0; color: #fff;
  background: #1f4e79; border: 2px solid #1f4e79; border-radius: .25rem; }
button:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid #b35900; outline-offset: 2px; }
.error { border-left: .25rem solid #a80000; padding-left: .5rem; color: #a80000; }
.provider { color: #595959; }
"""


def _html(status: int, title: str, content: str) -> Reply:
    reply = html_reply(
        status,
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{content}</main></body></html>",
    )
    headers = {**reply.headers, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Reply(status=reply.status, body=reply.body, headers=headers)


# -- lost answers


class HostedCall(StrEnum):
    """A request about a hosted object whose answer can be lost."""

    CREATE = "create"
    READ = "read"
    CLOSE = "close"


def lose_answers(store: Store, plan: Mapping[str, int]) -> None:
    """Lose the answers of the next calls, by call and number: `{"create": 1}`. Raises ValueError for another call."""
    for name, number in plan.items():
        call = HostedCall(name)
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 1000:
            raise ValueError("a number of answers is a whole number from 0 to 1000")
        store.put(_LOST, call, {**(store.get(_LOST, call) or {}), "left": number})


def answered(store: Store, call: HostedCall, reply: Reply) -> Reply:
    """The answer to an executed call, or a reset connection where it is to be lost."""
    planned = store.get(_LOST, call)
    if planned is None or not planned["left"]:
        return reply
    store.put(_LOST, call, {**planned, "left": planned["left"] - 1})
    return Reply(status=0, drop=True)
