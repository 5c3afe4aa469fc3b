"""The dependency layer built for this machine: the one in the assembly holds wheels for Lambda's processor."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from local.errors import LocalEnvironmentError
from local.paths import LAYERS, ROOT, WHEELS

_REQUIREMENTS: Final = ROOT / "functions" / "requirements.txt"


def host_layer() -> Path:
    """A folder with the same locked packages, from the wheels of `make setup`. Raises `LocalEnvironmentError`."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    name = hashlib.sha256(_REQUIREMENTS.read_bytes() + version.encode()).hexdigest()[:16]
    folder = LAYERS / name
    if folder.is_dir():
        return folder
    shutil.rmtree(LAYERS, ignore_errors=True)
    partial = LAYERS / f"{name}.partial"
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"),
        *("--find-links", str(WHEELS / "host"), "--require-hashes", "--no-deps", "--no-compile"),
        *("--target", str(partial / "python"), "--requirement", str(_REQUIREMENTS)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        raise LocalEnvironmentError(
            "The layer for this machine could not be built; run `make clean setup` and try again."
        )
    partial.rename(folder)
    return folder
