"""`python -m local.chaos`: exit status 0 only if the books, the payments and the events agree after the chaos."""

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

import urllib3

from local.chaos.evidence import Dossier, charges_in, collect, settle
from local.chaos.load import Book, Load, Merchant
from local.chaos.result import Violation, judge, table
from local.chaos.trouble import Gateways, Trouble
from local.console import say
from local.environment import Stage, running_stage
from local.errors import StageError
from local.paths import ROOT, STATE
from local.processes import free_port

_EVIDENCE: Final = STATE / "chaos.json"
_SETTLE_SECONDS: Final = 360.0
"""A worker's message comes back after 180 s, a payment is due after 90 s and swept within 60 s, some of them twice."""
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """From the environment."""

    chaos_seconds: float
    payments_per_second: float
    seed: int

    @classmethod
    def read(cls) -> "Settings":
        """Raises `StageError` for what is no number or out of bounds."""
        return cls(
            chaos_seconds=_number("SECONDS_OF_CHAOS", default=180, least=5, most=3600),
            payments_per_second=_number("RATE", default=2, least=0.1, most=10),
            seed=int(_number("SEED", default=random.randrange(10_000), least=0, most=2**31)),  # noqa: S311
        )


def main() -> int:
    """0 without violations, 1 with, 130 after Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        settings = Settings.read()
        with running_stage(free_port(), keep_state=True) as stage:
            return 1 if _run(stage, settings) else 0
    except StageError as error:
        print(f"\npayflowx: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130


def _run(stage: Stage, settings: Settings) -> list[Violation]:
    book, stopped, dice = Book(), threading.Event(), random.Random(settings.seed)  # noqa: S311 - repeatable on purpose
    merchant = Merchant(stage.base_url, stage.api_key, book, stopped)
    gateways = Gateways(stage.gateways, urllib3.PoolManager())
    trouble = Trouble(stage, book, gateways, random.Random(dice.randrange(2**32)))  # noqa: S311
    load = Load(
        merchant,
        payments_per_second=settings.payments_per_second,
        dice=random.Random(dice.randrange(2**32)),  # noqa: S311
    )
    say(
        f"\n{settings.chaos_seconds:.0f} s of chaos at {settings.payments_per_second:g} payments a second, "
        f"SEED={settings.seed} (the dice are repeatable, the timing is not)"
    )
    try:
        load.start()
        trouble.run(settings.chaos_seconds, stopped)
        trouble.calm()
        say("Everything is mended. Clients that still have no answer get theirs")
        load.finish()
        return _apply_outcome(stage, merchant, gateways, trouble)
    except BaseException:  # Ctrl-C too: nobody may wait for answers of a stage that goes down
        stopped.set()
        load.abandon()
        raise


def _apply_outcome(stage: Stage, merchant: Merchant, gateways: Gateways, trouble: Trouble) -> list[Violation]:
    book, accepted = merchant.book, merchant.book.accepted()
    say(f"Waiting for {len(accepted)} payments to end, at most {_SETTLE_SECONDS:.0f} s")
    started, statuses = time.monotonic(), dict(book.statuses)
    pending = settle(merchant, accepted, seconds=_SETTLE_SECONDS)
    say(f"{len(accepted) - len(pending)} have ended after {time.monotonic() - started:.0f} s. Comparing")
    dossiers = collect(stage, merchant, accepted)
    ledger = gateways.ledger()
    charges, seen = charges_in(ledger), [dossier.seen for dossier in dossiers]
    violations = judge(book.orders, book.answers, seen, charges)
    say()
    say(
        table(
            statuses=statuses,
            orders=book.orders,
            held_back=book.held_back,
            tally=trouble.tally,
            seen=seen,
            charges=charges,
            violations=violations,
        )
    )
    _show(violations, dossiers, ledger)
    return violations


def _show(violations: Sequence[Violation], dossiers: Sequence[Dossier], ledger: Sequence[dict[str, Any]]) -> None:
    """The first few at the terminal, all with their evidence in a file."""
    _EVIDENCE.unlink(missing_ok=True)
    for violation in violations[:_SHOWN]:
        say(f"  {violation}")
    subjects = {violation.subject for violation in violations}
    told = [d.as_json(ledger) for d in dossiers if d.seen.transaction_id in subjects or d.seen.asked_on]
    if violations or told:
        content = {"violations": [str(violation) for violation in violations], "payments": told}
        _EVIDENCE.write_text(json.dumps(content, indent=2) + "\n")
        say(f"The evidence is in {_EVIDENCE.relative_to(ROOT)}.")


def _number(name: str, *, default: float, least: float, most: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise StageError(f"{name} must be a number from {least:g} to {most:g}.")
    return value


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
