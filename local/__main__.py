"""`python -m local run` stays up until Ctrl-C; `python -m local demo` ends after three payments.

With `--provider stripe` both walk through that provider instead: authorize, capture, refund, a payer, webhooks. With
`--checkout` a payer walks through a checkout, at that provider or at a mock.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from typing import Final

from local.checkout_walkthrough import a_link_to_try, walk_through_checkout
from local.command import exit_status_of
from local.console import say
from local.demo_data import fill_with_demo_data
from local.environment import LocalEnvironment, running_environment
from local.operators_console import running_console
from local.provider_walkthrough import walk_through_provider
from local.scenarios import SCENARIOS
from local.settings import whole_number
from local.signals import wait_until_interrupted
from local.walkthrough import walk_through

_DEFAULT_PORT: Final = 3000


def main() -> int:
    """0 only if the payments went as expected."""
    parser = argparse.ArgumentParser(prog="local", description="The local environment")
    parser.add_argument("mode", choices=("run", "demo"))
    parser.add_argument("--provider", choices=sorted(SCENARIOS), help="walk through this provider")
    parser.add_argument("--checkout", action="store_true", help="a payer pays on the provider's page")
    parser.add_argument("--demo-data", action="store_true", help="begin with a week of payments of every fate")
    arguments = parser.parse_args()
    started = time.monotonic()

    def command() -> int:
        with running_environment(_port()) as environment:
            if arguments.demo_data:
                fill_with_demo_data()
            walked = _Walk(provider=arguments.provider, checkout=arguments.checkout)
            as_expected = _walk(environment, walked, started)
            if arguments.mode == "run":
                _stay(environment)
        return 0 if as_expected else 1

    return exit_status_of(command, interrupted=130 if arguments.mode == "demo" else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """The walk-through that was asked for. `provider` None: the mocks."""

    provider: str | None
    checkout: bool


def _walk(environment: LocalEnvironment, walked: _Walk, started: float) -> bool:
    run, provider = str(time.time_ns()), walked.provider
    if walked.checkout:
        as_expected, title = walk_through_checkout(environment.api(), provider, run), "The checkout"
    elif provider is None:
        as_expected, title = walk_through(environment.api(), run), "Three payments"
    else:
        as_expected = walk_through_provider(environment, provider, run)
        title = f"The walk through {provider}"
    seconds = time.monotonic() - started
    say(f"\n{title} after {seconds:.0f} s{'' if as_expected else '; not as expected, see above'}.")
    return as_expected


def _port() -> int:
    return whole_number("PORT", default=_DEFAULT_PORT, least=1, most=65_534)


def _stay(environment: LocalEnvironment) -> None:
    with running_console() as console:
        _say_what_to_try(environment, console)
        wait_until_interrupted()


def _say_what_to_try(environment: LocalEnvironment, console: str | None) -> None:
    url, key = environment.base_url, environment.api_key
    say(
        f"""
The API is at {url}  (Ctrl-C stops everything)
API key: {key}

Try:
  curl -s {url}/payments -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' -H 'Idempotency-Key: try-1' \\
    -d '{{"amount": 1999, "currency": "USD", "paymentMethod": {{"type": "card", "token": "tok_soft_decline@mock"}}}}'
  curl -s '{url}/payments?limit=5' -H 'Authorization: Bearer {key}'
  curl -s {environment.mocks["mock"]}/_ledger

Pay in a browser: {a_link_to_try(environment.api(), str(time.time_ns()))}
The console, in a browser: {console or "it did not start"}
  The address works once. `.venv/bin/payflowx console` prints another one; with `--write` it allows changes.
"""
    )


if __name__ == "__main__":
    sys.exit(main())
