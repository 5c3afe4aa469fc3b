"""How long PayU's answers take to become a status: the real engine, connector and simulator on a manual clock."""

import json
from urllib.parse import urlencode

import pytest

from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, OperationStatus, PaymentStatus
from payflowx.providers.payu.signature import command_hash
from sandbox.http_types import Request
from tests.support.conformance import ProviderHarness

REFUND = OperationKind.REFUND
WORDS_OF_232 = "Refund could not be initiated. Either refunds are not supported or need manual intervention"


@pytest.fixture
def harness() -> ProviderHarness:
    return ProviderHarness("payu")


def wait(harness: ProviderHarness, seconds: int) -> None:
    """All that is due within this time is done."""
    world = harness.world
    until_ms = world.clock.now_ms() + seconds * 1000
    while True:
        world.work_until_idle()
        if world.clock.now_ms() >= until_ms:
            return
        world.clock.advance(min(60, max(1, (until_ms - world.clock.now_ms()) // 1000)))
        world.sweep(world.deadline)


def refund_of(harness: ProviderHarness, payment: Payment, plan: str, amount: int = 20_000) -> Operation:
    harness.simulator.next_operation(plan)
    operation = harness.request(REFUND, payment, amount)
    harness.world.work()
    return harness.world.operation_now(operation)


def test_a_refused_refund_fails_within_seconds_with_payus_words_and_the_amount_given_back(
    harness: ProviderHarness,
) -> None:
    payment = harness.paid_for(REFUND)
    started_ms = harness.world.clock.now_ms()
    operation = refund_of(harness, payment, "refund_refused")
    assert operation.status is OperationStatus.FAILED
    assert harness.world.clock.now_ms() - started_ms < 60_000
    assert operation.last_error is not None
    assert operation.last_error.provider_code == "232"
    assert operation.attempts[0].message == WORDS_OF_232
    after = harness.world.now(payment)
    assert (after.refundable, after.refunded, after.reserved) == (payment.amount, 0, 0)
    assert harness.settle(harness.request(REFUND, payment, 20_000, key="again")).status is OperationStatus.SUCCEEDED


def test_a_refusal_that_is_not_documented_never_fails_a_refund(harness: ProviderHarness) -> None:
    payment = harness.paid_for(REFUND)
    operation = refund_of(harness, payment, "tok_refused_unlisted")
    assert operation.status is OperationStatus.PENDING
    assert harness.world.now(payment).reserved == 20_000


def test_a_refused_debit_fails_at_once_with_payus_words(harness: ProviderHarness) -> None:
    payment = harness.pay("tok_refused")
    assert payment.status is PaymentStatus.FAILED
    (attempt,) = payment.attempts
    assert (attempt.state, attempt.code, attempt.message) == (
        AttemptState.REJECTED,
        "mandate_is_not_active",
        "Mandate is not active",
    )


def test_a_refusal_that_is_not_documented_never_fails_a_debit(harness: ProviderHarness) -> None:
    payment = harness.pay("tok_refused_unlisted")
    wait(harness, 4 * 3600)
    assert harness.world.now(payment).status is PaymentStatus.PENDING
    wait(harness, 6 * 86_400)
    assert harness.world.now(payment).status is PaymentStatus.IN_REVIEW


def test_a_refund_of_the_dashboard_is_booked_when_payu_posts_about_it(harness: ProviderHarness) -> None:
    payment = harness.paid_for(REFUND)
    (attempt,) = payment.attempts
    credentials = harness.simulator.credentials
    fields = {
        "key": credentials.key_id,
        "command": "cancel_refund_transaction",
        "var1": str(attempt.reference),
        "var2": "panel-1",
        "var3": "150.00",
    }
    fields["hash"] = command_hash(credentials.key_id, fields["command"], fields["var1"], credentials.key_secret)
    request = Request(
        method="POST",
        path="/merchant/postservice.php",
        query={"form": "2"},
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=urlencode(fields).encode(),
    )
    assert json.loads(harness.simulator.handle(request, harness.now).body)["error_code"] == 102
    wait(harness, 60)
    posts = [webhook for webhook in harness.webhooks_due() if webhook.type == "refund"]
    assert posts
    posted_ms = harness.world.clock.now_ms()
    for webhook in posts:
        harness.world.receive("payu", webhook.body, webhook.headers)
    inbound, _ = harness.world.provider_events.sent[0]
    harness.world.process_provider_event(inbound)
    harness.world.work_until_idle()
    after = harness.world.now(payment)
    assert (after.refunded, after.refundable) == (15_000, payment.amount - 15_000)
    assert harness.world.clock.now_ms() - posted_ms < 60_000
    (operation,) = harness.world.operations.of_payment(payment.merchant_id, payment.transaction_id)
    assert (operation.origin, operation.status) == (Origin.PROVIDER, OperationStatus.SUCCEEDED)


def test_a_forged_post_about_a_refund_changes_nothing(harness: ProviderHarness) -> None:
    payment = harness.paid_for(REFUND)
    (attempt,) = payment.attempts
    forged = {
        "action": "refund",
        "status": "success",
        "request_id": "99",
        "mihpayid": attempt.reference,
        "amt": "499.00",
    }
    harness.world.receive("payu", json.dumps(forged).encode(), {})
    harness.world.deliver_provider_events()
    wait(harness, 3_600)
    after = harness.world.now(payment)
    assert (after.status, after.refunded, after.refundable) == (PaymentStatus.SUCCESS, 0, payment.amount)
    assert not harness.world.operations.of_payment(payment.merchant_id, payment.transaction_id)
