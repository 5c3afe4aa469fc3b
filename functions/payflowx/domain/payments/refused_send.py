"""The refusal of a capture, void or refund, and the complete reads that prove it. Pure.

A documented refusal of the first send is proven by one complete read of the charge's operations without ours. After a
re-send, an earlier request of ours may be the cause of the refusal: then it takes two complete reads, the second at
least the provider's visibility lag after the last send.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

REFUSED_SEND: Final = "refused_send"
"""The fact of an attempt's progress that holds the refusal. Release 0.2.0 fails on an unknown attribute of an attempt,
but carries facts along.
"""
_READS_AFTER_A_RESEND: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSend:
    """The answer to the latest send of an operation, as long as it is not proven. The attempt has code and message."""

    at_ms: int
    is_first_send: bool
    claims_done: bool
    """As `Rejected.claims_done`: the list must also show where the whole amount went."""
    complete_reads: int = 0
    """Number of complete reads without ours since then."""

    def is_proven_by(self, complete_reads: int, lag_ms: int, now_ms: int) -> bool:
        """Return whether nothing happened, after this number of complete reads without ours, the last one just now."""
        if self.is_first_send:
            return complete_reads >= 1
        return complete_reads >= _READS_AFTER_A_RESEND and now_ms >= self.at_ms + lag_ms


def without_refusal(progress: Mapping[str, str]) -> Mapping[str, str]:
    """Return the facts of an attempt without its refusal."""
    return {name: value for name, value in progress.items() if name != REFUSED_SEND}


def with_refusal(progress: Mapping[str, str], refused: RefusedSend | None) -> Mapping[str, str]:
    """Return the facts of an attempt with this refusal; None leaves them as they are."""
    if refused is None:
        return progress
    numbers = (refused.at_ms, int(refused.is_first_send), int(refused.claims_done), refused.complete_reads)
    return {**progress, REFUSED_SEND: " ".join(map(str, numbers))}


def refusal_in(progress: Mapping[str, str]) -> RefusedSend | None:
    """Return the refusal in the facts of an attempt. Raises ValueError for a text of another form."""
    text = progress.get(REFUSED_SEND)
    if text is None:
        return None
    at_ms, is_first_send, claims_done, complete_reads = map(int, text.split(" "))
    return RefusedSend(
        at_ms=at_ms,
        is_first_send=bool(is_first_send),
        claims_done=bool(claims_done),
        complete_reads=complete_reads,
    )
