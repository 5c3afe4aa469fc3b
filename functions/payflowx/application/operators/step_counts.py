"""Calls, write units, half read units, messages of each step. Written by `python -m bench counts`."""

from collections.abc import Mapping
from typing import Final

STEPS: Final[Mapping[str, Mapping[str, tuple[int, int, int, int]]]] = {
    "no endpoint": {
        "accept": (2, 3, 0, 1),
        "accept, with an order": (2, 6, 0, 1),
        "first attempt": (2, 9, 0, 0),
        "later attempt": (4, 10, 2, 1),
        "inquiry": (4, 9, 2, 1),
        "inquiry without news": (5, 6, 4, 1),
        "operation": (7, 25, 6, 1),
        "delivery of an operation": (0, 0, 0, 0),
        "delivery": (0, 0, 0, 0),
        "repeated delivery": (0, 0, 0, 0),
    },
    "one endpoint": {
        "accept": (2, 3, 0, 1),
        "accept, with an order": (2, 6, 0, 1),
        "first attempt": (2, 9, 0, 0),
        "later attempt": (4, 10, 2, 1),
        "inquiry": (4, 9, 2, 1),
        "inquiry without news": (6, 7, 4, 2),
        "operation": (8, 26, 6, 2),
        "delivery of an operation": (3, 2, 8, 0),
        "delivery": (0, 0, 0, 0),
        "repeated delivery": (6, 5, 6, 1),
    },
}
