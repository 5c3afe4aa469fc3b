"""`python -m local.chaos`: exit status 0 only if ledgers, payments and events agree after the chaos."""

import json
import os
import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import urllib3

from local.chaos.cases import Case, charges_in, collect, settle, wait_for_events
from local.chaos.deliveries import delivery_rows, judge_deliveries
from local.chaos.load import Load, Merchant, RequestLog
from local.chaos.operations import entries_in, judge_operations, operation_rows
from local.chaos.provider_events import ProviderEvents
from local.chaos.result import Violation, judge, table
from local.chaos.reviews import judge_reviews
from local.chaos.trouble import Simulators, Trouble
from local.command import exit_status_of
from local.console import say
from local.environment import LocalEnvironment, running_environment
from local.errors import LocalEnvironmentError
from local.merchant_endpoint import MerchantEndpoint, Received
from local.paths import ROOT, STATE
from local.processes import free_port

_EVIDENCE: Final = STATE / "chaos.json"
_SETTLE_SECONDS: Final = 360.0
"""A worker's message comes back after 180 s, a payment is due after 90 s and swept within 60 s, some of them twice."""
_DELIVERY_SECONDS: Final = 120.0
_REFUSAL_RATE: Final = 0.2
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """From environment variables."""

    chaos_seconds: float
    payments_per_second: float
    seed: int

    @classmethod
    def read(cls) -> "Settings":
        """Raises `LocalEnvironmentError` for what is no number or out of bounds."""
        return cls(
            chaos_seconds=_number("SECONDS_OF_CHAOS", default=180, least=5, most=3600),
            payments_per_second=_number("RATE", default=2, least=0.1, most=10),
            seed=int(_number("SEED", default=random.randrange(10_000), least=0, most=2**31)),  # noqa: S311
        )


def main() -> int:
    """0 without violations, 1 with, 130 after Ctrl-C."""
    return exit_status_of(_disturb)


def _disturb() -> int:
    settings = Settings.read()
    received = Received(refusal_rate=_REFUSAL_RATE, rng=random.Random(settings.seed))  # noqa: S311
    with (
        running_environment(free_port(), keep_state=True) as environment,
        MerchantEndpoint(received) as endpoint,
    ):
        answer = environment.api().post("/webhook-endpoints", {"url": endpoint.url}, "chaos-endpoint")
        received.secret = answer["secret"]
        return 1 if _run(environment, settings, received) else 0


def _run(environment: LocalEnvironment, settings: Settings, received: Received) -> list[Violation]:
    log, stopped, rng = RequestLog(), threading.Event(), random.Random(settings.seed)  # noqa: S311 - repeatable on purpose
    merchant = Merchant(environment.base_url, environment.api_key, log, stopped)
    simulators = Simulators(environment.mocks, urllib3.PoolManager())
    trouble = Trouble(environment, log, simulators, random.Random(rng.randrange(2**32)))  # noqa: S311
    load = Load(
        merchant,
        payments_per_second=settings.payments_per_second,
        rng=random.Random(rng.randrange(2**32)),  # noqa: S311
    )
    say(
        f"\n{settings.chaos_seconds:.0f} s of chaos at {settings.payments_per_second:g} payments a second, "
        f"SEED={settings.seed} (the choices are repeatable, the timing is not)"
    )
    try:
        with ProviderEvents(simulators) as provider_events:
            load.start()
            trouble.run(settings.chaos_seconds, stopped)
            trouble.calm()
            say("The machine and the providers are well again. Clients that still have no answer get theirs")
            load.finish()
            provider_events.calm()
            received.refusal_rate = 0.0
            return _finish(environment, merchant, trouble, Observed(simulators, provider_events, received))
    except BaseException:  # Ctrl-C too: no client may wait for answers of an environment that stops
        stopped.set()
        load.abandon()
        raise


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything outside of the API that is compared with it."""

    simulators: Simulators
    provider_events: ProviderEvents
    received: Received


def _finish(environment: LocalEnvironment, merchant: Merchant, trouble: Trouble, observed: Observed) -> list[Violation]:
    log, accepted, received = merchant.log, merchant.log.accepted(), observed.received
    say(f"Waiting for {len(accepted)} payments and their operations to end, at most {_SETTLE_SECONDS:.0f} s")
    started, statuses = time.monotonic(), dict(log.statuses)
    pending = settle(merchant, accepted, seconds=_SETTLE_SECONDS)
    say(f"{len(accepted) - len(pending)} have ended after {time.monotonic() - started:.0f} s. Waiting for deliveries")
    events, redelivered = wait_for_events(merchant, seconds=_DELIVERY_SECONDS)
    say("Comparing")
    cases = collect(environment, merchant, accepted)
    ledger = observed.simulators.ledger()
    observed.provider_events.read()
    charges, accounts = charges_in(ledger), [case.account for case in cases]
    seen = [account.seen for account in accounts]
    violations = [
        *judge(log.orders, log.answers, seen, charges),
        *judge_operations(log.operations, accounts, entries_in(ledger)),
        *judge_deliveries(
            {payment.transaction_id: payment.status for payment in seen},
            events,
            received.accepted,
            forged=received.forged,
            accounts=accounts,
        ),
        *judge_reviews(log.orders, log.answers, accounts, charges, entries_in(ledger)),
        *observed.provider_events.violations(),
    ]
    say()
    say(
        table(
            statuses=statuses,
            orders=log.orders,
            held_back=log.held_back,
            tally=trouble.tally,
            seen=seen,
            charges=charges,
            operations=operation_rows(accounts, log.operations),
            provider_events=observed.provider_events.rows,
            merchant_events=len(events),
            deliveries=delivery_rows(events, received.accepted, refused=received.refused, redelivered=len(redelivered)),
            violations=violations,
        )
    )
    _show(violations, cases, ledger)
    return violations


def _show(violations: Sequence[Violation], cases: Sequence[Case], ledger: Sequence[dict[str, Any]]) -> None:
    """The first few at the terminal, all with their evidence in a file."""
    _EVIDENCE.unlink(missing_ok=True)
    for violation in violations[:_SHOWN]:
        say(f"  {violation}")
    subjects = {violation.subject for violation in violations}
    shown = [d.as_json(ledger) for d in cases if d.seen.transaction_id in subjects or d.seen.asked_on]
    if violations or shown:
        content = {"violations": [str(violation) for violation in violations], "payments": shown}
        _EVIDENCE.write_text(json.dumps(content, indent=2) + "\n")
        say(f"The evidence is in {_EVIDENCE.relative_to(ROOT)}.")


def _number(name: str, *, default: float, least: float, most: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise LocalEnvironmentError(f"{name} must be a number from {least:g} to {most:g}.")
    return value


if __name__ == "__main__":
    sys.exit(main())
