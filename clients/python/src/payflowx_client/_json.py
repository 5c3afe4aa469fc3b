"""Decoders of answers and the encoder of requests.

A decoder takes a parsed value and raises `TypeError` or `ValueError`; `required` and `optional` add the member's name.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from payflowx_client.errors import UnexpectedAnswerError

T = TypeVar("T")
Decoder = Callable[[object], T]


class DecodeError(UnexpectedAnswerError, ValueError):
    """An answer is not what the API promises. The message names the member and never its value."""


def members(value: object, name: str) -> Mapping[str, object]:
    """The members of an object. Raises `DecodeError`."""
    if not isinstance(value, dict):
        raise DecodeError(f"{name}: object expected, {type(value).__name__} found")
    return value


def required(found: Mapping[str, object], name: str, decode: Decoder[T]) -> T:
    """Raises `DecodeError` when the member is absent or of another type."""
    if name not in found:
        raise DecodeError(f"{name} is missing")
    try:
        return decode(found[name])
    except DecodeError as error:
        raise DecodeError(f"{name}.{error}") from error
    except (TypeError, ValueError) as error:
        raise DecodeError(f"{name}: {error}") from error


def optional(found: Mapping[str, object], name: str, decode: Decoder[T], default: T) -> T:
    """As `required`; the default where the member is absent."""
    return required(found, name, decode) if name in found else default


def text(value: object) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError(f"text expected, {type(value).__name__} found")
    return value


def integer(value: object) -> int:
    """An integer; neither a float nor a boolean, which Python takes for one."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"integer expected, {type(value).__name__} found")
    return value


def boolean(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError(f"boolean expected, {type(value).__name__} found")
    return value


def scalar(value: object) -> str | int | bool:
    """A text, an integer or a boolean."""
    if not isinstance(value, str | int):
        raise TypeError(f"text, integer or boolean expected, {type(value).__name__} found")
    return value


def time(value: object) -> datetime:
    """A time in UTC (RFC 3339)."""
    parsed = datetime.fromisoformat(text(value))
    if parsed.utcoffset() != timedelta(0):
        raise ValueError("time in UTC expected")
    return parsed


def nullable(decode: Decoder[T]) -> Decoder[T | None]:
    """None, or what `decode` takes."""

    def decoded(value: object) -> T | None:
        return None if value is None else decode(value)

    return decoded


def list_of(decode: Decoder[T]) -> Decoder[tuple[T, ...]]:
    """A list of what `decode` takes."""

    def decoded(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise TypeError(f"list expected, {type(value).__name__} found")
        return tuple(decode(each) for each in value)

    return decoded


def map_of(decode: Decoder[T]) -> Decoder[Mapping[str, T]]:
    """An object with free names and values that `decode` takes."""

    def decoded(value: object) -> Mapping[str, T]:
        return {name: decode(each) for name, each in members(value, "map").items()}

    return decoded


def encoded(found: Mapping[str, object]) -> dict[str, object]:
    """The members without those that are None, nested objects as their members.

    Raises `TypeError` for a float: the API has none, and an amount as a float is an error of the caller.
    """
    return {name: _encoded(name, value) for name, value in found.items() if value is not None}


def _encoded(name: str, value: object) -> object:
    to_json: Callable[[], object] | None = getattr(value, "to_json", None)
    if to_json is not None:
        return to_json()
    if isinstance(value, Mapping):
        return {key: _encoded(f"{name}.{key}", each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(name, each) for each in value]
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"{name} cannot be a {type(value).__name__}; amounts are integers in minor units, see `to_minor`")
