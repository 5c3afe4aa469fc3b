"""The author and reason of an operator's change.

Every such change stores them in an audit log.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from payflowx.domain.merchants import api_keys
from payflowx.domain.merchants.caller import Identity, VerifiedCaller
from payflowx.domain.payments.events import Fact
from payflowx.domain.shared.card_data import contains_card_number
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.text import is_clean

MAX_WHO_CHARS: Final = 200
MAX_WHY_CHARS: Final = 500
_CREDENTIAL: Final = re.compile(rf"{api_keys.PATTERN.pattern}|\b[sr]k_(?:live|test)_\w+|\bwhsec_\S+|\btok_\w+")
_MAIL_ADDRESS: Final = re.compile(r"\S+@\S+\.\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAction:
    """`who`: the caller's ARN, or a user of the local machine. `why`: a ticket or short reason.

    `identity` says whether AWS confirmed `who`. `proposed_by`: the one who proposed what this one approves, and
    `proposal_id` that proposal.
    """

    who: str
    why: str
    identity: Identity = Identity.CLAIMED
    proposed_by: str | None = None
    proposal_id: str | None = None

    @property
    def is_of_two(self) -> bool:
        """Whether two people are proven to have decided."""
        return self.identity is Identity.PROVEN and self.proposed_by not in {None, self.who}

    def facts(self) -> Mapping[str, Fact]:
        """Return the action as facts of an audit entry."""
        proposed = {"proposedBy": self.proposed_by} if self.proposed_by is not None else {}
        return {"operator": self.who, "reason": self.why, "identity": self.identity.value, **proposed}


def operator_action_of(who: str, why: str, verified: VerifiedCaller | None = None) -> OperatorAction:
    """Validate an operator's name and reason. Raises `Refusal` (`reason_invalid`).

    Audit logs cannot be altered, so unsuitable text must be refused here. `verified` names the operator instead.
    """
    reason = checked_words("reason", why)
    if verified is not None:
        return OperatorAction(
            who=verified.arn,
            why=reason,
            identity=Identity.PROVEN,
            proposed_by=verified.proposed_by,
            proposal_id=verified.proposal_id,
        )
    if not (1 <= len(who) <= MAX_WHO_CHARS and is_clean(who)):
        raise Refusal("reason_invalid", f"operator must have 1 to {MAX_WHO_CHARS} printable characters.")
    return OperatorAction(who=who, why=reason)


def checked_words(name: str, text: str) -> str:
    """Return an operator's text if it may be stored permanently. Raises `Refusal`."""
    words = text.strip()
    if not (1 <= len(words) <= MAX_WHY_CHARS and is_clean(words)):
        raise Refusal("reason_invalid", f"{name} must have 1 to {MAX_WHY_CHARS} printable characters.")
    if contains_card_number(words) or _CREDENTIAL.search(words):
        raise Refusal(
            "reason_invalid", f"{name} contains text like a card number or a credential. Give a ticket number instead."
        )
    if _MAIL_ADDRESS.search(words):
        raise Refusal(
            "reason_invalid",
            f"{name} contains text like a mail address, and audit logs cannot be erased. Give a ticket number instead.",
        )
    return words
