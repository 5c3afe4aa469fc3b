"""The child processes of the local environment: none outlives it, however it ends."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


def free_port() -> int:
    """A port on which no process listens right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Processes:
    """Each child leads a process group of its own, to which the processes that it starts belong."""

    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, command: Sequence[str], environment: Mapping[str, str], log: str) -> subprocess.Popen[bytes]:
        """Ctrl-C at the terminal reaches the launcher only, which then ends its children itself."""
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
        """Of the children that run."""
        return [process.pid for process in self.running if process.poll() is None]

    def stop(self) -> None:
        """End all groups at once: they keep nothing that is needed afterwards, so none is asked to end in order."""
        for process in self.running:
            if process.poll() is None:  # the number of an ended one may belong to another program by now
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
        for process in self.running:
            process.wait()
        self.running.clear()
