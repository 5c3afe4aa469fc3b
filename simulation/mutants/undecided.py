"""Broken designs that are neither found nor proven equivalent yet. `OPEN=1 make mutants` hunts them.

Most that were here needed two rare things about one payment at once, such as a review that a person closes while
another attempt may still be charged. A scenario of their own (`simulation/scenarios.py`) or a sharper rule found them.
"""

from typing import Final

UNDECIDED: Final[frozenset[str]] = frozenset(
    {"after a restore, a search that proves nothing is not repeated behind an open attempt"}
)
