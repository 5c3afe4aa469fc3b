"""Captures, voids and refunds as a provider sees them: money that moves on a charge that exists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class OperationKind(StrEnum):
    """Take what is held, give it free, or give back what was taken."""

    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRequest:
    """One logical request, with its own provider key; it goes to the provider and account that hold the charge."""

    kind: OperationKind
    provider_key: str
    amount: int
    currency: str
    charge_key: str
    """The provider key of the attempt that charged or authorized."""
    charge_reference: str
    """The provider's id of the charge."""
    charge_amount: int
    """The whole charge: what makes a part of it partial."""
    charge_progress: Mapping[str, str] = field(default_factory=dict)
    """What the charge's steps learned, such as the id of its order."""
    progress: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    """The provider's id of this movement, once it is known."""
