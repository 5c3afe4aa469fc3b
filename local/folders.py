"""Deletes a folder into which a process that was just killed may still be writing."""

import shutil
import time
from pathlib import Path
from typing import Final

_SECONDS: Final = 5
_PAUSE_SECONDS: Final = 0.05


def remove(folder: Path) -> bool:
    """False when the folder is still there after five seconds, or after one pass over a large one."""
    deadline = time.monotonic() + _SECONDS
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
