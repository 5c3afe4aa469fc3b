"""`python -m sandbox --provider mock --port 4101`: simulators as servers, until they are interrupted.

Both options may be repeated: several simulators then share one process, each on its own port.
"""

import argparse
import json
import os
import signal
import threading
import time
from typing import Final

from sandbox.server import SimulatorServer
from sandbox.simulator import Credentials
from sandbox.simulators import ALL

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Credentials come from the environment, so that no list of processes shows them."""
    parser = argparse.ArgumentParser(prog="sandbox", description="Provider simulators on 127.0.0.1")
    parser.add_argument("--provider", required=True, choices=sorted(ALL), action="append")
    parser.add_argument("--port", required=True, type=int, action="append")
    parser.add_argument("--parent", type=int, help="end when this process is gone")
    arguments = parser.parse_args()
    if len(arguments.provider) != len(arguments.port):
        parser.error("each --provider needs a --port of its own")
    servers = [_server(name, port) for name, port in zip(arguments.provider, arguments.port, strict=True)]
    for number in _SIGNALS:
        signal.signal(number, lambda *_: threading.Thread(target=_stop, args=(servers,)).start())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)  # a runner that blocks them starts its jobs so
    if arguments.parent:
        threading.Thread(target=_end_with, args=(arguments.parent,), daemon=True).start()
    for server in servers:
        server.start()
        print(f"{server.simulator.name} at {server.url}", flush=True)
    for server in servers:
        server.wait()


def _server(provider: str, port: int) -> SimulatorServer:
    """SANDBOX_ACCOUNTS holds credentials by provider; SANDBOX_KEY_ID and SANDBOX_KEY_SECRET are for all others."""
    account = json.loads(os.environ.get("SANDBOX_ACCOUNTS", "{}")).get(provider, {})
    credentials = Credentials(
        key_id=account.get("keyId", os.environ.get("SANDBOX_KEY_ID", "sandbox")),
        key_secret=account.get("keySecret", os.environ.get("SANDBOX_KEY_SECRET", "sandbox")),
    )
    return SimulatorServer(provider, port, credentials, webhook_secret=account.get("webhookSecret"))


def _stop(servers: list[SimulatorServer]) -> None:
    for server in servers:
        server.stop()


def _end_with(parent: int) -> None:
    """A launcher that is killed cannot end its children: they watch whether it is still their parent."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


if __name__ == "__main__":
    main()
