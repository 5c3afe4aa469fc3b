"""Condition, filter, key-condition and update expressions: parsed once for a text and its names, then run as closures.

The grammar is DynamoDB's. Conditions have no arithmetic there, so they have none here: an expression that AWS would
refuse is refused, with AWS's exception.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from testing.dynamodb.values import Item, Value, equal, is_comparable, order_of, size_of, type_of

Names = tuple[tuple[str, str], ...]
"""Aliases of attribute names with what they stand for, in the order of the request."""
Values = Mapping[str, Value]
Path = tuple[str | int, ...]
"""Names and list indexes from the item inwards, without aliases."""
Condition = Callable[[Item, Values], bool]
Operand = Callable[[Item, Values], Value | None]


class ExpressionError(Exception):
    """An expression that AWS refuses with a ValidationException."""


class DocumentError(ExpressionError):
    """The expression is right, but does not fit the item; inside a transaction this is a reason of its cancellation."""


_TOKEN: Final = re.compile(r"\s*(?:([#:]?[A-Za-z_0-9][A-Za-z0-9_\-]*)|(<>|<=|>=|[=<>(),.\[\]+\-]))")
_WORDS: Final = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"})
_MAX_TOKENS: Final = 1_000


def tokens_of(text: str) -> list[str]:
    """Words keep their case; keywords are compared in upper case."""
    found: list[str] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None or len(found) >= _MAX_TOKENS:
            raise ExpressionError(f"Syntax error at {stripped[position : position + 10]!r}")
        found.append(match[1] or match[2])
        position = match.end()
    return found


@dataclass(slots=True)
class _Reader:
    tokens: Sequence[str]
    names: Mapping[str, str]
    at: int = 0

    @staticmethod
    def of(text: str, names: Names) -> "_Reader":
        return _Reader(tokens_of(text), dict(names))

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def word(self) -> str:
        """The next token in upper case, to compare with keywords."""
        return self.peek().upper()

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if not token or (expected is not None and token.upper() != expected):
            raise ExpressionError(f"Syntax error; token: {token or '<EOF>'!r}, expected: {expected or 'more'!r}")
        self.at += 1
        return token

    def takes(self, token: str) -> bool:
        if self.word() == token:
            self.at += 1
            return True
        return False


# --- paths and operands


def _path(reader: _Reader) -> Path:
    parts: list[str | int] = [_path_part(reader)]
    while reader.peek() in {".", "["}:
        if reader.take() == ".":
            parts.append(_path_part(reader))
        else:
            index = reader.take()
            if not index.isdigit():
                raise ExpressionError(f"Syntax error; token: {index!r}")
            parts.append(int(index))
            reader.take("]")
    return tuple(parts)


def _path_part(reader: _Reader) -> str:
    token = reader.take()
    if (
        token.startswith(":")
        or token.upper() in _WORDS
        or not (token[0] == "#" or token[0].isalpha() or token[0] == "_")
    ):
        raise ExpressionError(f"Syntax error; token: {token!r}")
    if token[0] != "#":
        return token
    if token not in reader.names:
        raise ExpressionError(f"An expression attribute name used in the document path is not defined; {token}")
    return reader.names[token]


def _value_at(path: Path) -> Operand:
    """Reads what lies there, or None."""
    first, rest = str(path[0]), path[1:]
    if not rest:
        return lambda item, _values: item.get(first)

    def read(item: Item, _values: Values) -> Value | None:
        value: Value | None = item.get(first)
        for part in rest:
            if value is None:
                return None
            if isinstance(part, int):
                inner = value.get("L")
                value = inner[part] if inner is not None and part < len(inner) else None
            else:
                value = value["M"].get(part) if "M" in value else None
        return value

    return read


def _literal(alias: str) -> Operand:
    return lambda _item, values: values[alias]


def _operand(reader: _Reader) -> Operand:
    token = reader.peek()
    if token.startswith(":"):
        return _literal(reader.take())
    if token.lower() == "size" and reader.at + 1 < len(reader.tokens) and reader.tokens[reader.at + 1] == "(":
        reader.take()
        reader.take("(")
        inner = _value_at(_path(reader))
        reader.take(")")

        def size(item: Item, values: Values) -> Value | None:
            value = inner(item, values)
            length = size_of(value) if value is not None else None
            return None if length is None else {"N": str(length)}

        return size
    return _value_at(_path(reader))


# --- conditions


@lru_cache(maxsize=4096)
def condition(text: str, names: Names) -> Condition:
    """Raises `ExpressionError`. `check_aliases` comes first: the condition finds every value that it names."""
    reader = _Reader.of(text, names)
    parsed = _either(reader)
    if reader.peek():
        raise ExpressionError(f"Syntax error; token: {reader.peek()!r}")
    return parsed


def _either(reader: _Reader) -> Condition:
    parts = [_both(reader)]
    while reader.takes("OR"):
        parts.append(_both(reader))
    if len(parts) == 1:
        return parts[0]
    return lambda item, values: any(part(item, values) for part in parts)


def _both(reader: _Reader) -> Condition:
    parts = [_not(reader)]
    while reader.takes("AND"):
        parts.append(_not(reader))
    if len(parts) == 1:
        return parts[0]

    def both(item: Item, values: Values) -> bool:
        for part in parts:  # noqa: SIM110 - `all` over a generator takes twice the time, and this is run often
            if not part(item, values):
                return False
        return True

    return both


def _not(reader: _Reader) -> Condition:
    if reader.takes("NOT"):
        inner = _not(reader)
        return lambda item, values: not inner(item, values)
    if reader.peek() == "(":
        reader.take()
        inner = _either(reader)
        reader.take(")")
        return inner
    name = reader.peek().lower()
    if name in _FUNCTIONS and reader.at + 1 < len(reader.tokens) and reader.tokens[reader.at + 1] == "(":
        return _function(reader)
    return _comparison(reader)


def _comparison(reader: _Reader) -> Condition:
    left = _operand(reader)
    if reader.takes("BETWEEN"):
        low = _operand(reader)
        reader.take("AND")
        high = _operand(reader)
        at_least, at_most = _COMPARATORS[">="], _COMPARATORS["<="]
        return lambda item, values: (
            at_least(left(item, values), low(item, values)) and at_most(left(item, values), high(item, values))
        )
    if reader.takes("IN"):
        reader.take("(")
        options = [_operand(reader)]
        while reader.takes(","):
            options.append(_operand(reader))
        reader.take(")")
        return lambda item, values: any(_same(left(item, values), option(item, values)) for option in options)
    compare = _COMPARATORS.get(reader.take())
    if compare is None:
        raise ExpressionError("Syntax error; a comparator was expected")
    right = _operand(reader)
    return lambda item, values: compare(left(item, values), right(item, values))


def _same(left: Value | None, right: Value | None) -> bool:
    return left is not None and right is not None and equal(left, right)


def _differs(left: Value | None, right: Value | None) -> bool:
    """A missing attribute differs from every value."""
    return not _same(left, right)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Value | None, Value | None], bool]:
    def compare(left: Value | None, right: Value | None) -> bool:
        if left is None or right is None or not is_comparable(left, right):
            return False
        return test(order_of(left), order_of(right))

    return compare


_COMPARATORS: Final[Mapping[str, Callable[[Value | None, Value | None], bool]]] = {
    "=": _same,
    "<>": _differs,
    "<": _ordered(lambda a, b: a < b),
    "<=": _ordered(lambda a, b: a <= b),
    ">": _ordered(lambda a, b: a > b),
    ">=": _ordered(lambda a, b: a >= b),
}


def _exists(value: Value | None, _other: Value | None) -> bool:
    return value is not None


def _missing(value: Value | None, _other: Value | None) -> bool:
    return value is None


def _begins(value: Value | None, prefix: Value | None) -> bool:
    if value is None or prefix is None or type_of(value) != type_of(prefix) or type_of(value) not in {"S", "B"}:
        return False
    kind = type_of(value)
    return bool(value[kind].startswith(prefix[kind]))


def _contains(value: Value | None, part: Value | None) -> bool:
    if value is None or part is None:
        return False
    kind = type_of(value)
    if kind == "S":
        return "S" in part and part["S"] in value["S"]
    if kind == "L":
        return any(equal(inner, part) for inner in value["L"])
    if kind in {"SS", "NS", "BS"}:
        return kind[0] in part and part[kind[0]] in value[kind]
    return False


def _is_type(value: Value | None, kind: Value | None) -> bool:
    return value is not None and kind is not None and type_of(value) == kind.get("S")


_FUNCTIONS: Final[Mapping[str, tuple[int, Callable[[Value | None, Value | None], bool]]]] = {
    "attribute_exists": (1, _exists),
    "attribute_not_exists": (1, _missing),
    "attribute_type": (2, _is_type),
    "begins_with": (2, _begins),
    "contains": (2, _contains),
}


def _function(reader: _Reader) -> Condition:
    count, test = _FUNCTIONS[reader.take().lower()]
    reader.take("(")
    first = _value_at(_path(reader))
    second: Operand = lambda _item, _values: None  # noqa: E731 - the absent second operand
    if count == 2:
        reader.take(",")
        second = _operand(reader)
    reader.take(")")
    return lambda item, values: test(first(item, values), second(item, values))


# --- aliases


@lru_cache(maxsize=4096)
def check_aliases(texts: tuple[str, ...], names: tuple[str, ...], values: tuple[str, ...]) -> None:
    """AWS refuses aliases that no expression uses, and those that are not defined. Raises `ExpressionError`."""
    used = {token for text in texts for token in tokens_of(text) if token[0] in "#:"}
    defined = {*names, *values}
    if defined - used:
        raise ExpressionError(f"Value provided in expression attributes unused in expressions: {defined - used}")
    if used - defined:
        raise ExpressionError(f"An expression attribute used in expression is not defined; {used - defined}")


# --- key conditions


@lru_cache(maxsize=1024)
def key_equalities(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs of name and value alias that a key condition demands to be equal: where the partition key is found."""
    tokens = tokens_of(text)
    return tuple(
        (tokens[i - 1], tokens[i + 1])
        for i, token in enumerate(tokens)
        if token == "=" and 0 < i < len(tokens) - 1 and tokens[i + 1].startswith(":")
    )


