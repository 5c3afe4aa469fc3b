"""Broken designs that are neither found nor proven equivalent yet. `OPEN=1 make mutants` hunts them.

Most need two rare things about one payment at once, such as a bank that still processes a try while the object is
closed, or a cancellation that fails after the money was held. Those about checkouts are held by the connectors' tests
(`tests/unit/providers/test_*_hosted.py`) and by `tests/unit/application/checkout/test_doors.py`.
"""

from typing import Final

UNDECIDED: Final = frozenset(
    {
        "an order of Cashfree whose termination was asked for is closed",
        "an expired invoice of PayU is closed while a try is under way",
        "a failed payment of a closed link of Razorpay is final",
        "a failed try in a closed session of Razorpay's mock is final",
        "the amount of a created link of Razorpay is not compared",
        "a failed cancellation waits until the authorization lapses",
        "a hint about a charge starts the next attempt of its capture at once",
        "refunds of others are read as long as a refusal of ours is not proven",
        "a job of the slow lane takes no lease",
        "closing a review gives back what is given back already",
        "a cancelled payment frees its order while a decline may reopen",
    }
)
