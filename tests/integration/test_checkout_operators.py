"""Operators' commands about payers' pages, over the engine's Secrets Manager and DynamoDB."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime

from payflowx.adapters.platform.secrets_manager import secrets_of
from payflowx.application.checkout.rotate_secret import MIN_INTERVAL_MS
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.outcome import ActionRequired, NextAction, Succeeded
from tests.integration.test_checkout_api import HOSTED
from tests.support.handlers import Functions
from tests.support.memory import ManualClock, cache_of


def test_a_merchants_part_of_the_page(functions: Functions) -> None:
    answer = functions.operate(
        command="set_checkout", merchantId="acme", shownName="Blue Shoes", accent="#1f5fa8", newCheckouts=False
    )
    expected = {
        "shownName": "Blue Shoes",
        "support": None,
        "accent": "#1f5fa8",
        "newCheckouts": False,
        "maxRefusedStarts": None,
    }
    assert {name: answer[name] for name in expected} == expected
    assert functions.operate(command="show_merchant", merchantId="acme")["checkout"] == expected
    refused = functions.operate(command="set_checkout", merchantId="acme", accent="#7a7a7a")
    assert (refused["ok"], refused["error"]["code"]) == (False, "field_invalid")


def test_the_secret_is_rotated_at_most_every_32_days_and_two_versions_sign(functions: Functions) -> None:
    client, clock = functions.engine.client("secretsmanager"), functions.platform.clock
    assert isinstance(clock, ManualClock)
    created_at_ms = time.time_ns() // 1_000_000  # the engine's versions have the time of this machine
    clock.advance((created_at_ms - clock.now_ms()) / 1000)
    young = functions.operate(command="rotate_checkout_secret")
    assert (young["ok"], young["error"]["code"]) == (False, "rotated_lately")
    clock.advance(MIN_INTERVAL_MS / 1000 + 60)
    assert functions.operate(command="rotate_checkout_secret")["ok"]
    keys = secrets_of(client, cache_of(clock)).signing_keys("checkout-tokens")
    assert len(keys) == 2
    assert keys[1] == "t" * 64
    assert len(keys[0]) == 64
    month = datetime.fromtimestamp(clock.now_ms() / 1000, tz=UTC).strftime("%Y-%m")
    entries = functions.operate(command="list_records", month=month)["items"]
    assert [entry["action"] for entry in entries][:1] == ["checkout.secret_rotated"]
    assert keys[0] not in json.dumps(entries)


def charged_twice(functions: Functions) -> dict[str, str]:
    """The names of a payment whose payer paid twice on one page: pi_1 is its charge, pi_2 the extra one."""
    alpha = functions.providers.get("alpha")
    alpha.able = replace(alpha.able, currencies=frozenset({"USD"}), hosted=HOSTED)
    alpha.charges = [
        ActionRequired(reference="obj-1", action=NextAction(kind="redirect", url="https://bank.example/1"))
    ]
    _, made, _ = functions.pay(paymentMethod={"type": "checkout", "presentation": "direct"})
    functions.work()
    names = {"merchantId": "acme", "transactionId": made["transactionId"]}
    (attempt,) = functions.operate(command="show_payment", **names)["attempts"]
    twice = Succeeded(
        reference="pi_1",
        amount=made["amount"],
        currency="USD",
        merchant_reference=attempt["providerKey"],
        extra_charges=(ExtraCharge(reference="pi_2", amount=made["amount"], currency="USD"),),
    )
    alpha.inquiries = [twice]
    functions.operate(command="resolve_payment", **names)
    functions.work()
    return names


def test_an_extra_charge_is_listed_until_its_refund_is_recorded(functions: Functions) -> None:
    names = charged_twice(functions)
    alpha = functions.providers.get("alpha")
    (owed,) = functions.operate(command="list_owed_charges", merchantId="acme")["items"]
    assert (owed["transactionId"], owed["providerRef"], owed["accountId"]) == (names["transactionId"], "pi_2", "main")
    assert owed["refundedBy"] == "operator"
    alpha.able = replace(alpha.able, hosted=replace(HOSTED, returns_extra_charges=True))
    assert functions.operate(command="list_owed_charges", merchantId="acme")["items"][0]["refundedBy"] == "provider"
    refund = {"command": "record_extra_refund", **names, "charge": "pi_2", "reference": "re_2", "evidence": "case 7"}
    for _ in range(2):
        (recorded,) = functions.operate(**refund)["extraCharges"]
        assert recorded["refundRef"] == "re_2"
        assert recorded["refundedAt"] is not None
    assert functions.operate(command="list_owed_charges", merchantId="acme")["items"] == []
    _, shown, _ = functions.call("GET", f"/payments/{names['transactionId']}")
    assert (shown["extraCharges"], shown["refundable"]) == ([recorded], shown["amount"])
