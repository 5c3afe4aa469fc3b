"""One correlation id and one trace, from a client's request over the queue to the provider's call."""

import json
from typing import Any

import pytest

from payflowx.domain.payments.outcome import Unknown
from payflowx.entrypoints import worker
from tests.support.handlers import Context, Functions, payment_body

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return [line for line in found if "_aws" not in line]


@pytest.fixture
def traced(functions: Functions) -> Functions:
    functions.traced(HEADER)
    return functions


def take(functions: Functions) -> list[dict[str, Any]]:
    """What is in the queue, with the attributes that Lambda would hand over."""
    sqs = functions.engine.client("sqs")
    found = sqs.receive_message(
        QueueUrl=functions.queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=functions.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return [{"messageId": m["MessageId"], "body": m["Body"], "attributes": m["Attributes"]} for m in found]


def test_the_clients_id_is_echoed_and_stands_in_every_line_of_the_worker(
    traced: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {"Idempotency-Key": "k", "X-Correlation-Id": "checkout-7"}
    _, created, answered = traced.call("POST", "/payments", payment_body(), headers=headers)
    assert answered["X-Correlation-Id"] == "checkout-7"
    (message,) = take(traced)
    assert message["attributes"]["AWSTraceHeader"] == HEADER
    traced.traced("Root=the-batch")
    capsys.readouterr()
    worker.handler({"Records": [message]}, Context())
    said = lines(capsys)
    assert said
    for line in said:
        assert line["correlationId"] == "checkout-7"
        assert (line["transactionId"], line["merchantId"]) == (created["transactionId"], "acme")
        assert (line["attempt"], line["provider"]) == (1, "alpha")


def test_a_later_message_of_the_same_payment_is_in_the_same_trace(traced: Functions) -> None:
    traced.providers.get("alpha").charges = [Unknown(code="read_timeout")]
    traced.call("POST", "/payments", payment_body(), headers={"Idempotency-Key": "k", "X-Correlation-Id": "checkout-7"})
    (first,) = take(traced)
    traced.traced("Root=the-batch")
    sent: list[dict[str, Any]] = []
    traced.platform.clients.sqs.meta.events.register(
        "before-parameter-build.sqs.SendMessage", lambda params, **_: sent.append(dict(params))
    )
    worker.handler({"Records": [first]}, Context())
    (later,) = sent
    assert later["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"] == HEADER
    assert json.loads(later["MessageBody"])["correlation_id"] == "checkout-7"


@pytest.mark.parametrize("value", ["two words", "4111111111111111x", "ada@example.com", "x" * 100])
def test_an_id_that_is_none_is_replaced_by_the_requests(
    functions: Functions, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, answered = functions.call("GET", "/payments", headers={"X-Correlation-Id": value})
    assert (status, answered["X-Correlation-Id"]) == (200, "req-1")
    assert value not in capsys.readouterr().out


def test_a_refusal_has_it_too(functions: Functions) -> None:
    status, _, answered = functions.call(
        "GET", "/payments/pay_aaaaaaaaaaaaaaaa", headers={"X-Correlation-Id": "checkout-7"}
    )
    assert (status, answered["X-Correlation-Id"]) == (404, "checkout-7")


def test_a_message_that_cannot_be_read_is_found_by_its_own_id(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.handler({"Records": [{"messageId": "m-1", "body": "garbage", "attributes": {}}]}, Context())
    (line,) = lines(capsys)
    assert (line["message"], line["correlationId"], line["messageId"]) == ("message failed", "m-1", "m-1")


def test_a_line_about_a_crash_in_a_providers_call_says_which_attempt_it_was(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.providers.get("alpha").charges = [RuntimeError("a defect")]
    _, created, _ = functions.pay()
    capsys.readouterr()
    functions.work()
    (line,) = lines(capsys)
    assert (line["message"], line["transactionId"]) == ("message failed", created["transactionId"])
    assert (line["attempt"], line["provider"], line["correlationId"]) == (1, "alpha", "req-1")


def test_the_sweepers_lines_have_its_invocations_id(functions: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    functions.pay()
    functions.clock.advance(200)
    capsys.readouterr()
    functions.sweep()
    (line,) = lines(capsys)
    assert (line["message"], line["correlationId"]) == ("swept", "request")
