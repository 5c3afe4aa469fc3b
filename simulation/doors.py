"""Looks at providers' hosted objects at the moment when a payment's item says that one opened or ended."""

from dataclasses import dataclass
from typing import Final

from simulation.browsing import Tab
from simulation.history import Door, History
from simulation.kernel import Kernel
from simulation.layouts import provider_key
from simulation.providers import Shop, SimulatedProviders
from testing.dynamodb.values import Item

_CLOSED: Final = frozenset({"DECLINED", "FENCED", "REJECTED", "NOT_SENT"})


@dataclass(slots=True)
class Doors:
    """Opens each object's page as a browser does, which changes nothing."""

    kernel: Kernel
    history: History
    providers: SimulatedProviders

    def observe(self, partition: str, before: Item | None, after: Item) -> None:
        """A payment with a checkout was written."""
        known = before["attempts"]["L"] if before is not None else []
        for place, attempt in enumerate(after["attempts"]["L"]):
            now, then = attempt["M"], known[place]["M"] if place < len(known) else {}
            if "next_action" in now and "next_action" not in then:
                self._note(partition, now, after, opened=True)
            elif "next_action" in then and _ended(now) and not _ended(then):
                self._note(partition, {**now, "next_action": then["next_action"]}, after, opened=False)

    def _note(self, partition: str, attempt: Item, item: Item, *, opened: bool) -> None:
        shop, tab = self._page(partition, attempt)
        key = provider_key(item, attempt)
        state, tries = self.providers.object_state(shop, key, tab)
        others = tuple(
            self._other(partition, item, other["M"])
            for other in item["attempts"]["L"]
            if "next_action" in other["M"] and provider_key(item, other["M"]) != key
        )
        provider = attempt["provider"]["S"]
        self.history.doors.append(
            Door(self.kernel.now_ms, partition, key, provider, opened, state, tries, tab.amount, others)
        )

    def _other(self, partition: str, item: Item, attempt: Item) -> tuple[str, str, str, int]:
        shop, tab = self._page(partition, attempt)
        key = provider_key(item, attempt)
        return (key, attempt["provider"]["S"], *self.providers.object_state(shop, key, tab))

    def _page(self, partition: str, attempt: Item) -> tuple[Shop, Tab]:
        merchant, action = partition.split("#")[1], attempt["next_action"]["M"]
        fields = action["fields"]["M"] if "fields" in action else {}
        form = {name: value["S"] for name, value in fields.items()}
        shop = self.providers.shop(merchant, attempt["provider"]["S"])
        return shop, self.providers.open_page(action["url"]["S"], form)


def _ended(attempt: Item) -> bool:
    return bool(attempt["state"]["S"] in _CLOSED)
