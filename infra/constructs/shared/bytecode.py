"""Bytecode for the deployed Python. Lambda cannot store any: without it, each cold start compiles every module."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

DEPLOYED_VERSION: Final = "3.13"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python on this machine; `version` is a full one, such as 3.13.0."""

    executable: Path
    version: str


@cache
def deployed_python() -> Interpreter | None:
    """Returns None, and says so in one line, when this machine has no Python of the deployed version."""
    for candidate in _candidates():
        found = interpreter(candidate)
        if found is not None and found.version.startswith(f"{DEPLOYED_VERSION}."):
            return found
    print(
        f"payflowx: Python {DEPLOYED_VERSION} was not found. The functions are packaged without bytecode, "
        "and their cold starts take longer (docs/decisions/0023-bytecode-in-the-asset.md).",
        file=sys.stderr,
    )
    return None


def interpreter(executable: Path) -> Interpreter | None:
    """Returns None when it does not run: a version manager may leave a name on the path without a Python behind it."""
    command = [str(executable), "-c", "import platform; print(platform.python_version())"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a Python
    except OSError:
        return None
    return Interpreter(executable=executable, version=done.stdout.strip()) if done.returncode == 0 else None


def bytecode_tag(python: Interpreter | None) -> str:
    """A part of an asset's hash: an asset with bytecode is another one than the same source without."""
    return "none" if python is None else python.version


def record_generated_code(folder: Path, python: Interpreter) -> None:
    """Write the table of what `dataclasses` would compile at each start (`payflowx/generated_code.py`)."""
    command = [str(python.executable), "-S", str(Path(__file__).with_name("record_generated_code.py")), str(folder)]
    subprocess.run(command, check=True, env={**_environment(), "PYTHONDONTWRITEBYTECODE": "1"})  # noqa: S603 - as above


def compile_folder(folder: Path, python: Interpreter, *, deployed_at: str) -> None:
    """Compile each module below `folder`. The same source and interpreter give the same bytes.

    The bytecode is never compared with its source, whose time stamps a deployment does not keep. Tracebacks show paths
    under `deployed_at`.
    """
    command = [
        *(str(python.executable), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(folder), "-p", deployed_at, str(folder)),
    ]
    subprocess.run(command, check=True, env=_environment())  # noqa: S603 - our own arguments


def _environment() -> dict[str, str]:
    """Without the caller's Python variables: one moves bytecode to another folder, another one forbids to write it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONHASHSEED": "0"}


def _candidates() -> list[Path]:
    on_path = shutil.which(f"python{DEPLOYED_VERSION}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return [
        Path(sys.executable),
        *([Path(on_path)] if on_path else []),
        *sorted(pyenv.glob(f"versions/{DEPLOYED_VERSION}.*/bin/python{DEPLOYED_VERSION}"), reverse=True),
    ]
