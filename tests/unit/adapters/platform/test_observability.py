"""Correlation ids, the facts of a log line, and traces."""

import io
import json
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from payflowx.adapters.platform import log_context
from payflowx.adapters.platform.telemetry import PowertoolsTelemetry, redacting_formatter
from payflowx.adapters.platform.threads import Threads
from payflowx.adapters.platform.tracing import Trace, Tracing, daemon_of
from payflowx.adapters.sqs.messages import JOBS
from payflowx.adapters.sqs.queue import Queue
from payflowx.domain.payments.ports import Job

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
HEADER = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"
JOB = Job(merchant_id="acme", transaction_id="pay_x")


class FakeSqs:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **request: Any) -> None:
        self.sent.append(request)


@pytest.fixture
def lines() -> tuple[PowertoolsTelemetry, io.StringIO]:
    stream = io.StringIO()
    logger = Logger(
        service=f"lines-{uuid.uuid4()}", level="INFO", stream=stream, logger_formatter=redacting_formatter()
    )
    return PowertoolsTelemetry(logger, "PayFlowX", "dev"), stream


class TestCorrelationId:
    @pytest.mark.parametrize("value", ["a", "order-7", "A.b_c:d-1", "x" * 64])
    def test_a_well_formed_one_is_taken(self, value: str) -> None:
        assert log_context.correlation_id(value, "request") == value

    @pytest.mark.parametrize(
        "value",
        [None, "", "x" * 65, "a b", "a\n", "ada@example.com", "{}", "é", "4111111111111111", "4111-1111-1111-1111"],
    )
    def test_anything_else_is_not(self, value: str | None) -> None:
        assert log_context.correlation_id(value, "request") == "request"


