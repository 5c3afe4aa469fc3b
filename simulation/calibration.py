"""How fast this machine is right now: a loop of the kind of work that a simulation does.

Speeds are compared in units of this loop, so that a slow or busy machine fails no run and a slower simulator does.
"""

import time
from typing import Final

_ROUNDS: Final = 6_000
_ATTRIBUTES: Final = 12

MIN_SPEED: Final = 1.0
"""Payments and operations in the time of one loop, below which a run of many seeds fails. Each run prints its own."""


def loop_seconds() -> float:
    """The CPU time of one loop: dictionaries made, copied and compared, texts joined, functions called."""
    started = time.process_time()
    item: dict[str, dict[str, str]] = {}
    for number in range(_ROUNDS):
        item = {f"name{index}": {"N": str(number + index)} for index in range(_ATTRIBUTES)}
        plain = {name: _read(value) for name, value in item.items()}
        if sum(plain.values()) < 0 or item.keys() != plain.keys():
            raise AssertionError("unreachable: the loop is there to take time")
    return time.process_time() - started


def _read(value: dict[str, str]) -> int:
    ((_, inner),) = value.items()
    return int(inner)
