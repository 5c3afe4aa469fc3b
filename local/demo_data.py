"""Demo data for the environment that runs: `payflowx demo-data`, in a process of its own."""

import os
import subprocess
import sys

from local.console import step
from local.errors import LocalEnvironmentError
from local.paths import ROOT

_TIMEOUT_SECONDS = 900
"""It takes half a minute; a machine that does other work must not break it."""


def fill_with_demo_data() -> None:
    """Raises `LocalEnvironmentError`."""
    with step("filling it with a week of payments"):
        path = os.pathsep.join((str(ROOT / "functions"), str(ROOT)))
        done = subprocess.run(
            [sys.executable, "-m", "ops", "demo-data"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise LocalEnvironmentError(f"There is no demo data: {done.stderr.strip()[-500:]}")
