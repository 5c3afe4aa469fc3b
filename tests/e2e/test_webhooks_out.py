"""A merchant's server on this machine hears of a payment, through the deployed templates and their roles."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from payflowx.adapters.dynamodb.merchants.configuration import MERCHANT_LIFETIME_MS
from tests.e2e.conftest import PATIENT_SECONDS, Client
from tests.support.deliveries import verified


class Shop(ThreadingHTTPServer):
    """Refuses the first message, takes the others."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                shop.received.append((dict(self.headers), body))
                self.send_response(503 if len(shop.received) == 1 else 204)
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def shop() -> Iterator[Shop]:
    server = Shop()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.mark.local_only("the merchant's server is on this machine")
def test_a_merchants_server_is_notified_again_until_it_accepts(client: Client, shop: Shop) -> None:
    url = f"http://127.0.0.1:{shop.server_port}/hooks"
    status, endpoint, _ = client.call("POST", "/webhook-endpoints", {"url": url, "eventTypes": ["payment.succeeded"]})
    assert status == 201, endpoint
    # Functions remember for a minute that the merchant has no endpoint; its search after three minutes would be slower.
    time.sleep(MERCHANT_LIFETIME_MS / 1000 + 1)
    try:
        payment = client.wait(client.pay("tok_success", "webhooks-out-1"))
        assert payment["status"] == "SUCCESS"
        deadline = time.monotonic() + PATIENT_SECONDS
        while len(shop.received) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        first, second = shop.received[:2]
        assert first[0]["webhook-id"] == second[0]["webhook-id"]
        message = verified(second[1], second[0], endpoint["secret"], int(time.time() * 1000))
        assert message["data"]["payment"]["transactionId"] == payment["transactionId"]
        assert message["type"] == "payment.succeeded"
        while time.monotonic() < deadline:
            events = client.call("GET", "/events")[1]["items"]
            (event,) = [known for known in events if known["id"] == message["id"]]
            if event["deliveries"][0]["state"] == "DELIVERED":
                break
            time.sleep(0.2)
        assert (event["deliveries"][0]["state"], event["deliveries"][0]["attempts"]) == ("DELIVERED", 2)
        assert endpoint["secret"] not in json.dumps(client.call("GET", "/webhook-endpoints")[1])
    finally:
        client.call("DELETE", f"/webhook-endpoints/{endpoint['id']}")
