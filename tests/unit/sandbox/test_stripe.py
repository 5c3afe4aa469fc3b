"""Stripe's simulator: requests written from Stripe's documentation, without the connector."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox import stripe
from sandbox.behaviours import BEHAVIOURS
from sandbox.http_types import Reply, Request
from sandbox.ledger import Webhook
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from sandbox.stripe import StripeSimulator
from tests.support.left_out import CONTRACTS

NOW = 1_700_000_000.0
DAY = 24 * 3600


class Client:
    """Sends requests as a merchant's server does."""

    def __init__(self, **options: Any) -> None:
        credentials = Credentials(key_id="acct", key_secret="sk_test_1")
        self.provider = StripeSimulator(MemoryStore(), credentials, public_url="https://stripe.test", **options)
        self.headers = {"authorization": "Bearer sk_test_1", "stripe-version": "2023-10-16"}

    def send(self, method: str, path: str, body: str, at: float = NOW, **headers: str) -> Reply:
        form = {"content-type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method=method, path=path, headers={**self.headers, **form, **named}, body=body.encode())
        return self.provider.handle(request, at)

    def post(self, path: str, form: dict[str, Any] | None = None, key: str = "", at: float = NOW) -> Reply:
        headers = {"idempotency-key": key} if key else {}
        return self.send("POST", path, urlencode(form or {}), at, **headers)

    def get(self, path: str, at: float = NOW, **query: str) -> Reply:
        names = {name.replace("__", "["): value for name, value in query.items()}
        closed = {
            name + ("]" if "[" in name and not name.endswith("]") else ""): value for name, value in names.items()
        }
        return self.provider.handle(Request(method="GET", path=path, query=closed, headers=self.headers), at)

    def pay(self, token: str = "tok_success", key: str = "k1", at: float = NOW, **changes: Any) -> Reply:
        return self.post("/v1/payment_intents", form(token, **changes), key, at)

    def paid(self, token: str = "tok_success", key: str = "k1", **changes: Any) -> dict[str, Any]:
        return read(self.pay(token, key, **changes))

    def charges(self, at: float = NOW) -> list[dict[str, Any]]:
        return [entry for entry in self.provider.ledger(at) if entry["kind"] == "charge"]

    def webhooks(self, at: float = NOW) -> list[str]:
        return [webhook.type for webhook in self.provider.webhooks_due(at)]


def form(token: str = "tok_success", **changes: Any) -> dict[str, Any]:
    fields = {
        "amount": 1999,
        "currency": "usd",
        "payment_method": token,
        "payment_method_types[]": "card",
        "confirm": "true",
        "metadata[ref]": "ref-1",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def read(reply: Reply) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(reply.body)
    return value


def error(reply: Reply) -> dict[str, Any]:
    return read(reply)["error"]


@pytest.fixture
def client() -> Client:
    return Client()


# -- charges


def test_a_success(client: Client) -> None:
    reply = client.pay()
    intent = read(reply)
    assert (reply.status, intent["object"], intent["status"]) == (200, "payment_intent", "succeeded")
    assert (intent["amount"], intent["amount_received"], intent["currency"]) == (1999, 1999, "usd")
    assert intent["metadata"] == {"ref": "ref-1"}
    assert reply.headers["request-id"].startswith("req_")
    again = read(client.get(f"/v1/payment_intents/{intent['id']}"))
    assert again == intent
    expanded = read(client.get(f"/v1/payment_intents/{intent['id']}", **{"expand[]": "latest_charge"}))
    charge = expanded["latest_charge"]
    assert (charge["id"], charge["amount_captured"], charge["paid"]) == (intent["latest_charge"], 1999, True)
    assert read(client.get(f"/v1/charges/{charge['id']}")) == charge
    (entry,) = client.provider.ledger(NOW)
    assert (entry["reference"], entry["amount"], entry["currency"], entry["status"]) == ("k1", 1999, "USD", "charged")


STATUSES = {
    "tok_success": (200, "succeeded", "charged"),
    "tok_soft_decline": (402, "requires_payment_method", "declined"),
    "tok_hard_decline": (402, "requires_payment_method", "declined"),
    "tok_insufficient_funds": (402, "requires_payment_method", "declined"),
    "tok_requires_action": (200, "requires_action", "waiting for the payer"),
    "tok_slow_success": (200, "succeeded", "charged"),
    "tok_timeout_after_charge": (200, "succeeded", "charged"),
    "tok_timeout_before_charge": (500, None, None),
    "tok_500_after_charge": (500, None, "charged"),
    "tok_500_before_charge": (500, None, None),
    "tok_garbage": (200, None, "charged"),
    "tok_wrong_amount": (200, "succeeded", "charged"),
    "tok_async_success": (200, "processing", "pending"),
    "tok_async_failure": (200, "processing", "pending"),
    "tok_rate_limited": (429, None, None),
    "tok_reopened_decline": (402, "requires_payment_method", "declined"),
}


@pytest.mark.parametrize("token", BEHAVIOURS)
def test_every_token(client: Client, token: str) -> None:
    http, status, booked = STATUSES[token]
    reply = client.pay(token)
    assert reply.status == http
    if status is not None:
        body = read(reply)
        intent = body["error"]["payment_intent"] if http == 402 else body
        assert intent["status"] == status
    assert [entry["status"] for entry in client.charges()] == ([booked] if booked else [])


@pytest.mark.parametrize(
    ("token", "decline", "advice"),
    [
        ("tok_soft_decline", "issuer_not_available", "try_again_later"),
        ("tok_hard_decline", "stolen_card", "do_not_try_again"),
        ("tok_insufficient_funds", "insufficient_funds", None),
    ],
)
def test_a_decline_is_a_402_with_the_whole_intent(client: Client, token: str, decline: str, advice: str | None) -> None:
    body = error(client.pay(token))
    assert (body["type"], body["code"], body["decline_code"]) == ("card_error", "card_declined", decline)
    assert body.get("advice_code") == advice
    intent = body["payment_intent"]
    assert intent["last_payment_error"]["decline_code"] == decline
    assert (intent["payment_method"], body["payment_method"]["id"]) == (None, token)
    assert client.webhooks() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


def test_a_declined_intent_can_be_confirmed_with_another_card(client: Client) -> None:
    name = error(client.pay("tok_soft_decline"))["payment_intent"]["id"]
    intent = read(client.post(f"/v1/payment_intents/{name}/confirm", {"payment_method": "tok_success"}))
    assert (intent["id"], intent["status"]) == (name, "succeeded")
    (entry,) = client.charges()
    assert entry["status"] == "charged"
    late = client.post(f"/v1/payment_intents/{name}/confirm", {"payment_method": "tok_success"})
    assert error(late)["code"] == "payment_intent_unexpected_state"


def test_create_first_confirm_later(client: Client) -> None:
    intent = client.paid(confirm=None)
    assert intent["status"] == "requires_confirmation"
    assert client.charges()[0]["status"] == "created"
    assert read(client.post(f"/v1/payment_intents/{intent['id']}/confirm"))["status"] == "succeeded"
    bare = client.paid(key="k2", confirm=None, payment_method=None)
    assert bare["status"] == "requires_payment_method"
    assert bare["last_payment_error"] is None
    assert client.post(f"/v1/payment_intents/{bare['id']}/confirm").status == 400


def test_a_wrong_amount_shows_in_what_was_received(client: Client) -> None:
    intent = client.paid("tok_wrong_amount")
    assert (intent["amount"], intent["amount_received"]) == (1999, 2000)
    assert client.charges()[0]["amount"] == 2000


@pytest.mark.parametrize(
    ("token", "end"), [("tok_async_success", "succeeded"), ("tok_async_failure", "payment_failed")]
)
def test_later(client: Client, token: str, end: str) -> None:
    name = client.paid(token)["id"]
    assert client.webhooks() == ["payment_intent.created", "payment_intent.processing"]
    cancel = client.post(f"/v1/payment_intents/{name}/cancel")
    assert error(cancel)["code"] == "payment_intent_unexpected_state"
    assert client.webhooks(NOW + 2) == []
    assert client.webhooks(NOW + 4)[-1] == f"payment_intent.{end}"
    intent = read(client.get(f"/v1/payment_intents/{name}", NOW + 4))
    assert intent["amount_received"] == (1999 if end == "succeeded" else 0)
    assert (intent["last_payment_error"] is None) == (end == "succeeded")


def test_an_action_with_an_address_to_return_to(client: Client) -> None:
    intent = client.paid("tok_requires_action", return_url="https://shop.test/back")
    action = intent["next_action"]
    assert action["type"] == "redirect_to_url"
    assert action["redirect_to_url"]["return_url"] == "https://shop.test/back"
    path = action["redirect_to_url"]["url"].removeprefix("https://stripe.test")
    assert client.provider.handle(Request(method="GET", path=path), NOW + 9).status == 200
    assert read(client.get(f"/v1/payment_intents/{intent['id']}", NOW + 9))["status"] == "succeeded"
    assert client.webhooks(NOW + 9)[1:] == [
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_an_approved_manual_intent_is_authorized(client: Client) -> None:
    name = client.paid("tok_requires_action", capture_method="manual")["id"]
    client.provider.handle(Request(method="GET", path=f"/actions/{name}"), NOW)
    assert read(client.get(f"/v1/payment_intents/{name}"))["status"] == "requires_capture"
    later = client.paid("tok_async_success", "k2", capture_method="manual")["id"]
    assert read(client.get(f"/v1/payment_intents/{later}", NOW + 4))["amount_capturable"] == 1999
    assert client.post(f"/v1/payment_intents/{later}/capture", {}, "", NOW + 4).status == 200
    assert read(client.get(f"/v1/payment_intents/{later}", NOW + 5))["status"] == "succeeded"


def test_an_action_without_an_address_is_the_sdks(client: Client) -> None:
    assert client.paid("tok_requires_action")["next_action"]["type"] == "use_stripe_sdk"


@pytest.mark.parametrize("field", ["off_session", "error_on_requires_action"])
def test_an_absent_payer_gives_an_authentication_decline(client: Client, field: str) -> None:
    body = error(client.pay("tok_requires_action", **{field: "true"}))
    assert body["code"] == body["decline_code"] == "authentication_required"


def test_the_providers_own_test_cards(client: Client) -> None:
    assert client.paid("pm_card_visa")["status"] == "succeeded"
    assert client.pay("pm_card_chargeDeclined", "k2").status == 402


# -- idempotency


def test_a_replay_is_byte_identical_and_charges_nothing(client: Client) -> None:
    first, second = client.pay(), client.pay(at=NOW + DAY - 1)
    assert (second.body, second.headers["idempotent-replayed"]) == (first.body, "true")
    assert len(client.charges()) == 1


def test_a_replay_does_not_see_what_happened_since(client: Client) -> None:
    intent = client.paid(capture_method="manual")
    client.post(f"/v1/payment_intents/{intent['id']}/cancel")
    assert client.paid(capture_method="manual")["status"] == "requires_capture"


def test_a_decline_is_kept_too(client: Client) -> None:
    assert client.pay("tok_soft_decline").body == client.pay("tok_soft_decline").body
    assert len(client.charges()) == 1


def test_the_order_of_parameters_does_not_matter(client: Client) -> None:
    fields = form()
    client.post("/v1/payment_intents", fields, "k")
    again = client.post("/v1/payment_intents", dict(reversed(fields.items())), "k")
    assert again.headers["idempotent-replayed"] == "true"


def test_other_parameters_or_another_address_are_an_error(client: Client) -> None:
    intent = client.paid()
    for reply in (client.pay(amount=5000), client.post(f"/v1/payment_intents/{intent['id']}/cancel", {}, "k1")):
        assert (reply.status, error(reply)["type"]) == (400, "idempotency_error")


def test_a_key_of_another_address_with_the_same_parameters(client: Client) -> None:
    names = [client.paid(key=f"k{n}", capture_method="manual")["id"] for n in range(2)]
    assert client.post(f"/v1/payment_intents/{names[0]}/cancel", {}, "c").status == 200
    other = client.post(f"/v1/payment_intents/{names[1]}/cancel", {}, "c")
    assert (other.status, error(other)["type"]) == (400, "idempotency_error")


def test_a_500_after_the_charge_is_replayed_for_a_day(client: Client) -> None:
    assert client.pay("tok_500_after_charge").status == 500
    replay = client.pay("tok_500_after_charge", at=NOW + 60)
    assert (replay.status, replay.headers["idempotent-replayed"]) == (500, "true")
    (found,) = read(client.get("/v1/payment_intents", NOW + 60))["data"]
    assert found["status"] == "succeeded"


@pytest.mark.parametrize("token", ["tok_500_before_charge", "tok_timeout_before_charge"])
def test_what_never_began_can_be_sent_again(client: Client, token: str) -> None:
    first = client.pay(token)
    assert (first.status, client.charges()) == (500, [])
    assert client.pay(token).status == 200
    assert len(client.charges()) == 1


def test_a_key_is_in_use_while_its_answer_is_held(client: Client) -> None:
    first = client.pay("tok_timeout_after_charge")
    assert first.hold_seconds == 20
    early = client.pay("tok_timeout_after_charge", at=NOW + 5)
    assert (early.status, error(early)["code"]) == (409, "idempotency_key_in_use")
    late = client.pay("tok_timeout_after_charge", at=NOW + 21)
    assert (late.status, late.body) == (200, first.body)
    assert len(client.charges()) == 1


def test_a_key_is_forgotten_after_a_day_and_charges_again(client: Client) -> None:
    client.pay()
    assert "idempotent-replayed" not in client.pay(at=NOW + DAY).headers
    assert len(client.charges(NOW + DAY)) == 2
    assert client.pay(at=NOW + DAY + 1).headers["idempotent-replayed"] == "true"


def test_refusals_before_execution_are_not_kept(client: Client) -> None:
    assert client.pay(amount="x").status == 400
    assert client.pay("tok_rate_limited").status == 429
    assert client.pay().status == 200
    assert client.pay(key="k" * 256).status == 400


def test_reads_ignore_the_key(client: Client) -> None:
    name = client.paid()["id"]
    client.headers["idempotency-key"] = "k1"
    assert client.get(f"/v1/payment_intents/{name}").status == 200


# -- finding


def test_search_is_late_and_list_is_not(client: Client) -> None:
    name = client.paid(**{"metadata[ref]": "it's"})["id"]
    client.pay(key="k2", **{"metadata[ref]": "other"})
    query = {"query": r"metadata['ref']:'it\'s' AND currency:'usd'"}
    assert read(client.get("/v1/payment_intents/search", NOW + 59, **query))["data"] == []
    found = read(client.get("/v1/payment_intents/search", NOW + 60, **query))
    assert (found["object"], [intent["id"] for intent in found["data"]]) == ("search_result", [name])
    assert len(read(client.get("/v1/payment_intents"))["data"]) == 2


def test_lists_have_cursors_and_times(client: Client) -> None:
    names = [client.paid(key=f"k{n}", at=NOW + n)["id"] for n in range(5)]
    at = NOW + 9
    first = read(client.get("/v1/payment_intents", at, limit="2"))
    assert ([i["id"] for i in first["data"]], first["has_more"]) == ([names[4], names[3]], True)
    rest = read(client.get("/v1/payment_intents", at, starting_after=names[3]))
    assert ([i["id"] for i in rest["data"]], rest["has_more"]) == ([names[2], names[1], names[0]], False)
    back = read(client.get("/v1/payment_intents", at, ending_before=names[3]))
    assert [i["id"] for i in back["data"]] == [names[4]]
    young = read(client.get("/v1/payment_intents", at, created__gte=str(int(NOW) + 3)))
    assert [i["id"] for i in young["data"]] == [names[4], names[3]]


def test_a_visibility_lag_hides_from_lists_and_not_from_reads(client: Client) -> None:
    client.provider.visibility_lag_seconds = 20
    name = client.paid()["id"]
    assert read(client.get("/v1/payment_intents", NOW + 19))["data"] == []
    assert len(read(client.get("/v1/payment_intents", NOW + 20))["data"]) == 1
    assert client.get(f"/v1/payment_intents/{name}").status == 200


@pytest.mark.parametrize(
    "query", ["ref:'x'", "metadata['ref']", "metadata['ref']:'a' OR status:'x'", "x", "status:'a' AND "]
)
def test_a_query_that_cannot_be_parsed(client: Client, query: str) -> None:
    assert client.get("/v1/payment_intents/search", query=query).status == 400


# -- capture and cancel


def test_capture(client: Client) -> None:
    intent = client.paid(capture_method="manual")
    assert (intent["status"], intent["amount_capturable"], intent["amount_received"]) == ("requires_capture", 1999, 0)
    assert client.charges()[0]["status"] == "authorized"
    done = read(client.post(f"/v1/payment_intents/{intent['id']}/capture", {}, "c1"))
    assert (done["status"], done["amount_capturable"], done["amount_received"]) == ("succeeded", 0, 1999)
    again = client.post(f"/v1/payment_intents/{intent['id']}/capture", {}, "c2")
    assert error(again)["code"] == "payment_intent_unexpected_state"
    assert error(again)["payment_intent"]["status"] == "succeeded"
    capture = client.provider.ledger(NOW)[1]
    assert (capture["kind"], capture["reference"], capture["amount"], capture["status"]) == (
        "capture",
        "c1",
        1999,
        "done",
    )
    assert client.webhooks() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]


def test_partial_and_over_capture(client: Client) -> None:
    path = f"/v1/payment_intents/{client.paid(capture_method='manual')['id']}"
    over = client.post(f"{path}/capture", {"amount_to_capture": 2000})
    assert (over.status, error(over)["code"]) == (400, "amount_too_large")
    assert client.post(f"{path}/capture", {"amount_to_capture": 0}, "zero").status == 400
    assert "idempotent-replayed" not in client.post(f"{path}/capture", {"amount_to_capture": 0}, "zero").headers
    done = read(client.post(f"{path}/capture", {"amount_to_capture": 500, "final_capture": "true"}))
    assert (done["amount"], done["amount_received"], done["status"]) == (1999, 500, "succeeded")
    assert (client.charges()[0]["amount"], client.charges()[0]["status"]) == (500, "charged")
    assert error(client.post("/v1/refunds", {"payment_intent": done["id"], "amount": 501}))["param"] == "amount"


def test_a_capture_attaches_its_metadata_to_the_intent(client: Client) -> None:
    intent = client.paid(capture_method="manual", **{"metadata[kept]": "1", "metadata[dropped]": "2"})
    attached = {"metadata[capture]": "3", "metadata[dropped]": ""}
    client.post(f"/v1/payment_intents/{intent['id']}/capture", attached, "c1")
    assert read(client.get(f"/v1/payment_intents/{intent['id']}"))["metadata"] == {
        "ref": "ref-1",
        "kept": "1",
        "capture": "3",
    }
    cleared = client.paid(key="k2", capture_method="manual")
    client.post(f"/v1/payment_intents/{cleared['id']}/capture", {"metadata": ""}, "c2")
    assert read(client.get(f"/v1/payment_intents/{cleared['id']}"))["metadata"] == {}


def test_a_void_releases_the_authorization(client: Client) -> None:
    intent = client.paid(capture_method="manual")
    path = f"/v1/payment_intents/{intent['id']}"
    done = read(client.post(f"{path}/cancel", {"cancellation_reason": "requested_by_customer"}, "v1"))
    assert (done["status"], done["cancellation_reason"]) == ("canceled", "requested_by_customer")
    assert done["canceled_at"] == int(NOW)
    assert client.charges()[0]["status"] == "canceled"
    assert client.post(f"{path}/capture").status == 400
    assert client.post(f"{path}/cancel").status == 400


@pytest.mark.parametrize("token", ["tok_requires_action", "tok_soft_decline"])
def test_what_was_not_charged_can_be_canceled(client: Client, token: str) -> None:
    client.pay(token)
    name = client.charges()[0]["chargeId"]
    assert read(client.post(f"/v1/payment_intents/{name}/cancel"))["status"] == "canceled"
    assert client.provider.handle(Request(method="GET", path=f"/actions/{name}"), NOW).status == 404


def test_what_was_charged_cannot_be_canceled(client: Client) -> None:
    name = client.paid()["id"]
    refused = client.post(f"/v1/payment_intents/{name}/cancel")
    assert (refused.status, error(refused)["code"]) == (400, "payment_intent_unexpected_state")


# -- refunds


def test_partial_refunds_to_the_last_cent_and_no_further(client: Client) -> None:
    intent = client.paid()
    first = read(client.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 500, "metadata[r]": "1"}, "r1"))
    assert (first["status"], first["amount"], first["charge"]) == ("succeeded", 500, intent["latest_charge"])
    replay = client.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 500, "metadata[r]": "1"}, "r1")
    assert read(replay)["id"] == first["id"]
    over = client.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 1500}, "r2")
    assert (over.status, error(over)["param"]) == (400, "amount")
    rest = read(client.post("/v1/refunds", {"charge": intent["latest_charge"]}, "r3"))
    assert rest["amount"] == 1499
    done = client.post("/v1/refunds", {"payment_intent": intent["id"]}, "r4")
    assert error(done)["code"] == "charge_already_refunded"
    assert read(client.get(f"/v1/refunds/{first['id']}"))["metadata"] == {"r": "1"}
    listed = read(client.get("/v1/refunds", payment_intent=intent["id"]))["data"]
    assert {refund["id"] for refund in listed} == {first["id"], rest["id"]}
    charge = read(client.get(f"/v1/charges/{intent['latest_charge']}"))
    assert (charge["amount_refunded"], charge["refunded"]) == (1999, True)
    (entry, *operations) = client.provider.ledger(NOW)
    assert (entry["status"], entry["amount"], entry["refunded"]) == ("charged", 1999, 1999)
    assert [(o["kind"], o["reference"], o["amount"]) for o in operations] == [
        ("refund", "r1", 500),
        ("refund", "r3", 1499),
    ]
    assert client.webhooks()[-4:] == ["refund.created", "charge.refunded"] * 2


