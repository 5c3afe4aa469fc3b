"""Stripe's own words, made safe to keep: its messages quote ids of payment methods and customers, and keys."""

import re
from typing import Any, Final

from payflowx.domain.shared.limits import MAX_PROVIDER_TEXT_CHARS
from payflowx.domain.shared.text import provider_code, provider_text

_PRIVATE: Final = re.compile(
    r"[\w-]+://\S+"  # addresses
    r"|\S+@\S+"  # e-mail
    r"|\+?\d[\d ().-]{6,}\d"  # telephone and other long numbers
    r"|(?<=\s)'[^'\s]+'"  # whatever it quotes back
    r"|(?<![A-Za-z0-9])card_[A-Za-z0-9]{14,}"
    r"|(?<![A-Za-z0-9])(?:sk|rk|pk|whsec|pm|cus|tok|src|seti|pi|py|ch|re|req|acct|ek|evt|mandate)_[\w*.-]+"
)
_SCANNED_CHARS: Final = 4 * MAX_PROVIDER_TEXT_CHARS


def safe_message(message: object) -> str:
    """The message without ids, keys, addresses and long numbers, cut to length."""
    if not isinstance(message, str):
        return ""
    return provider_text(_PRIVATE.sub("[removed]", message[:_SCANNED_CHARS]))


def safe_code(code: object) -> str:
    """The code, unless it looks like an id or a key."""
    known = provider_code(code)
    return "unrecognized" if _PRIVATE.search(known) else known


def decline_code(error: dict[str, Any]) -> str:
    """The issuer's reason where it gave one, else Stripe's code."""
    return safe_code(error.get("decline_code") or error.get("code"))