# --- updates


@dataclass(frozen=True, slots=True)
class Action:
    """One change: the path, and for all but REMOVE what goes there."""

    verb: str
    path: Path
    operand: Operand | None


@lru_cache(maxsize=4096)
def update(text: str, names: Names) -> tuple[Action, ...]:
    """Raises `ExpressionError`."""
    reader = _Reader.of(text, names)
    actions: list[Action] = []
    seen: set[str] = set()
    while reader.peek():
        verb = reader.take().upper()
        if verb not in {"SET", "REMOVE", "ADD", "DELETE"} or verb in seen:
            raise ExpressionError(f"Syntax error; token: {verb!r}")
        seen.add(verb)
        actions.append(_action(verb, reader))
        while reader.takes(","):
            actions.append(_action(verb, reader))
    if not actions:
        raise ExpressionError("The expression can not be empty")
    _refuse_overlaps([action.path for action in actions])
    return tuple(actions)


def _action(verb: str, reader: _Reader) -> Action:
    path = _path(reader)
    if verb == "REMOVE":
        return Action(verb, path, None)
    if verb == "SET":
        reader.take("=")
        return Action(verb, path, _set_value(reader))
    token = reader.take()
    if not token.startswith(":"):
        raise ExpressionError(f"Syntax error; token: {token!r}")
    return Action(verb, path, _literal(token))


