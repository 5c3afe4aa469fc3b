"""The gateway simulators as real servers, so that their faults are real: closed ports, dropped connections."""

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

from local.errors import StageError
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
        "refund.updated",
        "refund.failed",
    ],
    "razorpay": ["order.paid", "payment.failed", "refund.processed", "refund.failed"],
}
"""Which events a merchant would choose at the vendor: those that tell an end. The others cause reads and no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAccount:
    """What a simulator is opened with and signs with; the functions find it in the engine's Secrets Manager."""

    key_id: str
    key_secret: str
    webhook_secret: str | None = None
    """None where the vendor signs with the key's secret."""

    def fields(self) -> dict[str, str]:
        """As an account's secret holds them."""
        own = {"webhookSecret": self.webhook_secret} if self.webhook_secret is not None else {}
        return {"keyId": self.key_id, "keySecret": self.key_secret, **own}


def make_accounts() -> dict[str, SandboxAccount]:
    """One for all gateways that exist only here, and one for each vendor, in the vendor's own style."""
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


def start_gateways(processes: Processes, accounts: Mapping[str, SandboxAccount]) -> dict[str, str]:
    """Name to address, once all of them answer. The vendors share a process: they are at work only when asked for."""
    log = STATE / "gateways.log"
    log.unlink(missing_ok=True)
    environment = {"SANDBOX_ACCOUNTS": json.dumps({name: account.fields() for name, account in accounts.items()})}
    addresses = {}
    for together in [*([name] for name in SIMULATORS), list(REAL_PROVIDERS)]:
        command = [sys.executable, "-m", "sandbox", "--parent", str(os.getpid())]
        for name in together:
            port = free_port()
            command += ["--gateway", name, "--port", str(port)]
            addresses[name] = f"http://127.0.0.1:{port}"
        processes.start(command, environment, str(log))
    for name, address in addresses.items():
        _wait(name, address)
    return addresses


def subscribe(addresses: Mapping[str, str], webhooks: Mapping[str, str]) -> None:
    """Tell each gateway where its merchant takes webhooks, as somebody would in the vendor's dashboard."""
    for name, url in webhooks.items():
        control(addresses[name], webhookUrl=url, webhookEvents=_SUBSCRIPTIONS.get(name))


def control(address: str, **settings: Any) -> None:
    """Tell a simulator how to behave; docs/sandbox.md lists what it understands."""
    request = urllib.request.Request(f"{address}/_control", data=json.dumps(settings).encode())  # noqa: S310 - our own
    try:
        urllib.request.urlopen(request, timeout=_ANSWER_SECONDS).close()  # noqa: S310 - our own address
    except (urllib.error.URLError, OSError) as error:
        raise StageError(f"A simulator did not take its settings ({error}); see .local/gateways.log.") from error


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
    raise StageError(f"The simulator {name} did not start; see .local/gateways.log.")
