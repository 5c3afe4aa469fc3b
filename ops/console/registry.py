"""The screens, in the order of the menu. To add one: its module, and a line here."""

from typing import Final

from ops.console.screen import Screen
from ops.console.screens.approvals import APPROVALS
from ops.console.screens.dead_letters import DEAD_LETTERS
from ops.console.screens.deliveries import DELIVERIES
from ops.console.screens.find import FIND
from ops.console.screens.merchants import MERCHANTS
from ops.console.screens.now import NOW
from ops.console.screens.providers import PROVIDERS
from ops.console.screens.reconciliation import RECONCILIATION
from ops.console.screens.reviews import REVIEWS
from ops.console.screens.routing import ROUTING
from ops.console.screens.runbooks import RUNBOOKS
from ops.console.screens.story import STORY

SCREENS: Final[tuple[Screen, ...]] = (
    NOW,
    FIND,
    REVIEWS,
    DELIVERIES,
    DEAD_LETTERS,
    RECONCILIATION,
    ROUTING,
    PROVIDERS,
    MERCHANTS,
)

HIDDEN: Final[tuple[Screen, ...]] = (STORY, APPROVALS, RUNBOOKS)
"""Reached from other screens only."""
