"""Runs the console until it is interrupted."""

import socket
from collections.abc import Callable

import uvicorn

from ops.console.server import Console, application
from ops.session import Session


def serve(
    session: Session, listener: socket.socket, *, host: str, may_write: bool, said: Callable[[str], None]
) -> None:
    """Serve on a bound socket. `said` gets the address to open. No request is logged: addresses hold ids."""
    console = Console(session=session, may_write=may_write, host=host)
    config = uvicorn.Config(
        application(console), log_config=None, access_log=False, lifespan="off", server_header=False, date_header=False
    )
    listener.listen()
    said(console.address)
    uvicorn.Server(config).run(sockets=[listener])
