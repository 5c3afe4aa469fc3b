"""`python -m local.load`: exit status 0 only if all payments became final and every condition of the table holds.

PAYMENTS, CLIENTS and SECONDS (the time limit) change the load; API_CONCURRENCY and API_QUEUE the environment.
"""

import asyncio
import sys
import time
from collections.abc import Mapping
from typing import Final

import httpx

from local.command import exit_status_of
from local.console import say
from local.environment import LocalEnvironment, running_environment
from local.load.clients import Clients, Measured
from local.load.result import Report, charges_by_key
from local.load.sampling import Sampler
from local.processes import free_port
from local.settings import whole_number

_REPORTED_EVERY_SECONDS: Final = 10.0


def main() -> int:
    """0 when every condition holds, 1 when one does not, 130 after Ctrl-C."""
    return exit_status_of(_measure)


def _measure() -> int:
    payments = whole_number("PAYMENTS", default=500, least=1, most=10_000)
    clients = whole_number("CLIENTS", default=50, least=1, most=500)
    seconds = whole_number("SECONDS", default=600, least=10, most=3_600)
    with running_environment(free_port()) as environment:
        report = asyncio.run(_run(environment, payments=payments, clients=clients, seconds=seconds))
    say(f"\n{report.table()}")
    for failure in report.failures():
        say(f"not as required: {failure}")
    return 1 if report.failures() else 0


async def _run(environment: LocalEnvironment, *, payments: int, clients: int, seconds: int) -> Report:
    say(f"\n{payments} payments from {clients} clients, at most {seconds} s")
    started, measured = time.monotonic(), Measured()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=clients)
    headers = {"Authorization": f"Bearer {environment.api_key}"}
    async with httpx.AsyncClient(
        base_url=environment.base_url, headers=headers, limits=limits, trust_env=False
    ) as http:
        load = Clients(http, measured, deadline=started + seconds)
        with Sampler() as sampler:
            progress = asyncio.create_task(_report_progress(measured, payments))
            await load.pay(payments=payments, clients=clients, run=str(time.time_ns()))
            await load.settle()
            progress.cancel()
        return Report(
            payments=payments,
            measured=measured,
            charged=charges_by_key([e for entries in await _ledgers(http, environment.mocks) for e in entries]),
            function_processes=sampler.functions,
            total_rss_kib=sampler.total_rss_kib,
            function_rss_kib=sampler.function_rss_kib,
            seconds=time.monotonic() - started,
        )


async def _ledgers(http: httpx.AsyncClient, addresses: Mapping[str, str]) -> list[list[dict[str, str]]]:
    return [(await http.get(f"{address}/_ledger", timeout=60)).json()["entries"] for address in addresses.values()]


async def _report_progress(measured: Measured, payments: int) -> None:
    while True:
        await asyncio.sleep(_REPORTED_EVERY_SECONDS)
        say(f"  {len(measured.accepted)} of {payments} accepted, {len(measured.final)} seen final")


if __name__ == "__main__":
    sys.exit(main())
