"""Runs the engine and ends it, with all its function processes, when the launcher is gone.

A launcher that is killed with SIGKILL cannot clean up. The guard, the engine and its function processes share one
process group; `python -m local.process_guard LAUNCHER FOLDER COMMAND...` ends the group and deletes FOLDER when the
process LAUNCHER is no longer its parent.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from local.folders import remove

_POLL_SECONDS: Final = 0.2


def main() -> int:
    """The command's exit status."""
    launcher, folder, command = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    child = subprocess.Popen(command)  # noqa: S603 - our own arguments
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while (status := child.poll()) is None:
        if os.getppid() != launcher:
            _end_group(folder)
        time.sleep(_POLL_SECONDS)
    return status


def _end_group(folder: Path) -> None:
    """The child of this fork has left the group, so that it outlives it and can delete what the group has written."""
    group = os.getpgrp()
    if os.fork():
        signal.pause()
        return
    os.setsid()
    os.killpg(group, signal.SIGKILL)
    remove(folder)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
