"""A person's decision: who made it and why.

Every change by an operator carries one into a trail.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from payflowx.domain.merchants import api_keys
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
    """`who`: the ARN of whoever called, or a user of the local machine.

    `why`: their own words, a ticket's number.
    """

    who: str
    why: str

    def facts(self) -> Mapping[str, Fact]:
        """As an entry of a trail holds it."""
        return {"operator": self.who, "reason": self.why}


def operator_action_of(who: str, why: str) -> OperatorAction:
    """Raises `Refusal` (`reason_invalid`): trails cannot be altered, so nothing may enter that has no place there."""
    if not (1 <= len(who) <= MAX_WHO_CHARS and is_clean(who)):
        raise Refusal("reason_invalid", f"operator must have 1 to {MAX_WHO_CHARS} printable characters.")
    return OperatorAction(who=who, why=checked_words("reason", why))


def checked_words(name: str, text: str) -> str:
    """An operator's words, fit to be kept for ever."""
    words = text.strip()
    if not (1 <= len(words) <= MAX_WHY_CHARS and is_clean(words)):
        raise Refusal("reason_invalid", f"{name} must have 1 to {MAX_WHY_CHARS} printable characters.")
    if contains_card_number(words) or _CREDENTIAL.search(words):
        raise Refusal(
            "reason_invalid", f"{name} holds what looks like a card number or a credential. Name a ticket instead."
        )
    if _MAIL_ADDRESS.search(words):
        raise Refusal(
            "reason_invalid",
            f"{name} holds what looks like a mail address. The trail cannot be erased: name a ticket instead.",
        )
    return words
