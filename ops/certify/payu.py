"""PayU's checklist. `--token` is the PayU id of a mandate that was registered in the test account."""

from typing import Final

from ops.certify import checks
from ops.certify.checks import Check
from payflowx.domain.shared.operation_request import OperationKind

REFUND: Final = OperationKind.REFUND

CHECKS: Final = (
    Check(
        name="wrong salt",
        question="A wrong salt: does the command answer `Invalid Hash.`?",
        run=checks.refused_credentials,
        expected=("Rejected",),
    ),
    Check(
        name="unknown payment",
        question="`verify_payment` for a transaction that does not exist: which words?",
        run=checks.unknown_payment,
        expected=("NotFound",),
    ),
    Check(
        name="unknown mandate",
        question="A debit of a mandate that does not exist: which sentence?",
        run=checks.pay("unknown mandate", "1"),
        expected=("Rejected", "Unknown", "Declined"),
    ),
    Check(
        name="unknown mandate's inquiry",
        question="Does `verify_payment` know that transaction?",
        run=checks.inquire("unknown mandate"),
        expected=("NotFound", "Declined"),
        after=("unknown mandate",),
    ),
    Check(
        name="debit",
        question="A debit with the members of `var1` that we send: is it taken?",
        run=checks.pay("first"),
        expected=("Succeeded", "Accepted"),
        needs_token=True,
    ),
    Check(
        name="debit again",
        question="A used `txnid`: which answer? It must not be read as a refusal.",
        run=checks.pay_again("first"),
        expected=("Unknown", "Succeeded", "Accepted"),
        after=("debit",),
    ),
    Check(
        name="inquiry",
        question="What does `verify_payment` say of it?",
        run=checks.inquire("first"),
        expected=("Succeeded", "Accepted"),
        after=("debit",),
    ),
    Check(
        name="operation that was never sent",
        question="Is the payment's history complete without it?",
        run=checks.never_sent_operation(REFUND, "first"),
        expected=("NotFound",),
        after=("inquiry",),
    ),
    Check(
        name="refund",
        question="A refund of a part: is it queued?",
        run=checks.operate(REFUND, "first", 3_000),
        expected=("Accepted",),
        after=("inquiry",),
    ),
    Check(
        name="refund again",
        question="A used token: code 106? It must not be read as a refusal.",
        run=checks.operate_again(REFUND, "first"),
        expected=("Unknown", "Accepted"),
        after=("refund",),
    ),
    Check(
        name="refund's inquiry",
        question="Is it in the payment's history, with our token?",
        run=checks.inquire_operation(REFUND, "first"),
        expected=("Succeeded", "Accepted"),
        after=("refund",),
    ),
    Check(
        name="list of refunds",
        question="Is the history read as a list of refunds?",
        run=checks.listed_refunds("first", at_least=1),
        expected=("RefundList",),
        after=("refund",),
    ),
    Check(
        name="refused refund",
        question="A refund of more than was charged: is the code in our table?",
        run=checks.operate(REFUND, "first", 1_000_000),
        expected=("Rejected",),
        after=("refund",),
    ),
    *checks.HOSTED_PAGE,
    Check(
        name="report",
        question="`get_transaction_info`: are list and members understood?",
        run=checks.report,
        expected=("ReportAnswer",),
    ),
)
