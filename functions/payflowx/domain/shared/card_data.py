"""Detection of data that must never enter: card numbers and card verification values.

A number counts as a card number when 13 to 19 digits, however grouped, pass the Luhn check and start like a card
scheme's range (ISO/IEC 7812; PCI DSS 3.3 and 3.5 say why). About one in ten random numbers passes Luhn, hence the range
check: an order number of 16 digits is refused only if it matches both.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

_MIN_DIGITS: Final = 13
_MAX_DIGITS: Final = 19
_SEPARATORS: Final = r"[ \-._/\u00a0\u2009\u202f\u2010-\u2015]"
_RUN: Final = re.compile(rf"\d(?:{_SEPARATORS}?\d){{{_MIN_DIGITS - 1},}}")
_GROUP: Final = re.compile(r"\d+")

# Visa, Mastercard, American Express, Diners, Discover, UnionPay, JCB, Maestro, RuPay, Mir.
_SCHEME_RANGE: Final = re.compile(
    r"4|5[0-9]|2(?:2[2-9]|[3-6]|7[01]|720|20[0-4])|3[47]|3(?:0[0-5]|[689])|35|6[0245789]|81|82|508"
)

_SENSITIVE_NAMES: Final = frozenset(
    {
        *("cvv", "cvv2", "cvc", "cvc2", "cav", "cav2", "cvn", "cid", "csc"),
        *(
            "cardverification",
            "cardverificationvalue",
            "cardverificationcode",
            "securitycode",
            "cardsecuritycode",
        ),
        *("pan", "cardnumber", "cardno", "ccnumber", "accountnumber", "primaryaccountnumber"),
        *("track", "track1", "track2", "trackdata", "magstripe", "pin", "pinblock"),
    }
)
_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]")


def passes_luhn(digits: str) -> bool:
    """The check digit rule of ISO/IEC 7812-1."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_sensitive_name(name: str) -> bool:
    """Return whether a field of this name would hold a card number, CVV, track or PIN."""
    return _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", name).lower()) in _SENSITIVE_NAMES


def contains_card_number(text: str) -> bool:
    """Return whether the text holds a card number, in any script's digits and usual grouping."""
    if len(text) < _MIN_DIGITS:
        return False
    return next(_card_spans(_ascii_digits(text)), None) is not None


def mask_card_numbers(text: str, mask: Callable[[str], str] = lambda _digits: "[card number removed]") -> str:
    """Replace every card number in the text; the last safeguard for logs."""
    plain = _ascii_digits(text)
    pieces: list[str] = []
    position = 0
    for start, end in _card_spans(plain):
        if start >= position:
            pieces += (text[position:start], mask(plain[start:end]))
            position = end
    return "".join(pieces) + text[position:]


def _ascii_digits(text: str) -> str:
    """Convert every script's digits to ASCII digits, character for character."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.digit(char, char)) if char.isdigit() else char for char in text)


def _card_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of card numbers, testing every stretch between two group edges.

    Edges only: inside an unbroken run of digits a window would find a "card" in one long number out of two.
    """
    for run in _RUN.finditer(text):
        groups = [(run.start() + g.start(), run.start() + g.end()) for g in _GROUP.finditer(run.group())]
        for first, (start, _) in enumerate(groups):
            for _, end in groups[first:]:
                digits = "".join(_GROUP.findall(text[start:end]))
                if len(digits) > _MAX_DIGITS:
                    break
                if len(digits) >= _MIN_DIGITS and _SCHEME_RANGE.match(digits) and passes_luhn(digits):
                    yield start, end
                    break
