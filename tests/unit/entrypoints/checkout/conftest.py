"""A payer's browser before the handler, over the shop of the use cases' tests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from payflowx.adapters.platform.checkout_tokens import SignedCheckoutTokens
from payflowx.domain.payments.payment import Payment
from payflowx.entrypoints.checkout import handler
from payflowx.wiring.checkout import CheckoutWiring
from tests.support.pages import BrowserPage, Form
from tests.unit.application.checkout.conftest import PAGES, Shop

_FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass
class Answer:
    """The answer of the handler, and the address that it is for."""

    address: str
    event: dict[str, Any]

    @property
    def status(self) -> int:
        return int(self.event["statusCode"])

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.event["headers"])

    @property
    def body(self) -> str:
        return str(self.event["body"])

    @property
    def page(self) -> BrowserPage:
        return BrowserPage(address=self.address, markup=self.body)


@dataclass
class Browser:
    """Sends what a browser sends. `get` and `post` do not follow redirects; `submit` does."""

    shop: Shop

    def address(self, payment: Payment) -> str:
        return f"{PAGES}/{self.shop.token(payment)}"

    def send(self, method: str, address: str, body: str | None = None, changed: dict[str, Any] | None = None) -> Answer:
        """Send a request; `changed` are parts of its event."""
        parts = urlsplit(address)
        _, _, *rest = parts.path.split("/")
        return Answer(
            address, handler.handler(_event(method, parts.path, parts.query, rest, body) | (changed or {}), None)
        )

    def get(self, address: str) -> Answer:
        return self.send("GET", address)

    def post(self, address: str, body: str = "") -> Answer:
        return self.send("POST", address, body)

    def open(self, payment: Payment) -> BrowserPage:
        answer = self.get(self.address(payment))
        assert answer.status == 200
        return answer.page

    def submit(self, form: Form, **typed: str) -> Answer:
        """Send a form, and follow a redirect to a page of ours."""
        answer = self.post(form.action, form.body(**typed)) if form.method == "post" else self.get(form.action)
        if answer.status != 303:
            return answer
        target = _resolved(answer)
        return self.get(target) if target.startswith(PAGES) else answer


def _resolved(answer: Answer) -> str:
    return urljoin(answer.address, answer.headers["Location"])


def _event(method: str, path: str, query: str, rest: list[str], body: str | None) -> dict[str, Any]:
    """A proxy event of the pages' API."""
    if rest[0] == "assets":
        resource, parameters = "/checkout/assets/{name}", {"name": rest[-1]}
    else:
        resource, parameters = "/".join(("/checkout/{token}", *rest[1:])), {"token": rest[0]}
    found = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {"content-type": _FORM_TYPE} if body else {},
        "queryStringParameters": found or None,
        "pathParameters": parameters,
        "requestContext": {"requestId": "req-1", "path": f"/v1{path}", "stage": "v1"},
        "body": body,
        "isBase64Encoded": False,
    }


@dataclass
class PageShop(Shop):
    """The shop with the secret that the wiring reads."""

    tokens: SignedCheckoutTokens = field(default_factory=lambda: SignedCheckoutTokens(keys=lambda: ["t" * 64]))


@pytest.fixture
def shop() -> PageShop:
    return PageShop()


@pytest.fixture
def browser(shop: PageShop) -> Iterator[Browser]:
    with handler.wiring.use(lambda: shop.world.wired(CheckoutWiring)):
        yield Browser(shop)
