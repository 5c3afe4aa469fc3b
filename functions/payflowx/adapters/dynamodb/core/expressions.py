"""Builds update and condition expressions. Every name is aliased, so that none can be a reserved word.

Conditions hold no arithmetic: DynamoDB refuses it, even where an emulator does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from payflowx.adapters.dynamodb.core.changes import Path, changes
from payflowx.adapters.dynamodb.core.values import Item, to_value

UNKNOWN: Final = object()
"""Stands for a stored value that was not read: an update sets it or removes it, whatever it is."""


@dataclass(slots=True)
class Expression:
    """Collects aliases of names and values while the texts are written."""

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def name(self, path: str) -> str:
        """The alias of an attribute, or of a path of attributes: `lease.epoch` -> `#lease.#epoch`."""
        if "." not in path:
            alias = f"#{path}"
            self.names[alias] = path
            return alias
        parts = path.split(".")
        self.names.update({f"#{part}": part for part in parts})
        return ".".join(f"#{part}" for part in parts)

    def place(self, path: Path) -> str:
        """The alias of a path of names and list indexes: `("attempts", 0, "state")` -> `#attempts[0].#state`."""
        text = self.name(str(path[0]))
        for part in path[1:]:
            text += f"[{part}]" if isinstance(part, int) else f".{self.name(part)}"
        return text

    def value(self, value: Any) -> str:
        """The alias of a value."""
        alias = f":v{len(self.values)}"
        self.values[alias] = to_value(value)
        return alias

    def equals(self, path: str, value: Any) -> str:
        """`path = value`."""
        return f"{self.name(path)} = {self.value(value)}"

    def at_most(self, path: str, value: Any) -> str:
        """`path <= value`."""
        return f"{self.name(path)} <= {self.value(value)}"

    def at_least(self, path: str, value: Any) -> str:
        """`path >= value`."""
        return f"{self.name(path)} >= {self.value(value)}"

    def less(self, path: str, value: Any) -> str:
        """`path < value`."""
        return f"{self.name(path)} < {self.value(value)}"

    def absent(self, path: str) -> str:
        """`path` is not there."""
        return f"attribute_not_exists({self.name(path)})"

    def update(self, before: Item, after: Item) -> str:
        """SET what differs, REMOVE what is gone, and name nothing else: what this release does not know stays."""
        changed, removed = changes(before, after)
        verbs = {
            "SET": [f"{self.place(path)} = {self.value(value)}" for path, value in changed],
            "REMOVE": [self.place(path) for path in removed],
        }
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in verbs.items() if parts)

    def assignments(self, values: Mapping[str, Any]) -> str:
        """`name = value, name = value`."""
        return ", ".join(self.equals(name, value) for name, value in values.items())

    def arguments(self) -> dict[str, Any]:
        """The aliases, as the API takes them."""
        return {"ExpressionAttributeNames": self.names, "ExpressionAttributeValues": self.values}
