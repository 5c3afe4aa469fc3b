"""`python -m local run` stays up until Ctrl-C; `python -m local demo` ends after three payments.

With `--provider stripe` both walk through that vendor instead: authorize, capture, refund, a payer, webhooks.
"""

import argparse
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Final

from local.console import say
from local.environment import Stage, running_stage
from local.errors import StageError
from local.provider_walkthrough import walk_through_vendor
from local.scenarios import STORIES
from local.walkthrough import walk_through

_DEFAULT_PORT: Final = 3000


def main() -> int:
    """0 only if the payments went as expected."""
    parser = argparse.ArgumentParser(prog="local", description="The local stage")
    parser.add_argument("mode", choices=("run", "demo"))
    parser.add_argument("--provider", choices=sorted(STORIES), help="walk through this vendor")
    arguments = parser.parse_args()
    mode: str = arguments.mode
    # Both: a shell starts its background jobs with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    started = time.monotonic()
    try:
        with running_stage(_port()) as stage:
            done = _walk(stage, arguments.provider, started)
            if mode == "run":
                _stay(stage)
            return 0 if done else 1
    except StageError as error:
        print(f"\npayflowx: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130 if mode == "demo" else 0


def _walk(stage: Stage, provider: str | None, started: float) -> bool:
    run = str(time.time_ns())
    if provider is None:
        done, what = walk_through(stage.api(), run), "Three payments"
    else:
        done, what = walk_through_vendor(stage, provider, run), f"The walk through {provider}"
    say(f"\n{what} after {time.monotonic() - started:.0f} s{'' if done else '; not as expected, see above'}.")
    return done


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
