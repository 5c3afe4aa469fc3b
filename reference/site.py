"""`make site`: build the documentation, in an environment of its own (`.venv-docs`), into `.local/site`.

Runs under whatever Python `make` found, hence no imports but the standard library's.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-docs.txt"
VENV = ROOT / ".venv-docs"
STAMP = VENV / "installed"
SITE = ROOT / ".local" / "site"


def main() -> int:
    """The exit status of MkDocs: not 0 for a link or an anchor that does not resolve."""
    install()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    # Not with --quiet: strict mode counts the warnings that are logged.
    command = [str(VENV / "bin" / "mkdocs"), "build", "--strict"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == 0:
        print(f"payflowx: the documentation is in {SITE.relative_to(ROOT)}/index.html")
    else:
        print(done.stdout, done.stderr, file=sys.stderr)
    return done.returncode


def install() -> None:
    """Skipped while the lock file and the Python are those of the last time."""
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    venv.create(VENV, with_pip=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "--requirement", str(LOCK)], check=True)  # noqa: S603
    STAMP.write_text(wanted)


if __name__ == "__main__":
    sys.exit(main())
