"""An item of a newer release at each function: nobody stops, nothing is guessed, nothing is lost."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.sqs.messages import PROVIDER_EVENTS
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.payments.outcome import ActionRequired, NextAction, Succeeded
from payflowx.domain.payments.payment import Layout
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.shared.backoff import FAILED_ITEM_INTERVAL_MS
from payflowx.domain.shared.limits import PROVIDER_EVENT_RETRY_DELAYS_SECONDS
from payflowx.entrypoints import provider_events, worker
from tests.support.handlers import Context, Functions
from tests.support.tables import TRANSACTIONS

ACTION = ActionRequired(reference="act-1", action=NextAction(kind="redirect", url="https://bank.test/3ds"))
NEWER = {"status": {"S": "SUSPENDED"}, "schemaVersion": {"N": str(max(Layout) + 1)}}


def key_of(transaction_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"M#acme#P#{transaction_id}"}, "sk": {"S": "PAYMENT"}}


def stored(functions: Functions, transaction_id: str) -> dict[str, Any]:
    found: dict[str, Any] = functions.engine.client("dynamodb").get_item(
        TableName=TRANSACTIONS, Key=key_of(transaction_id)
    )["Item"]
    return found


def alter(functions: Functions, transaction_id: str, **attributes: Any) -> dict[str, Any]:
    """As a newer release would have stored it."""
    item = stored(functions, transaction_id) | attributes
    functions.engine.client("dynamodb").put_item(TableName=TRANSACTIONS, Item=item)
    return item


def test_the_api_answers_precisely_and_a_list_shows_the_others(functions: Functions) -> None:
    bad, good = (functions.pay(f"order-{n}")[1]["transactionId"] for n in range(2))
    alter(functions, bad, **NEWER)
    status, body, headers = functions.call("GET", f"/payments/{bad}")
    assert (status, body["code"], headers["Retry-After"]) == (503, "not_readable", "60")
    assert "SUSPENDED" not in str(body)
    assert functions.pay("order-0")[0] == 503
    status, page, _ = functions.call("GET", "/payments")
    assert status == 200
    assert [payment["transactionId"] for payment in page["items"]] == [good]
    assert page["unreadable"] == [bad]
    filtered = functions.call("GET", "/payments", query={"status": "SUCCESS"})[1]
    assert (filtered["items"], filtered["unreadable"]) == ([], [bad])
    answer = functions.operate(command="show_payment", merchantId="acme", transactionId=bad)
    assert (answer["ok"], answer["error"]["code"]) == (False, "not_readable")


def test_the_worker_leaves_the_message_and_the_item(functions: Functions) -> None:
    bad, good = (functions.pay(f"order-{n}")[1]["transactionId"] for n in range(2))
    item = alter(functions, bad, **NEWER)
    records = functions.messages()
    failed = worker.handler({"Records": records}, Context())["batchItemFailures"]
    assert failed == [{"itemIdentifier": r["messageId"]} for r in records if bad in r["body"]]
    assert len(failed) == 1
    assert stored(functions, bad) == item
    assert functions.call("GET", f"/payments/{good}")[1]["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "attributes",
    [NEWER, {"lastError": {"S": "a text"}}, {"attempts": {"L": [{"M": {"state": {"S": "PARKED"}}}]}}],
)
def test_the_sweeper_postpones_it_alone(functions: Functions, attributes: dict[str, Any]) -> None:
    names = [functions.pay(f"order-{n}")[1]["transactionId"] for n in range(5)]
    functions.messages()
    item = alter(functions, names[0], **attributes)
    functions.clock.advance(91)
    swept = functions.sweep()
    assert (swept["woken"], swept["failed"], swept["unfinishedShards"]) == (4, 1, 0)
    due_at_ms = functions.clock.now_ms() + FAILED_ITEM_INTERVAL_MS
    # It was taken before it was read, and given back: no wake-up is counted.
    assert stored(functions, names[0]) == item | {"dueAt": {"N": str(due_at_ms)}, "drives": {"N": "0"}}
    assert functions.sweep()["failed"] == 0
    functions.clock.advance(FAILED_ITEM_INTERVAL_MS // 1000)
    assert functions.sweep()["failed"] == 1


def test_the_sweeper_wakes_an_item_with_attributes_that_it_does_not_know(functions: Functions) -> None:
    name = functions.pay()[1]["transactionId"]
    functions.messages()
    error = {"M": {"code": {"S": "declined"}, "message": {"S": "No."}, "network": {"S": "visa"}}}
    alter(functions, name, lastError=error, risk={"M": {"score": {"N": "0.5"}}})
    functions.clock.advance(91)
    assert functions.sweep()["woken"] == 1
    assert functions.work() == {"batchItemFailures": []}
    assert functions.call("GET", f"/payments/{name}")[1]["status"] == "SUCCESS"
    assert stored(functions, name)["risk"] == {"M": {"score": {"N": "0.5"}}}


def test_the_sweeper_postpones_an_unknown_kind_of_due_item(functions: Functions) -> None:
    name = functions.pay()[1]["transactionId"]
    due = stored(functions, name)
    checkout = {name: due[name] for name in ("dueShard", "dueAt", "pk")} | {"sk": {"S": "CHECKOUT#co_1"}}
    functions.engine.client("dynamodb").put_item(TableName=TRANSACTIONS, Item=checkout)
    functions.clock.advance(91)
    swept = functions.sweep()
    assert (swept["woken"], swept["failed"]) == (1, 1)
    assert functions.sweep()["failed"] == 0


def test_a_provider_event_is_put_back_and_then_fails_without_a_loss(functions: Functions) -> None:
    functions.providers.get("alpha").charges = [ACTION]
    name = functions.pay()[1]["transactionId"]
    functions.work()
    functions.messages()
    payment = functions.call("GET", f"/payments/{name}")[1]
    item = alter(functions, name, **NEWER)
    queue_url = functions.platform.environment["NOTICES_QUEUE_URL"]
    key = payment["attempts"][0]["providerKey"]
    charged = Succeeded(
        reference="ch_1", amount=payment["amount"], currency=payment["currency"], merchant_reference=key
    )
    event = ProviderEvent(event_id="evt_1", type="charge.succeeded", charge_key=key, outcome=charged)
    received = ReceivedEvent(
        merchant_id="acme", provider="alpha", account_id="main", received_at_ms=0, provider_event=event
    )

    def apply(inbound: ReceivedEvent) -> dict[str, Any]:
        records = [{"messageId": "m-1", "attributes": {}, "body": PROVIDER_EVENTS.encode(inbound, None)}]
        return provider_events.handler({"Records": records}, Context())

    assert apply(received) == {"batchItemFailures": []}
    names = ["ApproximateNumberOfMessagesDelayed"]
    delayed = functions.engine.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    assert delayed["Attributes"] == {names[0]: "1"}
    last = replace(received, tries=len(PROVIDER_EVENT_RETRY_DELAYS_SECONDS))
    assert apply(last) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert stored(functions, name) == item
    alter(functions, name, status={"S": "REQUIRES_ACTION"})
    assert apply(last) == {"batchItemFailures": []}
    assert functions.call("GET", f"/payments/{name}")[1]["status"] == "SUCCESS"
