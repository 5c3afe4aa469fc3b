"""Node and npm, as the tests of the clients use them."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TYPESCRIPT: Final = ROOT / "clients" / "typescript"
ADAPTERS: Final = ROOT / "clients" / "adapters" / "node"
RUNTIMES: Final = ROOT / "clients" / "runtimes"
OLDEST_NODE: Final = 20
_TIMEOUT_SECONDS: Final = 600


def found_node() -> str | None:
    """The path of Node with its npm, if it is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    version = re.match(r"v(\d+)", done.stdout)
    return node if version is not None and int(version[1]) >= OLDEST_NODE else None


def install(folder: Path) -> None:
    """Install what the folder's lock names, unless it is there already."""
    stamp = folder / "node_modules" / ".payflowx-lock"
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", folder=folder)
        stamp.write_text(wanted)


def run(*command: str, folder: Path, may_fail: bool = False) -> int:
    """The exit code. Raises `CalledProcessError`, `TimeoutExpired`."""
    sys.stdout.flush()
    done = subprocess.run(command, cwd=folder, check=not may_fail, timeout=_TIMEOUT_SECONDS)  # noqa: S603
    return done.returncode
