"""Webhook endpoints of the double, and what is delivered to them."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from payflowx_client.testing.book import Book, Json
from payflowx_client.testing.data import RefusedError
from payflowx_client.testing.requests import MAX_ENDPOINTS, checked_endpoint
from payflowx_client.testing.spellings import normal_form

_DAY_MS: Final = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the API would post to an endpoint now."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Endpoints:
    """All endpoints of the merchant, with their secrets."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._endpoints: dict[str, Json] = {}

    def create(self, body: Mapping[str, Any]) -> Json:
        """Raises `RefusedError`."""
        url, types = checked_endpoint(body)
        if any(normal_form(each["url"]) == normal_form(url) for each in self._endpoints.values()):
            raise RefusedError("endpoint_exists")
        if len(self._endpoints) >= MAX_ENDPOINTS:
            raise RefusedError("endpoint_limit")
        self.plan()
        endpoint = {
            "id": self._book.new_id("we"),
            "url": url,
            "eventTypes": types,
            "status": "ENABLED",
            "disabledReason": None,
            "failingSince": None,
            "previousSecretUntil": None,
            "createdAt": self._book.time(),
            "updatedAt": self._book.time(),
            "secrets": [_new_secret()],
        }
        self._endpoints[str(endpoint["id"])] = endpoint
        return _with_secret(endpoint)

    def shown(self) -> list[Json]:
        """The oldest first, without secrets."""
        return [_without_secret(each) for each in self._endpoints.values()]

    def delete(self, endpoint_id: str) -> None:
        """Raises `RefusedError`."""
        self.plan()
        if self._endpoints.pop(endpoint_id, None) is None:
            raise RefusedError("no_endpoint")
        for event in self._book.events:
            event["deliveries"] = [each for each in event["deliveries"] if each["endpointId"] != endpoint_id]

    def rotate_secret(self, endpoint_id: str) -> Json:
        """Raises `RefusedError`."""
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint is None:
            raise RefusedError("no_endpoint")
        until = self._book.time(self._book.now_ms + _DAY_MS)
        endpoint |= {"secrets": [_new_secret(), endpoint["secrets"][0]], "previousSecretUntil": until}
        return _with_secret(endpoint)

    def deliveries(self) -> list[Delivery]:
        """What was not delivered yet, signed now, in the order of its scenario."""
        found = []
        for event in self._in_order_of_delivery():
            for each in event["deliveries"]:
                if each["state"] == "PENDING":
                    each |= {"state": "DELIVERED", "attempts": each["attempts"] + 1, "lastStatus": 204}
                    found.append(self._delivery(event, self._endpoints[each["endpointId"]]))
        return found

    def _in_order_of_delivery(self) -> list[Json]:
        self.plan()
        events = list(self._book.events)
        for record in self._book.records.values():
            if record.scenario.is_delivered_reversed:
                places = [number for number, each in enumerate(events) if each["transactionId"] == record.id]
                for place, event in zip(places, [events[each] for each in reversed(places)], strict=True):
                    events[place] = event
        return events

    def plan(self, *, again: Json | None = None) -> None:
        """Give each event its deliveries, to the endpoints that wanted it when it happened."""
        for event in self._book.events:
            if event.get("isPlanned") and event is not again:
                continue
            event["isPlanned"] = True
            wanting = [
                each
                for each in self._endpoints.values()
                if (not each["eventTypes"] or event["type"] in each["eventTypes"])
                and (event is again or each["createdAt"] <= event["createdAt"])
            ]
            event["deliveries"] = [
                {
                    "endpointId": each["id"],
                    "state": "PENDING",
                    "attempts": 0,
                    "lastStatus": None,
                    "lastError": None,
                    "nextAttemptAt": None,
                }
                for each in wanting
            ]

    def _delivery(self, event: Json, endpoint: Json) -> Delivery:
        body = json.dumps(self._book.message(event), ensure_ascii=False).encode()
        at = str(self._book.now_ms // 1000)
        signatures = [_signature(each, f"{event['id']}.{at}.".encode() + body) for each in endpoint["secrets"]]
        headers = {
            "content-type": "application/json",
            "webhook-id": event["id"],
            "webhook-timestamp": at,
            "webhook-signature": " ".join(signatures),
        }
        return Delivery(endpoint["url"], headers, body)


def _with_secret(endpoint: Json) -> Json:
    return {**_without_secret(endpoint), "secret": endpoint["secrets"][0]}


def _without_secret(endpoint: Json) -> Json:
    return {name: value for name, value in endpoint.items() if name != "secrets"}


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