@pytest.mark.parametrize("token", ["tok_soft_decline", "tok_requires_action", "tok_async_success"])
def test_only_charges_are_refunded(client: Client, token: str) -> None:
    client.pay(token)
    refused = client.post("/v1/refunds", {"payment_intent": client.charges()[0]["chargeId"]})
    assert (refused.status, error(refused)["type"]) == (400, "invalid_request_error")


def test_a_refund_that_fails_gives_the_money_back(client: Client) -> None:
    intent = client.paid()
    client.provider.next_operation("tok_reopened_decline")
    refund = read(client.post("/v1/refunds", {"payment_intent": intent["id"]}, "r1"))
    assert refund["status"] == "succeeded"
    failed = read(client.get(f"/v1/refunds/{refund['id']}", NOW + 11))
    assert (failed["status"], failed["failure_reason"]) == ("failed", "lost_or_stolen_card")
    assert client.webhooks(NOW + 11)[-3:] == ["refund.updated", "charge.refund.updated", "refund.failed"]
    assert client.post("/v1/refunds", {"payment_intent": intent["id"]}, "r2", NOW + 11).status == 200


def test_operations_fail_as_planned(client: Client) -> None:
    name = client.paid()["id"]
    provider, ask = client.provider, {"payment_intent": name, "amount": 100}
    provider.next_operation("tok_async_success", "tok_rate_limited", "tok_soft_decline", "tok_insufficient_funds")
    assert read(client.post("/v1/refunds", ask, "r1"))["status"] == "pending"
    assert client.post("/v1/refunds", ask, "r2").status == 429
    assert error(client.post("/v1/refunds", ask, "r2"))["code"] == "lock_timeout"
    assert error(client.post("/v1/refunds", ask, "r3"))["code"] == "balance_insufficient"
    provider.next_operation("tok_timeout_after_charge", "tok_500_before_charge", "tok_requires_action")
    assert client.post("/v1/refunds", ask, "r4").hold_seconds == 20
    assert client.post("/v1/refunds", ask, "r5").status == 500
    waiting = read(client.post("/v1/refunds", ask, "r5"))
    assert waiting["status"] == "requires_action"
    assert read(client.post(f"/v1/refunds/{waiting['id']}/cancel"))["status"] == "canceled"
    assert client.post(f"/v1/refunds/{waiting['id']}/cancel").status == 400
    assert provider.ledger(NOW + 9)[0]["refunded"] == 200
    with pytest.raises(ValueError, match="no such tokens"):
        provider.next_operation("tok_x")


