"""The refusal of a capture, void or refund, and the complete reads that prove it. Pure.

A documented refusal of the first send is proven by one complete read of the charge's operations without ours. After a
re-send, an earlier request of ours may be the cause of the refusal: then it takes two complete reads, the second at
least the provider's visibility lag after the last send.
"""

from dataclasses import dataclass

_READS_AFTER_A_RESEND = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSend:
    """The answer to the latest send of an operation, as long as it is not proven."""

    code: str
    message: str
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
