"""Sanitizing of foreign text before it is stored."""

import re
import unicodedata
from typing import Final

from payflowx.domain.shared.card_data import mask_card_numbers
from payflowx.domain.shared.limits import MAX_PROVIDER_TEXT_CHARS, MAX_REFERENCE_CHARS

_CODE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_REFERENCE: Final = re.compile(rf"[A-Za-z0-9_.:-]{{1,{MAX_REFERENCE_CHARS}}}")
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
_BIDI_CONTROLS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_clean(text: str) -> bool:
    """Return whether the text has no control characters, lone surrogates or bidirectional marks."""
    return not any(char in _BIDI_CONTROLS or unicodedata.category(char) in _FORBIDDEN_CATEGORIES for char in text)


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
