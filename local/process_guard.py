"""Runs a command and ends it, with all its children, when the process that wanted it is gone.

An environment that is killed with SIGKILL cannot clean up. This process watches it:
`python -m local.process_guard PARENT COMMAND...`.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time


def main() -> int:
    """The command's exit status."""
    parent, temporary, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    child = subprocess.Popen(command)  # noqa: S603 - our own arguments
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent, temporary), daemon=True).start()
    return child.wait()


def _watch(parent: int, temporary: str) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    shutil.rmtree(temporary, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
