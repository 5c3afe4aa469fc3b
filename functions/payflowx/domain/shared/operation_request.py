"""Captures, voids and refunds as sent to a provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class OperationKind(StrEnum):
    """A capture takes held money, a void releases it, a refund returns taken money."""

    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRequest:
    """One logical request with its own provider key, sent to the account that holds the charge."""

    kind: OperationKind
    provider_key: str
    amount: int
    currency: str
    charge_key: str
    """The provider key of the attempt that charged or authorized."""
    charge_reference: str
    """The provider's id of the charge."""
    charge_amount: int
    """The amount of the whole charge; a smaller operation is partial."""
    charge_progress: Mapping[str, str] = field(default_factory=dict)
    """Facts from the charge's steps, such as the id of its order."""
    progress: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    """The provider's id of this operation, once it is known."""
    private_values: tuple[str, ...] = field(default=(), repr=False)
    """Values of the charge that the provider may repeat in a message: the payer's data, longest first. Never sent."""
