"""Operators' commands about payers' pages, over the engine's Secrets Manager and DynamoDB."""

import json
import time
from datetime import UTC, datetime

from payflowx.adapters.platform.secrets_manager import secrets_of
from payflowx.application.checkout.rotate_secret import MIN_INTERVAL_MS
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
