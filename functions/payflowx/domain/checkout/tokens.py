"""The bearers of a checkout's addresses: one leads to the page, the other is where a provider sends the payer back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Purpose(StrEnum):
    """The acts that an address allows."""

    PAY = "p"
    """Show the page, choose and close."""
    RETURN = "r"
    """Show the state, and bring the next inquiry forward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """The content of a valid token."""

    purpose: Purpose
    merchant_id: str
    transaction_id: str


class CheckoutTokens(Protocol):
    """Makes and opens signed tokens. Two secrets are valid during a rotation."""

    def sign(self, bearer: Bearer, expires_at_ms: int) -> str:
        """Return a token of URL characters. The same arguments give the same token, as long as the secret stays."""
        ...

    def open(self, token: str, now_ms: int) -> Bearer | None:
        """Return the content; None for any token that is unknown, changed or expired. It never says which."""
        ...
