"""Tokens, card data and personal data: on the payment item and nowhere else."""

import json

import pytest

from payflowx.domain.payments.outcome import Declined, Mismatch, NotSent, Rejected, Unknown
from payflowx.domain.shared.statuses import DeclineKind
from tests.support.handlers import Functions

CANARIES = (
    *("tok_canary7", "Ada Canary", "canary@example.com", "+441632960960", "cust-canary", "canary street"),
    *("1 Canary Road", "receipt@canary.example", "CANARY SHOP"),
)
TEXT = "refused for Ada Canary, card 4111 1111 1111 1111, tok_canary7"


@pytest.mark.parametrize(
    "answer",
    [
        "charged",
        NotSent(code="connection_refused"),
        Rejected(code="rate_limited", message="slow down"),
        Declined(kind=DeclineKind.HARD, code="stolen_card", message="stolen"),
        Unknown(code="read_timeout"),
        Mismatch(code="amount_differs", reference="ch_9"),
        RuntimeError(TEXT),
    ],
)
def test_nothing_leaves_the_payment(functions: Functions, answer: object, capsys: pytest.CaptureFixture[str]) -> None:
    functions.providers.get("alpha").charges = [answer]  # type: ignore[list-item]
    customer = {"id": "cust-canary", "name": "Ada Canary", "email": "canary@example.com", "phone": "+441632960960"}
    functions.pay(
        customer={**customer, "address": {"line1": "1 Canary Road"}},
        description="canary street",
        receiptEmail="receipt@canary.example",
        statementDescriptorSuffix="CANARY SHOP",
        paymentMethod={"type": "card", "token": "tok_canary7"},
    )
    messages = functions.messages()
    from payflowx.entrypoints import worker
    from tests.support.handlers import Context

    worker.handler({"Records": messages}, Context())
    functions.clock.advance(100)
    functions.sweep()
    messages += functions.messages()
    items = functions.engine.client("dynamodb").scan(TableName="transactions")["Items"]
    beside = [item for item in items if item["sk"]["S"] != "PAYMENT"]
    keys = functions.engine.client("dynamodb").scan(TableName="idempotency")["Items"]
    said = json.dumps([messages, beside, keys], default=repr) + "".join(capsys.readouterr())
    assert beside or isinstance(answer, RuntimeError), "a compact payment holds its first event itself"
    for canary in CANARIES:
        if canary != "Ada Canary" or not isinstance(answer, RuntimeError):
            assert canary not in said, canary
    assert "4111 1111 1111 1111" not in said


def test_the_payment_item_holds_them_so_that_the_test_above_can_fail(functions: Functions) -> None:
    functions.pay(paymentMethod={"type": "card", "token": "tok_canary7"})
    assert "tok_canary7" in repr(functions.engine.client("dynamodb").scan(TableName="transactions")["Items"])
