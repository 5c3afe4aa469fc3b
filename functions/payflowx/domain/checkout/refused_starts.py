"""Port of the count of starts that payers' pages refused, an hour and merchant."""

from typing import Protocol


class RefusedStarts(Protocol):
    """Hours are those of UTC. Only merchants with a limit are counted.

    Raises `StorageUnavailableError`.
    """

    def add(self, merchant_id: str, now_ms: int) -> None: ...

    def of_this_hour(self, merchant_id: str, now_ms: int) -> int: ...
