"""The routes of the pages, with the function that serves each method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from payflowx.application.checkout.page import Chosen, Obstacle, Page
from payflowx.domain.checkout.view import CheckoutView, Screen
from payflowx.domain.payments.outcome import NextAction
from payflowx.domain.shared.urls import is_loopback_url
from payflowx.entrypoints.checkout import answers
from payflowx.entrypoints.checkout.answers import Answer
from payflowx.entrypoints.checkout.contacts import Typed, typed_form
from payflowx.entrypoints.checkout.documents import plain_document, screen_document
from payflowx.entrypoints.checkout.requests import PageRequest
from payflowx.entrypoints.checkout.screens import ENDED, Addresses, Shown
from payflowx.entrypoints.checkout.static import find
from payflowx.entrypoints.checkout.texts.en import ENGLISH
from payflowx.wiring.checkout import CheckoutWiring

_OBSTACLE: Final = "obstacle"
"""The query of an address that shows, after a form, why nothing was done."""
_WAIT_SECONDS: Final = "60"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`up` leads from the route's address to the folder of the pages."""

    serve: Mapping[str, Callable[..., Answer]]
    up: str

    @property
    def assets(self) -> str:
        """The relative address of the static files."""
        return f"{self.up}assets/"


def show(request: PageRequest, wired: CheckoutWiring, route: Route) -> Answer:
    """The page. Opening it changes nothing."""
    token = request.path_parameter("token")
    found = wired.page.show(token)
    if found is None:
        return _not_found(route)
    return _screen(wired, route, token, found, may_act=True, obstacle=_obstacle(request.query(_OBSTACLE)))


def come_back(request: PageRequest, wired: CheckoutWiring, route: Route) -> Answer:
    """The page for a payer whom a provider sends back. Its address can do no more than show."""
    token = request.path_parameter("token")
    found = wired.page.come_back(token)
    return _not_found(route) if found is None else _screen(wired, route, token, found, may_act=False)


def come_back_by_form(_request: PageRequest, _wired: CheckoutWiring, _route: Route) -> Answer:
    """Some providers send the payer back by a form. Nothing of it is read: it proves nothing."""
    return answers.see_other("return")


def choose(request: PageRequest, wired: CheckoutWiring, route: Route) -> Answer:
    """Store the payer's choice; lead to the provider's page if its address is known in time, else to ours.

    Browsers stop at a redirect to an origin that the form's policy does not name, such as an account's own domain at
    the provider, and show nothing. Our page has a link there, and links are free.
    """
    token, form = request.path_parameter("token"), request.form()
    found = wired.page.show(token)
    if found is None:
        return _not_found(route)
    if found.view.screen is not Screen.CHOOSE:
        return _back(token, None if found.view.screen in ENDED else Obstacle.ALREADY_CHOSEN)
    typed = typed_form(form, found.view.offers)
    if typed.errors:
        return _screen(wired, route, token, found, may_act=True, typed=typed, status=422)
    match wired.page.choose(token, typed.method, typed.contact):
        case None:
            return _not_found(route)
        case Obstacle.TOO_MANY_STARTS:
            document = plain_document(ENGLISH, "too_many", route.assets, back=f"{route.up}{token}")
            return answers.page(429, document, Retry_After=_WAIT_SECONDS)
        case Obstacle() as obstacle:
            return _back(token, obstacle)
        case Chosen(action=NextAction(kind="redirect", url=url)) if _origin(url) in _form_hosts(wired, found):
            return answers.see_other(url)
        case Chosen():
            return _back(token, None)


def close(request: PageRequest, wired: CheckoutWiring, route: Route) -> Answer:
    """Ask for the closing of the open object."""
    token = request.path_parameter("token")
    request.form()
    match wired.page.close(token):
        case None:
            return _not_found(route)
        case Obstacle() as obstacle:
            return _back(token, obstacle)
        case _:
            return _back(token, None)


def static_file(request: PageRequest, _wired: CheckoutWiring, route: Route) -> Answer:
    """The page's stylesheets and its script."""
    file = find(request.path_parameter("name"))
    return answers.static(file) if file else _not_found(route)


ROUTES: Final[Mapping[str, Route]] = {
    "/checkout/{token}": Route(serve={"GET": show}, up=""),
    "/checkout/{token}/attempts": Route(serve={"POST": choose}, up="../"),
    "/checkout/{token}/close": Route(serve={"POST": close}, up="../"),
    "/checkout/{token}/return": Route(serve={"GET": come_back, "POST": come_back_by_form}, up="../"),
    "/checkout/assets/{name}": Route(serve={"GET": static_file}, up="../"),
}


def _screen(
    wired: CheckoutWiring,
    route: Route,
    token: str,
    found: Page,
    *,
    may_act: bool,
    obstacle: Obstacle | None = None,
    typed: Typed | None = None,
    status: int = 200,
) -> Answer:
    page = f"{route.up}{token}"
    shown = Shown(
        page=found,
        texts=ENGLISH,
        addresses=Addresses(
            page=page,
            attempts=f"{page}/attempts",
            close=f"{page}/close",
            here=page if may_act else f"{page}/return",
        ),
        may_act=may_act,
        obstacle=obstacle,
        typed=typed or Typed(),
    )
    document = screen_document(shown, route.assets)
    return answers.page(status, document, form_hosts=_form_hosts(wired, found))


def _form_hosts(wired: CheckoutWiring, found: Page) -> frozenset[str]:
    """Return the origins to which a form of this page may lead, now or after its script brought in another screen.

    The document keeps the policy that it came with, so all screens have the same one: every provider of the merchant.
    """
    capabilities = wired.providers.capabilities()
    ways = {account.provider for account in found.merchant.accounts} - found.merchant.disabled
    hosted = (capabilities[way].hosted for way in ways if way in capabilities)
    declared = frozenset().union(*(capability.form_hosts for capability in hosted if capability is not None))
    # A simulator of the local environment has its pages where it has its API.
    simulated = {
        _origin(account.endpoint)
        for account in found.merchant.accounts
        if account.provider in ways and is_loopback_url(account.endpoint)
    }
    return declared | simulated | _action_host(found.view)


def _action_host(view: CheckoutView) -> frozenset[str]:
    action = view.door.action if view.door else None
    return frozenset({_origin(action.url)}) if action is not None and action.kind == "form_post" else frozenset()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _back(token: str, obstacle: Obstacle | None) -> Answer:
    """Lead from a form to the page, with the reason why nothing was done."""
    return answers.see_other(f"../{token}?{_OBSTACLE}={obstacle.value}" if obstacle else f"../{token}")


def _obstacle(code: str | None) -> Obstacle | None:
    """Return the obstacle of an address. Anybody can write one; an unknown code says nothing."""
    return next((obstacle for obstacle in Obstacle if obstacle.value == code), None)


def _not_found(route: Route) -> Answer:
    """One page for every address that is unknown, changed or expired."""
    return answers.page(404, plain_document(ENGLISH, "not_found", route.assets))
