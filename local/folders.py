"""Deletes a folder into which a process that was just killed may still be writing."""

import shutil
import time
from pathlib import Path
from typing import Final

_TRIES: Final = 100
_PAUSE_SECONDS: Final = 0.05


def remove(folder: Path) -> bool:
    """False when the folder is still there after five seconds."""
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return True
        time.sleep(_PAUSE_SECONDS)
    return False
