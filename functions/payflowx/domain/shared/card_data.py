"""Detection of card numbers, which must never enter.

Detected: 13 to 19 digits that have a card scheme's first digits and length and pass the Luhn check (ISO/IEC 7812; PCI
DSS 3.3 and 3.5 say why), directly beside letters too. The digits may be of any script and in any grouping. Up to five
characters may stand between two digits: white space, control and invisible characters, accents, dashes, dots, slashes,
underscores, any punctuation and symbol outside of ASCII, HTML entities (`&nbsp;`), percent-encoded separators (`%20`).
Other ASCII punctuation (`4111,1111,1111,1111`) joins groups only as they are printed on cards: 4-4-4-4, 4-6-5, 4-6-4.

Not detected: numbers of schemes that are not in the list below (UATP); digits with letters or more characters between
them; digits that are written as words, as HTML entities or in base64; a number inside an unbroken run of more than 19
digits; digits of a text that `card_number_lookalikes` knows, which includes digits after a decimal point. Nothing here
finds a card number that was disguised on purpose.

Detected wrongly: one in 10 numbers with a scheme's first digits and length passes the Luhn check by chance. That is
about one in 22 of random numbers with 16 digits, and one in 6,000 of random ids with 16 hexadecimal digits. Of a
million random UUIDs (with or without dashes), SHA hashes, ULIDs or trace headers: none.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from payflowx.domain.shared.card_number_lookalikes import is_lookalike

_MIN_DIGITS: Final = 13
_MAX_DIGITS: Final = 19
_MAX_BETWEEN: Final = 5
_BETWEEN: Final = r"(?:[\x00-\x20\x7f\-._/\\]|&#?\w{2,8};|%(?i:20|09|0a|0d|2d|2e|2f|5f|c2%a0))"
_RUN: Final = re.compile(rf"(?<![0-9])[0-9](?:[0-9]|{_BETWEEN}{{1,{_MAX_BETWEEN}}}[0-9]){{{_MIN_DIGITS - 1},}}")
_PRINTED: Final = re.compile(
    r"(?<![0-9])[0-9]{4}(?P<by>[^0-9A-Za-z]{1,3})(?:[0-9]{4}(?P=by)[0-9]{4}(?P=by)[0-9]{4}|[0-9]{6}(?P=by)[0-9]{4,5})(?![0-9])"
)
_GROUP: Final = re.compile(rf"(?:^|(?<=[0-9]){_BETWEEN}+)([0-9]+)")
_DIGITS: Final = re.compile("[0-9]+")
_TWICE: Final = str.maketrans("0123456789", "0246813579")
"""A digit's double, less nine where that has two digits."""

_SCHEMES: Final = re.compile(
    r"""
      4(?:\d{12}|\d{15}|\d{18})                             # Visa
    | (?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}    # Mastercard
    | 3[47]\d{13}                                           # American Express
    | (?:30[0-5]\d|3095|3[689]\d\d)\d{10,15}                # Diners Club
    | 35\d{14,17}                                           # JCB, RuPay
    | (?:5[06-9]|6[02-57-9])\d{11,17}                       # Maestro, Discover, UnionPay, RuPay, Verve, Elo
    | 8[12]\d{14,17}                                        # RuPay, UnionPay
    | 220[0-4]\d{12,15}                                     # Mir
    | (?:9792|8600|9860)\d{12}                              # Troy, Uzcard, Humo
    """,
    re.VERBOSE | re.ASCII,
)

_NEWER_ZEROS: Final = (
    *(0x11F50, 0x1E4F0),  # Kawi, Nag Mundari: Unicode 15
    *(0x10D40, 0x116D0, 0x116DA, 0x11BF0, 0x16130, 0x16D70, 0x1CCF0, 0x1E5F1),  # Unicode 16
    0x11DE0,  # Tolong Siki: Unicode 17
)
"""The zeros of scripts that Python 3.11 (Unicode 14) does not know, so that every Python finds the same numbers."""

_FIRST_DIGITS: Final = frozenset("2345689")


def passes_luhn(digits: str) -> bool:
    """The check digit rule of ISO/IEC 7812-1."""
    return (sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2].translate(_TWICE)))) % 10 == 0


def contains_card_number(text: str) -> bool:
    """Return whether the text holds a card number, in any script's digits and any grouping."""
    plain = _plain(text)
    return _has_enough_digits(plain) and next(_card_spans(plain), None) is not None


def mask_card_numbers(text: str, mask: Callable[[str], str] = lambda _digits: "[card number removed]") -> str:
    """Replace every card number in the text; the last safeguard for logs."""
    plain = _plain(text)
    if not _has_enough_digits(plain):
        return text
    pieces: list[str] = []
    position = 0
    for start, end in sorted(_card_spans(plain)):
        if start >= position:
            pieces += (text[position:start], mask(plain[start:end]))
            position = end
    return "".join(pieces) + text[position:]


class _PlainCharacters(dict[int, str]):
    """ASCII in the place of every other character, for `str.translate`. Remembers the first few thousand."""

    _MAX_REMEMBERED: Final = 4096

    def __missing__(self, code: int) -> str:
        plain = _plain_character(chr(code))
        if len(self) < self._MAX_REMEMBERED:
            self[code] = plain
        return plain


def _plain_character(char: str) -> str:
    """A digit for a digit, a letter for a letter, a dash or a blank for all others."""
    if char.isascii():
        return char
    if char.isdigit():
        return str(unicodedata.digit(char, "x"))
    if (newer := _newer_digit(ord(char))) is not None:
        return str(newer)
    category = unicodedata.category(char)
    if category[0] in "LN":
        return "x"
    return "-" if category[0] in "PS" else " "


def _newer_digit(code: int) -> int | None:
    return next((code - zero for zero in _NEWER_ZEROS if zero <= code < zero + 10), None)


_PLAIN_CHARACTERS: Final = _PlainCharacters()


def _plain(text: str) -> str:
    """In ASCII, character for character."""
    return text if text.isascii() else text.translate(_PLAIN_CHARACTERS)


def _has_enough_digits(plain: str) -> bool:
    """Most texts of log lines and requests have not; a count is many times as fast as the search."""
    size = len(plain)
    return size >= _MIN_DIGITS and size - len(plain.encode().translate(None, b"0123456789")) >= _MIN_DIGITS


def _card_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of card numbers, testing every stretch between two group edges.

    Edges only: inside an unbroken run of digits a window would find a "card" in one long number out of two.
    """
    for run in _RUN.finditer(text):
        yield from _cards_in_run(text, run)
    for printed in _PRINTED.finditer(text):
        digits = "".join(_DIGITS.findall(printed.group()))
        if _is_card(digits) and not is_lookalike(text, *printed.span()):
            yield printed.span()


def _cards_in_run(text: str, run: re.Match[str]) -> Iterator[tuple[int, int]]:
    groups = [(run.start() + group.start(1), group[1]) for group in _GROUP.finditer(run.group())]
    for first, (start, digits_there) in enumerate(groups):
        if digits_there[0] not in _FIRST_DIGITS:
            continue
        digits = ""
        for at, group in groups[first:]:
            digits += group
            if len(digits) > _MAX_DIGITS:
                break
            end = at + len(group)
            if len(digits) >= _MIN_DIGITS and _is_card(digits) and not is_lookalike(text, start, end):
                yield start, end
                break


def _is_card(digits: str) -> bool:
    return _SCHEMES.fullmatch(digits) is not None and passes_luhn(digits)
