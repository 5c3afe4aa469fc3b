"""Metrics as lines: none is lost between threads, and the line is what CloudWatch reads."""

import io
import json
import time
import uuid
from collections import Counter
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import given
from hypothesis import strategies as st

from payflowx.adapters.platform import log_context
from payflowx.adapters.platform.line_stream import LineStream
from payflowx.adapters.platform.metric_lines import MAX_METRICS, MAX_VALUES, Measurement, metric_lines
from payflowx.adapters.platform.telemetry import PowertoolsTelemetry, redacting_formatter
from payflowx.adapters.platform.threads import Threads
from payflowx.domain.shared.metrics import Metric

THREADS = 10
MESSAGES_A_THREAD = 500


class FlushedOutput:
    """Standard output as Lambda's runtime provides it: another thread may write before a write has ended."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        middle = len(text) // 2
        self.pieces.append(text[:middle])
        time.sleep(0)
        self.pieces.append(text[middle:])
        return len(text)

    def flush(self) -> None:
        """Every write is flushed already."""


def telemetry_over(monkeypatch: pytest.MonkeyPatch, output: object) -> PowertoolsTelemetry:
    monkeypatch.setattr("sys.stdout", output)
    service = f"lines-{uuid.uuid4()}"  # Powertools keeps a logger for each service
    logger = Logger(service=service, level="INFO", stream=LineStream(), logger_formatter=redacting_formatter())
    return PowertoolsTelemetry(logger, "PayFlowX", "dev")


def test_ten_threads_lose_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    output = FlushedOutput()
    telemetry = telemetry_over(monkeypatch, output)

    def work(thread: int) -> None:
        for number in range(MESSAGES_A_THREAD):
            with log_context.message({"messageId": f"{thread}-{number}"}):
                for _ in range(8):
                    telemetry.count(Metric.ATTEMPT_OUTCOMES, provider="mock", outcome="SUCCEEDED")
                telemetry.info("recorded")

    Threads(THREADS).run([lambda t=thread: work(t) for thread in range(THREADS)])  # type: ignore[misc]
    text = "".join(output.pieces)
    kinds = Counter("_aws" in json.loads(line) for line in text.splitlines())
    assert kinds == {True: THREADS * MESSAGES_A_THREAD, False: THREADS * MESSAGES_A_THREAD}
    assert output.writes == sum(kinds.values()), "each line is one write"


def test_a_message_writes_one_line_of_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    telemetry = telemetry_over(monkeypatch, output)
    with log_context.message({"messageId": "m"}):
        telemetry.count(Metric.ATTEMPT_OUTCOMES, provider="mock", outcome="SUCCEEDED")
        telemetry.count(Metric.PAYMENTS_FINAL, provider="mock", status="SUCCESS")
        telemetry.milliseconds(Metric.PROVIDER_LATENCY, 120, provider="mock")
        telemetry.milliseconds(Metric.PROVIDER_LATENCY, 80, provider="mock")
        telemetry.seconds(Metric.TIME_TO_FINAL, 3)
        assert not output.getvalue()
    (line,) = output.getvalue().splitlines()
    assert measured(json.loads(line)) == Counter(
        {
            ("AttemptOutcomes", "Count", 1, ("environment=dev", "outcome=SUCCEEDED", "provider=mock")): 1,
            ("PaymentsFinal", "Count", 1, ("environment=dev", "provider=mock", "status=SUCCESS")): 1,
            ("ProviderLatency", "Milliseconds", 120, ("environment=dev", "provider=mock")): 1,
            ("ProviderLatency", "Milliseconds", 80, ("environment=dev", "provider=mock")): 1,
            ("TimeToFinal", "Seconds", 3, ("environment=dev",)): 1,
        }
    )


def test_a_message_that_fails_has_its_metrics_written(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    telemetry = telemetry_over(monkeypatch, output)

    def work() -> None:
        with log_context.message({"messageId": "m"}):
            telemetry.count(Metric.MISMATCHES)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert json.loads(output.getvalue())["Mismatches"] == [1]


def test_the_tasks_of_an_invocation_share_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    telemetry = telemetry_over(monkeypatch, output)
    with log_context.work_on({}, trace=None):
        telemetry.count(Metric.DRIVES_EXHAUSTED)
        Threads(4).run([lambda: telemetry.count(Metric.DRIVES_EXHAUSTED)] * 8)
    (line,) = output.getvalue().splitlines()
    assert json.loads(line)["DrivesExhausted"] == [1] * 9


def test_the_messages_of_a_batch_share_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    telemetry = telemetry_over(monkeypatch, output)

    def work(number: int) -> None:
        with log_context.message({"messageId": str(number)}):
            telemetry.count(Metric.PAYMENTS_FINAL, provider="mock", status="SUCCESS")
        assert not output.getvalue()

    with log_context.batch():
        Threads(THREADS).run([lambda n=number: work(n) for number in range(THREADS)])  # type: ignore[misc]
    (line,) = output.getvalue().splitlines()
    assert json.loads(line)["PaymentsFinal"] == [1] * THREADS


MEASUREMENTS = st.lists(
    st.builds(
        Measurement,
        name=st.sampled_from(["A", "B", "C"]),
        unit=st.just("Count"),
        value=st.integers(0, 9),
        dimensions=st.dictionaries(st.sampled_from(["p", "q"]), st.sampled_from(["x", "y"])),
    ),
    max_size=40,
)


@given(MEASUREMENTS)
def test_every_measurement_is_in_exactly_one_line_with_its_dimensions(measurements: list[Measurement]) -> None:
    lines = metric_lines(measurements, namespace="N", at_ms=1)
    found: Counter[Any] = Counter()
    for line in lines:
        found += measured(json.loads(line))
    expected = Counter(
        (m.name, m.unit, m.value, tuple(sorted(f"{k}={v}" for k, v in m.dimensions.items()))) for m in measurements
    )
    assert found == expected


def test_the_limits_of_the_format_are_kept() -> None:
    many = [Measurement(name=f"m{n}", unit="Count", value=1, dimensions={}) for n in range(MAX_METRICS + 1)]
    often = [Measurement(name="m", unit="Count", value=n, dimensions={}) for n in range(MAX_VALUES + 1)]
    for measurements in (many, often):
        lines = metric_lines(measurements, namespace="N", at_ms=1)
        assert len(lines) == 2


def measured(document: dict[str, Any]) -> Counter[Any]:
    """Read a line as CloudWatch does: each directive's metrics, with the values of its dimensions."""
    found: Counter[Any] = Counter()
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for dimensions in directive["Dimensions"]:
            values = tuple(sorted(f"{name}={document[name]}" for name in dimensions))
            for metric in directive["Metrics"]:
                for value in document[metric["Name"]]:
                    found[(metric["Name"], metric["Unit"], value, values)] += 1
    return found
