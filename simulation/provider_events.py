"""Providers' webhooks on their way to us: late, twice, out of order, lost, forged, misaddressed, before the answer."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sandbox.ledger import Webhook
from simulation.api import Api
from simulation.faults import Faults
from simulation.history import History, PostedWebhook
from simulation.kernel import Kernel
from simulation.providers import Shop, SimulatedProviders
from simulation.workload import MERCHANTS

_SETTLED_MS: Final = (0, 3_600, 10_600)
"""After a request: at once, and when the simulators' own delays are over."""
_REDELIVERED_MS: Final = (30_000, 600_000, 3_600_000)
"""After an answer that is no success."""
_LATEST_MS: Final = 6 * 3_600_000
_SUCCESS: Final = range(200, 300)
_UNAUTHORIZED: Final = 401


@dataclass(slots=True)
class ProviderEvents:
    """Posts what the simulators have to tell. `pending` counts posts that are still to come."""

    kernel: Kernel
    faults: Faults
    history: History
    api: Api
    providers: SimulatedProviders
    pending: int = 0
    _planned: set[tuple[str, int]] = field(default_factory=set)

    def changed(self, shop: Shop) -> None:
        """The books may have changed: collect what is to be told, now and when it settles."""
        for delay_ms in _SETTLED_MS:
            at_ms = (self.kernel.now_ms + delay_ms) // 100 * 100 + 100 if delay_ms else self.kernel.now_ms
            if (shop.account.host, at_ms) not in self._planned:
                self._planned.add((shop.account.host, at_ms))
                self.kernel.at(at_ms, lambda: self._collect(shop))

    def collect_all(self) -> None:
        """Collect the events about all that happened by itself meanwhile."""
        for shop in self.providers.shops.values():
            if shop.books.kinds:
                self._collect(shop)

    def _collect(self, shop: Shop) -> None:
        for webhook in shop.simulator.webhooks_due(self.kernel.now_ms / 1000):
            self.send(shop, webhook)

    def send(self, shop: Shop, webhook: Webhook) -> None:
        """Decide how it travels."""
        faults, random, other = self.faults, self.faults.random, self._other(shop)
        if faults.strikes("event_forged"):
            self._post_later(_Post(shop, _claiming(shop, webhook), shop, other), random.randint(0, 5_000))
        if faults.strikes("event_misaddressed"):
            self._post_later(_Post(shop, webhook, other, shop), random.randint(0, 60_000))
        if faults.strikes("event_foreign"):
            self._post_later(_Post(shop, _claiming(shop, webhook), other, other), random.randint(0, 60_000))
        if faults.strikes("event_lost"):
            return
        delay_ms = 0 if faults.strikes("event_before_answer") else random.randint(10, 2_000)
        if faults.strikes("event_late"):
            delay_ms = int(random.random() ** 3 * _LATEST_MS)
        post = _Post(shop, webhook, shop, shop)
        self._post_later(post, delay_ms)
        if faults.strikes("event_twice"):
            self._post_later(post, delay_ms + random.randint(0, 600_000))

    def _other(self, shop: Shop) -> Shop:
        """The other merchant's account at the same provider."""
        merchant = MERCHANTS[1 - MERCHANTS.index(shop.account.merchant)]
        return self.providers.shop(merchant, shop.account.provider)

    def _post_later(self, post: "_Post", delay_ms: int) -> None:
        self.pending += 1
        self.kernel.after(delay_ms, lambda: self.kernel.spawn(lambda: self._deliver(post)))

    def _deliver(self, post: "_Post") -> None:
        """From a task: until it is taken, or the provider has had enough."""
        for number, wait_ms in enumerate((*_REDELIVERED_MS, 0), 1):
            status = self._post(post, number)
            if status in _SUCCESS or not wait_ms or (status == _UNAUTHORIZED and number > 1):
                break
            self.kernel.sleep(wait_ms)
        self.pending -= 1

    def _post(self, post: "_Post", number: int) -> int:
        at_ms, account, address = self.kernel.now_ms, post.about.account, post.to.account
        webhook = post.signed_by.simulator.redelivered(post.webhook, at_ms / 1000)
        answer = self.api.invoke("webhooks", self._event(address.webhook_path, webhook))
        status = int(answer["statusCode"]) if answer is not None else 0
        self.history.webhooks.append(
            PostedWebhook(
                at_ms=at_ms,
                provider=account.provider,
                merchant=account.merchant,
                address=address.merchant,
                signed_by=post.signed_by.account.merchant,
                event_id=webhook.id,
                type=webhook.type,
                number=number,
                status=status,
                body=webhook.body,
                pair=post.signed_by.signing_pair,
            )
        )
        did = f"posts {webhook.type} to {address.merchant}"
        self.history.steps.append((at_ms, f"{account.provider} of {account.merchant}", did, str(status)))
        return status

    def _event(self, path: str, webhook: Webhook) -> Mapping[str, Any]:
        provider, token = path.split("/")[-2:]
        return {
            "httpMethod": "POST",
            "path": path,
            "pathParameters": {"provider": provider, "accountToken": token},
            "headers": dict(webhook.headers),
            "requestContext": self.api.request_context(),
            "body": base64.b64encode(webhook.body).decode(),
            "isBase64Encoded": True,
        }


@dataclass(frozen=True, slots=True)
class _Post:
    """A webhook about one account, posted to the address of an account, with the signature of an account."""

    about: Shop
    webhook: Webhook
    to: Shop
    signed_by: Shop


_CLAIMS: Final[Mapping[str, Mapping[bytes, bytes]]] = {
    "mock": {
        b"failed": b"succeeded",
        b"requires_action": b"succeeded",
        b"processing": b"succeeded",
        b"authorized": b"succeeded",
    },
    "razorpay_mock": {b'"failed"': b'"captured"', b'"authorized"': b'"captured"'},
    "cashfree_mock": {b"FAILED": b"SUCCESS"},
    "stripe": {b"requires_payment_method": b"succeeded", b"requires_action": b"succeeded", b"canceled": b"succeeded"},
    "razorpay": {
        b'"failed"': b'"captured"',
        b"payment.failed": b"payment.captured",
        b'"authorized"': b'"captured"',
        b"payment.authorized": b"payment.captured",
        b'"captured":false': b'"captured":true',
    },
    "cashfree": {b"FAILED": b"SUCCESS"},
    "payu": {b"failure": b"success"},
}
"""What makes a failure read as a success, in the bodies of each provider."""


def _claiming(shop: Shop, webhook: Webhook) -> Webhook:
    """The webhook, with a success claimed where there was none."""
    body = webhook.body
    for said, claimed in _CLAIMS[shop.account.provider].items():
        body = body.replace(said, claimed)
    return replace(webhook, body=body)
