"""`python -m local.soak`: exit status 0 only if every payment was charged once and every figure is flat.

SECONDS and RATE (payments a second) change the load; INTERVAL the seconds between samples.
"""

import asyncio
import sys
import time
from dataclasses import dataclass
from typing import Final

import httpx

from local.command import exit_status_of
from local.console import say
from local.environment import LocalEnvironment, running_environment
from local.load.clients import Clients, Measured
from local.load.result import percentile
from local.merchant_endpoint import MerchantEndpoint, Received
from local.processes import free_port
from local.settings import whole_number
from local.soak.samples import TOLERANCES, Sampler, check_platform, series_of
from local.soak.steady import SteadyLoad
from local.soak.verdict import Finding, judge, table

_SETTLE_SECONDS: Final = 120
_SHARE_HELD_BACK: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """The result of a soak."""

    load: SteadyLoad
    measured: Measured
    received: Received
    findings: list[Finding]
    stored_kib: float
    """Growth of the engine and the simulators, which store everything in memory, by payment."""

    def failures(self) -> list[str]:
        """The conditions that do not hold; empty when all hold."""
        measured, load = self.measured, self.load
        lost = load.placed - sum(status == "SUCCESS" for status in measured.final.values())
        conditions = (
            (lost, f"{lost} payments were not accepted or did not succeed"),
            (load.held_back > _SHARE_HELD_BACK * (load.placed + load.held_back), f"{load.held_back} were held back"),
            (self.received.forged, f"{self.received.forged} webhooks had no valid signature"),
        )
        found = [text for is_broken, text in conditions if is_broken]
        return found + [f"{found.name}: {found.verdict}" for found in self.findings if not found.is_good]

    def table(self) -> str:
        """Counts and figures."""
        measured = self.measured
        counts = {
            "payments": f"{self.load.placed}",
            "held back": f"{self.load.held_back}",
            "succeeded": f"{sum(status == 'SUCCESS' for status in measured.final.values())}",
            "webhooks accepted by the merchant": f"{self.received.accepted.total()}",
            "time to final, p50, ms": f"{percentile(measured.final_ms, 50):.0f}",
            "time to final, p99, ms": f"{percentile(measured.final_ms, 99):.0f}",
            "engine and simulators, KiB a payment": f"{self.stored_kib:.0f}",
        }
        return table(self.findings, counts)


def main() -> int:
    """0 when every condition holds, 1 when one does not, 130 after Ctrl-C."""
    return exit_status_of(_measure)


def _measure() -> int:
    check_platform()
    seconds = whole_number("SECONDS", default=600, least=30, most=86_400)
    rate = whole_number("RATE", default=2, least=1, most=50)
    interval = whole_number("INTERVAL", default=10, least=1, most=60)
    with running_environment(free_port()) as environment, MerchantEndpoint(Received()) as endpoint:
        endpoint.received.secret = register(environment, endpoint.url)
        soak = asyncio.run(_run(environment, endpoint.received, seconds=seconds, rate=rate, interval=interval))
    say(f"\n{soak.table()}")
    for failure in soak.failures():
        say(f"not as required: {failure}")
    return 1 if soak.failures() else 0


def register(environment: LocalEnvironment, url: str) -> str:
    """Register the merchant's endpoint for all event types; return its secret."""
    return str(environment.api().post("/webhook-endpoints", {"url": url}, "soak-endpoint")["secret"])


async def _run(environment: LocalEnvironment, received: Received, *, seconds: int, rate: int, interval: int) -> Soak:
    say(f"\n{rate} payments a second for {seconds} s, a sample every {interval} s")
    measured, deadline = Measured(), time.monotonic() + seconds + _SETTLE_SECONDS
    queues = {name: url for name, url in environment.outputs.items() if name.endswith("QueueUrl")}
    sampler = Sampler(environment.engine.client("sqs"), queues, interval_seconds=interval)
    headers = {"Authorization": f"Bearer {environment.api_key}"}
    async with httpx.AsyncClient(base_url=environment.base_url, headers=headers, trust_env=False) as http:
        load = SteadyLoad(Clients(http, measured, deadline=deadline), payments_per_second=rate)
        with sampler:
            await load.run(seconds=seconds, run=str(time.time_ns()))
    stored = [figures["memory of the engine and simulators"] for _, figures in sampler.samples]
    return Soak(
        load=load,
        measured=measured,
        received=received,
        findings=[judge(series) for series in series_of(sampler.samples, TOLERANCES)],
        stored_kib=(stored[-1] - stored[0]) * 1024 / max(1, load.placed) if stored else 0.0,
    )


if __name__ == "__main__":
    sys.exit(main())
