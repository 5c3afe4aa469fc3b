"""From a payment to a merchant's server, through the API and the functions, over the engine and a real socket."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from payflowx.adapters.webhooks.client import UrllibWebhookClient
from payflowx.domain.payments.outcome import Declined
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.wiring.outbound_webhooks import DelivererWiring
from tests.support.deliveries import verified
from tests.support.handlers import Functions
from tests.support.tables import CONFIGURATION, TRANSACTIONS

PUBLIC = "https://shop.example.com/hooks"


class Shop:
    """A merchant's server: keeps what it gets, answers what it is told to."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                shop.received.append((dict(self.headers), body))
                status, headers = shop.answers.pop(0) if shop.answers else (200, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@pytest.fixture
def shop(functions: Functions) -> Iterator[Shop]:
    """On the machine itself, as in the local environment."""
    functions.deploy(LOOPBACK_ALLOWED="true")
    running = Shop()
    yield running
    running.close()


def register(functions: Functions, url: str, *types: str) -> dict[str, Any]:
    body = {"url": url, "eventTypes": list(types)} if types else {"url": url}
    status, endpoint, _ = functions.call("POST", "/webhook-endpoints", body)
    assert status == 201, endpoint
    return endpoint


def paid(functions: Functions, key: str = "order-1") -> str:
    transaction_id = functions.pay(key)[1]["transactionId"]
    functions.work()
    return str(transaction_id)


class TestDelivery:
    def test_a_payment_is_told_and_its_signature_verifies(self, functions: Functions, shop: Shop) -> None:
        endpoint = register(functions, shop.url)
        transaction_id = paid(functions)
        assert functions.deliver() == {"batchItemFailures": []}
        ((headers, body),) = shop.received
        message = verified(body, headers, endpoint["secret"], functions.clock.now_ms())
        shown = functions.call("GET", f"/payments/{transaction_id}")[1]
        assert message["data"]["payment"] == shown
        assert (message["type"], message["sequence"]) == ("payment.succeeded", 1)
        (event,) = functions.call("GET", "/events")[1]["items"]
        assert event["id"] == message["id"]
        assert event["deliveries"] == [
            {
                "endpointId": endpoint["id"],
                "state": "DELIVERED",
                "attempts": 1,
                "lastStatus": 200,
                "lastError": None,
                "nextAttemptAt": None,
            }
        ]

    def test_a_failure_is_tried_again_by_the_sweeper(self, functions: Functions, shop: Shop) -> None:
        register(functions, shop.url)
        shop.answers = [(503, {"Retry-After": "1800"})]
        paid(functions)
        functions.deliver()
        (event,) = functions.call("GET", "/events")[1]["items"]
        assert event["deliveries"][0]["state"] == "PENDING"
        assert event["deliveries"][0]["lastStatus"] == 503
        functions.clock.advance(1790)
        functions.sweep()
        functions.deliver()
        assert len(shop.received) == 1
        functions.clock.advance(20)
        assert functions.sweep()["woken"] == 1
        functions.deliver()
        first, second = shop.received
        assert first[0]["webhook-id"] == second[0]["webhook-id"]
        assert functions.call("GET", "/events")[1]["items"][0]["deliveries"][0]["state"] == "DELIVERED"

    def test_410_disables_the_endpoint_for_the_merchant_to_see(self, functions: Functions, shop: Shop) -> None:
        register(functions, shop.url)
        shop.answers = [(410, {})]
        paid(functions)
        functions.deliver()
        (endpoint,) = functions.call("GET", "/webhook-endpoints")[1]["items"]
        assert (endpoint["status"], endpoint["disabledReason"]) == ("DISABLED", "gone")

    def test_a_redirect_leads_nowhere(self, functions: Functions, shop: Shop) -> None:
        register(functions, shop.url)
        shop.answers = [(302, {"Location": shop.url})]
        paid(functions)
        functions.deliver()
        assert len(shop.received) == 1

    def test_what_was_erased_is_not_sent_any_more(self, functions: Functions, shop: Shop) -> None:
        register(functions, shop.url)
        transaction_id = functions.pay(metadata={"note": "for Ada"}, description="a hat")[1]["transactionId"]
        functions.work()
        functions.operate(command="erase_personal_data", merchantId="acme", transactionId=transaction_id)
        functions.deliver()
        ((_, body),) = shop.received
        assert b"Ada" not in body
        assert b"hat" not in body

    def test_a_decline_is_told_as_a_failure(self, functions: Functions, shop: Shop) -> None:
        register(functions, shop.url, "payment.failed")
        functions.providers.get("alpha").charges = [Declined(kind=DeclineKind.HARD, code="stolen_card")]
        paid(functions, "bad")
        paid(functions, "good")
        functions.deliver()
        assert [json.loads(body)["type"] for _, body in shop.received] == ["payment.failed"]

    def test_a_message_that_is_none_of_ours_fails_alone(self, functions: Functions, shop: Shop) -> None:
        register(functions, shop.url)
        paid(functions)
        functions.engine.client("sqs").send_message(QueueUrl=functions.deliveries_url, MessageBody="nonsense")
        assert len(functions.deliver()["batchItemFailures"]) == 1
        assert len(shop.received) == 1

    def test_two_secrets_sign_while_rotating(self, functions: Functions, shop: Shop) -> None:
        endpoint = register(functions, shop.url)
        status, rotated, _ = functions.call("POST", f"/webhook-endpoints/{endpoint['id']}/rotate-secret")
        assert status == 200
        assert rotated["previousSecretUntil"] is not None
        paid(functions)
        functions.deliver()
        headers, body = shop.received[0]
        for secret in (endpoint["secret"], rotated["secret"]):
            verified(body, headers, secret, functions.clock.now_ms())
        functions.clock.advance(DAY_MS / SECOND_MS)
        paid(functions, "order-2")
        functions.deliver()
        headers, body = shop.received[1]
        verified(body, headers, rotated["secret"], functions.clock.now_ms())
        assert len(headers["webhook-signature"].split()) == 1

    def test_an_event_can_be_sent_again(self, functions: Functions, shop: Shop) -> None:
        register(functions, shop.url)
        paid(functions)
        functions.deliver()
        (event,) = functions.call("GET", "/events")[1]["items"]
        status, again, _ = functions.call("POST", f"/events/{event['id']}/redeliver")
        assert (status, again["deliveries"][0]["state"]) == (202, "PENDING")
        functions.deliver()
        assert len(shop.received) == 2

    @pytest.mark.parametrize("seq", [1, 2, 99])
    def test_a_refused_redelivery_leaves_no_entry_that_it_was_made(self, functions: Functions, seq: int) -> None:
        """Nobody is subscribed; the first event and the last number are none of a merchant's."""
        transaction_id = paid(functions)
        command = {"command": "redeliver_event", "merchantId": "acme", "transactionId": transaction_id, "seq": seq}
        assert not functions.operate(**command)["ok"]
        month = time.strftime("%Y-%m", time.gmtime(functions.clock.now_ms() / SECOND_MS))
        recorded = functions.operate(command="list_records", month=month)["items"]
        assert "event.redelivered" not in {entry["action"] for entry in recorded}


class TestEndpoints:
    def test_the_secret_is_shown_once_and_stored_as_ciphertext(self, functions: Functions) -> None:
        endpoint = register(functions, PUBLIC)
        assert endpoint["secret"].startswith("whsec_")
        listed = functions.call("GET", "/webhook-endpoints")[1]
        stored = functions.engine.client("dynamodb").scan(TableName=CONFIGURATION)["Items"]
        (shown,) = listed["items"]
        assert shown["url"] == PUBLIC
        encrypted = [item["endpoints"]["L"][0]["M"]["sealedSecret"]["S"] for item in stored if "endpoints" in item]
        assert encrypted
        assert encrypted[0] not in json.dumps([listed, endpoint]), "ciphertext is nobody's business either"
        assert shown == {name: value for name, value in endpoint.items() if name != "secret"}
        text = json.dumps([listed, stored])
        assert PUBLIC in text
        assert endpoint["secret"] not in text
        assert endpoint["secret"].removeprefix("whsec_") not in text

    def test_a_merchant_sees_and_changes_its_own_only(self, functions: Functions) -> None:
        endpoint = register(functions, PUBLIC)
        assert functions.call("GET", "/webhook-endpoints", merchant_id="bcme")[1]["items"] == []
        for method, path in (("DELETE", ""), ("POST", "/rotate-secret")):
            status, problem, _ = functions.call(
                method, f"/webhook-endpoints/{endpoint['id']}{path}", merchant_id="bcme"
            )
            assert (status, problem["code"]) == (404, "not_found")
        paid(functions)
        event = functions.call("GET", "/events")[1]["items"][0]["id"]
        assert functions.call("GET", "/events", merchant_id="bcme")[1]["items"] == []
        assert functions.call("POST", f"/events/{event}/redeliver", merchant_id="bcme")[0] == 404

    def test_deleted_is_gone(self, functions: Functions) -> None:
        endpoint = register(functions, PUBLIC)
        status, nothing, _ = functions.call("DELETE", f"/webhook-endpoints/{endpoint['id']}")
        assert status == 204
        assert not nothing
        assert functions.call("GET", "/webhook-endpoints")[1]["items"] == []
        assert functions.call("DELETE", f"/webhook-endpoints/{endpoint['id']}")[0] == 404
        register(functions, PUBLIC)

    def test_an_address_is_registered_once(self, functions: Functions) -> None:
        register(functions, PUBLIC)
        status, problem, _ = functions.call("POST", "/webhook-endpoints", {"url": PUBLIC})
        assert (status, problem["code"]) == (409, "endpoint_exists")

    def test_there_are_five_at_most(self, functions: Functions) -> None:
        for number in range(5):
            register(functions, f"https://shop.example.com/{number}")
        status, problem, _ = functions.call("POST", "/webhook-endpoints", {"url": PUBLIC})
        assert (status, problem["code"]) == (409, "endpoint_limit")

    @pytest.mark.parametrize(
        "url",
        [
            "http://shop.example.com/",
            "http://127.0.0.1:3000/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://localhost/",
            "https://queue.internal/",
            "https://shop.example.com:8443/",
            "https://user:pass@shop.example.com/",
            "https://xn--80ak6aa92e.com/",
            "https://shop.example.com/\u0000",
            "javascript:alert(1)",
            "",
        ],
    )
    def test_an_address_that_could_lead_inside_is_refused(self, functions: Functions, url: str) -> None:
        status, problem, _ = functions.call("POST", "/webhook-endpoints", {"url": url})
        assert status in {422, 400}
        assert problem["code"] in {"url_not_allowed", "field_invalid"}
        assert functions.call("GET", "/webhook-endpoints")[1]["items"] == []

    @pytest.mark.parametrize(
        "types", [["payment.paid"], ["payment.failed", "payment.failed"], ["x"] * 31, [1], "all", None]
    )
    def test_event_types_must_be_known(self, functions: Functions, types: Any) -> None:
        status, problem, _ = functions.call("POST", "/webhook-endpoints", {"url": PUBLIC, "eventTypes": types})
        assert (status, problem["code"]) == (422, "field_invalid")

    @pytest.mark.parametrize("path", ["/webhook-endpoints/we_x", "/webhook-endpoints/evt_aaaaaaaaaaaaaaaa_1"])
    def test_an_id_that_is_none_is_refused(self, functions: Functions, path: str) -> None:
        assert functions.call("DELETE", path)[1]["code"] == "parameter_invalid"
        assert functions.call("POST", f"{path}/rotate-secret")[1]["code"] == "parameter_invalid"

    def test_a_deployed_function_reaches_nothing_on_its_own_machine(self, functions: Functions) -> None:
        """Even where the setting allows it: Lambda's own API listens there."""
        functions.deploy(LOOPBACK_ALLOWED="true", AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001")
        status, problem, _ = functions.call("POST", "/webhook-endpoints", {"url": "http://127.0.0.1:9001/"})
        assert (status, problem["code"]) == (422, "url_not_allowed")
        webhook_client = functions.wired(DelivererWiring).webhook_client
        assert isinstance(webhook_client, UrllibWebhookClient)
        assert not webhook_client._loopback_allowed


class TestEvents:
    def test_the_list_goes_on_with_its_cursor_and_no_other(self, functions: Functions) -> None:
        for number in range(3):
            paid(functions, f"order-{number}")
            functions.clock.advance(1)
        status, page, _ = functions.call("GET", "/events", query={"limit": "2"})
        assert (status, len(page["items"])) == (200, 2)
        rest = functions.call("GET", "/events", query={"limit": "2", "cursor": page["nextCursor"]})[1]
        assert len({event["id"] for event in [*page["items"], *rest["items"]]}) == 3
        payments = functions.call("GET", "/payments", query={"limit": "1"})[1]["nextCursor"]
        assert functions.call("GET", "/events", query={"cursor": payments})[1]["code"] == "cursor_invalid"
        assert functions.call("GET", "/payments", query={"cursor": page["nextCursor"]})[1]["code"] == "cursor_invalid"

    def test_nothing_of_a_secret_reaches_a_log_an_item_or_an_answer(
        self, functions: Functions, shop: Shop, capsys: pytest.CaptureFixture[str]
    ) -> None:
        endpoint = register(functions, shop.url)
        functions.answers.clear()
        paid(functions)
        functions.deliver()
        functions.call("GET", "/webhook-endpoints")
        functions.call("GET", "/events")
        scans = [
            functions.engine.client("dynamodb").scan(TableName=table)["Items"]
            for table in (CONFIGURATION, TRANSACTIONS)
        ]
        output = capsys.readouterr()
        text = json.dumps([scans, functions.answers], default=repr) + output.out + output.err
        assert "event posted" in text
        assert endpoint["secret"].removeprefix("whsec_") not in text
        assert shop.received[0][0]["webhook-signature"].split(",")[1] not in text