def _set_value(reader: _Reader) -> Operand:
    left = _set_operand(reader)
    sign = reader.peek()
    if sign not in {"+", "-"}:
        return left
    reader.take()
    right = _set_operand(reader)

    def total(item: Item, values: Values) -> Value:
        a, b = left(item, values), right(item, values)
        if a is None or b is None:
            raise DocumentError("The provided expression refers to an attribute that does not exist in the item")
        if "N" not in a or "N" not in b:
            raise DocumentError("Incorrect operand type for operator or function")
        return {"N": _text(Decimal(a["N"]) + Decimal(b["N"]) if sign == "+" else Decimal(a["N"]) - Decimal(b["N"]))}

    return total


def _text(number: Decimal) -> str:
    return str(int(number)) if number == number.to_integral_value() else str(number.normalize())


def _set_operand(reader: _Reader) -> Operand:
    token = reader.peek().lower()
    called = reader.at + 1 < len(reader.tokens) and reader.tokens[reader.at + 1] == "("
    if called and token == "if_not_exists":
        reader.take()
        reader.take("(")
        path = _value_at(_path(reader))
        reader.take(",")
        other = _set_operand(reader)
        reader.take(")")
        return lambda item, values: path(item, values) or other(item, values)
    if called and token == "list_append":
        reader.take()
        reader.take("(")
        first = _set_operand(reader)
        reader.take(",")
        second = _set_operand(reader)
        reader.take(")")
        return _appended(first, second)
    if called:
        raise ExpressionError(f"Invalid function name; function: {token}")
    return _operand(reader)


