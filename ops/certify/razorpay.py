"""Razorpay's checklist. `--token` is `cust_...:token_...` of a mandate that was registered in test mode."""

from typing import Final

from ops.certify import checks
from ops.certify.checks import Check
from payflowx.domain.shared.operation_request import OperationKind

REFUND: Final = OperationKind.REFUND

CHECKS: Final = (
    Check(
        name="wrong secret",
        question="A secret that is none: is it refused before an order is made?",
        run=checks.refused_credentials,
        expected=("Rejected",),
    ),
    Check(
        name="unknown payment",
        question="A receipt that no order has",
        run=checks.unknown_payment,
        expected=("NotFound",),
    ),
    Check(
        name="link",
        question="An order with our capture options, then a UPI link: is server-to-server enabled?",
        run=checks.pay("link", "certify", payment_method_type="upi"),
        expected=("ActionRequired", "Accepted", "Rejected"),
    ),
    Check(
        name="link's inquiry",
        question="The link before the payer acts: which status?",
        run=checks.inquire("link"),
        expected=("ActionRequired", "Accepted", "NotFound", "Unknown"),
        after=("link",),
    ),
    Check(
        name="unknown mandate",
        question="A debit of a token that does not exist: is the refusal in our table?",
        run=checks.pay("unknown mandate", "cust_certify00000:token_certify00000"),
        expected=("Rejected", "Unknown"),
    ),
    Check(
        name="debit",
        question="A debit of a mandate",
        run=checks.pay("first"),
        expected=("Succeeded", "Authorized", "Accepted"),
        needs_token=True,
    ),
    Check(
        name="inquiry",
        question="Is the charge found by its order?",
        run=checks.inquire("first"),
        expected=("Succeeded", "Authorized", "Accepted"),
        after=("debit",),
    ),
    Check(
        name="refund",
        question="A refund of a part",
        run=checks.operate(REFUND, "first", 3_000),
        expected=("Succeeded", "Accepted"),
        after=("inquiry",),
    ),
    Check(
        name="refund again",
        question="The same refund with the same key: is it the same refund?",
        run=checks.operate_again(REFUND, "first"),
        expected=("Succeeded", "Accepted", "Unknown"),
        after=("refund",),
    ),
    Check(
        name="refund's inquiry",
        question="Is the refund found by our receipt?",
        run=checks.inquire_operation(REFUND, "first"),
        expected=("Succeeded", "Accepted"),
        after=("refund",),
    ),
    Check(
        name="refused refund",
        question="A refund of more than is left: is the refusal in our table?",
        run=checks.operate(REFUND, "first", 9_000),
        expected=("Rejected", "Unknown"),
        after=("refund",),
    ),
    Check(
        name="paid link",
        question="A UPI link that the payer pays: is it captured?",
        run=checks.paid_by_payer("paid link", payment_method_type="upi"),
        expected=("Succeeded", "Authorized"),
        needs_payer=True,
    ),
    *checks.HOSTED_PAGE,
    Check(
        name="report",
        question="Payments and refunds of the last hour: are they understood?",
        run=checks.report,
        expected=("ReportAnswer",),
    ),
)
