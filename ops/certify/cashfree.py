"""Cashfree's checklist. With `--payer` a person pays a UPI link. `--token` is the `instrument_id` of a saved card."""

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
        question="An order that does not exist: which code?",
        run=checks.unknown_payment,
        expected=("NotFound", "Unknown"),
    ),
    Check(
        name="link",
        question="A new order, then a UPI link at once: does a 404 come? Is server-to-server enabled?",
        run=checks.pay("link", "certify", payment_method_type="upi"),
        expected=("ActionRequired", "Accepted", "Rejected", "Declined"),
    ),
    Check(
        name="link's inquiry",
        question="An unused UPI link: is its payment `PENDING` or `NOT_ATTEMPTED`?",
        run=checks.inquire("link"),
        expected=("ActionRequired", "Accepted", "NotFound", "Unknown"),
        after=("link",),
    ),
    Check(
        name="terminated order",
        question="Terminate the unpaid order and read it back",
        run=checks.cancel("link"),
        expected=("ConfirmedCancelled",),
        after=("link",),
    ),
    Check(
        name="saved card",
        question="A saved card without its verification value",
        run=checks.pay("saved card"),
        expected=("Succeeded", "ActionRequired", "Accepted", "Unknown"),
        needs_token=True,
    ),
    Check(
        name="paid link",
        question="A UPI link that the payer pays: which words, before and after?",
        run=checks.paid_by_payer("first", payment_method_type="upi"),
        expected=("Succeeded",),
        needs_payer=True,
    ),
    Check(
        name="refund",
        question="A refund of a part",
        run=checks.operate(REFUND, "first", 3_000),
        expected=("Succeeded", "Accepted"),
        after=("paid link",),
    ),
    Check(
        name="refund again",
        question="The same refund twice: which answer?",
        run=checks.operate_again(REFUND, "first"),
        expected=("Succeeded", "Accepted", "Unknown"),
        after=("refund",),
    ),
    Check(
        name="refund's inquiry",
        question="Is the refund found by our id?",
        run=checks.inquire_operation(REFUND, "first"),
        expected=("Succeeded", "Accepted"),
        after=("refund",),
    ),
    Check(
        name="refused refund",
        question="A refund of too much: is the refusal in our table?",
        run=checks.operate(REFUND, "first", 9_000),
        expected=("Rejected", "Unknown"),
        after=("refund",),
    ),
    *checks.HOSTED_PAGE,
    Check(
        name="report",
        question="The reconciliation of the last hour: is it understood?",
        run=checks.report,
        expected=("ReportAnswer",),
    ),
)
