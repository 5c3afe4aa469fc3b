"""Ends a connection at a total time. A socket's own timeout starts anew with every byte that drips in."""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Final


class CutOff:
    """Of one call. `struck`: it took too long, and its socket was shut down."""

    __slots__ = ("struck",)

    def __init__(self) -> None:
        self.struck = False

    def arm(self, sock: socket.socket, seconds: float) -> None:
        """From now on the call has so many seconds. Raises `OSError` where the machine gives no thread to watch it."""
        _WATCH.add(self, sock, seconds)

    def disarm(self) -> None:
        """The call is over. From now on nothing ends the socket, which may serve another call."""
        _WATCH.remove(self)


@dataclass(slots=True)
class _Watch:
    """Shuts down the sockets whose time is over, from one thread for all calls of the process.

    A thread for each call would take a tenth of the processor time of a payment. The thread begins with the first
    call, sleeps until the earliest end that it knows of, and wakes no earlier where a call ends in time.
    """

    changed: threading.Condition = field(default_factory=threading.Condition)
    calls: dict[CutOff, tuple[float, socket.socket]] = field(default_factory=dict)
    """The end of each call, by the monotonic clock in seconds, and its socket. One that failed stays until its end."""
    wakes_at: float | None = None
    """When the thread goes on by itself; None where it waits for a call."""
    thread: threading.Thread | None = None

    def add(self, cut_off: CutOff, sock: socket.socket, seconds: float) -> None:
        """A call begins."""
        ends_at = time.monotonic() + seconds
        with self.changed:
            if self.thread is None or not self.thread.is_alive():  # a forked process has no thread but its first
                self.thread = self._started()
            self.calls[cut_off] = (ends_at, sock)
            if self.wakes_at is None or ends_at < self.wakes_at:
                self.changed.notify()

    def _started(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="cut-off", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise OSError("the machine gives no further thread") from error
        return thread

    def remove(self, cut_off: CutOff) -> None:
        """It is over, if it was not struck before."""
        with self.changed:
            self.calls.pop(cut_off, None)

    def _run(self) -> None:
        with self.changed:
            while True:
                self._strike(time.monotonic())
                self.wakes_at = min((ends_at for ends_at, _ in self.calls.values()), default=None)
                self.changed.wait(None if self.wakes_at is None else max(0.0, self.wakes_at - time.monotonic()))

    def _strike(self, now: float) -> None:
        """Under the lock: a call that has been removed is over, and its socket may serve the next one."""
        for cut_off, (ends_at, sock) in list(self.calls.items()):
            if ends_at <= now:
                del self.calls[cut_off]
                cut_off.struck = True
                with contextlib.suppress(OSError):
                    # Not `sock.shutdown`: that of a TLS socket first forgets its keys, and a thread that is sending
                    # would send the rest as it is.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


_WATCH: Final = _Watch()
