"""A broken design: patches for the time of a run, mostly as changes of the product's own source."""

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from unittest.mock import patch

Patches = list[AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`survives`: the argument why nobody can tell it from the real design; empty for all that must be found.

    `room`: the capability that it breaks. `scenario`: the one whose seeds find it, where the others do not.
    """

    room: str
    name: str
    patches: Callable[[], Patches]
    survives: str = ""
    scenario: str | None = None


@contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """Broken like that for a while."""
    with ExitStack() as stack:
        for each in mutant.patches():
            stack.enter_context(each)
        yield


def edited(owner: Any, name: str, *changes: tuple[str, str], **more: Any) -> Patches:
    """The function or method `name` of `owner` with parts of its source replaced; `more` are names that it needs.

    Each part must stand in the source exactly once: a mutant whose place is gone is an error, not a survivor. The new
    function sees its module as it is when it runs, so that it calls the other changed functions of a mutant.
    """
    original = vars(owner)[name]
    function: Any = original.__func__ if isinstance(original, classmethod | staticmethod) else original
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        if source.count(old) != 1:
            raise LookupError(f"{name} holds {source.count(old)} times: {old}")
        source = source.replace(old, new)
    scope: dict[str, Any] = {}
    maker = f"def made({', '.join(more)}):\n{textwrap.indent(source, '    ')}\n    return {name}\n"
    exec(compile(maker, f"<mutant of {name}>", "exec"), function.__globals__, scope)  # noqa: S102 - our own source
    return replaced(owner, name, scope["made"](**more))


def replaced(owner: Any, name: str, replacement: Any) -> Patches:
    """A method of a class; or a function of a module, wherever it was imported by its name."""
    if not isinstance(owner, ModuleType):
        return [patch.object(owner, name, replacement)]
    original = vars(owner)[name]
    users = [module for key, module in sorted(sys.modules.items()) if key.startswith("payflowx.")]
    places = [(module, known) for module in users for known, value in vars(module).items() if value is original]
    return [patch.object(module, known, replacement) for module, known in places]


@dataclass(frozen=True, slots=True)
class Edit:
    """A part of a function's source and what stands there instead."""

    owner: Any
    function: str
    old: str
    new: str


def edits(*parts: Edit, **names: Any) -> Patches:
    """All parts; those of one function make one new source. `names` are further names that the new sources need."""
    places = dict.fromkeys((id(part.owner), part.function) for part in parts)
    found: Patches = []
    for place in places:
        of_place = [part for part in parts if (id(part.owner), part.function) == place]
        changes = [(part.old, part.new) for part in of_place]
        found += edited(of_place[0].owner, place[1], *changes, **names)
    return found


def broken(room: str, name: str, *parts: Edit, survives: str = "", scenario: str | None = None, **names: Any) -> Mutant:
    """A mutant that consists of edits."""
    return Mutant(room, name, lambda: edits(*parts, **names), survives, scenario)
