"""The reconciler's handler over the engine: its queue, its commands, its schedule, and files in a bucket."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from payflowx.bootstrap import Container
from payflowx.domain.payments.payment import Payment, PaymentMethod
from payflowx.domain.payments.ports import Job
from payflowx.entrypoints import reconciler
from payflowx.entrypoints.operators import handler as operations
from tests.support.handlers import ENVIRONMENT, Context
from tests.support.memory import CountingRandomness, FixedRules, ManualClock, ManualDeadline, OneByOne
from tests.support.providers import FixedSecrets, SimulatedHttp
from tests.support.reconciliation import PAYER
from tests.support.world import fallback, new_payment

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine

VENDOR = "cashfree"
DAY_MS = 86_400_000
SAMPLES = Path(__file__).resolve().parents[1] / "data" / "settlements"


@dataclass
class Reconciling:
    """The handler, its queue, and a vendor."""

    engine: "InProcessEngine"
    container: Container
    clock: ManualClock
    http: SimulatedHttp
    queue_url: str

    def pay(self, key: str) -> Payment:
        method = PaymentMethod(type="card", token="tok_success")
        created = self.container.create_payment(
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
        for _ in range(5):
            self.container.process_payment(job, ManualDeadline())
            self.clock.advance(20)
        stored = self.container.payments.get(created.merchant_id, created.transaction_id)
        assert stored is not None
        return stored

    def command(self, **command: Any) -> dict[str, Any]:
        return reconciler.handler(command, Context())

    def reconcile(self, **changes: Any) -> dict[str, Any]:
        span = {"fromMs": self.clock.at_ms - 2 * DAY_MS, "untilMs": self.clock.at_ms}
        return self.command(command="reconcile", provider=VENDOR, **{**span, **changes})

    def work(self) -> list[str]:
        """Deliver messages until there are none; those that failed."""
        sqs = self.engine.client("sqs")
        failed: list[str] = []
        for _ in range(20):
            answer = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
            found = answer.get("Messages", [])
            if not found:
                return failed
            for message in found:
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            records = [{"messageId": m["MessageId"], "body": m["Body"]} for m in found]
            result = reconciler.handler({"Records": records}, Context())
            failed += [item["itemIdentifier"] for item in result["batchItemFailures"]]
        raise AssertionError("messages do not end")


@pytest.fixture
def reconciling(engine: "InProcessEngine", dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reconciling]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    sqs, s3 = engine.client("sqs"), engine.client("s3")
    queues = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("jobs", "runs", "deliveries")]
    jobs, runs, deliveries = queues
    s3.create_bucket(Bucket="settlements", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    clock = ManualClock()
    http = SimulatedHttp(clock)
    container = Container(
        environment={
            **ENVIRONMENT,
            "ALLOWED_PROVIDERS": "stripe,cashfree,mock",
            "JOBS_QUEUE_URL": jobs,
            "RUNS_QUEUE_URL": runs,
            "DELIVERIES_QUEUE_URL": deliveries,
            "SETTLEMENTS_BUCKET": "settlements",
        },
        client=engine.client,
        clock=clock,
        randomness=CountingRandomness(),
        pause=lambda _seconds: None,
    )
    parts = {"http": http, "secrets": FixedSecrets(), "concurrency": OneByOne(), "rules": FixedRules(fallback(VENDOR))}
    container.__dict__.update(parts)
    with ExitStack() as stack:
        for module in (operations, reconciler):
            stack.enter_context(patch.object(module, "container", lambda: container))
        account = {"accountId": "main", "secretArn": "arn:s"}
        made = operations.handler(
            {
                "command": "create_merchant",
                "operator": "arn:aws:iam::000000000000:user/ada",
                "reason": "TICKET-1",
                "merchantId": "acme",
                "name": "Acme",
                "accounts": [
                    {**account, "provider": VENDOR, "endpoint": "https://cashfree/pg"},
                    {**account, "provider": "mock", "endpoint": "https://mock"},
                ],
            },
            Context(),
        )
        assert made["ok"], made
        yield Reconciling(engine, container, clock, http, runs)
    for url in queues:
        sqs.delete_queue(QueueUrl=url)
    for found in s3.list_objects_v2(Bucket="settlements").get("Contents", []):
        s3.delete_object(Bucket="settlements", Key=found["Key"])
    s3.delete_bucket(Bucket="settlements")


def test_a_day_that_is_reconciled_by_the_schedule(reconciling: Reconciling) -> None:
    payment = reconciling.pay("order-1")
    reconciling.clock.advance(86_400)
    reconciling.clock.at_ms = reconciling.clock.at_ms // DAY_MS * DAY_MS + 7 * 3_600_000
    assert reconciler.handler({}, Context()) == {"unfinished": 3}
    assert reconciling.work() == []
    assert reconciler.handler({}, Context()) == {"unfinished": 0}
    assert payment.status == "SUCCESS"


def test_a_span_that_an_operator_asks_for(reconciling: Reconciling) -> None:
    reconciling.pay("order-1")
    forgotten = reconciling.pay("order-2")
    key = {"pk": {"S": f"M#acme#P#{forgotten.transaction_id}"}, "sk": {"S": "PAYMENT"}}
    reconciling.engine.client("dynamodb").delete_item(TableName="transactions", Key=key)
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


def test_a_settlement_file_in_the_bucket(reconciling: Reconciling) -> None:
    payment = reconciling.pay("order-1")
    attempt = payment.attempts[0]
    text = (SAMPLES / "cashfree.csv").read_text()
    text = text.replace("pfx-aaaaaaaaaaaaaaaa-1", attempt.provider_key).replace("1001", attempt.reference or "")
    header, charge, *_ = text.splitlines(keepends=True)
    body = header + charge + charge + "9,DISPUTE,SUCCESS,x,x,x,x,,,,,\n"
    reconciling.engine.client("s3").put_object(Bucket="settlements", Key="a.csv", Body=body.encode())
    reconciling.clock.advance(86_400)
    (run,) = reconciling.reconcile(file="a.csv")["runs"]
    assert reconciling.work() == []
    shown = reconciling.command(command="show_reconciliation", runId=run["runId"])
    assert shown["run"]["counts"] == {"matched": 1, "duplicate": 1}
    assert shown["findings"][0]["line"] == "3"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"command": "reconcile", "provider": VENDOR}, "command_invalid"),
        ({"command": "reconcile", "provider": VENDOR, "fromMs": "1", "untilMs": 2}, "command_invalid"),
        ({"command": "reconcile", "provider": VENDOR, "fromMs": 2, "untilMs": 1}, "span_invalid"),
        ({"command": "reconcile", "provider": "mock", "fromMs": 1, "untilMs": 2}, "provider_not_reconciled"),
        ({"command": "show_reconciliation", "runId": "rec_nothing"}, "run_not_found"),
        ({"command": "forget"}, "command_invalid"),
    ],
)
def test_commands_that_are_refused_say_why(reconciling: Reconciling, command: dict[str, Any], code: str) -> None:
    answer = reconciler.handler(command, Context())
    assert (answer["ok"], answer["error"]["code"]) == (False, code)
    assert answer["error"]["message"]


def test_a_message_that_is_none_comes_back(reconciling: Reconciling) -> None:
    bodies = ["x", '{"format":2,"run_id":"rec_1"}', '{"format":1}', '{"format":1,"run_id":"rec_nothing"}']
    records = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    answer = reconciler.handler({"Records": records}, Context())
    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == ["0", "1", "2", "3"]
