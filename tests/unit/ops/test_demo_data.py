"""The demo data: what it shows, that it is sound, what it costs, and where it may be made."""

import dataclasses
import time
from collections import Counter
from functools import cache
from typing import Any

import pytest
import urllib3

from ops.demo_data.load import _load_books, load
from ops.demo_data.make import DemoData, first_payment, make
from ops.demo_data.story import FATES, KEY_PREFIX
from ops.errors import OperatorError
from payflowx.adapters.dynamodb.core.values import from_attributes
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.application.operators.verify_audit_log import VerifyAuditLog
from payflowx.domain.shared.identifiers import derive_transaction_id
from sandbox.server import SimulatorServer
from simulation.calibration import loop_seconds
from simulation.layouts import in_full
from simulation.world import CONFIGURATION, IDEMPOTENCY, TRANSACTIONS, tables
from testing.dynamodb.database import Database
from tests.unit.ops.demo_place import MERCHANT, demo_place
from tests.unit.ops.test_commands import FakeFunction, local, runner_of

END_MS = 1_796_000_000_000
MAX_CALIBRATION_LOOPS = 500
MAX_ALIKE = 100
NAMES = (
    *(fate.name for fate in FATES),
    *("checkout", "contended-late", "contended-holder", "mock-down", "razorpay-silent", "payu-silent"),
    *("dead-letter", "dead-notice"),
)


@cache
def made() -> tuple[DemoData, float]:
    """The data, and the CPU time that they took, in calibration loops: a slow machine is slow at both."""
    loops_seconds, started = [loop_seconds()], time.process_time()
    data = make(demo_place(), end_ms=END_MS)
    took_seconds = time.process_time() - started
    loops_seconds.append(loop_seconds())
    return data, took_seconds / max(loops_seconds)


def stored(table: str = TRANSACTIONS) -> list[dict[str, Any]]:
    return [from_attributes(item) for item in made()[0].items[table]]


@cache
def payments() -> dict[str, dict[str, Any]]:
    """By the name of the fate and its number. The key of a payment makes its id, and no table stores the key."""
    by_id = {item["pk"].rpartition("#")[2]: in_full(item) for item in stored() if item["sk"] == "PAYMENT"}
    names = [f"{fate}-{number:03}" for fate in NAMES for number in range(1, MAX_ALIKE + 1)]
    ids = {name: derive_transaction_id(MERCHANT, f"{KEY_PREFIX}{name}") for name in names}
    return {name: by_id[transaction_id] for name, transaction_id in ids.items() if transaction_id in by_id}


def fates(name: str) -> set[tuple[str, str]]:
    """Status and the attempts' states of the payments of a fate."""
    found = {key: item for key, item in payments().items() if key.rpartition("-")[0] == name}
    assert found, name
    return {(item["status"], ">".join(attempt["state"] for attempt in item["attempts"])) for item in found.values()}


def test_it_costs_at_most_five_hundred_calibration_loops() -> None:
    """About half a minute of CPU time."""
    assert made()[1] < MAX_CALIBRATION_LOOPS


def test_no_function_failed_in_a_way_that_nobody_foresaw() -> None:
    assert made()[0].defects == []


def test_there_are_a_few_hundred_payments_of_every_status() -> None:
    found = payments()
    assert 300 <= len(found) <= 500
    assert {item["status"] for item in found.values()} >= {
        *("SUCCESS", "FAILED", "CANCELLED", "AUTHORIZED", "REQUIRES_ACTION", "IN_REVIEW")
    }


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("hard-decline", ("FAILED", "DECLINED")),
        ("no-funds", ("FAILED", "DECLINED")),
        ("soft-decline", ("FAILED", "DECLINED>DECLINED")),
        ("failed-over", ("SUCCESS", "DECLINED>SUCCEEDED")),
        ("rate-limited", ("SUCCESS", "REJECTED>SUCCEEDED")),
        ("mock-down", ("SUCCESS", "NOT_SENT>SUCCEEDED")),
        ("timed-out-charged", ("SUCCESS", "SUCCEEDED")),
        ("payu-silent", ("IN_REVIEW", "UNKNOWN")),
        ("mismatch", ("IN_REVIEW", "MISMATCH")),
        ("late-success", ("SUCCESS", "SUCCEEDED")),
        ("abandoned", ("FAILED", "FENCED")),
        ("held", ("AUTHORIZED", "AUTHORIZED")),
        ("checkout", ("SUCCESS", "SUCCEEDED")),
        ("checkout", ("FAILED", "")),
        ("checkout", ("REQUIRES_ACTION", "")),
        ("contended-late", ("IN_REVIEW", "SUCCEEDED")),
    ],
)
def test_fates(name: str, fate: tuple[str, str]) -> None:
    assert fate in fates(name)


def test_captures_and_refunds_whole_and_in_part() -> None:
    found = payments()
    assert 0 < found["captured-in-part-001"]["captured"] < found["captured-in-part-001"]["amount"]
    assert found["refunded-001"]["refunded"] == found["refunded-001"]["amount"]
    assert 0 < found["refunded-in-part-001"]["refunded"] < found["refunded-in-part-001"]["amount"]
    operations = Counter(item["status"] for item in stored() if item["sk"].startswith("OP#"))
    assert operations["SUCCEEDED"] > 30
    assert operations["IN_REVIEW"] >= 1


def test_dead_letters_disputes_failed_deliveries_and_discrepancies() -> None:
    assert sum(map(len, made()[0].dead_letters.values())) >= 3
    assert sum(len(item.get("disputes", ())) for item in payments().values()) == 2
    waiting = [item for item in stored() if item["sk"].startswith("EVENT#") and "dueAt" in item]
    assert len(waiting) > 20
    assert Counter(item["sk"].partition("#")[0] for item in stored())["FINDING"] >= 3


