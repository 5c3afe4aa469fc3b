"""The output stream of all log and metric lines: one write a line, one line at a time.

Lambda's runtime flushes standard output after every write. A line written in two parts (text, then newline) by one of
ten threads is split by another thread's line, and CloudWatch can read neither.
"""

import sys
import threading
from typing import Final

_LOCK: Final = threading.Lock()


class LineStream:
    """A text stream for loggers. Standard output is looked up at each write, because runtimes replace it."""

    def write(self, text: str) -> int:
        """Write the whole text at once. `text` must end with its newline."""
        with _LOCK:
            return sys.stdout.write(text)

    def flush(self) -> None:
        """Flush standard output between two lines."""
        with _LOCK:
            sys.stdout.flush()
