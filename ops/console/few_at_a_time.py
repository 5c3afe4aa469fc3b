"""A page asks the operators' function several questions. More at once would start more of its sandboxes, each cold."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ops.invoker import Function, Invoker
from ops.target import Target

_AT_ONCE: Final = 2

FindInvoker = Callable[[Target, Function], Invoker]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Waits for its turn."""

    invoker: Invoker
    turns: threading.Semaphore

    def __call__(self, command: Mapping[str, Any]) -> dict[str, Any]:
        with self.turns:
            return self.invoker(command)


def few_at_a_time(find: FindInvoker) -> FindInvoker:
    """The same invokers, of which two ask at once."""
    turns = threading.Semaphore(_AT_ONCE)
    return lambda target, function: _Waiting(find(target, function), turns)
