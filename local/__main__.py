"""`python -m local run` stays up until Ctrl-C; `python -m local demo` ends after three payments."""

import argparse
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Final

from local.errors import StageError
from local.say import say
from local.stage import Stage, running_stage
from local.walkthrough import walk_through

_DEFAULT_PORT: Final = 3000


def main() -> int:
    """0 only if the three payments went as expected."""
    parser = argparse.ArgumentParser(prog="local", description="The local stage")
    parser.add_argument("mode", choices=("run", "demo"))
    mode = parser.parse_args().mode
    # Both: a shell starts its background jobs with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    started = time.monotonic()
    try:
        with running_stage(_port()) as stage:
            done = walk_through(stage.api(), run=str(time.time_ns()))
            say(f"\nThree payments after {time.monotonic() - started:.0f} s.")
            if mode == "run":
                _stay(stage)
            return 0 if done else 1
    except StageError as error:
        print(f"\npayflowx: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130 if mode == "demo" else 0


def _port() -> int:
    text = os.environ.get("PORT") or str(_DEFAULT_PORT)
    if not text.isdecimal() or not 1 <= int(text) <= 65_534:
        raise StageError("PORT must be a number from 1 to 65534.")
    return int(text)


def _stay(stage: Stage) -> None:
    say(
        f"""
The API is at {stage.base_url}  (Ctrl-C stops everything)
API key: {stage.api_key}

Try:
  curl -s {stage.base_url}/payments -H 'Authorization: Bearer {stage.api_key}' \\
    -H 'Content-Type: application/json' -H 'Idempotency-Key: order-1' \\
    -d '{{"amount": 1999, "currency": "USD", "paymentMethod": {{"type": "card", "token": "tok_soft_decline@mock"}}}}'
  curl -s '{stage.base_url}/payments?limit=5' -H 'Authorization: Bearer {stage.api_key}'
  curl -s {stage.gateways["mock"]}/_ledger
"""
    )
    threading.Event().wait()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
