"""Refuses changes of the API's contract that break a client: `python -m bench.openapi_diff origin/main`.

A client that was written for the base must go on working: what it sends must be accepted, and what it reads must be
there. A new value of a field in an answer is no break; docs/api.md tells clients to expect it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENT: Final = "docs/openapi.json"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_UPPER: Final = ("maximum", "maxLength", "maxItems", "maxProperties")
_LOWER: Final = ("minimum", "minLength", "minItems")

Schema = Mapping[str, Any]


class Direction(StrEnum):
    """Who writes the value: a client in a request, or we in an answer."""

    SENT = "sent"
    READ = "read"


@dataclass(kw_only=True)
class Comparison:
    """Two documents. Shapes refer to themselves, so each pair of names is compared once in each direction."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]
    seen: set[tuple[str, str, Direction]] = field(default_factory=set)

    def breaks(self) -> Iterator[str]:
        """One sentence each."""
        for path, operations in self.old["paths"].items():
            for method in _METHODS:
                if method not in operations:
                    continue
                where = f"{method.upper()} {path}"
                now = self.new["paths"].get(path, {}).get(method)
                if now is None:
                    yield f"{where} is gone"
                else:
                    yield from self._operation(where, operations[method], now)

    def _operation(self, where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
        if self._open(self.old, old) and not self._open(self.new, new):
            yield f"{where} needs a key now"
        yield from self._parameters(where, old.get("parameters", ()), new.get("parameters", ()))
        before, after = _body(old.get("requestBody")), _body(new.get("requestBody"))
        if before is not None and after is None:
            yield f"{where} takes no body any more"
        if after is not None and before is None and new["requestBody"].get("required"):
            yield f"{where} requires a body now"
        if before is not None and after is not None:
            yield from self._schema(f"{where} body", before, after, Direction.SENT)
        for status, answer in old["responses"].items():
            if not status.startswith("2"):
                continue
            now = new["responses"].get(status)
            if now is None:
                yield f"{where} does not answer {status} any more"
                continue
            read, write = _body(answer), _body(now)
            if read is not None and write is not None:
                yield from self._schema(f"{where} {status}", read, write, Direction.READ)
            elif read is not None:
                yield f"{where} {status} has no body any more"

    @staticmethod
    def _open(document: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
        return not operation.get("security", document.get("security"))

    def _parameters(self, where: str, old: Any, new: Any) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in old}
        after = {(p["in"], p["name"]): p for p in new}
        for (place, name), parameter in before.items():
            now = after.get((place, name))
            if now is None:
                yield f"{where} knows no {place} {name} any more"
                continue
            if now.get("required") and not parameter.get("required"):
                yield f"{where} requires {place} {name} now"
            yield from self._schema(f"{where} {place} {name}", parameter["schema"], now["schema"], Direction.SENT)
        for (place, name), parameter in after.items():
            if (place, name) not in before and parameter.get("required"):
                yield f"{where} requires {place} {name} now"

    # -- schemas

    def _schema(self, where: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
        pair = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True), direction)
        if pair in self.seen:
            return
        self.seen.add(pair)
        old, new = _resolved(self.old, old), _resolved(self.new, new)
        if "anyOf" in old or "anyOf" in new:
            yield from self._alternatives(where, old, new, direction)
            return
        yield from _types(where, old, new, direction)
        if direction is Direction.SENT:
            yield from _narrower(where, old, new)
        yield from self._fields(where, old, new, direction)
        if "items" in old and "items" in new:
            yield from self._schema(f"{where}[]", old["items"], new["items"], direction)

    def _alternatives(self, where: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
        before, after = old.get("anyOf", [old]), new.get("anyOf", [new])
        # A reader must understand all that is written: the writer's alternatives are looked for among the reader's.
        written, understood = (before, after) if direction is Direction.SENT else (after, before)
        for one in written:
            if not any(self._fits(one, other, direction) for other in understood):
                yield f"{where}: {_named(one)} is {'refused' if direction is Direction.SENT else 'new in the answer'}"

    def _fits(self, written: Schema, understood: Schema, direction: Direction) -> bool:
        old, new = (written, understood) if direction is Direction.SENT else (understood, written)
        trial = Comparison(old=self.old, new=self.new, seen=set(self.seen))
        return not any(True for _ in trial._schema("", old, new, direction))

    def _fields(self, where: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in after:
                yield f"{where}.{name} is gone"
            else:
                yield from self._schema(f"{where}.{name}", schema, after[name], direction)
        needed, given = set(old.get("required", ())), set(new.get("required", ()))
        if direction is Direction.SENT:
            yield from (f"{where}.{name} is required now" for name in sorted(given - needed))
        else:
            yield from (f"{where}.{name} may be absent now" for name in sorted((needed - given) & set(after)))


def _types(where: str, old: Schema, new: Schema, direction: Direction) -> Iterator[str]:
    before, after = _listed(old.get("type")), _listed(new.get("type"))
    written, understood = (before, after) if direction is Direction.SENT else (after, before)
    if before and after and not written <= understood | ({"integer"} if "number" in understood else set()):
        yield f"{where} was {'/'.join(sorted(before))} and is {'/'.join(sorted(after))}"
    if old.get("format") != new.get("format") and "format" in new and direction is Direction.SENT:
        yield f"{where} must be a {new['format']} now"


def _narrower(where: str, old: Schema, new: Schema) -> Iterator[str]:
    """Values that were accepted and are refused now."""
    if "enum" in new:
        refused = set(old.get("enum", ("any other value",))) - set(new["enum"])
        yield from (f"{where} refuses {value} now" for value in sorted(map(str, refused)))
    if "pattern" in new and old.get("pattern") != new["pattern"]:
        yield f"{where} must match {new['pattern']} now"
    for name in _UPPER:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{where} has {name} {new[name]} now"
    for name in _LOWER:
        if name in new and (name not in old or new[name] > old[name]):
            yield f"{where} has {name} {new[name]} now"
    if new.get("additionalProperties") is False and old.get("additionalProperties", True) is not False:
        yield f"{where} refuses unknown fields now"


def _resolved(document: Mapping[str, Any], schema: Schema) -> Schema:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _body(message: Mapping[str, Any] | None) -> Schema | None:
    """The schema of a request's or an answer's JSON."""
    content = (message or {}).get("content", {})
    found: Schema | None = content.get("application/json", {}).get("schema")
    return found


def _listed(value: Any) -> set[str]:
    return set() if value is None else set(value) if isinstance(value, list) else {value}


def _named(schema: Schema) -> str:
    return str(schema.get("$ref", schema.get("type", "a shape"))).rpartition("/")[2]


def main(base: str) -> int:
    """Exit status 1 and a sentence for each break, with the base branch's document as the contract."""
    command = ("git", "show", f"{base}:{DOCUMENT}")
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    old, new = json.loads(shown.stdout), json.loads((ROOT / DOCUMENT).read_text())
    found = list(Comparison(old=old, new=new).breaks())
    print("\n".join(found) if found else f"No client of {base} breaks.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
