"""Payers at the pages of a checkout: ours, and those of the providers' simulators."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from local.payer import Payer
from sandbox.http_types import Request
from simulation.api import Api
from simulation.kernel import Kernel
from simulation.providers import SimulatedProviders

_THINKS_MS: Final = 20_000
_WAITS: Final = 20
_AGAIN_MS: Final = 3_000
_CONTACT: Final = {"name": "Demo Payer", "email": "payer@example.com", "phone": "+919876543210"}


@dataclass(frozen=True, slots=True)
class Pages:
    """Takes a browser's requests, as `urllib3.PoolManager` does; from a task."""

    kernel: Kernel
    api: Api
    providers: SimulatedProviders
    pages_url: str

    def pay(self, url: str) -> None:
        """Choose a card at our page, pay at the provider's, and come back."""
        payer = Payer(pool=self)  # type: ignore[arg-type]  # it uses `request` alone
        payer.open(url)
        self.kernel.sleep(_THINKS_MS)
        button = next((text for text in sorted(_buttons(payer)) if text.startswith("Continue")), None)
        if button is None:
            return
        asked = {name for form in payer.forms for name in form.fields}
        payer.press(button, method="card", **{name: text for name, text in _CONTACT.items() if name in asked})
        self._go_on(payer)
        if "Pay" in _buttons(payer):
            self.kernel.sleep(_THINKS_MS)
            payer.press("Pay")

    def _go_on(self, payer: Payer) -> None:
        """From our page to the provider's."""
        for _ in range(_WAITS):
            if "Pay" in _buttons(payer):
                return
            onward = next((text for text in (*_buttons(payer), *payer.links) if text.startswith("Go to")), None)
            if onward is None:
                self.kernel.sleep(_AGAIN_MS)
                payer.press("Check again") if "Check again" in _buttons(payer) else payer.open(payer.url)
            elif onward in payer.links:
                payer.follow(onward)
            else:
                payer.press(onward)

    def request(
        self, method: str, url: str, *, body: str | None, headers: Mapping[str, str], redirect: bool
    ) -> SimpleNamespace:
        """The answer of whatever serves the address."""
        del redirect
        if url.startswith(self.pages_url):
            return self._ours(method, url, body, headers)
        parts = urlsplit(url)
        shop = self.providers.shops.get(parts.netloc)
        if shop is None:
            return SimpleNamespace(status=200, headers={}, data=b"the merchant's own page")
        request = Request(
            method=method,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in headers.items()},
            body=(body or "").encode(),
        )
        reply = shop.simulator.handle(request, self.kernel.now_ms / 1000)
        self.providers.changed(shop)
        found = {name.title(): value for name, value in reply.headers.items()}
        return SimpleNamespace(status=reply.status, headers=found, data=reply.body)

    def _ours(self, method: str, url: str, body: str | None, headers: Mapping[str, str]) -> SimpleNamespace:
        parts = urlsplit(url)
        token, _, action = url[len(self.pages_url) + 1 :].partition("?")[0].partition("/")
        event: dict[str, Any] = {
            "resource": f"/checkout/{{token}}{f'/{action}' if action else ''}",
            "httpMethod": method,
            "path": parts.path,
            "headers": dict(headers),
            "queryStringParameters": dict(parse_qsl(parts.query)) or None,
            "pathParameters": {"token": token},
            "requestContext": self.api.request_context(),
            "body": body,
            "isBase64Encoded": False,
        }
        answer = self.api.invoke("checkout", event)
        if answer is None:
            return SimpleNamespace(status=502, headers={}, data=b"")
        found = {name: values[0] for name, values in answer.get("multiValueHeaders", {}).items()}
        return SimpleNamespace(
            status=answer["statusCode"], headers=found | answer.get("headers", {}), data=answer["body"].encode()
        )


def _buttons(payer: Payer) -> set[str]:
    return {text for form in payer.forms for text in form.buttons}
