"""The operators' console beside the local environment, so that whoever starts it sees a living system at once."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.folders import remove
from local.paths import CONSOLE_LOG
from local.processes import Processes

CONSOLE: Final = (sys.executable, "-m", "ops", "console")
_ADDRESS: Final = re.compile(r"^http://127\.0\.0\.1:\d+/\S+$", re.MULTILINE)
_START_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.1


@contextmanager
def running_console(command: Sequence[str] = CONSOLE) -> Iterator[str | None]:
    """Its address, which works once. None if it did not start; nothing else of the environment needs it.

    It only reads. It ends with the environment, also with one that is killed.
    """
    CONSOLE_LOG.unlink(missing_ok=True)
    processes, folder = Processes(), Path(tempfile.mkdtemp(prefix="payflowx-"))
    try:
        guarded = [sys.executable, "-m", "local.process_guard", str(os.getpid()), str(folder), *command]
        yield _address(processes.start(guarded, {}, str(CONSOLE_LOG)))
    finally:
        processes.stop()
        remove(folder)


def _address(process: subprocess.Popen[bytes]) -> str | None:
    """Wait until it is printed."""
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends:
        found = _ADDRESS.search(CONSOLE_LOG.read_text())
        if found is not None:
            return found.group()
        if process.poll() is not None:
            return None
        time.sleep(_POLL_SECONDS)
    return None
