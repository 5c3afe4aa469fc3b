"""The caller of an operator's command: what it says of itself, or what AWS says of it.

A proof is a request for the caller's own identity, signed by the caller for AWS's Security Token Service (STS) and for
this one command. Whoever holds it can only have STS name the signer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from payflowx.domain.shared.errors import Refusal

CONTENT_HEADER: Final = "x-payflowx-content-sha256"
"""The signed header that binds a proof to the command, the function and the moment that it was made for."""
MAX_AGE_MS: Final = 120_000
"""The age of a proof. STS itself takes a request for fifteen minutes."""
MAX_AHEAD_MS: Final = 60_000
"""The caller's clock may be so far ahead."""
_SESSION: Final = re.compile(r"(arn:[a-z-]+:sts::[0-9]{12}:assumed-role/[\w+=,.@/-]+)/[\w+=,.@-]+")
_PRINCIPAL: Final = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:(?:user/[\w+=,.@/-]+|root)")


class Identity(StrEnum):
    """The ground on which an audit entry names an operator. Entries of release 0.2.0 are claimed and do not say so."""

    PROVEN = "proven"
    CLAIMED = "claimed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The headers of a signed `GetCallerIdentity` request that a command's function cannot know itself.

    `signed_at` is `20261128T162748Z`. `nonce` is random: two commands alike have two proofs.
    """

    authorization: str
    signed_at: str
    nonce: str
    security_token: str | None = None


class VerifiedCaller:
    """A caller whose identity STS has confirmed for this command, or for the one that is approved.

    No dataclass: nothing that arrives as JSON can become one.
    """

    __slots__ = ("arn", "proposal_id", "proposed_by")

    def __init__(self, arn: str, *, proposed_by: str | None = None, proposal_id: str | None = None) -> None:
        self.arn = arn
        self.proposed_by = proposed_by
        self.proposal_id = proposal_id


class CallerIdentities(Protocol):
    """Asks STS who signed a proof."""

    def signer(self, proof: Proof, content: Mapping[str, Any]) -> str | None:
        """Return the signer's ARN; None when STS does not answer.

        Raises `Refusal` (`proof_invalid`): too old, not signed for this content, or refused by STS.
        """
        ...


class SeenProofs(Protocol):
    """Remembers proofs for longer than they are valid."""

    def is_first(self, proof: Proof, now_ms: int) -> bool:
        """Store that the proof was used; False if it was before."""
        ...


def principal_of(arn: str) -> str:
    """Return the ARN without the name of a session: callers choose that name, and it may be a person's address.

    Raises `Refusal` (`proof_invalid`) for what is neither a user nor a role.
    """
    session = _SESSION.fullmatch(arn)
    if session is not None:
        return session[1]
    if _PRINCIPAL.fullmatch(arn):
        return arn
    raise Refusal("proof_invalid", "The proof is neither of a user nor of a role.")