def test_balance_transactions(client: Client) -> None:
    intent = client.paid()
    client.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 500})
    entries = read(client.get("/v1/balance_transactions"))["data"]
    assert sorted((e["type"], e["amount"], e["net"]) for e in entries) == [
        ("charge", 1999, 1912),
        ("refund", -500, -500),
    ]
    (charge,) = read(client.get("/v1/balance_transactions", type="charge"))["data"]
    assert charge["source"] == intent["latest_charge"]


# -- refusals


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"surprise": 1}, "parameter_unknown", "surprise"),
        ({"automatic_payment_methods[surprise]": 1}, "parameter_unknown", "automatic_payment_methods[surprise]"),
        ({"amount": None}, "parameter_missing", "amount"),
        ({"currency": None}, "parameter_missing", "currency"),
        ({"amount": "19.99"}, "parameter_invalid_integer", "amount"),
        ({"amount": ""}, "parameter_invalid_integer", "amount"),
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"amount": -5}, "parameter_invalid_integer", "amount"),
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"currency": "USD"}, None, "currency"),
        ({"currency": "xxx"}, None, "currency"),
        ({"currency": "kwd", "amount": 1999}, None, "amount"),
        ({"confirm": "True"}, None, "confirm"),
        ({"confirm": "1"}, None, "confirm"),
        ({"capture_method": "later"}, None, "capture_method"),
        ({"payment_method_types[]": None, "payment_method_types": "card"}, None, "payment_method_types"),
        ({"payment_method": ""}, "parameter_invalid_empty", "payment_method"),
        ({"payment_method": None}, "parameter_missing", "payment_method"),
        ({"payment_method": "pm_nobody"}, "resource_missing", "payment_method"),
        ({"metadata": "x"}, None, "metadata"),
        ({f"metadata[{'k' * 41}]": "v"}, None, f"metadata[{'k' * 41}]"),
        ({"metadata[k]": "v" * 501}, None, "metadata[k]"),
        ({f"metadata[k{n}]": "v" for n in range(50)}, None, "metadata"),
        ({"statement_descriptor_suffix": "x" * 23}, None, "statement_descriptor_suffix"),
        ({"description": "x" * 1001}, None, "description"),
        ({"confirm": None, "off_session": "true"}, None, "off_session"),
        ({"confirm": None, "return_url": "https://x"}, None, "return_url"),
        ({"payment_method_types[]": None}, None, "return_url"),
        ({"automatic_payment_methods[enabled]": "true"}, None, "automatic_payment_methods"),
        ({"off_session": "true", "setup_future_usage": "off_session"}, None, "setup_future_usage"),
        ({"expand[]": "invoice"}, None, "expand"),
    ],
)
def test_what_a_creation_may_not_say(client: Client, changes: dict[str, Any], code: str | None, param: str) -> None:
    reply = client.pay(**changes)
    body = error(reply)
    assert (reply.status, body["type"], body.get("code"), body["param"]) == (400, "invalid_request_error", code, param)
    assert client.provider.ledger(NOW) == []


