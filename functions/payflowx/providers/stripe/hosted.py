"""A Checkout Session that the payer pays on Stripe's own page: steps, and what its page can do. Pure.

One session has one intent, which is created when the payer first tries to pay. So a second charge inside one session
cannot exist. The intent's id is the reference of a success: captures, voids, refunds and reports name it as always.
"""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.hosted import HostedCapability
from payflowx.domain.payments.outcome import NotFound, Rejected, Unknown
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.providers.contract import Hosted, Step
from payflowx.providers.stripe import hosted_requests, hosted_responses, hosted_search

CAPABILITY: Final = HostedCapability(
    methods=frozenset({"card"}),
    # "It can be anywhere from 30 minutes to 24 hours": https://docs.stripe.com/api/checkout/sessions/create
    min_lifetime_ms=30 * MINUTE_MS,
    max_lifetime_ms=DAY_MS - 5 * MINUTE_MS,
    capture_modes=frozenset(CaptureMode),
    is_closing_proof=True,
    form_hosts=frozenset({"https://checkout.stripe.com"}),
)

_READ: Final = (
    Step(name="session", build=hosted_requests.read, read=hosted_responses.read_back),
    Step(name="tries", build=hosted_requests.tries, read=hosted_responses.counted),
)
"""The second one is sent for an open session in which a try failed: only the list of charges counts the tries."""


def _inquiry(request: ChargeRequest) -> Sequence[Step]:
    return (*hosted_search.steps(request, NotFound()), *_READ)


def _close(request: ChargeRequest) -> Sequence[Step]:
    """Find the session, expire it, read it back. A missing session proves nothing."""
    found = hosted_search.steps(request, Unknown(code="nothing_to_close"))
    expire = Step(name="expire", build=hosted_requests.expire, read=hosted_responses.expired, yields=("expire_sent",))
    return (*found, expire, *_READ)


def _unable(_request: ChargeRequest) -> Rejected | None:
    return None


HOSTED: Final = Hosted(
    create=(Step(name="session", build=hosted_requests.create, read=hosted_responses.created),),
    inquiry=_inquiry,
    close=_close,
    unable=_unable,
)
