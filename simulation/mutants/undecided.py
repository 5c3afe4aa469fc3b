"""Broken designs that are neither found nor proven equivalent yet. `OPEN=1 make mutants` hunts them.

Most need something that the simulated world does too seldom or not at all: operations that a provider declines or
reverses, false lines in reports, several provider events about a request that waits, lists that are read.
"""

from typing import Final

UNDECIDED: Final = frozenset(
    {
        "a decline that may reopen is not watched",
        "re-send after the provider's window",
        "attempts begin after the charge deadline",
        "a failed cancellation waits until the authorization lapses",
        "an excess is forgotten",
        "`held` is inferred from the code of an error",
        "an operation is re-sent after the provider's window",
        "a re-send of a refund that could not be sent closes its attempt",
        "a reversal is not followed",
        "a refused refund is tried again",
        "signatures are not verified",
        "the merchant of an event is not compared",
        "an event is looked up at every merchant",
        "the proof of an event is not verified",
        "a hint starts the next attempt at once",
        "a hint about a charge starts the next attempt of its capture at once",
        "a refund made at the provider is booked by each event about it",
        "a refund of ours is booked as made at the provider",
        "a refund without a key is booked although ours may be it",
        "closing a review gives back what is given back already",
        "a review of a refund keeps no amount reserved",
        "a review that is closed books nothing",
        "a line of a report closes a charge without an inquiry",
        "the list of payments is everyone's",
        "erasure keeps the description",
        "erasure keeps the metadata",
        "erasure is confirmed and not stored",
        "a payment with an open refund is erased",
        "the sweeper forgets events",
    }
)