def test_both_ways_to_choose_methods_work_alone(client: Client) -> None:
    never = {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}
    assert client.pay(**{"payment_method_types[]": None}, **never).status == 200
    always = {"automatic_payment_methods[enabled]": "true", "return_url": "https://shop.test"}
    assert client.pay(key="k2", **{"payment_method_types[]": None}, **always).status == 200
    indexed = {"payment_method_types[]": None, "payment_method_types[0]": "card"}
    assert client.pay(key="k3", **indexed).status == 200


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/refunds", {}),
        ("/v1/refunds", {"payment_intent": "pi_1", "reason": "expired_uncaptured_charge"}),
        ("/v1/refunds", {"payment_intent": "{pi}", "amount": 0}),
        ("/v1/refunds", {"payment_intent": "{pi}", "amount": "1.5"}),
        ("/v1/refunds", {"payment_intent": "{pi}", "note": "x"}),
        ("/v1/payment_intents/{pi}/cancel", {"cancellation_reason": "because"}),
        ("/v1/payment_intents/{pi}/cancel", {"amount": 1}),
        ("/v1/payment_intents/{pi}/capture", {"amount": 1}),
        ("/v1/payment_intents/{pi}/confirm", {"amount": 1}),
    ],
)
def test_what_other_requests_may_not_say(client: Client, path: str, fields: dict[str, Any]) -> None:
    name = client.paid()["id"]
    values = {key: str(value).replace("{pi}", name) for key, value in fields.items()}
    assert client.post(path.replace("{pi}", name), values).status in {400, 404}
    assert len(client.provider.ledger(NOW)) == 1


