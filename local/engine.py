"""The engine: MiniStack as a child process on 127.0.0.1, and boto3 clients that talk to it."""

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from local.errors import LocalEnvironmentError
from local.paths import STATE
from local.processes import Processes, free_port

ACCOUNT: Final = "000000000000"
_START_SECONDS: Final = 30
_STOP_SECONDS: Final = 60
"""A stop in order waits for functions in progress, and these for providers: 30 s at most by the functions' timeouts."""
_IDLE_SECONDS: Final = 30
"""How long the engine keeps a second, third, ... process of a function that no request needs."""
_MAX_EXECUTIONS: Final = 64
"""Far above what the API's places and the queues' settings allow: the engine refuses a runaway, nothing else."""


class EngineProcess:
    """The engine's own process. It can be restarted where it was started with `keep_state`."""

    def __init__(
        self, processes: Processes, command: Sequence[str], environment: Mapping[str, str], *, log: str, url: str
    ) -> None:
        self._processes, self._command, self._environment = processes, command, environment
        self._log, self._url = log, url
        self._running = self._start()

    def restart(self) -> None:
        """Stop in order, then start again at the same address. Raises `LocalEnvironmentError`."""
        self._running.terminate()
        try:
            self._running.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise LocalEnvironmentError(f"The local engine did not stop within {_STOP_SECONDS} s.") from None
        self._running = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        """Wait until it answers."""
        process = self._processes.start(self._command, self._environment, self._log)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self._url}/_ministack/health", timeout=1).close()  # noqa: S310 - our own address
                return process
            time.sleep(0.1)
        raise LocalEnvironmentError("The local engine did not start; see .local/engine.log.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A running engine, or another one (a real account even) at `endpoint_url`."""

    endpoint_url: str
    region: str
    enforces_rights: bool = False
    """Whether the functions' roles are enforced (`AUTH=true make run`)."""
    process: EngineProcess | None = None
    """None when another program has started the engine."""

    def client(self, service: str) -> Any:
        """A client with credentials that mean nothing outside this machine."""
        make: Callable[..., Any] = boto3.client  # its types know literal names only
        return make(
            service,
            endpoint_url=self.endpoint_url,
            region_name=self.region,
            aws_access_key_id="test",  # the engine's root user
            aws_secret_access_key="test",  # noqa: S106 - opens nothing outside this machine
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
        )


def start_engine(
    processes: Processes, *, region: str, temporary: Path, parent: int, keep_state: bool = False
) -> Engine:
    """Returns when the engine answers. `temporary` holds all that it writes, and is deleted with the environment.

    With `keep_state` the engine saves its state when it is stopped in order, and loads it when it is restarted.
    """
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
        "LAMBDA_WARM_TTL_SECONDS": str(_IDLE_SECONDS),
        "LAMBDA_ACCOUNT_CONCURRENCY": str(_MAX_EXECUTIONS),
        "IOT_MTLS_ENABLED": "0",  # else it opens a port of its own
        "SFTP_ENABLED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": "",  # else each process compiles what its packages hold as bytecode already
    }
    if keep_state:
        environment |= {"PERSIST_STATE": "1", "STATE_DIR": str(temporary / "state")}
    log = STATE / "engine.log"
    log.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "local.process_guard",
        str(parent),
        str(temporary),
        sys.executable,
        "-m",
        "ministack",
    ]
    url = f"http://127.0.0.1:{port}"
    process = EngineProcess(processes, command, environment, log=str(log), url=url)
    enforces_rights = os.environ.get("AUTH") == "true"
    return Engine(endpoint_url=url, region=region, enforces_rights=enforces_rights, process=process)
