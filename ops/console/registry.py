"""The screens, in the order of the menu. To add one: its module, and a line here."""

from typing import Final

from ops.console.screen import Screen
from ops.console.screens.find import FIND
from ops.console.screens.now import NOW
from ops.console.screens.reviews import REVIEWS
from ops.console.screens.runbooks import RUNBOOKS
from ops.console.screens.story import STORY

SCREENS: Final[tuple[Screen, ...]] = (
    NOW,
    FIND,
    REVIEWS,
)

HIDDEN: Final[tuple[Screen, ...]] = (STORY, RUNBOOKS)
"""Reached from other screens only."""
