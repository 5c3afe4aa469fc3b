"""An order that the payer pays on Cashfree's own page: steps, and what its page can do. Pure.

The order is the object, not a payment link: a link creates a further order every time it is opened. The page is opened
by a form that posts the order's session, as Cashfree's own script does in the browser; no page of theirs documents it.
"""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.hosted import HostedCapability
from payflowx.domain.payments.outcome import Rejected
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS
from payflowx.providers.cashfree import hosted_requests, hosted_responses, requests, responses
from payflowx.providers.contract import Hosted, Step

_RUPEES: Final = frozenset({"INR"})

CAPABILITY: Final = HostedCapability(
    methods=frozenset(hosted_requests.METHODS),
    # Cashfree's error: "Expiry time should be more than 15 min and less than 30 days".
    min_lifetime_ms=15 * MINUTE_MS,
    max_lifetime_ms=30 * DAY_MS - HOUR_MS,
    method_currencies={"upi": _RUPEES, "netbanking": _RUPEES, "wallet": _RUPEES},
    needs=frozenset({"customer.phone"}),
    forms=requests.PAYER_FORMS,
    is_closing_proof=True,
    # https://www.cashfree.com/docs/payments/online/resources/payment-lifecycle; a refund names an order, not a payment.
    returns_extra_charges=True,
    form_hosts=frozenset({"https://api.cashfree.com", "https://sandbox.cashfree.com"}),
)


def _inquiry(_request: ChargeRequest) -> Sequence[Step]:
    """The order first: a payment that begins after this read began while the order was still open."""
    return (
        Step(
            name="order",
            build=requests.read_order,
            read=hosted_responses.order_state,
            yields=hosted_responses.STATE_FACTS,
        ),
        Step(name="payments", build=requests.payments_of_order, read=hosted_responses.whole),
    )


def _close(request: ChargeRequest) -> Sequence[Step]:
    terminate = Step(
        name="terminate", build=requests.terminate_order, read=responses.terminated, yields=("terminate_sent",)
    )
    return (terminate, *_inquiry(request))


def _unable(request: ChargeRequest) -> Rejected | None:
    """Without a telephone number Cashfree refuses the order, and a longer return address too."""
    if requests.phone_of(request.customer) is None:
        return Rejected(code="customer_phone_missing", message="The hosted page needs the payer's telephone number.")
    if request.hosted is not None and len(request.hosted.return_url) > requests.MAX_RETURN_URL_CHARS:
        return Rejected(code="return_url_too_long", message="Cashfree takes a return address of 250 characters.")
    return None


HOSTED: Final = Hosted(
    create=(
        Step(
            name="order",
            build=hosted_requests.create_order,
            read=hosted_responses.created,
            yields=("order",),
        ),
        Step(name="read_order", build=requests.read_order, read=hosted_responses.opened),
    ),
    inquiry=_inquiry,
    close=_close,
    unable=_unable,
)
"""Only an order that existed already is read by a second request: a new one is answered whole."""
