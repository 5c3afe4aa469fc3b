"""Broken designs that are neither found nor proven equivalent yet. `OPEN=1 make mutants` hunts them.

Most need two rare things about one payment at once, such as a refund in a dashboard while one of ours has no answer,
or a bank that still processes a try while the object is closed. Those about checkouts are held by the connectors' tests
(`tests/unit/providers/test_*_hosted.py`) and by `tests/unit/application/checkout/test_doors.py`.
"""

from typing import Final

UNDECIDED: Final = frozenset(
    {
        "a cancellation goes on after our own capture has left",
        "an expired order of Cashfree is closed at once",
        "an order of Cashfree whose termination was asked for is closed",
        "an expired invoice of PayU is closed while a try is under way",
        "a closed session of the mocks is closed while its bank processes a try",
        "a failed payment of a closed link of Razorpay is final",
        "a failed try in a closed session of Razorpay's mock is final",
        "the expiry of an object is computed anew at each send",
        "the read after a closing does not count",
        "the amount of a created link of Razorpay is not compared",
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
