"""Names of fields that hold card data, whatever stands in them.

Some names stand for card data only: a `cvv` is refused with any value. Others have a second meaning outside of
payments, so that the value decides: `pan` is also India's tax number (ABCDE1234F), `pin` a postal code (560001), `cid`
a campaign or a customer, `track` a song. A bank's `account_number` is no card data: only the card number's own check
applies to it.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

_OF_CARD_DATA: Final = frozenset(
    {
        *("cvv", "cvv2", "cvc", "cvc2", "cav", "cav2", "cvn", "csc"),
        *("cardverification", "cardverificationvalue", "cardverificationcode"),
        *("securitycode", "cardsecuritycode"),
        *("cardnumber", "cardno", "ccnumber", "primaryaccountnumber"),
        *("track1", "track2", "trackdata", "magstripe", "pinblock"),
    }
)
_BY_VALUE: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "pan": (re.compile(r"(?:[0-9][\W_]{0,3}){12,19}"), "pan with 12 to 19 digits"),
    "cid": (re.compile(r"[0-9]{3,4}"), "cid with 3 or 4 digits"),
    "pin": (re.compile(r"[0-9]{4,5}|0[0-9]{5}|[0-9]{7,12}"), "pin with 4 to 12 digits that are no postal code"),
    "track": (re.compile(r".*[0-9]{12}.*", re.DOTALL), "track with 12 or more digits"),
}
"""A name, the values that make it card data, and the rule in words."""

_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]")


def card_data_name(name: str, value: str) -> str | None:
    """Return the rule by which a field of this name and value would hold card data, such as `cvv`; None if none does.

    Case, blanks and punctuation of the name do not matter. The rule is a text of ours and never repeats the value.
    """
    plain = _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", name).lower())
    if plain in _OF_CARD_DATA:
        return plain
    pattern, rule = _BY_VALUE.get(plain, (None, None))
    return rule if pattern and pattern.fullmatch(unicodedata.normalize("NFKC", value).strip()) else None
