"""The provider simulators as real servers, so that their faults are real: closed ports, dropped connections."""

import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.errors import LocalEnvironmentError
from local.paths import STATE
from local.processes import Processes, free_port
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS

_START_SECONDS: Final = 15
_ANSWER_SECONDS: Final = 5

_SUBSCRIPTIONS: Final[Mapping[str, list[str]]] = {
    "stripe": [
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "payment_intent.amount_capturable_updated",
        "refund.created",
        "refund.updated",
        "refund.failed",
    ],
    "razorpay": [
        "payment.authorized",  # we capture then
        "order.paid",
        "payment.failed",
        "refund.created",
        "refund.processed",
        "refund.failed",
    ],
}
"""The events that a merchant would choose at the provider: those that report a final state, or wait for us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAccount:
    """The credentials of a simulator; the functions read them from the engine's Secrets Manager."""

    key_id: str
    key_secret: str
    webhook_secret: str | None = None
    """None when the provider signs its webhooks with `key_secret`."""

    def fields(self) -> dict[str, str]:
        """The content of the account's secret."""
        own = {"webhookSecret": self.webhook_secret} if self.webhook_secret is not None else {}
        return {"keyId": self.key_id, "keySecret": self.key_secret, **own}


def make_accounts() -> dict[str, SandboxAccount]:
    """One account shared by the mocks, and one in the style of each real provider."""
    shared = SandboxAccount(key_id="sandbox", key_secret=_random())
    return dict.fromkeys(SIMULATORS, shared) | {
        "stripe": SandboxAccount(
            key_id="unused", key_secret=f"sk_test_{_random()}", webhook_secret=f"whsec_{_random()}"
        ),
        "razorpay": SandboxAccount(
            key_id=f"rzp_test_{secrets.token_hex(7)}", key_secret=_random(), webhook_secret=_random()
        ),
        "cashfree": SandboxAccount(key_id=f"TEST{secrets.token_hex(8)}", key_secret=f"cfsk_test_{_random()}"),
        "payu": SandboxAccount(key_id=secrets.token_hex(3), key_secret=_random()),
    }


def start_simulators(processes: Processes, accounts: Mapping[str, SandboxAccount]) -> dict[str, str]:
    """Name to address, when all of them answer. Those of real providers share a process: most runs use none of them."""
    log = STATE / "simulators.log"
    log.unlink(missing_ok=True)
    environment = {"SANDBOX_ACCOUNTS": json.dumps({name: account.fields() for name, account in accounts.items()})}
    addresses = {}
    for together in [*([name] for name in SIMULATORS), list(REAL_PROVIDERS)]:
        command = [sys.executable, "-m", "sandbox", "--parent", str(os.getpid())]
        for name in together:
            port = free_port()
            command += ["--provider", name, "--port", str(port)]
            addresses[name] = f"http://127.0.0.1:{port}"
        processes.start(command, environment, str(log))
    for name, address in addresses.items():
        _wait(name, address)
    return addresses


def subscribe(addresses: Mapping[str, str], webhooks: Mapping[str, str]) -> None:
    """Configure each simulator's webhook address and events, as a merchant would in the provider's dashboard."""
    for name, url in webhooks.items():
        control(addresses[name], webhookUrl=url, webhookEvents=_SUBSCRIPTIONS.get(name))


def control(address: str, **settings: Any) -> None:
    """Change how a simulator behaves; docs/sandbox.md lists the settings. Raises `LocalEnvironmentError`."""
    request = urllib.request.Request(f"{address}/_control", data=json.dumps(settings).encode())  # noqa: S310 - our own
    try:
        urllib.request.urlopen(request, timeout=_ANSWER_SECONDS).close()  # noqa: S310 - our own address
    except (urllib.error.URLError, OSError) as error:
        raise LocalEnvironmentError(
            f"A simulator did not take its settings ({error}); see .local/simulators.log."
        ) from error


def _random() -> str:
    return secrets.token_urlsafe(24)


def _wait(name: str, address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/_ledger", timeout=1).close()  # noqa: S310 - our own address
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise LocalEnvironmentError(f"The simulator {name} did not start; see .local/simulators.log.")
