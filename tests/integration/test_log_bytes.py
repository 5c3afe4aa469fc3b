"""How much an ordinary payment writes to the log: CloudWatch bills each byte, and a reader searches each line."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.log_bytes import FULL_BATCH, MAX_BYTES_OF_PAYMENT, LogLines, log_lines

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine


@pytest.fixture
def written(engine: "InProcessEngine", dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> LogLines:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "Reconciler")  # the longest name that a function has
    return log_lines(engine)


def test_a_payment_of_a_full_batch_writes_at_most_a_thousand_bytes(written: LogLines) -> None:
    assert written.bytes_a_payment <= MAX_BYTES_OF_PAYMENT, written.bytes_by_kind()


def test_each_accepted_payment_has_one_line_with_its_id(written: LogLines) -> None:
    accepted = [json.loads(line) for line in written.lines if '"payment accepted"' in line]
    ids = {line["transactionId"] for line in accepted}
    assert len(accepted) == len(ids) == FULL_BATCH
    assert all(line["merchantId"] == "acme" and line["correlationId"] for line in accepted)


def test_a_batch_writes_its_metrics_together(written: LogLines) -> None:
    documents = [json.loads(line) for line in written.lines]
    metrics = [document for document in documents if "AttemptOutcomes" in document]
    (line,) = metrics
    assert line["AttemptOutcomes"] == line["PaymentsFinal"] == [1] * FULL_BATCH
    assert len(line["ProviderLatency"]) == FULL_BATCH
    assert line["ObjectiveMissed"] == [0] * FULL_BATCH
