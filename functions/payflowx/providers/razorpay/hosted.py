"""A payment link that the payer pays on Razorpay's own page: steps, and what its page can do. Pure.

A link has an order, which has the payments: its captured payment is the reference of a success, as for every charge.
A link cannot ask for manual capture, and Razorpay captures its payments by itself, unless the account is set to manual
capture or the authorization came late. So an authorization that a read shows is captured by us: a payment is captured
once, whoever asks.
"""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.hosted import CHECKOUT_METHODS, HostedCapability
from payflowx.domain.payments.outcome import Rejected
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.providers.contract import Hosted, Step
from payflowx.providers.razorpay import hosted_requests, hosted_responses
from payflowx.providers.razorpay.hosted_requests import EXISTS_FACT, ORDER_FACT, PAYMENT_FACT, link_id_of

CAPABILITY: Final = HostedCapability(
    methods=frozenset(CHECKOUT_METHODS),
    # https://razorpay.com/docs/api/payments/payment-links/create-standard/: at most six months.
    min_lifetime_ms=15 * MINUTE_MS,
    max_lifetime_ms=180 * DAY_MS,
    form_hosts=frozenset({"https://rzp.io", "https://api.razorpay.com"}),
)


def _reads(*, closing: bool) -> Sequence[Step]:
    """The link first: a payment that begins after this read began while the link was still open."""
    read = hosted_responses.closed_whole if closing else hosted_responses.whole
    return (
        Step(name="link", build=hosted_requests.read, read=hosted_responses.link_state),
        Step(
            name="payment",
            build=hosted_requests.read_payment,
            read=hosted_responses.payment_order,
            needed=lambda request: PAYMENT_FACT in request.progress and ORDER_FACT not in request.progress,
        ),
        Step(name="payments", build=hosted_requests.payments, read=read),
    )


def _inquiry(_request: ChargeRequest) -> Sequence[Step]:
    return _reads(closing=False)


def _close(_request: ChargeRequest) -> Sequence[Step]:
    """Find the link, cancel it, read it whole. A missing link proves nothing."""
    return (
        Step(
            name="find",
            build=hosted_requests.read_by_key,
            read=hosted_responses.found,
            needed=lambda request: link_id_of(request) is None,
        ),
        Step(name="cancel", build=hosted_requests.cancel, read=hosted_responses.cancelled, yields=("cancel_sent",)),
        *_reads(closing=True),
    )


def _unable(_request: ChargeRequest) -> Rejected | None:
    return None


HOSTED: Final = Hosted(
    create=(
        Step(
            name="link",
            build=hosted_requests.create,
            read=hosted_responses.created,
            yields=(EXISTS_FACT,),
        ),
        Step(name="read_link", build=hosted_requests.read_by_key, read=hosted_responses.opened),
    ),
    inquiry=_inquiry,
    close=_close,
    unable=_unable,
)
"""Only a link that existed already is read by a second request: a new one is answered whole."""
