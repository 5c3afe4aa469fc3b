"""Output at the terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str = "") -> None:
    """Print a line without buffering."""
    print(text, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print `text ... `, run the body, then print how long it took."""
    started = time.monotonic()
    sys.stdout.write(f"  {text} ... ")
    sys.stdout.flush()
    try:
        yield
    except BaseException:
        say("failed")
        raise
    say(f"{time.monotonic() - started:.1f} s")
