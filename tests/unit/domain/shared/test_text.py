"""Which characters a text may hold: the same answer on every Python, whose Unicode tables differ."""

import sys
import unicodedata

from payflowx.domain.shared.text import is_clean, unclean_part


def test_what_a_python_does_not_know_is_clean() -> None:
    """Python 3.11 knows Unicode 14, 3.13 knows 15.1: a code point that is unassigned in one is an emoji in the other.

    Control, surrogate and private code points never change, and noncharacters are never assigned.
    """
    unknown = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) == "Cn"]
    refused = [ord(char) for char in unknown if not is_clean(char)]
    planes = [plane << 16 | end for plane in range(17) for end in (0xFFFE, 0xFFFF)]
    assert refused == sorted([*range(0xFDD0, 0xFDF0), *planes])


def test_the_first_unclean_part_is_named() -> None:
    assert unclean_part("caf\u00e9 \U0001f469\u200d\U0001f680 \u05d0 a\u200cb") is None
    assert unclean_part("a\tb\n") == "a tab (U+0009)"
    assert unclean_part("\ud800") == "half of a surrogate pair (U+D800)"
    assert unclean_part("\x7f") == "a control character (U+007F)"
