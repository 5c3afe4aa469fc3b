"""Synthesizes the CDK application exactly as the CDK CLI does, and only if something has changed."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from local.errors import LocalEnvironmentError
from local.paths import ASSEMBLY, ROOT, STATE

_INPUTS: Final = ("app.py", "cdk.json", "requirements.txt", "infra", "functions", "sandbox", "docs/openapi.json")
_ENVIRONMENT: Final = "dev"
_STAMP: Final = STATE / "synthesized"


def synthesize() -> bool:
    """Write the cloud assembly. False when nothing has changed since the last time. Raises `LocalEnvironmentError`."""
    digest = _digest()
    if ASSEMBLY.is_dir() and _STAMP.is_file() and _STAMP.read_text() == digest:
        return False
    shutil.rmtree(ASSEMBLY, ignore_errors=True)
    STATE.mkdir(exist_ok=True)
    context = json.loads((ROOT / "cdk.json").read_text())["context"] | {
        "environments": _ENVIRONMENT,
        # The console, the runbooks and the tests meet every alarm here, where none costs anything.
        f"{_ENVIRONMENT}.ticket-alarms": True,
    }
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(ASSEMBLY),
        "CDK_CONTEXT_JSON": json.dumps(context),
        # The rules of CloudFormation are checked by `make synth` and the tests; they take five seconds.
        "CDK_VALIDATION": "false",
        # jsii would keep 215 MB of unpacked packages in the home folder. Unpacking them again takes 4 s of CPU time,
        # and only a change of the stacks makes a new synthesis necessary.
        "JSII_RUNTIME_PACKAGE_CACHE": os.environ.get("JSII_RUNTIME_PACKAGE_CACHE", "disabled"),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
    }
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        log = STATE / "synthesis.log"
        log.write_text(done.stdout + done.stderr)
        raise LocalEnvironmentError(f"The stacks could not be synthesized; see {log.relative_to(ROOT)}.")
    _STAMP.write_text(digest)
    return True


def _digest() -> str:
    """Over names and contents of all files that the assembly is made from."""
    digest = hashlib.sha256()
    for path in _files():
        data = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}:{len(data)}:".encode() + data)
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for name in _INPUTS:
        path = ROOT / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (f for f in found if f.is_file() and "__pycache__" not in f.parts)
