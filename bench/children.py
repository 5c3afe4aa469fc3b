"""The suite's processes: the stand-in, and new interpreters that see only the deployed layout."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.layout import ROOT

_TIMEOUT_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """The running stand-in. `environment` holds the functions' settings."""

    port: int
    api_key: str
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def control(self, name: str, content: object) -> Any:
        """`latency` by service in milliseconds, `messages` of a queue, or `calls` since the last time."""
        request = urllib.request.Request(f"{self.url}/control/{name}", json.dumps(content).encode())  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - ours
            return json.load(answer)


@contextlib.contextmanager
def stand_in() -> Iterator[StandIn]:
    """Start one, and end it afterwards."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}"}
    command = [sys.executable, "-m", "bench.standin"]
    process = subprocess.Popen(  # noqa: S603 - our own arguments
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("unreachable: both are pipes")
    try:
        started = json.loads(process.stdout.readline())
        yield StandIn(port=started["port"], api_key=started["apiKey"], environment=started["environment"])
    finally:
        process.stdin.close()
        process.wait(_TIMEOUT_SECONDS)
        process.stdout.close()


def function_environment(path: str, running: StandIn | None) -> dict[str, str]:
    """The environment of a function with these folders as its path. It stores no bytecode, as on Lambda."""
    found = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_SERVICE_NAME": "Function",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
    if running is not None:
        found |= {**running.environment, "AWS_ENDPOINT_URL": running.url}
    return found


def run_child(script: str, *arguments: str, environment: Mapping[str, str]) -> Any:
    """Run a script in a new interpreter without `site`; its last line of output is JSON."""
    command = [sys.executable, "-S", "-s", str(ROOT / "bench" / "scripts" / script), *arguments]
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, env=dict(environment), capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{script} {arguments} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
