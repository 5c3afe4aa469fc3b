"""A warm deployment whose calls to AWS and write units are counted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from payflowx.domain.payments.payment import Customer
from testing.dynamodb.capacity import CapacityMeter
from testing.sqs import Sqs
from tests.support.deliveries import DeliveryHarness
from tests.support.memory import ManualClock
from tests.support.model_tables import model_database
from tests.support.world import World

REQUEST: dict[str, Any] = {
    "customer": Customer(id="cust_81723", email="ada@example.com"),
    "description": "Order 81723",
    "metadata": {"cart": "81723", "channel": "web"},
    "fingerprint": "a" * 64,
    "content_fingerprint": f"2:{'c' * 32}",
}


@dataclass
class Counted(Sqs):
    """The queues, with their sends counted among the calls."""

    calls: list[str] = field(default_factory=list)

    def send_message(self, **request: Any) -> Any:
        self.calls.append("send_message")
        return super().send_message(**request)


@dataclass
class Metered:
    """A warm deployment. Every function's calls and units count."""

    harness: DeliveryHarness
    meter: CapacityMeter
    sends: list[str]

    @property
    def world(self) -> World:
        return self.harness.world

    def cost(self, step: Callable[[], object]) -> tuple[Counter[str], int]:
        """The calls by name, and the units."""
        self.meter.take()
        self.sends.clear()
        step()
        calls, units = self.meter.take()
        return Counter([*calls, *self.sends]), units

    def work(self) -> None:
        """All that the worker and the deliverer do."""
        self.world.work_until_idle()
        self.harness.run()

    def whole(self, key: str, **changes: object) -> tuple[int, int]:
        """The numbers of calls and units from the request to the end."""

        def pay() -> None:
            self.world.accept(key, **{**REQUEST, **changes})
            self.work()

        calls, units = self.cost(pay)
        return calls.total(), units


def metered_deployment(**world: Any) -> Metered:
    """Functions that have not started yet, over the model. `world`: fields of its world."""
    clock, sqs = ManualClock(), Counted()
    meter = CapacityMeter(model_database(clock.now_ms))
    return Metered(DeliveryHarness(World(database=meter, sqs=sqs, clock=clock, **world)), meter, sqs.calls)
