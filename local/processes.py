"""Child processes that never outlive the stage, however it ends."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_PATIENCE_SECONDS: Final = 8


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Processes:
    """All children of the stage; the last one started is the first one ended."""

    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, command: Sequence[str], environment: Mapping[str, str], log: str) -> subprocess.Popen[bytes]:
        """In a group of its own, so that Ctrl-C reaches the stage only, which then ends them in order."""
        with open(log, "ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own arguments
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def pids(self) -> list[int]:
        """Of those that run."""
        return [process.pid for process in self.running if process.poll() is None]

    def stop(self) -> None:
        """Ask, wait, then insist; with all that they have started themselves."""
        for process in reversed(self.running):
            _signal(process, signal.SIGTERM)
        for process in reversed(self.running):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_SECONDS)
            _signal(process, signal.SIGKILL)
            process.wait()
        self.running.clear()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
