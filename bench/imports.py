"""The imports of a cold start: modules of ours and of others, for every handler."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent

HANDLERS: Final = {
    "payflowx.entrypoints.api.authorizer": 42,
    "payflowx.entrypoints.checkout.handler": 186,
    "payflowx.entrypoints.api.handler": 230,
    "payflowx.entrypoints.worker": 179,
    "payflowx.entrypoints.webhook_receiver": 101,
    "payflowx.entrypoints.provider_events": 156,
    "payflowx.entrypoints.deliverer": 156,
    "payflowx.entrypoints.reconciler": 194,
    "payflowx.entrypoints.sweeper": 146,
    "payflowx.entrypoints.operators.handler": 317,
    "payflowx.entrypoints.routing_validator": 56,
}
"""The handlers of the stack, and how many modules of ours each may import. Raise a bound only with a reason."""

_COUNT: Final = """
import sys, time
before, started = set(sys.modules), time.process_time()
import {module}
spent = time.process_time() - started
new = set(sys.modules) - before
print(sum(name.split(".")[0] == "payflowx" for name in new), len(new), round(spent * 1000))
"""


class Imported(NamedTuple):
    """`cpu_ms` is this machine's, without compiled bytecode of ours: for comparing two versions side by side."""

    ours: int
    all: int
    cpu_ms: int


def imports() -> dict[str, dict[str, int]]:
    """Modules by handler: ours, the bound of ours, and all."""
    found = {name: (imported_by(name), bound) for name, bound in HANDLERS.items()}
    return {
        name.removeprefix("payflowx.entrypoints."): {"ours": row.ours, "bound": bound, "all": row.all}
        for name, (row, bound) in found.items()
    }


def imported_by(module: str) -> Imported:
    """In a fresh interpreter, beyond what it imports by itself."""
    environment = {"PYTHONPATH": str(ROOT / "functions"), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", _COUNT.format(module=module)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    return Imported(*map(int, done.stdout.split()))
