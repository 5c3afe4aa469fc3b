"""Texts of a known form whose digits are no card number.

UUIDs, hexadecimal ids of 24 or of 32 to 128 characters, trace headers, dates, IPv4 addresses, decimal numbers.

Random ids hold digits that pass the card checks by chance: one UUID in a thousand. A hexadecimal id counts as such only
if the characters around the card-like digits are random too: letters and digits, at least four different ones. A card
number that is padded into the form of an id stays a card number.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

_NEARBY_CHARS: Final = 200
_MIN_DIFFERENT: Final = 4

_HEX: Final = "[0-9a-fA-F]"
_RANDOM_IDS: Final = re.compile(
    rf"""(?<!{_HEX})(?:
        {_HEX}{{8}}-{_HEX}{{4}}-[1-8]{_HEX}{{3}}-[89abAB]{_HEX}{{3}}-{_HEX}{{12}}  # UUID of RFC 9562
      | {_HEX}{{2}}-{_HEX}{{32}}-{_HEX}{{16}}-{_HEX}{{2}}                           # traceparent of W3C
      | 1-{_HEX}{{8}}-{_HEX}{{24}}(?:;Parent={_HEX}{{16}})?                         # X-Amzn-Trace-Id
      | {_HEX}{{24}} | {_HEX}{{32,128}}                     # object ids, UUIDs without dashes, SHA-1 and SHA-2
    )(?!{_HEX})""",
    re.VERBOSE,
)
_DATE: Final = re.compile(
    r"""(?<!\d)(?:
        (?:19|20)\d\d(?P<a>[-/.])(?:0[1-9]|1[0-2])(?P=a)(?:0[1-9]|[12]\d|3[01])
      | (?:0[1-9]|[12]\d|3[01])(?P<b>[-/.])(?:0[1-9]|[12]\d|3[01])(?P=b)(?:19|20)\d\d
    )(?!\d)""",
    re.VERBOSE,
)
_GOES_ON: Final = r"[\s\-/.]{0,2}[\-/.][\s\-/.]{0,2}"
"""Groups of digits that go on with separators like a date's own are no date, other than a second one after a blank."""
_DIGITS_BEFORE: Final = re.compile(rf"[0-9]{_GOES_ON}$")
_DIGITS_AFTER: Final = re.compile(rf"{_GOES_ON}[0-9]")
_IPV4: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_DECIMAL: Final = re.compile(r"(?<![\d.])\d{1,3}\.\d{10,}(?![\d]|\.\d)")


def is_lookalike(text: str, start: int, end: int) -> bool:
    """Return whether the digits at `start` to `end` are, wholly or partly, of such a text."""
    offset = max(0, start - _NEARBY_CHARS)
    nearby = text[offset : end + _NEARBY_CHARS]
    start, end = start - offset, end - offset
    return any(
        found.start() < end and start < found.end() and holds(found, start, end)
        for pattern, holds in _FORMS
        for found in _found(pattern, nearby, end)
    )


def _found(pattern: re.Pattern[str], text: str, end: int) -> Iterator[re.Match[str]]:
    for found in pattern.finditer(text):
        if found.start() >= end:
            return
        yield found


def _is_random_around(found: re.Match[str], start: int, end: int) -> bool:
    first, last = max(start - found.start(), 0), end - found.start()
    around = set((found.group()[:first] + found.group()[last:]).lower()) - {"-"}
    return len(around) >= _MIN_DIFFERENT and not around.isdisjoint("abcdef") and not around.isdisjoint("0123456789")


def _is_irregular(found: re.Match[str], _start: int, _end: int) -> bool:
    """Digits in equal groups are typed by a person; the parts of an address rarely have one length."""
    return len({len(part) for part in found.group().split(".")}) > 1


def _stands_alone(found: re.Match[str], _start: int, _end: int) -> bool:
    """Four, two and two digits of a card may have the form of a date."""
    text = found.string
    return not _DIGITS_BEFORE.search(text[: found.start()]) and not _DIGITS_AFTER.match(text, found.end())


def _always(_found: re.Match[str], _start: int, _end: int) -> bool:
    return True


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], int, int], bool]], ...]] = (
    (_RANDOM_IDS, _is_random_around),
    (_DATE, _stands_alone),
    (_IPV4, _is_irregular),
    (_DECIMAL, _always),
)
