"""Calls, write units, half read units, messages of each step. Written by `python -m bench counts`."""

from collections.abc import Mapping
from typing import Final

STEPS: Final[Mapping[str, Mapping[str, tuple[int, int, int, int]]]] = {
    "no endpoint": {
        "accept": (2, 8, 0, 1),
        "accept, with an order": (2, 10, 0, 1),
        "first attempt": (3, 15, 0, 1),
        "later attempt": (4, 12, 2, 1),
        "inquiry": (4, 12, 2, 1),
        "inquiry without news": (4, 8, 2, 1),
        "operation": (8, 30, 6, 2),
        "delivery of an operation": (3, 2, 4, 0),
        "delivery": (3, 2, 4, 0),
        "repeated delivery": (0, 0, 0, 0),
    },
    "one endpoint": {
        "accept": (2, 8, 0, 1),
        "accept, with an order": (2, 10, 0, 1),
        "first attempt": (3, 15, 0, 1),
        "later attempt": (4, 12, 2, 1),
        "inquiry": (4, 12, 2, 1),
        "inquiry without news": (4, 8, 2, 1),
        "operation": (8, 30, 6, 2),
        "delivery of an operation": (5, 2, 8, 0),
        "delivery": (4, 2, 6, 0),
        "repeated delivery": (8, 5, 6, 1),
    },
}
