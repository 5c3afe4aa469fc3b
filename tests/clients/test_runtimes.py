"""The TypeScript client on the runtimes beside Node that its page names: Deno, and the one of workers."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from local.processes import free_port
from payflowx_client import Client
from payflowx_client.testing import API_KEY
from tests.clients.test_webhook_adapters import PATIENT_SECONDS, wait_for

ROOT = Path(__file__).resolve().parents[2]
RUNTIMES = ROOT / "clients" / "runtimes"
BOUGHT = {"payment": "SUCCESS", "refund": "SUCCEEDED", "event": "payment.succeeded", "isForgedRefused": True}
WORKER = """using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [{modules}], compatibilityDate = "2026-11-01")),
    (name = "internet", network = (allow = ["local", "private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "main")]
);
"""

pytestmark = pytest.mark.needs("runtimes")


@pytest.fixture
def url() -> Iterator[str]:
    """A double whose time passes by itself. One payment was made there in the end."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python" / "src")}
    command = [sys.executable, "-m", "payflowx_client.testing", "--port", str(port)]
    process = subprocess.Popen(command, env=environment)
    try:
        wait_for(port, process)
        address = f"http://127.0.0.1:{port}"
        yield address
        assert len(list(Client(base_url=address, api_key=API_KEY).payments.list())) == 1
    finally:
        process.terminate()
        process.wait(PATIENT_SECONDS)


def test_deno(url: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *("node_modules/.bin/deno", "run", "--no-prompt", "--node-modules-dir=manual"),
            *("--allow-net=127.0.0.1", "--allow-read", f"--allow-write={tmp_path}"),
            *("on_deno.mjs", url, API_KEY, str(tmp_path)),
        ],
        cwd=RUNTIMES,
        check=False,
        env={**os.environ, "DENO_DIR": str(tmp_path / "deno"), "DENO_NO_UPDATE_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {**BOUGHT, "isKept": True}


def test_a_worker(url: str, tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "config.capnp"
    config.write_text(WORKER.format(modules=", ".join(modules(tmp_path)), port=port))
    # In a session of its own: the command is a script of Node that starts the program itself.
    command = [RUNTIMES / "node_modules" / ".bin" / "workerd", "serve", config]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        wait_for(port, process)
        query = urlencode({"url": url, "key": API_KEY})
        with urlopen(f"http://127.0.0.1:{port}/?{query}", timeout=PATIENT_SECONDS) as answer:
            assert json.load(answer) == BOUGHT
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENT_SECONDS)


def modules(folder: Path) -> list[str]:
    """The worker and the built library, as modules in the configuration, the worker first."""
    library = ROOT / "clients" / "typescript" / "dist" / "esm"
    found = {f"payflowx/{path.relative_to(library)}": path.read_text() for path in library.rglob("*.js")}
    own = {name: (RUNTIMES / name).read_text() for name in ("on_workerd.mjs", "buyer.mjs")}
    packages = {"@payflowx/client/testing": "payflowx/testing/index.js", "@payflowx/client": "payflowx/index.js"}
    for package, path in packages.items():
        own = {name: text.replace(f'"{package}"', f'"./{path}"') for name, text in own.items()}
    described = []
    for number, (name, text) in enumerate({**own, **found}.items()):
        (folder / f"{number}.js").write_text(text)
        described.append(f'(name = "{name}", esModule = embed "{number}.js")')
    return described
