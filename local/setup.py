"""Sets a checkout up, in two steps, each skipped when nothing that it is made from has changed.

`local/setup.py` installs what the local environment needs; `local/setup.py development` adds the tools of the gate.
It runs under whatever Python `make` found, hence the plain syntax and no imports but the standard library's.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".local"
LOG = STATE / "setup.log"
VENV = ROOT / ".venv"
VENV_313 = ROOT / ".venv-313"
VENV_SDK = ROOT / ".venv-sdk"
LAYER_LOCK = ROOT / "functions" / "requirements.txt"
LOCAL_LOCK = ROOT / "requirements-local.txt"
DEVELOPMENT_LOCK = ROOT / "requirements-dev.txt"
CLI_LOCK = ROOT / "package-lock.json"
VENV_CLIENTS = ROOT / ".venv-clients"
SDK_LOCK = ROOT / "requirements-sdk.txt"
CLIENTS_LOCK = ROOT / "requirements-clients.txt"
BROWSER_LOCK = ROOT / "requirements-browser.txt"
BROWSER_PACKAGES = STATE / "browser"
AXE = ROOT / "tests" / "browser"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
LAMBDA_TARGET = (
    "--implementation=cp",
    "--python-version=3.13",
    "--platform=manylinux2014_aarch64",
    "--platform=manylinux_2_28_aarch64",
)
# Everything that a lock file names, and nothing else: pip has nothing to resolve. Python compiles a module when it
# first imports it; compiling all of the CDK would take a minute and 200 MB.
AS_LOCKED = ("--no-deps", "--no-compile", "--require-hashes")
NEEDED_ON_313 = (
    "boto3",
    "click",
    "greenlet",
    "httpx",
    "hypothesis",
    "iso4217",
    "jsonschema",
    "ministack",
    "moto",
    "pytest",
    "segno",
    "setuptools",
    "standardwebhooks",
    "starlette",
    "urllib3",
    "uvicorn",
)


class SetupError(Exception):
    """One sentence for the person at the terminal."""


def main() -> int:
    """0 when everything is there."""
    steps = {
        "": set_up,
        "development": set_up_development,
        "python313": set_up_python313,
        "sdk": set_up_sdk,
        "clients": set_up_clients,
        "browser": set_up_browser,
    }
    try:
        steps["".join(sys.argv[1:])]()
    except SetupError as error:
        print("\npayflowx: {}".format(error), file=sys.stderr)  # noqa: UP032 - must parse on any Python 3
        return 1
    except OSError as error:
        hint = "The checkout has to be in a folder that you may write to, with space left."
        print("\npayflowx: {}. {}".format(error, hint), file=sys.stderr)  # noqa: UP032 - must parse on any Python 3
        return 1
    except KeyboardInterrupt:
        print("\npayflowx: set-up interrupted; `make setup` goes on where it ended.", file=sys.stderr)
        return 130
    return 0


def set_up() -> None:
    """The environment that `make run` needs: synthesis, the local engine, the simulators, the payflowx command."""
    check_tools()
    STATE.mkdir(exist_ok=True)
    stamp = STATE / "set-up"
    wanted = digest([LOCAL_LOCK, LAYER_LOCK], sys.version)
    if is_made(stamp, wanted, VENV):
        return
    LOG.write_text("")
    with step("creating the virtual environment"):
        venv.create(VENV, with_pip=True, clear=True)
    with step("installing the locked packages (about 300 MB)"):
        pip("install", *AS_LOCKED, "--requirement", LOCAL_LOCK)
    with step("installing the payflowx command"):
        pip("install", "--no-deps", "--no-compile", "--no-build-isolation", "--editable", ROOT)
    with step("fetching the layer's wheels"):
        fetch_wheels("lambda", *LAMBDA_TARGET)
        fetch_wheels("host")
    stamp.write_text(wanted)


def set_up_development() -> None:
    """The same environment with types, lint and test tools, and the CDK CLI beside it."""
    set_up()
    stamp = STATE / "set-up-development"
    wanted = digest([STATE / "set-up", DEVELOPMENT_LOCK, CLI_LOCK])
    if is_made(stamp, wanted, VENV):
        return
    with step("installing the development tools"):
        pip("install", *AS_LOCKED, "--requirement", DEVELOPMENT_LOCK)
    with step("installing the CDK CLI"):
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"])
    stamp.write_text(wanted)


def is_made(stamp: Path, wanted: str, environment: Path) -> bool:
    """True if the environment was made from exactly this."""
    return stamp.is_file() and stamp.read_text() == wanted and (environment / "bin" / "python").exists()


def fetch_wheels(name: str, *target: str) -> None:
    """Download the wheels that `pip install --no-index` finds later, without a network."""
    folder = STATE / "wheels" / name
    shutil.rmtree(folder, ignore_errors=True)
    options = ("--no-deps", "--require-hashes", "--only-binary=:all:", *target)
    pip("download", *options, "--dest", folder, "--requirement", LAYER_LOCK)


def set_up_python313() -> None:
    """A second environment for the tests on the version that is deployed; nothing if there is no such Python."""
    python = find_python313()
    if python is None:
        print("  Python 3.13 was not found: its part of the tests is skipped")
        return
    stamp = STATE / "set-up-313"
    wanted = digest([DEVELOPMENT_LOCK, LAYER_LOCK], f"{python} {NEEDED_ON_313}")
    if is_made(stamp, wanted, VENV_313):
        return
    with step("setting Python 3.13 up for its part of the tests"):
        shutil.rmtree(VENV_313, ignore_errors=True)
        run([python, "-m", "venv", VENV_313])
        # uv takes versions and hashes from a constraint file; pip does not.
        options = ("--quiet", "--verify-hashes", "--constraint", DEVELOPMENT_LOCK)
        run([VENV / "bin" / "uv", "pip", "install", "--python", VENV_313, *options, *NEEDED_ON_313])
        pip("install", *AS_LOCKED, "--requirement", LAYER_LOCK, environment=VENV_313)
    stamp.write_text(wanted)


def set_up_sdk() -> None:
    """An environment for the providers' own SDKs, which want packages of other versions than ours."""
    STATE.mkdir(exist_ok=True)
    stamp = STATE / "set-up-sdk"
    wanted = digest([SDK_LOCK], sys.version)
    if stamp.is_file() and stamp.read_text() == wanted and (VENV_SDK / "bin" / "python").exists():
        return
    with step("installing the providers' SDKs (about 70 MB)"):
        venv.create(VENV_SDK, with_pip=True, clear=True)
        pip("install", "--require-hashes", "--requirement", SDK_LOCK, environment=VENV_SDK)
    stamp.write_text(wanted)


