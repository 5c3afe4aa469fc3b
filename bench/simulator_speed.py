"""The simulator's speed, in the unit of its floor in `simulation/calibration.py`."""

import os
import re
import subprocess
import sys
from typing import Any, Final

from bench.layout import ROOT

SEEDS: Final = 12


def simulator_speed() -> dict[str, Any]:
    """Of a few seeds. The simulation itself judges its floor, over many."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}", "SEEDS": str(SEEDS), "SEED_BASE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "simulation"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    found = re.search(r"(\d+) payments and operations a CPU-second, ([\d.]+) a calibration loop", done.stdout)
    if found is None:
        raise RuntimeError(f"the simulation said no speed: {done.stdout[-500:]}")
    return {"perCpuSecond": int(found[1]), "perLoop": float(found[2])}