def test_what_does_not_exist(client: Client) -> None:
    for path in ("/v1/payment_intents/pi_1", "/v1/refunds/re_1", "/v1/charges/ch_1", "/v1/events/evt_1"):
        reply = client.get(path)
        assert (reply.status, error(reply)["code"]) == (404, "resource_missing")
    assert client.post("/v1/refunds", {"payment_intent": "pi_1"}).status == 404
    assert client.post("/v1/charges", {}).status == 404
    assert client.send("DELETE", "/v1/payment_intents", "").status == 404
    assert client.get("/v1/payment_intents", surprise="1").status == 400
    assert client.get("/v1/payment_intents", limit="101").status == 400


def test_the_transport(client: Client) -> None:
    path, body = "/v1/payment_intents", urlencode(form())
    assert client.send("POST", path, json.dumps({"amount": 1}), content_type="application/json").status == 400
    assert client.send("POST", path, body, stripe_version="2020-01-01").status == 400
    assert client.send("POST", path, "a=1&&b").status == 400
    for wrong in ("", "Bearer sk_test_2", "sk_test_1", "Basic c2tfdGVzdF8xOng="):
        reply = client.send("POST", path, body, authorization=wrong)
        assert (reply.status, error(reply)["type"]) == (401, "invalid_request_error")
    assert client.charges() == []
    assert client.send("POST", path, body, authorization="Basic c2tfdGVzdF8xOg==").status == 200


