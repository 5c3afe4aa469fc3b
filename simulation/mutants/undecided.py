"""Broken designs that are neither found nor proven equivalent yet. `OPEN=1 make mutants` hunts them.

Most need two rare things about one payment at once, such as a review that a person closes while another
attempt may still be charged: a scenario of their own may find them (`simulation/scenarios.py`).
"""

from typing import Final

UNDECIDED: Final = frozenset(
    {
        "a capture begins although another payment of the order was charged",
        "closing a review gives back what is given back already",
        "a refused operation is not watched for the provider's lag",
        "an attempt that is opened again keeps the time of its first try",
        "a hosted object that a person found paid is not read once more",
        "when a person closes a review, nobody inquires about what else may be charged",
        "an approval does not see that another one came after its read",
        "after a restore, a late authorization is captured although a later key is known",
    }
)