def test_providers_events_were_taken_in() -> None:
    names = Counter(value.name for value in made()[0].measured)
    assert names["WebhooksReceived"] > 100
    assert "WebhooksForged" not in names


def test_operators_did_something() -> None:
    entries = [item for item in stored(CONFIGURATION) if item["pk"].startswith("AUDIT#")]
    assert {item["operator"] for item in entries} == {"demo-data"}


def test_every_audit_log_is_intact() -> None:
    payments = DynamoDBPayments(
        client=loaded(),
        transactions_table=TRANSACTIONS,
        idempotency_table=IDEMPOTENCY,
        pause=lambda _seconds: None,
        jitter=lambda: 0.5,
    )
    for item in stored():
        if item["sk"] == "PAYMENT":
            transaction_id = item["pk"].rpartition("#")[2]
            assert VerifyAuditLog(payments=payments)(MERCHANT, transaction_id).is_intact, transaction_id


@cache
def loaded() -> Database:
    database = Database(tables(), now_ms=lambda: END_MS)
    for table, items in made()[0].items.items():
        for item in items:
            database.put_item(TableName=table, Item=item)
    return database


def test_the_same_place_and_time_give_the_same_data() -> None:
    again = make(demo_place(), end_ms=END_MS)
    assert dataclasses.replace(again, defects=[]) == dataclasses.replace(made()[0], defects=[])


def test_metrics_have_a_history_of_the_whole_week() -> None:
    measured = made()[0].measured
    times = [value.at_ms for value in measured if value.name == "PaymentsAccepted"]
    assert min(times) < END_MS - 6 * 86_400_000
    assert max(times) > END_MS - 3_600_000
    assert all(value.dimensions["environment"] == "dev" for value in measured if value.namespace == "PayFlowX")


# -- storing it


class Recorder:
    """A boto3 client that remembers, and once leaves half of a batch to its caller."""

    def __init__(self) -> None:
        self.items: list[tuple[str, Any]] = []
        self.sent: list[str] = []
        self.data: list[Any] = []
        self.has_refused = False

    def batch_write_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 - the API's name
        ((table, requests),) = RequestItems.items()
        assert len(requests) <= 25
        left = [] if self.has_refused else requests[:3]
        self.has_refused = True
        self.items += [(table, r["PutRequest"]["Item"]) for r in requests if r not in left]
        return {"UnprocessedItems": {table: left} if left else {}}

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 - the API's names
        self.sent.append(MessageBody)

    def put_metric_data(self, *, Namespace: str, MetricData: Any) -> None:  # noqa: N803 - the API's names
        assert len(MetricData) <= 1_000
        assert all(len(datum["Values"]) <= 150 for datum in MetricData)
        self.data += MetricData


def test_everything_is_stored_and_the_marking_payment_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Recorder()
    target = local()
    monkeypatch.setattr(type(target), "client", lambda _self, _service: client)
    load(target, demo_place(), made()[0])
    assert len(client.items) == sum(map(len, made()[0].items.values()))
    assert client.items[-1][1]["pk"]["S"].endswith(first_payment(MERCHANT))
    assert client.items[-1][1]["sk"]["S"] == "PAYMENT"
    assert len(client.sent) == sum(map(len, made()[0].dead_letters.values()))
    assert sum(len(datum["Values"]) for datum in client.data) == len(made()[0].measured)


def test_a_simulator_takes_the_books_and_goes_on_with_them() -> None:
    place = demo_place()
    (keys,) = [account.keys for account in place.accounts if account.provider == "mock"]
    server = SimulatorServer("mock", 0, keys.credentials)
    server.start()
    try:
        for _ in range(2):
            _load_books(local(simulators={"mock": server.url}), "mock", made()[0].books["mock"])
        with pytest.raises(OperatorError, match="does not take its books"):
            _load_books(local(simulators={"mock": server.url}), "mock", [("charge", "ch_1", None)])  # type: ignore[list-item]
        ledger = urllib3.request("GET", f"{server.url}/_ledger", timeout=5).json()["entries"]
    finally:
        server.stop()
    charges = {entry["reference"]: entry for entry in ledger if entry["kind"] == "charge"}
    captured = payments()["captured-in-part-001"]
    assert charges[captured["attempts"][0]["provider_key"]]["amount"] == captured["captured"]


def test_a_second_call_changes_nothing() -> None:
    function = FakeFunction(show_payment={"transactionId": first_payment("demo")})
    result = runner_of(function)("demo-data")
    assert (result.exit_code, result.output) == (0, "The demo data is there already.\n")
    assert [asked["command"] for asked in function.asked] == ["show_payment"]


@pytest.mark.parametrize("accounts", [[], [{"provider": "mock"}]])
def test_a_merchant_without_all_accounts_gets_none(accounts: list[dict[str, str]]) -> None:
    missing = {"error": {"code": "not_found", "message": "There is no payment with this id."}}
    function = FakeFunction(show_payment=missing, show_routing={"document": "{}"}, show_merchant={"accounts": accounts})
    result = runner_of(function)("demo-data", "--merchant", "acme")
    assert result.exit_code == 4
    assert "acme has no account at cashfree, cashfree_mock, " in result.output


@pytest.mark.parametrize("environment", ["prod", "staging"])
def test_other_environments_get_none(environment: str) -> None:
    function = FakeFunction()
    result = runner_of(function)("--env", environment, "demo-data")
    assert result.exit_code == 4
    assert function.asked == []
