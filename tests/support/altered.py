"""Answers with one member altered: left out, empty, of another type, or of another value.

An item of a list is never left out: a shorter list is another answer, which only its provider can tell from a cut one.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_VALUES: Final[Sequence[Any]] = (
    None,
    "",
    "x",
    "0",
    "\ud800",
    "pfx-zzzzzzzzzzzzzzzz-9",
    *(0, 1, -1, 10**19, 1.5, True, False),
    *({}, ["x"], {"id": "x"}),
)
"""No word of a provider's is among them, and no empty list: another status, or nothing at all, is another answer. For
the same reason, no truth value takes the place of another."""
_DECIMAL: Final = re.compile(r"\d+\.\d{2}")
_LEFT_OUT: Final = object()


def altered(document: Any) -> Iterator[tuple[str, Any]]:
    """Each member altered in each way, with a description of the change. The document itself stays as it is."""
    for path in _paths(document):
        value = _at(document, path)
        name = ".".join(map(str, path))
        for other in (_LEFT_OUT, *_VALUES, *_relatives(value)):
            if _is_another_answer(path, value, other):
                continue
            if type(other) is not type(value) or other != value:
                yield f"{name} = {'left out' if other is _LEFT_OUT else repr(other)}", _with(document, path, other)
    for around in ([document], {"error": document}, {"data": document}):
        yield "wrapped", around


def other_numbers(value: Any) -> Any:
    """The document with every number, and every decimal number in a text, one larger."""
    match value:
        case bool() | None:
            return value
        case int() | float():
            return value + 1
        case str() if _DECIMAL.fullmatch(value):
            return f"{float(value) + 1:.2f}"
        case Mapping():
            return {name: other_numbers(member) for name, member in value.items()}
        case list():
            return [other_numbers(item) for item in value]
        case _:
            return value


def other_texts(value: Any, texts: Mapping[str, str]) -> Any:
    """The document with other texts in place of these, also where they are the names of members."""
    match value:
        case str():
            return texts.get(value, value)
        case Mapping():
            return {texts.get(name, name): other_texts(member, texts) for name, member in value.items()}
        case list():
            return [other_texts(item, texts) for item in value]
        case _:
            return value


def _is_another_answer(path: Sequence[Any], value: Any, other: Any) -> bool:
    is_shorter_list = other is _LEFT_OUT and isinstance(path[-1], int)
    return is_shorter_list or (isinstance(value, bool) and isinstance(other, bool))


def _relatives(value: Any) -> Sequence[Any]:
    """The same value in another type, and its neighbours."""
    match value:
        case bool():
            return ()
        case int():
            return (value + 1, value * 100, str(value), float(value))
        case float():
            return (value + 1, str(value))
        case str():
            return (value.upper(), f"{value}z")
        case list() if value:
            return (value + value,)
        case _:
            return ()


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*before, name)
        yield from _paths(member, (*before, name))


def _at(document: Any, path: Sequence[Any]) -> Any:
    for name in path:
        document = document[name]
    return document


def _with(document: Any, path: Sequence[Any], value: Any) -> Any:
    """Copies what lies on the way to the member, and shares the rest."""
    name, *rest = path
    changed = copy.copy(document)
    if rest:
        changed[name] = _with(document[name], rest, value)
    elif value is _LEFT_OUT:
        del changed[name]
    else:
        changed[name] = value
    return changed
