"""The engine: MiniStack as a child process on 127.0.0.1, and boto3 clients that talk to it."""

import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from local.errors import StageError
from local.paths import STATE
from local.processes import Processes, free_port

ACCOUNT: Final = "000000000000"
_START_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A running engine, or another one (a real account even) at `endpoint_url`."""

    endpoint_url: str
    region: str
    enforces_rights: bool = False
    """Whether the functions' roles are enforced (`AUTH=true make run`)."""

    def client(self, service: str) -> Any:
        """A client with credentials that mean nothing outside this machine."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id="test",  # the engine's root user
            aws_secret_access_key="test",  # noqa: S106 - opens nothing outside this machine
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
        )


def start_engine(processes: Processes, *, region: str, temporary: Path, parent: int) -> Engine:
    """Wait until it answers. `temporary` holds all that it writes and is deleted with the stage."""
    port = free_port()
    environment = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_DEFAULT_REGION": region,
        "TMPDIR": str(temporary),
        "LOG_LEVEL": "WARNING",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    log = STATE / "engine.log"
    log.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "local.guard",
        str(parent),
        str(temporary),
        sys.executable,
        "-m",
        "ministack",
    ]
    process = processes.start(command, environment, str(log))
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{url}/_ministack/health", timeout=1).close()  # noqa: S310 - our own address
            return Engine(endpoint_url=url, region=region, enforces_rights=os.environ.get("AUTH") == "true")
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise StageError("The local engine did not start; see .local/engine.log.")
