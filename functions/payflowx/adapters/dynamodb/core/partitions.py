"""Among how many partitions of an index the entries of one kind are spread.

DynamoDB takes a thousand write units a second for one key of an index, and does not split a key by itself.

Every reader asks for all partitions that there may be. Writers use the first ones until the deployment lets them use
all: functions of two configurations run beside each other while a deployment goes on, and none may write where another
one does not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.adapters.dynamodb.core import keys
from payflowx.domain.shared.identifiers import shard_of
from payflowx.domain.shared.limits import DUE_SHARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitions:
    """`lists`: of each day of a merchant. `due_shards`: of what is due. `are_written`: whether writers use them all."""

    lists: int = 1
    due_shards: int = DUE_SHARDS
    are_written: bool = False

    def of_day(self, day: str) -> Sequence[str]:
        """Return the keys of a merchant's day. The first one has the key of a day that is one partition."""
        return [day, *(_further(day, number) for number in range(1, self.lists))]

    def of_listed(self, day: str, item_id: str) -> str:
        """Return the key of the day for a new item: it is written once, and kept however the number changes."""
        number = shard_of(item_id, self.written_lists)
        return _further(day, number) if number else day

    def due_shard(self, entity_id: str) -> str:
        """Return the partition of the due index for a payment, operation, event or search."""
        return keys.due_shard_name(shard_of(entity_id, self.written_shards))

    @property
    def written_lists(self) -> int:
        """Return how many partitions of a day get new items."""
        return self.lists if self.are_written else 1

    @property
    def written_shards(self) -> int:
        """Return how many shards get what is due."""
        return self.due_shards if self.are_written else DUE_SHARDS


FIRST: Final = Partitions()
"""As every deployment begins."""


def _further(day: str, number: int) -> str:
    return f"{day}#{number}"