# -- webhooks


def signature(webhook: Webhook) -> tuple[str, str]:
    pairs = dict(part.split("=", 1) for part in webhook.headers["stripe-signature"].split(","))
    return pairs["t"], pairs["v1"]


def test_webhooks_are_signed_and_given_once() -> None:
    client = Client(webhook_secret="whsec_x")
    intent = client.paid()
    webhooks = client.provider.webhooks_due(NOW + 1)
    assert client.provider.webhooks_due(NOW + 2) == []
    assert [webhook.type for webhook in webhooks] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    for webhook in webhooks:
        at, digest = signature(webhook)
        expected = hmac.new(b"whsec_x", at.encode() + b"." + webhook.body, hashlib.sha256).hexdigest()
        assert (at, digest) == (str(int(NOW) + 1), expected)
    event = json.loads(webhooks[-1].body)
    assert (event["id"], event["type"], event["api_version"]) == (webhooks[-1].id, webhooks[-1].type, "2023-10-16")
    assert event["data"]["object"] == intent
    assert event["request"]["idempotency_key"] == "k1"
    again = client.provider.redelivered(webhooks[-1], NOW + 600)
    assert (again.id, again.body) == (webhooks[-1].id, webhooks[-1].body)
    assert signature(again)[0] == str(int(NOW) + 600)


