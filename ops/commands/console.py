"""`payflowx console`."""

import socket
from typing import Final

import click

from ops.errors import Exit, OperatorError
from ops.options import target_options
from ops.session import Session, pass_session

_HOST: Final = "127.0.0.1"


@click.command()
@click.option("--write", is_flag=True, help="Allow changes. Without it the pages only read.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@target_options
@pass_session
def console(session: Session, *, write: bool, port: int) -> None:
    """Open the operators' pages on this machine, with your own rights. Ctrl-C ends them.

    The address that is printed works once, in one browser. Each page shows the command line that does the same.
    """
    from ops.console.serving import serve  # noqa: PLC0415 - only this command needs a web server

    target = session.target
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
        except OSError:
            raise OperatorError(
                f"Port {port} of {_HOST} is taken.", Exit.USAGE, hint="Say another --port, or none."
            ) from None
        host = f"{_HOST}:{listener.getsockname()[1]}"
        serve(
            session,
            listener,
            host=host,
            may_write=write,
            said=lambda address: _say(session, address, target.name, write=write),
        )


def _say(session: Session, address: str, environment: str, *, write: bool) -> None:
    mode = "Changes are allowed; each asks for a reason." if write else "It only reads; --write allows changes."
    session.say(f"The console of {environment}. {mode} Ctrl-C ends it. Open this address, which works once:")
    click.echo(address)
