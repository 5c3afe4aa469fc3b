"""Orders through the API and the operators' commands, over the engine."""

from typing import Any

import pytest

from payflowx.domain.payments.outcome import ActionRequired, Declined, NextAction
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from payflowx.domain.shared.statuses import DeclineKind
from tests.support.handlers import Functions

ORDER = "2026-000017"


def listed(functions: Functions, **query: str) -> list[str]:
    status, body, _ = functions.call("GET", "/payments", query=query)
    assert status == 200, body
    assert body["nextCursor"] is None
    return [item["transactionId"] for item in body["items"]]


class TestAccept:
    def test_a_payment_shows_its_order(self, functions: Functions) -> None:
        _, created, _ = functions.pay(orderId=ORDER)
        assert (created["orderId"], created["oncePerOrder"], created["contendsWith"]) == (ORDER, True, None)
        _, without, _ = functions.pay("another")
        assert (without["orderId"], without["contendsWith"]) == (None, None)

    def test_two_posts_for_one_order_with_two_keys_are_one_payment(self, functions: Functions) -> None:
        _, first, _ = functions.pay("key-1", orderId=ORDER)
        status, problem, headers = functions.pay("key-2", orderId=ORDER)
        assert (status, problem["code"], problem["field"]) == (409, "order_not_free", "orderId")
        assert "cancel it" in problem["detail"]
        assert "oncePerOrder false" in problem["detail"]
        assert problem["order"] == {
            "transactionId": first["transactionId"],
            "status": "PENDING",
            "nextAction": None,
            "freeAt": None,
            "beside": 0,
        }
        assert "Location" not in headers
        assert listed(functions, orderId=ORDER) == [first["transactionId"]]
        assert functions.pay("key-1", orderId=ORDER)[0] == 202

    def test_the_refusal_tells_where_to_send_the_payer(self, functions: Functions) -> None:
        action = NextAction(kind="redirect", url="https://bank.test/3ds")
        functions.providers.get("alpha").charges = [ActionRequired(reference="r-1", action=action)]
        functions.pay("key-1", orderId=ORDER)
        functions.work()
        _, problem, _ = functions.pay("key-2", orderId=ORDER)
        assert problem["order"]["status"] == "REQUIRES_ACTION"
        assert problem["order"]["nextAction"]["url"] == "https://bank.test/3ds"

    def test_the_refusal_tells_from_when_the_order_is_free(self, functions: Functions) -> None:
        reopens = Declined(kind=DeclineKind.SOFT, code="declined", reopens_for_seconds=5 * DAY_MS // SECOND_MS)
        functions.providers.get("alpha").charges = [reopens]
        functions.pay("key-1", orderId=ORDER)
        functions.work()
        _, problem, _ = functions.pay("key-2", orderId=ORDER)
        assert problem["order"]["status"] == "FAILED"
        assert problem["order"]["freeAt"].endswith("Z")
        done = functions.operate(command="set_orders", merchantId="acme", automaticRefund=True)
        assert done == {"ok": True, "merchantId": "acme", "automaticRefund": True}
        functions.clock.advance(61)
        assert functions.pay("key-3", orderId=ORDER)[0] == 202

    def test_payments_that_say_false_are_made_beside_each_other(self, functions: Functions) -> None:
        for key in ("key-1", "key-2"):
            assert functions.pay(key, orderId=ORDER, oncePerOrder=False)[0] == 202
        status, problem, _ = functions.pay("key-3", orderId=ORDER)
        assert (status, problem["order"]["beside"], problem["order"]["transactionId"]) == (409, 2, None)
        assert len(listed(functions, orderId=ORDER)) == 2

    @pytest.mark.parametrize("order_id", ["Café", "注文-7", "a b", "x" * 64, "🧾", "#17/2"])
    def test_any_printable_text_names_an_order(self, functions: Functions, order_id: str) -> None:
        assert functions.pay("key-1", orderId=order_id)[0] == 202
        assert functions.pay("key-2", orderId=order_id)[0] == 409

    def test_two_spellings_of_one_text_are_one_order(self, functions: Functions) -> None:
        functions.pay("key-1", orderId="Caf\u00e9")
        assert functions.pay("key-2", orderId="Cafe\u0301")[0] == 409
        assert len(listed(functions, orderId="Cafe\u0301")) == 1

    @pytest.mark.parametrize(
        "order_id", ["", " ", " a", "a ", "a\tb", "a\nb", "x" * 65, "a\u200eb", "a\u200bb", 17, True]
    )
    def test_what_cannot_be_read_is_no_order(self, functions: Functions, order_id: Any) -> None:
        status, problem, _ = functions.pay(orderId=order_id)
        assert (status, problem["field"]) == (422, "orderId")

    @pytest.mark.parametrize("once", ["false", 0, None])
    def test_once_is_true_or_false(self, functions: Functions, once: Any) -> None:
        body = {"amount": 1, "currency": "USD", "paymentMethod": {"type": "card", "token": "t"}, "orderId": ORDER}
        status, problem, _ = functions.call(
            "POST", "/payments", {**body, "oncePerOrder": once}, headers={"Idempotency-Key": "key-1"}
        )
        assert (status, problem["field"]) == (422, "oncePerOrder")

    def test_false_without_an_order_is_refused(self, functions: Functions) -> None:
        status, problem, _ = functions.pay(oncePerOrder=False)
        assert (status, problem["field"]) == (422, "oncePerOrder")

    def test_another_order_under_the_same_key_is_another_request(self, functions: Functions) -> None:
        functions.pay("key-1", orderId=ORDER)
        for change in ({"orderId": "other"}, {"orderId": None}, {"orderId": ORDER, "oncePerOrder": False}):
            assert functions.pay("key-1", **change)[1]["code"] == "idempotency_key_reused"
        assert functions.pay("key-1", orderId=ORDER, oncePerOrder=True)[0] == 202

    def test_a_card_number_is_no_order(self, functions: Functions) -> None:
        assert functions.pay(orderId="4242424242424242")[1]["code"] == "card_data_refused"


class TestPrivacy:
    def test_only_the_payments_own_item_has_the_orders_name(self, functions: Functions) -> None:
        functions.pay("key-1", orderId="order-of-ada")
        functions.work()
        items = functions.engine.client("dynamodb").scan(TableName="transactions")["Items"]
        named = [item["sk"]["S"] for item in items if "order-of-ada" in repr(item)]
        assert named == ["PAYMENT"]
        assert "order-of-ada" not in repr(functions.messages())

    def test_erasure_keeps_the_pseudonym_and_the_hold(self, functions: Functions) -> None:
        _, first, _ = functions.pay("key-1", orderId=ORDER)
        functions.work()
        name = {"merchantId": "acme", "transactionId": first["transactionId"]}
        assert functions.operate(command="erase_personal_data", **name)["erased"]
        assert ORDER not in repr(functions.engine.client("dynamodb").scan(TableName="transactions")["Items"])
        assert functions.pay("key-2", orderId=ORDER)[0] == 409
        _, shown, _ = functions.call("GET", f"/payments/{first['transactionId']}")
        assert shown["orderId"] is None


class TestFind:
    def test_by_order_newest_first(self, functions: Functions) -> None:
        _, first, _ = functions.pay("key-1", orderId=ORDER)
        functions.call("POST", f"/payments/{first['transactionId']}/cancel")
        _, second, _ = functions.pay("key-2", orderId=ORDER)
        assert listed(functions, orderId=ORDER) == [second["transactionId"], first["transactionId"]]
        assert listed(functions, orderId="unknown") == []

    def test_an_order_is_its_merchants(self, functions: Functions) -> None:
        functions.pay("key-1", orderId=ORDER)
        _, body, _ = functions.call("GET", "/payments", query={"orderId": ORDER}, merchant_id="other")
        assert body["items"] == []

    def test_by_a_providers_id(self, functions: Functions) -> None:
        _, payment, _ = functions.pay("key-1")
        functions.work()
        _, paid, _ = functions.call("GET", f"/payments/{payment['transactionId']}")
        for query in ({}, {"provider": "alpha"}):
            assert listed(functions, providerRef=paid["providerRef"], **query) == [payment["transactionId"]]
        assert listed(functions, providerRef=paid["providerRef"], provider="beta") == []
        assert listed(functions, providerRef="unknown") == []

    def test_by_the_id_of_a_refund(self, functions: Functions) -> None:
        _, payment, _ = functions.pay("key-1")
        functions.work()
        path = f"/payments/{payment['transactionId']}/refunds"
        functions.call("POST", path, {"amount": 5}, headers={"Idempotency-Key": "refund-1"})
        functions.work()
        _, operations, _ = functions.call("GET", f"/payments/{payment['transactionId']}/operations")
        assert listed(functions, providerRef=operations["items"][0]["providerRef"]) == [payment["transactionId"]]

    def test_with_more_than_twenty_accounts_the_provider_is_named(self, functions: Functions) -> None:
        table = functions.engine.client("dynamodb")
        for number in range(21):
            account = {"provider": "alpha", "accountId": f"a{number:02d}", "endpoint": "x", "secretArn": "y"}
            item = {"pk": "M#acme", "sk": f"ACCOUNT#alpha#a{number:02d}", **account}
            table.put_item(TableName="configuration", Item={name: {"S": text} for name, text in item.items()})
        functions.clock.advance(61)
        status, problem, _ = functions.call("GET", "/payments", query={"providerRef": "r"})
        assert (status, problem["field"]) == (400, "provider")
        assert listed(functions, providerRef="r", provider="alpha") == []

    @pytest.mark.parametrize(
        "query",
        [
            {"orderId": ORDER, "status": "FAILED"},
            {"orderId": ORDER, "limit": "5"},
            {"orderId": ORDER, "providerRef": "x"},
            {"orderId": ORDER, "provider": "alpha"},
            {"providerRef": "x", "cursor": "y"},
            {"provider": "alpha"},
            {"orderId": ""},
            {"orderId": "x" * 65},
            {"providerRef": "a b"},
            {"providerRef": "x" * 101},
            {"providerRef": "x", "provider": ""},
            {"providerRef": "x", "provider": "Stripe"},
            {"providerRef": "x", "provider": "stripe "},
            {"providerRef": "x", "provider": "p" * 41},
        ],
    )
    def test_a_name_stands_alone(self, functions: Functions, query: dict[str, str]) -> None:
        assert functions.call("GET", "/payments", query=query)[1]["code"] == "parameter_invalid"

    def test_operators_find_by_whatever_they_have(self, functions: Functions) -> None:
        _, payment, _ = functions.pay("key-1", orderId=ORDER)
        functions.work()
        name = payment["transactionId"]
        _, paid, _ = functions.call("GET", f"/payments/{name}")
        path = f"/payments/{name}/refunds"
        _, refund, _ = functions.call("POST", path, {"amount": 5}, headers={"Idempotency-Key": "refund-1"})
        key_of_refund = f"pfx-{refund['operationId'][-16:]}-1"
        texts = [name, ORDER, paid["providerRef"], paid["attempts"][0]["providerKey"]]
        for text in [*texts, refund["operationId"], key_of_refund]:
            found = functions.operate(command="find_payments", merchantId="acme", text=text)
            assert [item["transactionId"] for item in found["items"]] == [name], text
        assert functions.operate(command="find_payments", merchantId="acme", text="nothing")["items"] == []
        assert functions.operate(command="find_payments", merchantId="other", text=ORDER)["items"] == []


class TestSwitch:
    def test_the_switch_is_shown_and_recorded(self, functions: Functions) -> None:
        assert functions.operate(command="show_merchant", merchantId="acme")["automaticRefund"] is False
        functions.operate(command="set_orders", merchantId="acme", automaticRefund=True)
        assert functions.operate(command="show_merchant", merchantId="acme")["automaticRefund"] is True
        functions.operate(command="set_orders", merchantId="acme", automaticRefund=False)
        assert functions.operate(command="show_merchant", merchantId="acme")["automaticRefund"] is False

    def test_an_unknown_merchant_has_no_switch(self, functions: Functions) -> None:
        answer = functions.operate(command="set_orders", merchantId="nobody", automaticRefund=True)
        assert answer["error"]["code"] == "not_found"
