"""The reconciler's handler over the engine: its queue, its commands, its schedule, and files in a bucket."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from payflowx.domain.payments.payment import Payment, PaymentMethod
from payflowx.domain.payments.ports import Job
from payflowx.entrypoints import reconciler
from payflowx.wiring.payments import WorkerWiring
from tests.support.handlers import DECISION, Context, Functions, decided, simulated_functions
from tests.support.memory import ManualClock, ManualDeadline
from tests.support.providers import SimulatedHttp
from tests.support.reconciliation import PAYER
from tests.support.world import new_payment

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine

PROVIDER = "cashfree"
DAY_MS = 86_400_000
SAMPLES = Path(__file__).resolve().parents[1] / "data" / "settlements"


@dataclass
class Reconciling:
    """The handler, its queue, and a provider."""

    functions: Functions
    http: SimulatedHttp

    @property
    def clock(self) -> ManualClock:
        return self.functions.clock

    def pay(self, key: str) -> Payment:
        method = PaymentMethod(type="card", token="tok_success")
        created = self.functions.api.create_payment(
            new_payment(
                key,
                amount=49_900,
                currency="INR",
                payment_method=method,
                customer=PAYER,
                return_url="https://shop.example/return",
            )
        ).payment
        job = Job(merchant_id=created.merchant_id, transaction_id=created.transaction_id)
        worker = self.functions.wired(WorkerWiring)
        for _ in range(5):
            worker.process_job(job, ManualDeadline())
            self.clock.advance(20)
        stored = worker.payments.get(created.merchant_id, created.transaction_id)
        assert stored is not None
        return stored

    def command(self, **command: Any) -> dict[str, Any]:
        return reconciler.handler(decided(command), Context())

    def reconcile(self, **changes: Any) -> dict[str, Any]:
        span = {"fromMs": self.clock.at_ms - 2 * DAY_MS, "untilMs": self.clock.at_ms}
        return self.command(command="reconcile", provider=PROVIDER, **{**span, **changes})

    def work(self) -> list[str]:
        """Deliver messages until there are none; those that failed."""
        failed: list[str] = []
        for _ in range(20):
            records = self.functions.messages(self.functions.platform.environment["RUNS_QUEUE_URL"])
            if not records:
                return failed
            result = reconciler.handler({"Records": records}, Context())
            failed += [item["itemIdentifier"] for item in result["batchItemFailures"]]
        raise AssertionError("messages do not end")


@pytest.fixture
def reconciling(engine: "InProcessEngine", dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reconciling]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="settlements", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    clock = ManualClock()
    http = SimulatedHttp(clock)
    account = {"accountId": "main", "secretArn": "arn:s"}
    accounts = [
        {**account, "provider": PROVIDER, "endpoint": "https://cashfree/pg"},
        {**account, "provider": "mock", "endpoint": "https://mock"},
    ]
    with simulated_functions(engine, http, clock, PROVIDER, "stripe", "mock") as functions:
        made = functions.operate(command="create_merchant", merchantId="acme", name="Acme", accounts=accounts)
        assert made["ok"], made
        yield Reconciling(functions, http)
    for found in s3.list_objects_v2(Bucket="settlements").get("Contents", []):
        s3.delete_object(Bucket="settlements", Key=found["Key"])
    s3.delete_bucket(Bucket="settlements")


def entries(functions: Functions) -> list[dict[str, Any]]:
    month = time.strftime("%Y-%m", time.gmtime(functions.clock.now_ms() / 1000))
    return functions.operate(command="list_records", month=month)["items"]


def test_a_day_that_is_reconciled_by_the_schedule(reconciling: Reconciling) -> None:
    payment = reconciling.pay("order-1")
    reconciling.clock.advance(86_400)
    reconciling.clock.at_ms = reconciling.clock.at_ms // DAY_MS * DAY_MS + 7 * 3_600_000
    assert reconciler.handler({}, Context()) == {"unfinished": 3, "disputesNearDeadline": 0}
    assert reconciling.work() == []
    assert reconciler.handler({}, Context()) == {"unfinished": 0, "disputesNearDeadline": 0}
    assert payment.status == "SUCCESS"


def test_a_span_that_an_operator_asks_for(reconciling: Reconciling) -> None:
    reconciling.pay("order-1")
    forgotten = reconciling.pay("order-2")
    key = {"pk": {"S": f"M#acme#P#{forgotten.transaction_id}"}, "sk": {"S": "PAYMENT"}}
    reconciling.functions.engine.client("dynamodb").delete_item(TableName="transactions", Key=key)
    reconciling.clock.advance(86_400)
    started = reconciling.reconcile()
    (run,) = started["runs"]
    assert (started["ok"], run["phase"], run["counts"]) == (True, "theirs", {})
    assert reconciling.work() == []
    shown = reconciling.command(command="show_reconciliation", runId=run["runId"])
    assert shown["run"]["phase"] == "done"
    assert shown["run"]["counts"] == {"matched": 1, "missing_here": 1}
    (finding,) = shown["findings"]
    assert (finding["verdict"], finding["theirAmount"]) == ("missing_here", 49_900)
    assert finding["providerKey"] == forgotten.attempts[0].provider_key
    json.dumps(shown)


def test_the_days_of_each_account_with_what_became_of_their_runs(reconciling: Reconciling) -> None:
    reconciling.pay("order-1")
    reconciling.clock.advance(3 * 86_400)
    assert reconciler.handler({}, Context())["unfinished"] > 0
    days = reconciling.command(command="list_reconciliations", days=3)["items"]
    assert [day["day"] for day in days] == sorted({day["day"] for day in days}, reverse=True)
    assert len(days) == 3
    assert {day["phase"] for day in days} == {"theirs"}
    reconciling.work()
    done = reconciling.command(command="list_reconciliations", days=4, provider="cashfree")["items"]
    assert [day["phase"] for day in done] == ["done", "done", "done", None]
    assert done[0]["runId"] == days[0]["runId"]
    assert reconciling.command(command="list_reconciliations", merchantId="other")["items"] == []


def test_a_settlement_file_in_the_bucket(reconciling: Reconciling) -> None:
    payment = reconciling.pay("order-1")
    attempt = payment.attempts[0]
    text = (SAMPLES / "cashfree.csv").read_text()
    text = text.replace("pfx-aaaaaaaaaaaaaaaa-1", attempt.provider_key).replace("1001", attempt.reference or "")
    header, charge, *_ = text.splitlines(keepends=True)
    body = header + charge + charge + "9,DISPUTE,SUCCESS,x,x,x,x,,,,,\n"
    reconciling.functions.engine.client("s3").put_object(Bucket="settlements", Key="a.csv", Body=body.encode())
    reconciling.clock.advance(86_400)
    (run,) = reconciling.reconcile(file="a.csv")["runs"]
    assert reconciling.work() == []
    shown = reconciling.command(command="show_reconciliation", runId=run["runId"])
    assert shown["run"]["counts"] == {"matched": 1, "duplicate": 1}
    assert shown["findings"][0]["line"] == "3"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"command": "reconcile", "provider": PROVIDER}, "command_invalid"),
        ({"command": "reconcile", "provider": PROVIDER, "fromMs": "1", "untilMs": 2}, "command_invalid"),
        ({"command": "reconcile", "provider": PROVIDER, "fromMs": 2, "untilMs": 1}, "span_invalid"),
        ({"command": "reconcile", "provider": "mock", "fromMs": 1, "untilMs": 2}, "provider_not_reconciled"),
        ({"command": "show_reconciliation", "runId": "rec_nothing"}, "run_not_found"),
        ({"command": "forget"}, "command_invalid"),
    ],
)
def test_commands_that_are_refused_say_why(reconciling: Reconciling, command: dict[str, Any], code: str) -> None:
    answer = reconciling.command(**command)
    assert (answer["ok"], answer["error"]["code"]) == (False, code)
    assert answer["error"]["message"]


@pytest.mark.parametrize("missing", ["operator", "reason"])
def test_nothing_is_started_without_who_and_why(reconciling: Reconciling, missing: str) -> None:
    span = {"fromMs": reconciling.clock.at_ms - DAY_MS, "untilMs": reconciling.clock.at_ms}
    command = decided({"command": "reconcile", "provider": PROVIDER, **span})
    del command[missing]
    assert reconciler.handler(command, Context())["error"]["code"] == "command_invalid"
    assert reconciling.work() == []


def test_the_operators_audit_log_says_who_asked_and_why(reconciling: Reconciling) -> None:
    reconciling.clock.advance(86_400)
    reconciling.reconcile(merchantId="acme")
    (entry,) = [e for e in entries(reconciling.functions) if e["action"] == "reconciliation.started"]
    assert (entry["operator"], entry["reason"]) == (DECISION["operator"], DECISION["reason"])
    assert (entry["merchantId"], entry["facts"]["provider"]) == ("acme", PROVIDER)


def test_what_is_refused_leaves_no_entry(reconciling: Reconciling) -> None:
    assert not reconciling.reconcile(untilMs=1)["ok"]
    assert {e["action"] for e in entries(reconciling.functions)} == {"merchant.created"}


def test_a_message_that_is_none_comes_back(reconciling: Reconciling) -> None:
    bodies = ["x", '{"format":2,"run_id":"rec_1"}', '{"format":1}', '{"format":1,"run_id":"rec_nothing"}']
    records = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    answer = reconciler.handler({"Records": records}, Context())
    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == ["0", "1", "2", "3"]
