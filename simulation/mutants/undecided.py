"""Broken designs that are neither found nor proven equivalent yet. `OPEN=1 make mutants` hunts them.

Most need two rare things about one payment at once, such as a refund in a dashboard while one of ours has no answer.
"""

from typing import Final

UNDECIDED: Final = frozenset(
    {
        "a cancellation goes on after our own capture has left",
        "a decline that may reopen is not watched",
        "a failed cancellation waits until the authorization lapses",
        "an excess is forgotten",
        "the proof of an event is not verified",
        "a hint about a charge starts the next attempt of its capture at once",
        "a refund of ours is booked as made at the provider",
        "a refund without a key is booked although ours may be it",
        "closing a review gives back what is given back already",
        "a line of a report closes a charge without an inquiry",
        "a cancelled payment frees its order while a decline may reopen",
    }
)
