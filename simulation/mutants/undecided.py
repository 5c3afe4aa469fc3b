"""Broken designs that are neither found nor proven equivalent yet. `OPEN=1 make mutants` hunts them.

Most need two rare things about one payment at once, such as a review that a person closes while another
attempt may still be charged: a scenario of their own may find them (`simulation/scenarios.py`).
"""

from typing import Final

UNDECIDED: Final = frozenset(
    {
        "when a person closes a review, nobody inquires about what else may be charged",
        "after a restore, a late authorization is captured although a later key is known",
    }
)
