"""Foreign text, made safe to keep."""

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
    """No control characters, no lone surrogates, nothing that reverses or hides what a reader sees."""
    return not any(char in _BIDI_CONTROLS or unicodedata.category(char) in _FORBIDDEN_CATEGORIES for char in text)


def provider_text(text: object) -> str:
    """A provider's message: truncated, without control characters and card numbers.

    Never refused.
    """
    if not isinstance(text, str):
        return ""
    kept = "".join(char if is_clean(char) else " " for char in text[: 4 * MAX_PROVIDER_TEXT_CHARS])
    return mask_card_numbers(kept).strip()[:MAX_PROVIDER_TEXT_CHARS]


def provider_code(code: object) -> str:
    """A provider's code, or `unrecognized` when it is no plain code."""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "unrecognized"


def provider_reference(reference: object) -> str | None:
    """A provider's id of a charge, or None when it is none that could be stored and asked for again."""
    text = str(reference) if isinstance(reference, int) and not isinstance(reference, bool) else reference
    return text if isinstance(text, str) and _REFERENCE.fullmatch(text) else None
