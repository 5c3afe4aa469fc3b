"""Stripe's checklist. Its sandbox has payment methods for every answer, so no token is needed."""

from typing import Final

from ops.certify import checks
from ops.certify.checks import Check
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode

CAPTURE, VOID, REFUND = OperationKind

CHECKS: Final = (
    Check(
        name="wrong secret",
        question="A secret that is none: is it refused before anything is made?",
        run=checks.refused_credentials,
        expected=("Rejected",),
    ),
    Check(
        name="unknown payment",
        question="A payment that was never sent: what do the list and the search index say?",
        run=checks.unknown_payment,
        expected=("NotFound", "Unknown"),
    ),
    Check(
        name="charge",
        question="A charge with description, customer and metadata: is it taken?",
        run=checks.pay("first", "pm_card_visa"),
        expected=("Succeeded",),
    ),
    Check(
        name="charge again",
        question="The same request with the same key: is it the same charge?",
        run=checks.pay_again("first"),
        expected=("Succeeded",),
        after=("charge",),
    ),
    Check(
        name="inquiry",
        question="Is the charge found by its id?",
        run=checks.inquire("first"),
        expected=("Succeeded",),
        after=("charge",),
    ),
    Check(
        name="declined",
        question="A card that is declined: which code, and is the intent cancelled?",
        run=checks.pay("declined", "pm_card_visa_chargeDeclined"),
        expected=("Declined",),
    ),
    Check(
        name="refused payment method",
        question="A payment method that does not exist: is the refusal in our table?",
        run=checks.pay("refused", "pm_certify_none"),
        expected=("Rejected",),
    ),
    Check(
        name="refused amount",
        question="An amount below the minimum: is the refusal in our table?",
        run=checks.pay("too small", "pm_card_visa", amount=1),
        expected=("Rejected",),
    ),
    Check(
        name="authorization",
        question="A manual capture: is the money held, and until when?",
        run=checks.pay("held", "pm_card_visa", capture=CaptureMode.MANUAL),
        expected=("Authorized",),
    ),
    Check(
        name="capture",
        question="A capture of a part: is the rest released?",
        run=checks.operate(CAPTURE, "held", 4_000),
        expected=("Succeeded",),
        after=("authorization",),
    ),
    Check(
        name="second authorization",
        question="Another authorization, to be released",
        run=checks.pay("released", "pm_card_visa", capture=CaptureMode.MANUAL),
        expected=("Authorized",),
    ),
    Check(
        name="void",
        question="A void of it",
        run=checks.operate(VOID, "released", 10_000),
        expected=("Succeeded",),
        after=("second authorization",),
    ),
    Check(
        name="refund",
        question="A refund of a part",
        run=checks.operate(REFUND, "first", 3_000),
        expected=("Succeeded", "Accepted"),
        after=("charge",),
    ),
    Check(
        name="refund again",
        question="The same refund with the same key: is it the same refund?",
        run=checks.operate_again(REFUND, "first"),
        expected=("Succeeded", "Accepted"),
        after=("refund",),
    ),
    Check(
        name="refund's inquiry",
        question="Is the refund found by our key?",
        run=checks.inquire_operation(REFUND, "first"),
        expected=("Succeeded", "Accepted"),
        after=("refund",),
    ),
    Check(
        name="list of refunds",
        question="Does the list hold the refund?",
        run=checks.listed_refunds("first", at_least=1),
        expected=("RefundList",),
        after=("refund",),
    ),
    Check(
        name="refused refund",
        question="A refund of more than is left: is the refusal in our table?",
        run=checks.operate(REFUND, "first", 9_000),
        expected=("Rejected",),
        after=("refund",),
    ),
    *checks.HOSTED_PAGE,
    Check(
        name="report",
        question="The balance transactions of the last hour: are they understood?",
        run=checks.report,
        expected=("ReportAnswer",),
    ),
)
