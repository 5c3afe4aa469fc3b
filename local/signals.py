"""Ctrl-C, SIGTERM and a closed terminal end a command in the same way: by KeyboardInterrupt, once."""

import signal
import time
from types import FrameType
from typing import Final, NoReturn

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WAIT_SECONDS: Final = 0.5


def interrupt_on_signals() -> None:
    """Whatever the program that started this one has left: both are inherited, and Ctrl-C would do nothing.

    A shell starts its background jobs with SIGINT ignored. A service manager or a CI runner may block signals
    for its own threads, and starts its jobs with them blocked: see signal(7) and sigprocmask(2).
    """
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def ignore_signals() -> None:
    """Ignore signals while a command stops: that is bounded in time already."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def wait_until_interrupted() -> NoReturn:
    """Raises KeyboardInterrupt. In short waits: Python runs a handler in the main thread alone.

    The system may deliver the signal to another thread, which does not wake this one.
    """
    while True:
        time.sleep(_WAIT_SECONDS)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    ignore_signals()
    raise KeyboardInterrupt
