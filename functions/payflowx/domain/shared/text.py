"""Sanitizing of foreign text before it is stored."""

import re
import unicodedata
from typing import Final

from payflowx.domain.shared.card_data import mask_card_numbers
from payflowx.domain.shared.limits import MAX_ORDER_ID_CHARS, MAX_PROVIDER_TEXT_CHARS, MAX_REFERENCE_CHARS

_CODE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_REFERENCE: Final = re.compile(rf"[A-Za-z0-9_.:-]{{1,{MAX_REFERENCE_CHARS}}}")
_LINE_BREAKS: Final = frozenset("\n\r\v\f\x85")
_CATEGORIES: Final = {"Cc": "a control character", "Cs": "half of a surrogate pair", "Co": "a private character"}
_NONCHARACTERS: Final = range(0xFDD0, 0xFDF0)
_BIDI_CONTROLS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_clean(text: str) -> bool:
    """Return whether the text may be stored and shown; see `unclean_part`."""
    return unclean_part(text) is None


def unclean_part(text: str) -> str | None:
    """Return what must not be in a text, such as `a line break (U+000A)`; None for a clean text.

    Control characters, lone surrogates, private characters, noncharacters and bidirectional marks are not clean. A code
    point that this Python's tables do not know passes: it may be a new emoji, and newer tables would know it.
    """
    if text.isascii() and text.isprintable():
        return None
    return next((f"{kind} (U+{ord(char):04X})" for char in text if (kind := _fault(char))), None)


def is_order_id(text: str) -> bool:
    """Return whether the text may name an order: printable, not padded, and not too long."""
    return 1 <= len(text) <= MAX_ORDER_ID_CHARS and text.isprintable() and is_clean(text) and text == text.strip()


def _fault(char: str) -> str | None:
    code = ord(char)
    if char in _LINE_BREAKS:
        return "a line break"
    if char == "\t":
        return "a tab"
    if char in _BIDI_CONTROLS:
        return "a mark that changes the reading direction"
    if code in _NONCHARACTERS or code & 0xFFFE == 0xFFFE:
        return "a code point that is no character"
    return _CATEGORIES.get(unicodedata.category(char))


def provider_text(text: object) -> str:
    """Sanitize a provider's message: truncated, without control characters and card numbers.

    Never refuses a text.
    """
    if not isinstance(text, str):
        return ""
    kept = "".join(char if is_clean(char) else " " for char in text[: 4 * MAX_PROVIDER_TEXT_CHARS])
    return mask_card_numbers(kept).strip()[:MAX_PROVIDER_TEXT_CHARS]


def provider_code(code: object) -> str:
    """Return a provider's code, or `unrecognized` when it is no plain code."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "unrecognized"


def provider_reference(reference: object) -> str | None:
    """Return a provider's id of a charge; None when it cannot be stored and used in an inquiry."""
    text = str(reference) if isinstance(reference, int) and not isinstance(reference, bool) else reference
    return text if isinstance(text, str) and _REFERENCE.fullmatch(text) else None