def test_a_webhook_keeps_the_snapshot_of_its_time(client: Client) -> None:
    intent = client.paid()
    client.post("/v1/refunds", {"payment_intent": intent["id"]})
    charges = [json.loads(w.body) for w in client.provider.webhooks_due(NOW) if w.type.startswith("charge.")]
    assert [event["data"]["object"]["amount_refunded"] for event in charges] == [0, 1999]


def test_events_can_be_read_for_thirty_days(client: Client) -> None:
    client.pay()
    (event,) = read(client.get("/v1/events", type="payment_intent.succeeded"))["data"]
    assert read(client.get(f"/v1/events/{event['id']}")) == event
    assert read(client.get("/v1/events", NOW + 30 * DAY))["data"] == []


# -- against Stripe's own material


def contract(name: str) -> Any:
    return json.loads((CONTRACTS / name).read_text())


@pytest.mark.needs("contracts")
def test_a_published_signature() -> None:
    (vector,) = [row for row in contract("vectors.json") if row["id"] == "stripe-published-async-stripe"]
    provider = Client(webhook_secret=vector["secret"]).provider
    header = provider.sign(vector["body"].encode(), float(vector["timestamp"]))["stripe-signature"]
    assert header == f"t={vector['timestamp']},v1={vector['expected']}"


