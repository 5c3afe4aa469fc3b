"""JSON as RFC 8259 has it, and stricter where laxness hides mistakes: no duplicate keys, no NaN, bounded depth."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NoReturn

from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MAX_JSON_DEPTH

_BOM: Final = b"\xef\xbb\xbf"


_SHORT_NUMBER: Final = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class NotAnInteger:
    """Stands for a number with a fraction or an exponent, so that no float ever exists and none fits any field.

    `text` is the number as it was sent, such as `4.1e15`.
    """

    text: str

    @property
    def whole_number(self) -> int | None:
        """The value if it is a whole number after all: `41` for `4.10e1`. None for others, and for very long texts."""
        value = Decimal(self.text) if _SHORT_NUMBER.fullmatch(self.text) else None
        return int(value) if value is not None and value == value.to_integral_value() else None


def decode_json_object(data: bytes) -> dict[str, Any]:
    """The object; raises `Refusal` (`malformed_json`) with the reason."""
    if data.startswith(_BOM):
        _refuse("It begins with a byte order mark; remove it.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("It is not UTF-8.")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=NotAnInteger,
            parse_constant=lambda _text: _refuse("NaN and Infinity are not valid JSON."),
        )
    except RecursionError:
        _refuse(f"It is nested deeper than {MAX_JSON_DEPTH} levels.")
    except ValueError:
        _refuse("It cannot be parsed: check quotes, commas and brackets, and that nothing follows the object.")
    if not isinstance(value, dict):
        _refuse("It must be one JSON object.")
    _check(value, MAX_JSON_DEPTH)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("An object has two members of the same name.")
    return members


def _check(value: Any, levels_left: int) -> None:
    if isinstance(value, str):
        if any("\ud800" <= char <= "\udfff" for char in value):
            _refuse("A text holds half of a surrogate pair.")
        return
    if isinstance(value, dict | list) and levels_left == 0:
        _refuse(f"It is nested deeper than {MAX_JSON_DEPTH} levels.")
    if isinstance(value, dict):
        for name, member in value.items():
            _check(name, levels_left - 1)
            _check(member, levels_left - 1)
    elif isinstance(value, list):
        for member in value:
            _check(member, levels_left - 1)


def _refuse(why: str) -> NoReturn:
    raise Refusal("malformed_json", f"The body is not acceptable JSON. {why}")
