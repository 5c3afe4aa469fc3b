"""The table of documented refusals: its rows, and the two conditions that a connector must check."""

from collections.abc import Callable

import pytest

from payflowx.domain.payments.outcome import Rejected, Unknown
from payflowx.providers.refusals import Refusal, RefusalTable, RefusedCall

SOURCE = "https://provider.example/errors"
CALLS = frozenset({RefusedCall.CHARGE})


def row(code: str = "amount_too_small", **other: object) -> Refusal:
    return Refusal(**{"code": code, "calls": CALLS, "meaning": "below the minimum", "source": SOURCE, **other})  # type: ignore[arg-type]


def test_a_documented_refusal_that_names_nothing_is_final() -> None:
    found = RefusalTable((row(misconfigured=True),)).outcome(
        RefusedCall.CHARGE, "amount_too_small", "At least 50.", names_object=False
    )
    assert found == Rejected(code="amount_too_small", message="At least 50.", misconfigured=True)


@pytest.mark.parametrize(
    ("call", "code", "names_object"),
    [
        (RefusedCall.CHARGE, "amount_too_small", True),
        (RefusedCall.CHARGE, "not_in_the_table", False),
        (RefusedCall.REFUND, "amount_too_small", False),
    ],
)
def test_any_other_answer_is_unknown(call: RefusedCall, code: str, names_object: bool) -> None:
    found = RefusalTable((row(),)).outcome(call, code, "text", names_object=names_object)
    assert found == Unknown(code=code, message="text")


@pytest.mark.parametrize(
    "code",
    [
        *("resource_already_exists", "duplicate_txnid", "charge_already_refunded", "request_in_progress"),
        *("payment_timed_out", "gateway_timeout", "timeout", "lock_timeout", "payment_pending", "order.exists"),
        *("inprogress", "refund_processing", "conflict"),
    ],
)
def test_a_code_that_may_describe_our_earlier_request_is_never_a_row(code: str) -> None:
    with pytest.raises(ValueError, match="never final"):
        row(code)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: row("rate_limited"),
        lambda: row("unauthorized"),
        lambda: row(calls=frozenset()),
        lambda: row(source="a page"),
        lambda: row("charge_already_refunded", claims_done=True),
        lambda: RefusalTable((row(), row())),
    ],
)
def test_a_wrong_row_cannot_be_made(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"never final|needs a code|two rows"):
        wrong()


def test_a_refusal_that_claims_the_operation_was_done_says_so() -> None:
    table = RefusalTable((row("charge_already_refunded", calls=frozenset({RefusedCall.REFUND}), claims_done=True),))
    found = table.outcome(RefusedCall.REFUND, "charge_already_refunded", "", names_object=False)
    assert isinstance(found, Rejected)
    assert found.claims_done
