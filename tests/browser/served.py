"""The very documents and files that the page's function would send, without an environment behind them."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from payflowx.application.checkout.page import Obstacle, Page
from payflowx.domain.checkout.offers import Offer
from payflowx.domain.checkout.view import CheckoutView, Door, Screen
from payflowx.domain.merchants.checkout_profile import CheckoutProfile
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.outcome import NextAction
from payflowx.domain.shared.limits import MAX_DESCRIPTION_CHARS
from payflowx.entrypoints.checkout.answers import page as page_answer
from payflowx.entrypoints.checkout.screens import Addresses, Shown
from payflowx.entrypoints.checkout.static import find
from payflowx.entrypoints.checkout.texts.en import ENGLISH
from tests.browser.screens import RETURN_URL

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab
    from playwright.sync_api import Route

HOST: Final = "https://pay.example.com"
PAGE: Final = f"{HOST}/checkout/token"
EXPIRES_AT_MS: Final = 1_764_338_700_000
ADDRESSES: Final = Addresses(page="token", attempts="token/attempts", close="token/close", here="token")
LONG: Final = ("Wedding reception for eighty-five guests, " * 12)[:MAX_DESCRIPTION_CHARS]
"""As long as a description can be, with words that a narrow screen has to break."""
OBJECT: Final = Door(
    number=1,
    method="upi",
    action=NextAction(kind="redirect", url="https://provider.example/pages/1"),
    until_ms=EXPIRES_AT_MS,
    is_closable=True,
)
OFFERS: Final = (
    Offer(method="card", ways=("mock",), until_ms=EXPIRES_AT_MS),
    Offer(
        method="upi",
        ways=("mock",),
        until_ms=EXPIRES_AT_MS,
        missing=("customer.email", "customer.phone"),
        is_closable=False,
    ),
    Offer(method="netbanking", ways=("mock",), until_ms=EXPIRES_AT_MS, missing=("customer.name",)),
)

Show = Callable[[str], None]


def _view(screen: Screen) -> CheckoutView:
    has_object = screen in {Screen.OPEN, Screen.CLOSING, Screen.BLOCKED}
    shown = replace(OBJECT, action=OBJECT.action if screen is Screen.OPEN else None)
    return CheckoutView(
        screen=screen,
        transaction_id="pay_k5d2r7m3q8t4v6x2",
        amount=12_345_600,
        currency="INR",
        description=LONG,
        expires_at_ms=EXPIRES_AT_MS,
        offers=OFFERS if screen is Screen.CHOOSE else (),
        choose_until_ms=EXPIRES_AT_MS if screen is Screen.CHOOSE else None,
        door=replace(shown, is_closable=screen is Screen.OPEN) if has_object else None,
        failed_tries=2 if screen is Screen.OPEN else 0,
        paid_at_ms=EXPIRES_AT_MS if screen is Screen.PAID else None,
        return_url=RETURN_URL,
    )


def shown(screen: Screen, *, accent: str | None = None, obstacle: Obstacle | None = None) -> Shown:
    """The page in this state."""
    profile = CheckoutProfile(shown_name="The Old Cinema", support="help@cinema.example", accent=accent)
    merchant = Merchant(merchant_id="cinema", name="Cinema Ltd", accounts=(), checkout=profile)
    return Shown(
        page=Page(merchant=merchant, view=_view(screen)),
        texts=ENGLISH,
        addresses=ADDRESSES,
        may_act=True,
        obstacle=obstacle,
    )


def served_in(tab: "Tab") -> Show:
    """Serve a document at the page's address, with the headers and static files of the function."""
    documents: dict[str, str] = {}

    def answer(route: "Route") -> None:
        path = urlsplit(route.request.url).path
        file = find(path.rsplit("/", 1)[-1])
        if file is not None:
            route.fulfill(body=file.text, content_type=file.media_type)
        else:
            made = page_answer(200, documents["page"])
            route.fulfill(body=made["body"], headers=made["headers"])

    tab.route(f"{HOST}/**", answer)

    def show(document: str) -> None:
        documents["page"] = document
        tab.goto(PAGE)

    return show
