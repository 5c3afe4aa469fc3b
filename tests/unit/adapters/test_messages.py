"""What messages look like on the wire: old and new versions of a function share a queue, byte for byte."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.sqs.dead_letters import decode_message
from payflowx.adapters.sqs.messages import DELIVERIES, JOBS, PROVIDER_EVENTS, RUNS
from payflowx.adapters.sqs.queue import Codec
from payflowx.domain.inbound_webhooks.ports import ReceivedEvent
from payflowx.domain.outbound_webhooks.ports import DeliveryJob
from payflowx.domain.payments.dispute import DisputeReport, DisputeState
from payflowx.domain.payments.outcome import Succeeded
from payflowx.domain.payments.ports import Job
from payflowx.domain.providers.events import ProviderEvent
from payflowx.domain.recovery.ports import RunWakeUp, WorkQueueName
from payflowx.domain.shared.errors import UnreadableMessageError

PAYMENT = "pay_aaaaaaaaaaaaaaaa"
JOB = Job(
    merchant_id="acme",
    transaction_id=PAYMENT,
    operation_id="ref_aaaaaaaaaaaaaaaa",
    version=3,
    provider="stripe",
    account_id="main",
    request_hash="ab",
    correlation_id="order-7",
)
PROVIDER_EVENT = ReceivedEvent(
    merchant_id="acme",
    provider="stripe",
    account_id="main",
    received_at_ms=1,
    tries=2,
    provider_event=ProviderEvent(
        event_id="evt_1",
        type="charge.succeeded",
        charge_reference="pi_1",
        charge_key="pfx-a-1",
        outcome=Succeeded(reference="pi_1", amount=1999, currency="USD", merchant_reference="pfx-a-1"),
        operation_outcome=Succeeded(reference="re_1", amount=5, currency="USD", merchant_reference="r"),
    ),
)
DISPUTED = replace(
    PROVIDER_EVENT,
    provider_event=ProviderEvent(
        event_id="evt_2",
        type="charge.dispute.created",
        charge_reference="pi_1",
        dispute=DisputeReport(
            reference="dp_1",
            state=DisputeState.OPEN,
            amount=5,
            currency="USD",
            reason="fraudulent",
            reported_at_ms=7,
            evidence_due_at_ms=9,
        ),
    ),
)
DELIVERY = DeliveryJob(merchant_id="acme", transaction_id=PAYMENT, seq=4)

BODIES: list[tuple[Codec[Any], Any, str]] = [
    (
        JOBS,
        JOB,
        (
            '{"format":1,"merchant_id":"acme","transaction_id":"pay_aaaaaaaaaaaaaaaa",'
            '"operation_id":"ref_aaaaaaaaaaaaaaaa","version":3,"provider":"stripe","account_id":"main",'
            '"request_hash":"ab","correlation_id":"order-7"}'
        ),
    ),
    (
        JOBS,
        Job(merchant_id="acme", transaction_id=PAYMENT, read_refunds=True),
        (
            '{"format":1,"merchant_id":"acme","transaction_id":"pay_aaaaaaaaaaaaaaaa","read_refunds":true,'
            '"correlation_id":"here"}'
        ),
    ),
    (
        PROVIDER_EVENTS,
        PROVIDER_EVENT,
        (
            '{"format":1,"merchant_id":"acme","provider":"stripe","account_id":"main","received_at_ms":1,"tries":2,'
            '"correlation_id":"here","event_id":"evt_1","type":"charge.succeeded","charge_reference":"pi_1",'
            '"charge_key":"pfx-a-1",'
            '"charged":{"reference":"pi_1","amount":1999,"currency":"USD","merchant_reference":"pfx-a-1"},'
            '"moved":{"reference":"re_1","amount":5,"currency":"USD","merchant_reference":"r"}}'
        ),
    ),
    (
        PROVIDER_EVENTS,
        DISPUTED,
        (
            '{"format":1,"merchant_id":"acme","provider":"stripe","account_id":"main","received_at_ms":1,"tries":2,'
            '"correlation_id":"here","event_id":"evt_2","type":"charge.dispute.created","charge_reference":"pi_1",'
            '"dispute":{"reference":"dp_1","state":"OPEN","amount":5,"currency":"USD","reason":"fraudulent",'
            '"reported_at_ms":7,"evidence_due_at_ms":9,"is_signed":true}}'
        ),
    ),
    (
        DELIVERIES,
        DELIVERY,
        '{"format":1,"merchant_id":"acme","transaction_id":"pay_aaaaaaaaaaaaaaaa","seq":4,"correlation_id":"here"}',
    ),
    (RUNS, "rec_1", '{"format":1,"run_id":"rec_1"}'),
]


@pytest.mark.parametrize(("codec", "content", "body"), BODIES)
def test_a_body_stays_as_it_is_byte_for_byte(codec: Codec[Any], content: Any, body: str) -> None:
    assert codec.encode(content, "here") == body


@pytest.mark.parametrize(("codec", "content", "body"), BODIES)
def test_a_body_is_read_back(codec: Codec[Any], content: Any, body: str) -> None:
    read = codec.decode(body)
    assert codec.encode(read, None) == body
    assert codec.encode(content, None) == codec.encode(codec.decode(codec.encode(content, None)), None)


@pytest.mark.parametrize("body", ["x", "1", "[]", "{}", "null", '{"format":2}', '{"format":1}', "[" * 100_000])
@pytest.mark.parametrize("codec", [JOBS, PROVIDER_EVENTS, DELIVERIES, RUNS])
def test_what_is_no_message_is_refused(codec: Codec[Any], body: str) -> None:
    with pytest.raises(UnreadableMessageError):
        codec.decode(body)


@pytest.mark.parametrize(("codec", "content", "group"), [(JOBS, JOB, "acme"), (RUNS, "rec_1", None)])
def test_merchants_are_the_groups_of_a_queue(codec: Codec[Any], content: Any, group: str | None) -> None:
    assert codec.merchant_id(content) == group


def test_a_dead_letter_is_read_by_its_queue() -> None:
    assert decode_message(WorkQueueName.RUNS, BODIES[-1][2]) == RunWakeUp(run_id="rec_1")
    assert decode_message(WorkQueueName.JOBS, BODIES[0][2]) == JOB


@pytest.mark.parametrize("flag", ['"yes"', "1", "null", "[]"])
def test_a_flag_is_a_boolean(flag: str) -> None:
    body = f'{{"format":1,"merchant_id":"acme","transaction_id":"{PAYMENT}","read_refunds":{flag}}}'
    with pytest.raises(UnreadableMessageError):
        JOBS.decode(body)
