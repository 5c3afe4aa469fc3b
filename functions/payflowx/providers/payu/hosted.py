"""An invoice that the payer pays on PayU's own page: steps, and what its page can do. Pure.

The invoice is the only object of PayU that ends: the form of the payment page never expires. It takes every method
that the account has, and has no return address: the payer comes back to our page by its own address.
"""

from collections.abc import Sequence
from typing import Final

from payflowx.domain.payments.hosted import CHECKOUT_METHODS, HostedCapability
from payflowx.domain.payments.outcome import Rejected
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS
from payflowx.providers.contract import Hosted, Step
from payflowx.providers.payu import hosted_requests, hosted_responses, hosts, requests
from payflowx.providers.payu.fields import PAYER_FORMS, payer_of

CAPABILITY: Final = HostedCapability(
    methods=frozenset(CHECKOUT_METHODS),
    # Neither limit is documented.
    min_lifetime_ms=15 * MINUTE_MS,
    max_lifetime_ms=30 * DAY_MS,
    needs=frozenset({"customer.name", "customer.email", "customer.phone"}),
    forms=PAYER_FORMS,
    is_closing_proof=False,
    form_hosts=frozenset(hosts.PAGE_HOSTS),
)


def _inquiry(_request: ChargeRequest) -> Sequence[Step]:
    """Read the transaction by our key; PayU has no command that reads an invoice."""
    return (Step(name="verify", build=requests.verify_payment, read=hosted_responses.read),)


def _close(_request: ChargeRequest) -> Sequence[Step]:
    """The answer to the expiry says whether a try is under way, the read whether one was made."""
    return (
        Step(
            name="expire",
            build=hosted_requests.expire_invoice,
            read=hosted_responses.expired,
            yields=(hosted_responses.CLOSED,),
        ),
        Step(name="verify", build=requests.verify_payment, read=hosted_responses.read_closed),
    )


def _unable(request: ChargeRequest) -> Rejected | None:
    """PayU requires the payer's name, e-mail address and telephone number; none is made up."""
    payer = payer_of(request)
    missing = [name for name in hosted_requests.PAYER_NEEDS if name not in payer]
    if not missing:
        return None
    return Rejected(code=f"{missing[0]}_missing", message="PayU's page needs the payer's name, e-mail and telephone.")


HOSTED: Final = Hosted(
    create=(Step(name="invoice", build=hosted_requests.create_invoice, read=hosted_responses.created),),
    inquiry=_inquiry,
    close=_close,
    unable=_unable,
)
"""An invoice whose creation's answer was lost is refused the second time, and its address cannot be read again."""
