"""The gateway simulators as real servers, so that their faults are real: closed ports, dropped connections."""

import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Final

from local.errors import StageError
from local.paths import STATE
from local.processes import Processes, free_port
from sandbox.gateways import SIMULATORS

_START_SECONDS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCredentials:
    """What the simulators are opened with; the worker finds them in the engine's Secrets Manager."""

    key_id: str
    key_secret: str


def start_gateways(processes: Processes, credentials: SandboxCredentials) -> dict[str, str]:
    """Name to address, once all of them answer."""
    log = STATE / "gateways.log"
    log.unlink(missing_ok=True)
    addresses = {}
    for name in SIMULATORS:
        port = free_port()
        command = [sys.executable, "-m", "sandbox", "--gateway", name, "--port", str(port)]
        environment = {"SANDBOX_KEY_ID": credentials.key_id, "SANDBOX_KEY_SECRET": credentials.key_secret}
        processes.start([*command, "--parent", str(os.getpid())], environment, str(log))
        addresses[name] = f"http://127.0.0.1:{port}"
    for name, address in addresses.items():
        _wait(name, address)
    return addresses


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
