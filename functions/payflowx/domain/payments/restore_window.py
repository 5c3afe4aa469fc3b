"""The time that a restore of the tables has forgotten."""

from dataclasses import dataclass
from typing import Final

from payflowx.domain.shared.limits import DAY_MS

INQUIRED_AFTER_OPENING_MS: Final = DAY_MS
"""Payments and operations accepted so long after the opening may repeat a key of the forgotten time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreWindow:
    """The time that a restore has forgotten: from `restored_to_ms` until `stopped_at_ms`, when nothing ran any more.

    Recorded while all sources of work are off. Functions keep it for as long as the merchants' configuration, and the
    opening waits for longer than that: none that runs then can have a copy without it.
    """

    restored_to_ms: int
    stopped_at_ms: int
    recorded_at_ms: int
    opened_at_ms: int | None = None
    """None until the deployment is open again."""
    orders_known: bool = False
    """Whether an order that looks free is free: no forgotten payment can hold it."""

    @property
    def inquired_until_ms(self) -> int | None:
        """Payments and operations accepted until then are inquired about before their first send; None: all."""
        return None if self.opened_at_ms is None else self.opened_at_ms + INQUIRED_AFTER_OPENING_MS

    def concerns(self, created_at_ms: int) -> bool:
        """Return whether something accepted then may have been sent in the forgotten time under the same key."""
        until_ms = self.inquired_until_ms
        return until_ms is None or created_at_ms < until_ms

    def is_over(self, now_ms: int, longest_ms: int) -> bool:
        """Return whether nothing that it concerns can be sent any more.

        `longest_ms`: the longest time from acceptance to the last send.
        """
        until_ms = self.inquired_until_ms
        return until_ms is not None and now_ms >= until_ms + longest_ms
