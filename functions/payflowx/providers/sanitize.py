"""Makes providers' messages safe to store: they repeat request values and quote ids and keys."""

import re
from collections.abc import Sequence
from typing import Final

from payflowx.domain.shared.text import provider_text

REMOVED: Final = "[removed]"
_MAX_WORD_CHARS: Final = 4
"""Known values up to this length are removed as whole words only: a short name may be a part of any word."""
_MAX_SCANNED_CHARS: Final = 1_000
PRIVATE: Final = re.compile(
    r"[\w-]+://\S+"  # addresses of pages
    r"|\S+@\S+"  # e-mail, and tokens with a provider's name
    r"|\+?\d(?:[ ().-]*\d){6,}"  # telephone and other long numbers
    r"|\b(?:tok|cust|cus|sk|rk|key|whsec|session)_[\w-]+"
    r"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
)
"""Patterns that are removed from every provider's messages."""


def sanitize(text: object, *, known: Sequence[str] = (), also: re.Pattern[str] | None = None) -> str:
    """Return the message without names, addresses, telephone numbers, tokens and keys, cut to length.

    `known`: values that were sent and may be repeated, longest first; removed in any letter case.
    `also`: ids in one provider's own form. Returns an empty text for anything but a text.
    """
    if not isinstance(text, str):
        return ""
    kept = text[:_MAX_SCANNED_CHARS]
    for value in known:
        kept = re.sub(_pattern(value), REMOVED, kept, flags=re.IGNORECASE)
    for pattern in (PRIVATE, also):
        kept = pattern.sub(REMOVED, kept) if pattern else kept
    return provider_text(kept)


def _pattern(value: str) -> str:
    return rf"(?<!\w){re.escape(value)}(?!\w)" if len(value) <= _MAX_WORD_CHARS else re.escape(value)
