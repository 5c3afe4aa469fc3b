"""Hosted objects: what a provider creates so that a payer, who is present, can pay on the provider's own page.

A session, a link, an order or an invoice. The payer may try several times inside one object.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from re import Pattern
from typing import Final

from payflowx.domain.shared.limits import HOUR_MS
from payflowx.domain.shared.statuses import CaptureMode

CHECKOUT: Final = "checkout"
"""The type of the payment method of a payment whose payer chooses on our page."""

CHECKOUT_METHODS: Final = ("card", "upi", "netbanking", "wallet")
"""The methods that a payer can choose, in the order of our page."""

HOSTED_METHOD: Final = "hosted_method"
"""The fact of an attempt's progress that it creates a hosted object: the method. Stored before the request."""
HOSTED_EXPIRES_AT: Final = "hosted_expires_at"
"""The fact beside it: the expiry of the object in milliseconds since 1970, computed once."""
HOSTED_RETURN_URL: Final = "hosted_return_url"
"""The fact beside it: our address to which the provider sends the payer back."""
HOSTED_OBJECT: Final = "hosted_object"
"""The fact that the object's address may have been given out: the provider's id of the object.

Stored with the address in one write. Before it, nobody can pay the object.
"""
FAILED_TRIES: Final = "failed_tries"
"""The fact of the number of the payer's failed tries inside the object, as an inquiry showed them."""

HOSTED_FACTS: Final = frozenset({HOSTED_METHOD, HOSTED_EXPIRES_AT, HOSTED_RETURN_URL, HOSTED_OBJECT, FAILED_TRIES})
"""No fact of these is the result of a step of the charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedRequest:
    """The part of a charge's request that only a hosted object has. The first three are part of its bytes."""

    method: str
    """One of `CHECKOUT_METHODS`: the object must take this method only, as far as the provider can be told."""
    expires_at_ms: int
    return_url: str = field(repr=False)
    """Our own address: for success, failure and leaving alike. It proves nothing."""
    object_id: str | None = None
    """The provider's id of the object; None until its address may have been given out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTries:
    """The payer's tries inside an open object that failed. They end nothing."""

    count: int
    code: str
    """The provider's code of the last one."""
    message: str = ""
    """The provider's sentence about it, cleaned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraCharge:
    """A further charge inside one hosted object, beside the one that is the payment's: the payer paid twice."""

    reference: str
    amount: int
    currency: str
    attempt: int = 0
    """The number of the attempt with the object; 0 until it is recorded."""
    found_at_ms: int = 0
    refund_reference: str | None = None
    """The provider's id of the refund that a person made there and recorded here."""
    refunded_at_ms: int | None = None
    """The time of that record."""

    @property
    def is_owed(self) -> bool:
        """Whether no refund of it is recorded."""
        return self.refund_reference is None


FINAL_READ_AFTER_MS: Final = HOUR_MS
"""A hosted object that was paid is read once more so long after its expiry: a try may have begun in its last second."""
MAX_EXTRA_CHARGES: Final = 20
"""No payer pays more often by mistake; the audit log and the item stay small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedCapability:
    """The provider's hosted objects, as routing, page and recovery must know them."""

    methods: frozenset[str]
    min_lifetime_ms: int
    """The shortest expiry that the provider takes, from the time of the request."""
    max_lifetime_ms: int
    """The longest one that we request: the provider's own maximum less a margin for both clocks."""
    currencies: frozenset[str] | None = None
    """None: those of the provider. Often only some methods take some currencies; see `method_currencies`."""
    method_currencies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The currencies of a method that takes fewer than the provider."""
    capture_modes: frozenset[CaptureMode] = frozenset({CaptureMode.AUTOMATIC})
    needs: frozenset[str] = frozenset()
    """Facts about the payer that our page asks for when they are missing, named as in `customer_facts`."""
    forms: Mapping[str, Pattern[str]] = field(default_factory=dict)
    """The form of a needed fact where the provider takes fewer values than our API.

    A value of another form counts as missing: the provider would refuse the object however often the payer chooses.
    """
    is_closing_proof: bool = False
    """A closing is proven even after the payer has tried. Other ways are offered last."""
    returns_extra_charges: bool = False
    """The provider itself gives back a second payment of an object: a refund of ours would be one too many."""
    form_hosts: frozenset[str] = frozenset()
    """Origins to which our page sends the payer, for the page's `form-action`; `https://checkout.example.com`."""

    def why_not(self, *, method: str, currency: str, capture: CaptureMode) -> str | None:
        """Return why no object of this method can be created for such a payment; None if it can."""
        if method not in self.methods:
            return f"it has no hosted page for {method}"
        allowed = self.method_currencies.get(method, self.currencies)
        if allowed is not None and currency not in allowed:
            return f"its hosted page does not take {currency} by {method}"
        if capture not in self.capture_modes:
            return f"its hosted page does not support {capture} capture"
        return None


MAX_FAILED_TRIES: Final = 10
"""So many failed tries seen inside one object close it, because such a series is typical of a test of stolen cards."""