def set_up_clients() -> None:
    """An environment for the frameworks that the clients' webhook kit is tested with."""
    STATE.mkdir(exist_ok=True)
    stamp = STATE / "set-up-clients"
    wanted = digest([CLIENTS_LOCK], sys.version)
    if is_made(stamp, wanted, VENV_CLIENTS):
        return
    with step("installing web frameworks for the clients' tests (about 60 MB)"):
        venv.create(VENV_CLIENTS, with_pip=True, clear=True)
        pip("install", *AS_LOCKED, "--requirement", CLIENTS_LOCK, environment=VENV_CLIENTS)
    stamp.write_text(wanted)


def set_up_browser() -> None:
    """Playwright and axe-core. The browser is the system's: it is installed in CI only, where nobody else does it."""
    STATE.mkdir(exist_ok=True)
    if os.environ.get("CI") and not find_chromium() and shutil.which("apt-get"):
        install_chromium()
    stamp = BROWSER_PACKAGES / "set-up"
    wanted = digest([BROWSER_LOCK, AXE / "package-lock.json"], sys.version)
    if stamp.is_file() and stamp.read_text() == wanted and (AXE / "node_modules" / "axe-core").is_dir():
        return
    with step("installing Playwright and axe-core (about 160 MB)"):
        shutil.rmtree(BROWSER_PACKAGES, ignore_errors=True)
        # Into a folder and not into .venv: it is seen by the tests of the browser only.
        pip("install", *AS_LOCKED, "--target", BROWSER_PACKAGES, "--requirement", BROWSER_LOCK)
        run(["npm", "ci", "--prefix", AXE, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    stamp.write_text(wanted)


def find_chromium() -> "str | None":
    """The system's; CHROMIUM names another one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def install_chromium() -> None:
    """Debian's package, with root's rights or without a password. The tests say what is missing after a failure."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    with step("installing Chromium"), LOG.open("ab") as log:
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]):
            command = [*as_root, "apt-get", "-qq", *arguments]
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)  # noqa: S603


def find_python313() -> "Path | None":
    """On the path, or under pyenv."""
    on_path = shutil.which("python3.13")
    candidates = [Path(on_path)] if on_path else []
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    candidates += sorted((pyenv / "versions").glob("3.13.*/bin/python3.13"), reverse=True)
    for candidate in candidates:
        done = subprocess.run([str(candidate), "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode == 0 and done.stdout.startswith("Python 3.13"):
            return candidate
    return None


def check_tools() -> None:
    """Python is checked by itself, Node and npm by asking them."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        raise SetupError(f"Python 3.11 or newer is needed, this is {found}. Choose one with PYTHON=python3.12.")
    node = shutil.which("node")
    if node is None:
        raise SetupError(f"Node.js {OLDEST_NODE} or newer is needed and was not found: the CDK runs on it.")
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.match(r"v(\d+)", done.stdout)
    if version is None or int(version[1]) < OLDEST_NODE:
        raise SetupError(
            f"Node.js {OLDEST_NODE} or newer is needed, this is {done.stdout.strip() or 'none that runs'}."
        )
    if shutil.which("npm") is None:
        raise SetupError("npm is needed and was not found; it usually comes with Node.js.")


def pip(*arguments: object, environment: Path = VENV) -> None:
    """Pip of an environment, quietly."""
    run([environment / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments])


def run(command: "list[object]") -> None:
    """Output goes to the log; what went wrong is said in one sentence."""
    with LOG.open("ab") as log:
        words = [str(word) for word in command]
        done = subprocess.run(words, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False)  # noqa: S603
    if done.returncode == 0:
        return
    text = LOG.read_text(errors="replace")[-20_000:]
    offline = ("Temporary failure in name resolution", "Failed to establish a new connection", "ENOTFOUND", "EAI_AGAIN")
    if any(sign in text for sign in (*offline, "Network is unreachable", "ECONNREFUSED", "Name or service not known")):
        raise SetupError(
            "The packages could not be downloaded: there seems to be no network. The first start needs one."
        )
    raise SetupError(f"`{' '.join(words[:4])} ...` failed; see {LOG.relative_to(ROOT)}.")


class step:  # noqa: N801 - reads as a statement
    """`text ... 1.2 s` around something that takes a while."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.started = time.monotonic()

    def __enter__(self) -> None:
        sys.stdout.write(f"  {self.text} ... ")
        sys.stdout.flush()

    def __exit__(self, kind: object, *_rest: object) -> None:
        print("failed" if kind else f"{time.monotonic() - self.started:.0f} s", flush=True)


def digest(files: "list[Path]", *more: str) -> str:
    """Over the contents of the files."""
    found = hashlib.sha256("\n".join(more).encode())
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
