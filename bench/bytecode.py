"""CPU time of importing each handler without bytecode and with it: `.venv-313/bin/python -m bench.bytecode`.

Run it under the deployed Python (`make python313` installs one with the packages). boto3 has bytecode in all columns.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
RUNS: Final = 10
HANDLERS: Final = (
    *("api.authorizer", "api.handler", "worker", "sweeper", "webhook_receiver", "provider_events", "deliverer"),
    *("reconciler", "operators.handler", "routing_validator"),
)
_IGNORED: Final = shutil.ignore_patterns("__pycache__", "*.pyc")
_TIMED_IMPORT: Final = (
    "import importlib, sys, time; started = time.process_time(); "
    "importlib.import_module(f'payflowx.entrypoints.{sys.argv[1]}'); print((time.process_time() - started) * 1000)"
)


def main() -> None:
    """Print a Markdown table, in milliseconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        functions = _with_and_without(folder / "functions", {ROOT / "functions" / "payflowx"})
        layer = _with_and_without(folder / "layer", _layer())
        print("| handler | no bytecode | functions only | functions and layer | ratio |")
        print("| --- | --- | --- | --- | --- |")
        for handler in HANDLERS:
            none = _milliseconds(handler, functions[0], layer[0])
            half = _milliseconds(handler, functions[1], layer[0])
            full = _milliseconds(handler, functions[1], layer[1])
            print(f"| `{handler}` | {none:.0f} | {half:.0f} | {full:.0f} | {none / full:.1f} |", flush=True)


def _layer() -> set[Path]:
    """The packages of `functions/requirements.txt`, where this interpreter has them."""
    lines = (ROOT / "functions" / "requirements.txt").read_text().splitlines()
    found = set()
    for name in (line.split("==")[0] for line in lines if "==" in line):
        distribution = importlib.metadata.distribution(name)
        files = distribution.files or []
        tops = {file.parts[0] for file in files if file.suffix == ".py" and file.parts[0] != ".."}
        found |= {Path(str(distribution.locate_file(top))) for top in tops}
    return found


def _with_and_without(folder: Path, packages: set[Path]) -> tuple[Path, Path]:
    """Two copies: one without bytecode, one with the bytecode that an asset has."""
    plain, compiled = folder / "plain", folder / "compiled"
    for target in (plain, compiled):
        target.mkdir(parents=True)
        for package in packages:
            if package.is_dir():
                shutil.copytree(package, target / package.name, ignore=_IGNORED)
            else:
                shutil.copy(package, target)
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(compiled)]
    subprocess.run(command, check=True)  # noqa: S603 - our own arguments
    return plain, compiled


def _milliseconds(handler: str, *path: Path) -> float:
    """The median of several new processes, which cannot store bytecode, as on Lambda."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(map(str, path)),
    }
    command = [sys.executable, "-c", _TIMED_IMPORT, handler]
    return median(
        float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)  # noqa: S603
        for _ in range(RUNS)
    )


if __name__ == "__main__":
    main()
