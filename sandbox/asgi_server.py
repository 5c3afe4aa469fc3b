"""Serves an ASGI application on 127.0.0.1 from a background thread, by uvicorn."""

import asyncio
import logging
import socket
import threading
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HOST: Final = "127.0.0.1"

_RECEIVE_SECONDS: Final = 30.0
"""The longest time for a request to arrive, from its first byte to the last one of its body."""
_KEEP_ALIVE_SECONDS: Final = 75
_DRAIN_SECONDS: Final = 1
"""The longest time for requests in progress after the server stops."""
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_MAX_HEAD_BYTES: Final = 64 * 1024


def listen(port: int) -> socket.socket:
    """A bound socket; raises OSError when the port is taken. Port 0 takes any free one."""
    return socket.create_server((HOST, port), backlog=128)


class AsgiServer:
    """One application on one socket. `start`, `stop` and `drop` may be called from any thread."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._listener = listener
        config = uvicorn.Config(
            app,
            http=_TimedProtocol,
            ws="none",
            loop="asyncio",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name="asgi-server", daemon=True)

    def start(self) -> None:
        """Returns when requests are served."""
        self._thread.start()
        if not self._server.is_serving.wait(_START_SECONDS):
            raise RuntimeError("the server did not start")

    def stop(self, *, abort: bool = False) -> None:
        """Close the port; with `abort` every connection is reset at once, as when the machine goes away."""
        if not self._thread.is_alive():
            self._listener.close()
            return
        if abort:
            self._in_loop(self._abort_connections)
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)

    def drop(self, client: tuple[str, int]) -> None:
        """Reset the connection of this peer without an answer."""
        self._in_loop(self._abort_connections, client)

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])

    def _in_loop(self, action: Any, *arguments: Any) -> None:
        if self._server.loop is not None and not self._server.loop.is_closed():
            self._server.loop.call_soon_threadsafe(action, *arguments)

    def _abort_connections(self, client: tuple[str, int] | None = None) -> None:
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, H11Protocol) and client in {None, connection.client}:
                connection.transport.abort()


class _Server(uvicorn.Server):
    """Tells other threads when it serves, and in which event loop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_serving = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.is_serving.set()


class _TimedProtocol(H11Protocol):
    """Closes a connection whose request does not arrive in time; uvicorn bounds only the pause between two requests."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state in {h11.IDLE, h11.SEND_BODY}:
            self._arm()
        else:
            self._disarm()

    def _arm(self) -> None:
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(_RECEIVE_SECONDS, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
