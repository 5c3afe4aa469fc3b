"""Ends a connection at a total time. A socket's own timeout starts anew with every byte that drips in."""

import contextlib
import socket
import threading


class CutOff:
    """Counts the bytes of one connection."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self.struck = False

    def arm(self, sock: socket.socket, seconds: float) -> None:
        """From now on the call has so many seconds."""
        self.disarm()
        self.struck = False
        self._timer = threading.Timer(seconds, self._strike, (sock,))
        self._timer.daemon = True
        self._timer.start()

    def disarm(self) -> None:
        """The call is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _strike(self, sock: socket.socket) -> None:
        self.struck = True
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