class TestLines:
    def test_the_time_is_utc_in_the_shortest_form(
        self, lines: tuple[PowertoolsTelemetry, io.StringIO], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        telemetry, stream = lines
        monkeypatch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        try:
            telemetry.info("now")
        finally:
            monkeypatch.undo()
            time.tzset()
        text = json.loads(stream.getvalue())["timestamp"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
        assert abs(datetime.fromisoformat(text).timestamp() - time.time()) < 600

    def test_every_line_of_a_message_says_whose_it_is_even_when_it_fails(
        self, lines: tuple[PowertoolsTelemetry, io.StringIO]
    ) -> None:
        telemetry, stream = lines
        job = Job(merchant_id="acme", transaction_id="pay_x", operation_id="ref_x", correlation_id="order-7")
        with log_context.message({"messageId": "m1", "attributes": {}}):
            telemetry.info("before it was read")
            log_context.add(JOBS.facts(job))
            telemetry.about(attempt=2, provider="mock")
            telemetry.warn("while at it", provider="other")
            try:
                raise ZeroDivisionError
            except ZeroDivisionError:
                telemetry.logger.exception("failed")
        telemetry.info("afterwards")
        unread, at_it, failed, after = (json.loads(line) for line in stream.getvalue().strip().splitlines())
        assert unread["correlationId"] == "m1", "until it is read, the message's own id"
        whose = {"transactionId": "pay_x", "merchantId": "acme", "operationId": "ref_x", "correlationId": "order-7"}
        assert whose.items() <= at_it.items()
        assert (at_it["attempt"], at_it["provider"]) == (2, "other"), "the line's own facts are the nearer ones"
        assert whose.items() <= failed.items()
        assert "correlationId" not in after

    def test_messages_side_by_side_keep_their_facts_apart(self, lines: tuple[PowertoolsTelemetry, io.StringIO]) -> None:
        telemetry, stream = lines
        meeting = threading.Barrier(8)

        def work(number: int) -> None:
            with log_context.message({"messageId": f"m{number}"}):
                telemetry.about(transactionId=f"pay_{number}")
                meeting.wait(60)
                telemetry.info("here", number=number)
                meeting.wait(60)

        Threads(8).run([lambda n=number: work(n) for number in range(8)])  # type: ignore[misc]
        found = [json.loads(line) for line in stream.getvalue().strip().splitlines()]
        assert len(found) == 8
        assert all(line["transactionId"] == f"pay_{line['number']}" for line in found)

    @pytest.mark.parametrize("tasks", [1, 2])
    def test_a_task_inherits_the_facts_of_who_started_it_and_gives_none_back(self, tasks: int) -> None:
        seen: list[object] = []

        def task() -> None:
            seen.append(log_context.current().facts.get("requestId"))
            log_context.add({"transactionId": "pay_x"})

        with log_context.work_on({"requestId": "r"}, trace=None):
            Threads(1).run([task] * tasks)
            assert log_context.current().facts == {"requestId": "r"}
        assert seen == ["r"] * tasks

    def test_the_facts_are_redacted_like_everything(self, lines: tuple[PowertoolsTelemetry, io.StringIO]) -> None:
        telemetry, stream = lines
        with log_context.work_on({"note": "4111 1111 1111 1111"}, trace=None):
            telemetry.info("said")
        assert "4111" not in stream.getvalue()

    def test_no_line_says_where_it_was_written(self, lines: tuple[PowertoolsTelemetry, io.StringIO]) -> None:
        """It would be this wrapper's own line, forty bytes of nothing in each."""
        telemetry, stream = lines
        telemetry.info("swept", due=1)
        assert "location" not in json.loads(stream.getvalue())

    @pytest.mark.parametrize(("header", "named"), [(HEADER, ROOT), (HEADER.replace("=1", "=0"), None), (None, None)])
    def test_a_line_names_the_trace_of_its_message_where_one_is_recorded(
        self,
        header: str | None,
        named: str | None,
        lines: tuple[PowertoolsTelemetry, io.StringIO],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Powertools would name the batch's in every line, and 95 of 100 traces are not recorded."""
        monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER.replace("5759", "9999"))
        telemetry, stream = lines
        with log_context.message({"messageId": "m", "attributes": {"AWSTraceHeader": header}}):
            telemetry.info("said")
        assert json.loads(stream.getvalue()).get("xray_trace_id") == named

    @pytest.mark.parametrize(
        ("sent", "facts"), [("r", {"correlationId": "r"}), ("c", {"correlationId": "c", "requestId": "r"})]
    )
    def test_a_requests_id_is_not_said_twice(self, sent: str, facts: dict[str, str]) -> None:
        with log_context.work_on(log_context.request_facts("r", sent), trace=None):
            assert log_context.current().facts == facts


class TestOverTheQueue:
    def test_a_message_carries_both_ids_of_the_work_that_sent_it(self) -> None:
        queue = FakeSqs()
        with log_context.work_on({"correlationId": "order-7"}, trace=HEADER):
            Queue(client=queue, url="u", codec=JOBS).send(JOB)
        (sent,) = queue.sent
        assert JOBS.decode(sent["MessageBody"]).correlation_id == "order-7"
        assert sent["MessageSystemAttributes"] == {"AWSTraceHeader": {"DataType": "String", "StringValue": HEADER}}

    def test_a_job_that_names_its_own_keeps_it(self) -> None:
        queue = FakeSqs()
        with log_context.work_on({"correlationId": "other"}, trace=None):
            Queue(client=queue, url="u", codec=JOBS).send(
                Job(merchant_id="a", transaction_id="p", correlation_id="own")
            )
        assert JOBS.decode(queue.sent[0]["MessageBody"]).correlation_id == "own"

    def test_without_either_nothing_is_made_up(self) -> None:
        queue = FakeSqs()
        Queue(client=queue, url="u", codec=JOBS).send(JOB)
        assert "MessageSystemAttributes" not in queue.sent[0]
        assert queue.sent[0]["MessageBody"] == JOBS.encode(JOB, None)

    @pytest.mark.parametrize("value", [7, ["x"], {"a": 1}, "a b", "4111111111111111"])
    def test_a_strange_one_in_a_message_is_dropped_and_the_message_taken(self, value: object) -> None:
        body = json.dumps({**json.loads(JOBS.encode(JOB, None)), "correlation_id": value})
        assert JOBS.decode(body) == JOB


class TestTraces:
    @pytest.fixture
    def daemon(self) -> Iterator[socket.socket]:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as listening:
            listening.bind(("127.0.0.1", 0))
            listening.settimeout(60)
            yield listening

    def test_a_call_of_a_provider_is_a_part_of_the_trace_that_the_message_brought(self, daemon: socket.socket) -> None:
        tracing = Tracing(daemon.getsockname())
        with log_context.message({"messageId": "m", "attributes": {"AWSTraceHeader": HEADER}}):
            log_context.add({**JOBS.facts(JOB), "attempt": 1, "secret": "not one of ours"})
            tracing.called("mock", "charge", ended_ms=1_790_000_002_500, took_ms=500)
        header, _, text = daemon.recv(65_536).decode().partition("\n")
        assert json.loads(header) == {"format": "json", "version": 1}
        document = json.loads(text)
        assert (document["trace_id"], document["parent_id"]) == (ROOT, "53995c3f42cd8ad8")
        assert (document["name"], document["type"], document["namespace"]) == ("mock", "subsegment", "remote")
        assert (document["start_time"], document["end_time"]) == (1_790_000_002.0, 1_790_000_002.5)
        assert len(document["id"]) == 16
        assert document["annotations"] == {
            "step": "charge",
            "attempt": 1,
            "correlationId": "m",
            "merchantId": "acme",
            "transactionId": "pay_x",
        }

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "nonsense",
            HEADER.replace("Sampled=1", "Sampled=0"),
            f"Root={ROOT};Sampled=1",
            HEADER.replace("1-5759", "2-5759"),
            HEADER.replace("Parent=5", "Parent=x"),
        ],
    )
    def test_what_is_not_to_be_recorded_is_not_sent(self, header: str | None, daemon: socket.socket) -> None:
        assert Trace.sampled(header) is None
        with log_context.work_on({}, trace=header):
            Tracing(daemon.getsockname()).called("mock", "charge", ended_ms=1, took_ms=1)
        daemon.setblocking(False)
        with pytest.raises(BlockingIOError):
            daemon.recv(1)

    @pytest.mark.parametrize("daemon_address", [None, ("127.0.0.1", 1), ("0.0.0.0.0", 1)])
    def test_a_daemon_that_is_not_there_costs_nothing(self, daemon_address: tuple[str, int] | None) -> None:
        tracing = Tracing(daemon_address)
        with log_context.work_on({}, trace=HEADER):
            for _ in range(3):
                tracing.called("mock", "charge", ended_ms=1, took_ms=1)

    def test_where_the_daemon_is(self) -> None:
        assert daemon_of({"AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000"}) == ("169.254.79.129", 2000)
        assert daemon_of({}) is None
        assert daemon_of({"AWS_XRAY_DAEMON_ADDRESS": "nowhere"}) is None
