"""All refunds of one charge, as the provider lists them, whoever requested them.

The list is read from the provider's refund objects, in the payment's currency. A report only causes such a read, and a
cumulative field such as "amount refunded" is never booked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class RefundState(StrEnum):
    """The provider's word for the state of a refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefund:
    """`reference`: the one id by which the provider knows the refund in every source.

    `provider_key`: the key that it carries; None: it carries none.
    """

    reference: str
    provider_key: str | None
    amount: int
    currency: str
    state: RefundState
    code: str = ""
    """The provider's reason for a failure."""
    made_at_ms: int | None = None
    """The time at which it was made; None: the list does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundList:
    """All refunds of one charge. A list that was cut off is none."""

    refunds: Sequence[ProviderRefund]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundListUnavailable:
    """The list could not be read completely, or the provider has none; nothing follows from it."""

    code: str


RefundsRead = RefundList | RefundListUnavailable