def _appended(first: Operand, second: Operand) -> Operand:
    def append(item: Item, values: Values) -> Value:
        a, b = first(item, values), second(item, values)
        if a is None or b is None:
            raise DocumentError("The provided expression refers to an attribute that does not exist in the item")
        if "L" not in a or "L" not in b:
            raise DocumentError("Incorrect operand type for operator or function; function: list_append")
        return {"L": a["L"] + b["L"]}

    return append


def apply_update(actions: Sequence[Action], item: Item, values: Values) -> Item:
    """A new item; every operand sees the item as it was before. The old one is shared, never changed."""
    found = [action.operand(item, values) if action.operand else None for action in actions]
    after = dict(item)
    for action, value in zip(actions, found, strict=True):
        if action.verb == "REMOVE":
            _write(after, action.path, None)
        elif value is None:
            raise DocumentError("The provided expression refers to an attribute that does not exist in the item")
        elif action.verb == "SET":
            _write(after, action.path, value)
        else:
            _write(after, action.path, _combined(action.verb, _value_at(action.path)(item, values), value))
    return after


def _refuse_overlaps(paths: Sequence[Path]) -> None:
    if len(paths) == len({path[0] for path in paths}):
        return
    for i, one in enumerate(paths):
        for other in paths[i + 1 :]:
            shorter = min(len(one), len(other))
            if one[:shorter] == other[:shorter]:
                raise ExpressionError("Two document paths overlap with each other")


def _combined(verb: str, old: Value | None, new: Value) -> Value | None:
    kind = type_of(new)
    if verb == "ADD":
        if kind == "N":
            if old is not None and "N" not in old:
                raise DocumentError("An operand in the update expression has an incorrect data type")
            return {"N": _text(Decimal(old["N"] if old else "0") + Decimal(new["N"]))}
        if kind not in {"SS", "NS", "BS"} or (old is not None and kind not in old):
            raise DocumentError("An operand in the update expression has an incorrect data type")
        return {kind: sorted({*(old[kind] if old else ()), *new[kind]})}
    if kind not in {"SS", "NS", "BS"} or (old is not None and kind not in old):
        raise DocumentError("An operand in the update expression has an incorrect data type")
    left = [member for member in (old[kind] if old else ()) if member not in new[kind]]
    return {kind: left} if left else None


def _write(item: Item, path: Path, value: Value | None) -> None:
    """Copy what lies on the way; None removes."""
    first = path[0]
    if not isinstance(first, str):
        raise DocumentError("The document path provided in the update expression is invalid for update")
    if len(path) == 1:
        if value is None:
            item.pop(first, None)
        else:
            item[first] = value
        return
    if first not in item:
        raise DocumentError("The document path provided in the update expression is invalid for update")
    item[first] = _written(item[first], path[1:], value)


def _written(node: Value, path: Path, value: Value | None) -> Value:
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        if "L" not in node:
            raise DocumentError("The document path provided in the update expression is invalid for update")
        return {"L": _written_list(node["L"], part, rest, value)}
    if "M" not in node:
        raise DocumentError("The document path provided in the update expression is invalid for update")
    inner = dict(node["M"])
    if rest:
        if part not in inner:
            raise DocumentError("The document path provided in the update expression is invalid for update")
        inner[part] = _written(inner[part], rest, value)
    elif value is None:
        inner.pop(part, None)
    else:
        inner[part] = value
    return {"M": inner}


def _written_list(members: Sequence[Value], index: int, rest: Path, value: Value | None) -> list[Value]:
    inner = list(members)
    if rest:
        if index >= len(inner):
            raise DocumentError("The document path provided in the update expression is invalid for update")
        inner[index] = _written(inner[index], rest, value)
    elif value is None:
        if index < len(inner):
            del inner[index]
    elif index < len(inner):
        inner[index] = value
    else:
        inner.append(value)
    return inner
