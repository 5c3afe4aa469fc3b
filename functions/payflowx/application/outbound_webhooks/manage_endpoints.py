"""Management of a merchant's webhook endpoints: create, list, rotate the secret, delete."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from payflowx.domain.outbound_webhooks.catch_up import CatchUp, catch_up_of, owed_since_ms
from payflowx.domain.outbound_webhooks.endpoints import Endpoint, WebhookEndpoints, derive_endpoint_id, rotated
from payflowx.domain.outbound_webhooks.ports import CatchUps, SecretCipher, WebhookEndpointStore
from payflowx.domain.outbound_webhooks.signing import SECRET_CHARS, SECRET_PREFIX
from payflowx.domain.payments.event_types import EVENT_TYPES
from payflowx.domain.shared.ambient import Clock, Randomness
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES, MAX_ENDPOINTS, MAX_EVENT_TYPES
from payflowx.domain.shared.urls import same_address, why_not_allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """A validated request. Empty event types mean all of them."""

    merchant_id: str
    url: str
    event_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageEndpoints:
    """Raises `Refusal` with nothing written.

    Raises `StorageUnavailableError` when the request should be repeated.
    """

    endpoint_store: WebhookEndpointStore
    catch_ups: CatchUps
    cipher: SecretCipher
    clock: Clock
    randomness: Randomness
    loopback_allowed: bool
    """Allow endpoints on this machine without TLS; never set in production."""

    def list(self, merchant_id: str) -> Sequence[Endpoint]:
        """Return all endpoints, oldest first."""
        return self.endpoint_store.get(merchant_id).endpoints

    def create(self, request: NewEndpoint) -> tuple[Endpoint, str]:
        """Return the endpoint and its secret; the secret is never shown again."""
        self._check(request)
        endpoint_id = derive_endpoint_id(request.merchant_id, request.url)
        now_ms = self.clock.now_ms()
        secret, encrypted = self._new_secret(request.merchant_id, endpoint_id)
        endpoint = Endpoint(
            endpoint_id=endpoint_id,
            url=request.url,
            event_types=request.event_types,
            encrypted_secret=encrypted,
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
        )

        def add(webhook_endpoints: WebhookEndpoints) -> WebhookEndpoints:
            _check_not_registered(webhook_endpoints, endpoint)
            if len(webhook_endpoints.endpoints) >= MAX_ENDPOINTS:
                detail = (
                    f"The limit of {MAX_ENDPOINTS} webhook endpoints is reached. Delete one that is not used any more."
                )
                raise Refusal("endpoint_limit", detail)
            return webhook_endpoints.with_endpoint(self._registered(webhook_endpoints, endpoint))

        def search(after: WebhookEndpoints) -> CatchUp:
            return catch_up_of(request.merchant_id, _known(after, endpoint_id), now_ms)

        return _known(self._change(request.merchant_id, add, search=search), endpoint_id), secret

    def rotate(self, merchant_id: str, endpoint_id: str) -> tuple[Endpoint, str]:
        """Return the new secret, which is never shown again; for a day both secrets sign."""
        secret, encrypted = self._new_secret(merchant_id, endpoint_id)
        now_ms = self.clock.now_ms()

        def renew(webhook_endpoints: WebhookEndpoints) -> WebhookEndpoints:
            endpoint = _known(webhook_endpoints, endpoint_id)
            if endpoint.encrypted_secret == encrypted:
                return webhook_endpoints  # a second rotation would end the overlap of the first
            return webhook_endpoints.with_endpoint(rotated(endpoint, encrypted, now_ms))

        return _known(self._change(merchant_id, renew), endpoint_id), secret

    def delete(self, merchant_id: str, endpoint_id: str) -> None:
        """Delete the endpoint; its pending deliveries are dropped."""
        was_there = False

        def drop(webhook_endpoints: WebhookEndpoints) -> WebhookEndpoints:
            nonlocal was_there
            if was_there and webhook_endpoints.find(endpoint_id) is None:
                return webhook_endpoints
            _known(webhook_endpoints, endpoint_id)
            was_there = True
            return webhook_endpoints.without(endpoint_id)

        self._change(merchant_id, drop)

    def _change(
        self,
        merchant_id: str,
        change: Callable[[WebhookEndpoints], WebhookEndpoints],
        *,
        search: Callable[[WebhookEndpoints], CatchUp] | None = None,
    ) -> WebhookEndpoints:
        """Store the change. `change` returns what it is given if that is stored already: a write's answer was lost.

        `search`: the search that begins with what is stored.
        """
        for _ in range(MAX_COMMIT_TRIES):
            before = self.endpoint_store.get(merchant_id)
            after = change(before)
            if after is before:
                return after
            if self.endpoint_store.save(before, after, catch_up=search(after) if search else None):
                return after
        raise StorageUnavailableError("the endpoints kept changing; repeat the request")

    def _registered(self, before: WebhookEndpoints, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint with the time of an earlier registration whose search still runs.

        Where each version so far added an endpoint, none was deleted, so that there was no earlier one.
        """
        if before.version == len(before.endpoints):
            return endpoint
        earlier = self.catch_ups.get(before.merchant_id, endpoint.endpoint_id)
        return replace(endpoint, owed_since_ms=owed_since_ms(earlier))

    def _new_secret(self, merchant_id: str, endpoint_id: str) -> tuple[str, str]:
        secret = SECRET_PREFIX + self.randomness.secret_text(SECRET_CHARS)
        return secret, self.cipher.encrypt(secret, merchant_id=merchant_id, endpoint_id=endpoint_id)

    def _check(self, request: NewEndpoint) -> None:
        if fault := why_not_allowed(request.url, loopback_allowed=self.loopback_allowed):
            raise Refusal("url_not_allowed", f"The URL is not allowed: {fault}.", field="url")
        types = request.event_types
        if len(types) > MAX_EVENT_TYPES or len(set(types)) != len(types) or not EVENT_TYPES.issuperset(types):
            known = ", ".join(sorted(EVENT_TYPES))
            raise Refusal("field_invalid", f"eventTypes must be distinct values of {known}.", field="eventTypes")


def _check_not_registered(webhook_endpoints: WebhookEndpoints, new: Endpoint) -> None:
    """A second registration, in whatever spelling, would duplicate every delivery."""
    if webhook_endpoints.find(new.endpoint_id) is not None:
        raise Refusal(
            "endpoint_exists",
            "This URL is registered already. Rotate its secret, or delete it first to change its event types.",
            field="url",
        )
    spelled = next((e for e in webhook_endpoints.endpoints if same_address(e.url, new.url)), None)
    if spelled is not None:
        raise Refusal(
            "endpoint_exists",
            f"This URL is registered already, in another spelling, as {spelled.endpoint_id}. Rotate its secret, or "
            "delete it first to change its spelling or its event types.",
            field="url",
        )


def _known(webhook_endpoints: WebhookEndpoints, endpoint_id: str) -> Endpoint:
    endpoint = webhook_endpoints.find(endpoint_id)
    if endpoint is None:
        raise Refusal("not_found", "There is no webhook endpoint with this id.")
    return endpoint
