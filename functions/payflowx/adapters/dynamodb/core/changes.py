"""The difference between two stored forms of one thing, path by path.

A write names the attributes that it changes and no others. So an attribute of a newer release, which this release
neither reads nor writes, stays where it is: on the item, and on each part that has an identity of its own (a lease, an
attempt, a delivery to an endpoint, an endpoint). A value without an identity (an error, a payer's action, a customer)
describes one fact and is replaced as a whole: an attribute of the old fact would be a lie about the new one, and an
erasure must not leave what it cannot name.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payflowx.adapters.dynamodb.core.values import Item

Path = tuple[str | int, ...]
Changes = tuple[list[tuple[Path, Any]], list[Path]]
"""What is set, with its value; and what is removed."""

_LEVELS: Final[Mapping[str, int]] = {"lease": 1, "attempts": 2, "deliveries": 2, "endpoints": 2}
"""Attributes whose parts have an identity, with the number of levels down to the attributes of such a part."""


def changes(before: Item, after: Item) -> Changes:
    """Both as this release writes them; None and absent are the same."""
    found: Changes = ([], [])
    for name in before | after:
        old, new = before.get(name), after.get(name)
        if old != new:
            _compare((name,), old, new, _LEVELS.get(name, 0), found)
    return found


def _compare(path: Path, before: Any, after: Any, levels: int, found: Changes) -> None:
    if before == after:
        return
    changed, removed = found
    if after is None:
        removed.append(path)
    elif levels and isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in {**before, **after}:
            _compare((*path, name), before.get(name), after.get(name), levels - 1, found)
    elif levels and isinstance(before, list) and isinstance(after, list) and _is_aligned(before, after):
        for place, old in enumerate(before):
            _compare((*path, place), old, after[place], levels - 1, found)
        changed.extend(((*path, place), after[place]) for place in range(len(before), len(after)))
    elif levels and isinstance(before, list) and (gone := _place_of_removed(before, after)) is not None:
        removed.append((*path, gone))
    else:
        changed.append((path, after))


def _is_aligned(before: Sequence[Item], after: Sequence[Item]) -> bool:
    """Every member kept its place, and new ones follow. Members without an id are known by their place."""
    return len(before) <= len(after) and all(
        old.get("id") == new.get("id") for old, new in zip(before, after, strict=False)
    )


def _place_of_removed(before: Sequence[Item], after: Sequence[Item]) -> int | None:
    """The place of the one member that is gone while nothing else changed; None if that is not what happened."""
    for place in range(len(before)):
        if [*before[:place], *before[place + 1 :]] == list(after):
            return place
    return None
