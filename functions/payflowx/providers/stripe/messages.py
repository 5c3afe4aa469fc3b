"""Makes Stripe's messages safe to store: they quote ids of payment methods and customers, and keys."""

import re
from collections.abc import Sequence
from typing import Any, Final

from payflowx.domain.shared.text import provider_code
from payflowx.providers.sanitize import PRIVATE, sanitize

_QUOTED: Final = re.compile(
    r"(?<=\s)'[^'\s]+'"  # quoted values
    r"|(?<![A-Za-z0-9])card_[A-Za-z0-9]{14,}"
    r"|(?<![A-Za-z0-9])(?:sk|rk|pk|whsec|pm|cus|tok|src|seti|pi|py|ch|re|req|acct|ek|evt|mandate)_[\w*.-]+"
)

_MAX_CODE_CHARS: Final = 64
"""The longest code that is stored. Stripe has one of 65 characters."""


def safe_message(message: object, private: Sequence[str]) -> str:
    """The message without private values, ids, keys, addresses and long numbers, cut to length."""
    return sanitize(message, known=private, also=_QUOTED)


def safe_code(code: object) -> str:
    """The code, cut to length, unless it looks like an id or a key."""
    known = provider_code(code[:_MAX_CODE_CHARS] if isinstance(code, str) else code)
    return "unrecognized" if PRIVATE.search(known) or _QUOTED.match(known) else known


def decline_code(error: dict[str, Any]) -> str:
    """The issuer's decline code if there is one, else Stripe's error code."""
    return safe_code(error.get("decline_code") or error.get("code"))
