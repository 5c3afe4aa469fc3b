"""Makes the data in memory: what the environment's tables, queues, simulators and charts would hold after a week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ops.demo_data.place import Place
from ops.demo_data.story import DAY_MS, DAYS, FATES, KEY_PREFIX, Story
from ops.demo_data.world import Measured, World
from payflowx.domain.shared.identifiers import derive_transaction_id
from simulation.functions import current_wirings
from testing.dynamodb.values import Item

_SEED: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoData:
    """`items` by table, `dead_letters` as bodies by the addresses of their queues, `books` as records by provider.

    A record of the books is its kind, its key and its content.
    """

    items: Mapping[str, Sequence[Item]]
    dead_letters: Mapping[str, Sequence[str]]
    books: Mapping[str, Sequence[tuple[str, str, dict[str, Any]]]]
    measured: Sequence[Measured]
    defects: Sequence[str]
    """Exceptions that no function foresaw: there must be none."""


def make(place: Place, *, end_ms: int) -> DemoData:
    """A week that ends then. The same for the same place and time."""
    start_ms = end_ms - DAYS * DAY_MS
    world = World(place, seed=_SEED, start_ms=start_ms)
    Story(world, start_ms, end_ms).plan()
    with current_wirings(world.kernel):
        world.kernel.run(end_ms)
        world.kernel.close()
    return DemoData(
        items={name: _changed(name, world, place) for name in world.tables},
        dead_letters={
            place.settings[f"{name}_DEAD_LETTERS_URL"]: [message.body for message in queue.dead]
            for name, queue in world.queues.items()
        },
        books={
            shop.account.provider: [
                (kind, key, {name: value for name, value in record.items() if name != "version"})
                for kind, records in shop.books.kinds.items()
                for key, record in records.items()
            ]
            for shop in world.providers.shops.values()
        },
        measured=[*world.history.measured, *_of_the_api(world)],
        defects=world.history.defects,
    )


def first_payment(merchant_id: str) -> str:
    """The id of the payment whose presence says that the data is there; it is stored last."""
    return derive_transaction_id(merchant_id, f"{KEY_PREFIX}{FATES[0].name}-001")


def _changed(name: str, world: World, place: Place) -> list[Item]:
    """Stored by the week: all but the configuration that was there before. The first payment comes last."""
    found = [item for _, item in world.tables[name].items() if item not in place.configuration]
    mark = first_payment(place.merchant_id)
    return sorted(found, key=lambda item: mark in item["pk"]["S"] and item.get("sk", {}).get("S") == "PAYMENT")


def _of_the_api(world: World) -> list[Measured]:
    """Return the metrics that API Gateway would have counted."""
    return [
        Measured(call.at_ms, "AWS/ApiGateway", name, unit, value, {})
        for call in world.history.calls
        if call.status
        for name, unit, value in (
            ("Count", "Count", 1.0),
            ("4XXError", "Count", float(400 <= call.status < 500)),
            ("5XXError", "Count", float(call.status >= 500)),
            ("Latency", "Milliseconds", float(call.answered_ms - call.at_ms)),
        )
    ]