def test_a_signature_of_our_own() -> None:
    """printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_test"""
    header = Client(webhook_secret="whsec_test").provider.sign(b"{}", NOW)["stripe-signature"]
    assert header == "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"


@pytest.mark.needs("contracts")
@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/v1/payment_intents", stripe._CREATE),
        ("/v1/payment_intents/{intent}/confirm", stripe._CONFIRM),
        ("/v1/payment_intents/{intent}/capture", stripe._CAPTURE),
        ("/v1/payment_intents/{intent}/cancel", stripe._CANCEL),
        ("/v1/refunds", stripe._REFUND),
    ],
)
def test_the_parameters_are_those_of_the_specification(path: str, known: dict[str, Any]) -> None:
    body = contract("stripe-core-2023-10-16.json")["paths"][path]["post"]["requestBody"]
    assert set(known) == set(body["content"]["application/x-www-form-urlencoded"]["schema"]["properties"])


@pytest.mark.needs("contracts")
def test_answers_have_what_the_specification_requires() -> None:
    schemas = contract("stripe-core-2023-10-16.json")["components"]["schemas"]
    client = Client()
    intent = client.paid()
    refund = read(client.post("/v1/refunds", {"payment_intent": intent["id"]}))
    charge = read(client.get(f"/v1/charges/{intent['latest_charge']}"))
    (entry, *_) = read(client.get("/v1/balance_transactions"))["data"]
    event = json.loads(client.provider.webhooks_due(NOW)[0].body)
    shown = {
        "payment_intent": intent,
        "charge": charge,
        "refund": refund,
        "event": event,
        "balance_transaction": entry,
    }
    for name, answer in shown.items():
        assert set(schemas[name]["required"]) <= set(answer) <= set(schemas[name]["properties"]), name
    declined = error(client.pay("tok_hard_decline", "k2"))
    assert set(declined) - {"advice_code"} <= set(schemas["api_errors"]["properties"])


# -- refusals, single use, holds, India


def test_a_documented_refusal_is_made_before_execution_and_not_stored(client: Client) -> None:
    for _ in range(2):
        reply = client.pay("tok_refused")
        assert (reply.status, error(reply)["code"]) == (400, "payment_method_unexpected_state")
        assert "idempotent-replayed" not in reply.headers
    assert client.provider.ledger(NOW) == []


def test_another_refusal_is_stored(client: Client) -> None:
    first, again = client.pay("tok_refused_unlisted"), client.pay("tok_refused_unlisted")
    assert (first.status, error(first)["code"], first.body) == (400, "not_possible", again.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert client.provider.ledger(NOW) == []


def test_a_payment_method_of_single_use(client: Client) -> None:
    assert client.pay("pm_once_1", key="a").status == 200
    reply = client.pay("pm_once_1", key="b")
    assert (reply.status, sorted(error(reply))) == (400, ["message", "type"])
    assert client.pay("pm_once_1", key="a").status == 200  # the stored answer
    assert client.pay("pm_once_2", key="c").status == 200


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({}, "a description"),
        ({"description": "d"}, "a customer name and address"),
        ({"description": "d", "shipping[name]": "n", "shipping[address][line1]": "l"}, None),
    ],
)
def test_an_account_in_india(client: Client, changes: dict[str, str], missing: str | None) -> None:
    client.provider.country = "IN"
    reply = client.pay(**changes)
    if missing is None:
        assert read(reply)["status"] == "succeeded"
        return
    named = error(reply)["payment_intent"]
    assert (reply.status, named["status"], named["last_payment_error"]) == (400, "requires_payment_method", None)
    assert missing in error(reply)["message"]
    shown = read(client.get(f"/v1/payment_intents/{named['id']}"))
    assert (shown["status"], shown["metadata"]) == ("requires_payment_method", {"ref": "ref-1"})


@pytest.mark.parametrize(("changes", "hours"), [({}, 7 * 24), ({"off_session": "true"}, 4 * 24 + 18)])
def test_an_authorization_expires_at_capture_before(client: Client, changes: dict[str, str], hours: int) -> None:
    held = read(client.pay(capture_method="manual", **changes))
    path = f"/v1/payment_intents/{held['id']}"
    charge = read(client.get(path, **{"expand[]": "latest_charge"}))["latest_charge"]
    ends = charge["payment_method_details"]["card"]["capture_before"]
    assert ends == NOW + hours * 3600
    assert read(client.get(path, at=ends - 1))["status"] == "requires_capture"
    ended = read(client.get(path, at=ends))
    assert (ended["status"], ended["cancellation_reason"], ended["amount_received"]) == ("canceled", "automatic", 0)


def test_an_address_without_a_name_is_refused(client: Client) -> None:
    reply = client.pay(**{"shipping[address][line1]": "l"})
    assert (reply.status, error(reply)["param"]) == (400, "shipping[name]")
