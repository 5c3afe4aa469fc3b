"""Pays at a steady rate: a new payment at each tick of the clock, however long the ones before take."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from local.load.clients import Clients

_AT_WORK: Final = 64
"""Payments in work at once; when so many are, the tick's payment is held back: the environment does not keep up."""
_READ_SECONDS: Final = 2.0


@dataclass(slots=True)
class SteadyLoad:
    """`placed` and `held_back` count ticks."""

    clients: Clients
    payments_per_second: float
    placed: int = 0
    held_back: int = 0

    async def run(self, *, seconds: float, run: str) -> None:
        """Place payments for so long, and wait for those in work."""
        started, tasks = time.monotonic(), set[asyncio.Task[None]]()
        for number in range(int(seconds * self.payments_per_second)):
            await self.clients.sleep(max(0.0, started + number / self.payments_per_second - time.monotonic()))
            if len(tasks) >= _AT_WORK:
                self.held_back += 1
                continue
            self.placed += 1
            task = asyncio.create_task(self._pay(f"soak-{run}-{number}", number))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _pay(self, key: str, number: int) -> None:
        await self.clients.pay_one(key, number)
        transaction_id = self.clients.measured.accepted.get(key)
        while transaction_id and transaction_id not in self.clients.measured.final and not self.clients.is_late():
            await self.clients.sleep(_READ_SECONDS)
            await self.clients.read(transaction_id)
