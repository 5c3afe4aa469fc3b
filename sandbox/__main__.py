"""`python -m sandbox --gateway mock --port 4101`: one gateway as a server, until it is interrupted."""

import argparse
import os
import signal
import threading
import time

from sandbox.gateways import SIMULATORS
from sandbox.server import GatewayServer
from sandbox.simulator import Credentials


def main() -> None:
    """Serve; credentials come from the environment, so that no process list shows them."""
    parser = argparse.ArgumentParser(prog="sandbox", description="A gateway simulator on 127.0.0.1")
    parser.add_argument("--gateway", required=True, choices=sorted(SIMULATORS))
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--parent", type=int, help="end when this process is gone")
    arguments = parser.parse_args()
    credentials = Credentials(
        key_id=os.environ.get("SANDBOX_KEY_ID", "sandbox"),
        key_secret=os.environ.get("SANDBOX_KEY_SECRET", "sandbox"),
    )
    server = GatewayServer(arguments.gateway, arguments.port, credentials)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.stop).start())
    if arguments.parent:
        threading.Thread(target=_end_with, args=(arguments.parent,), daemon=True).start()
    server.start()
    print(f"{arguments.gateway} at {server.url}", flush=True)
    server.wait()


def _end_with(parent: int) -> None:
    """A launcher that is killed cannot end its children: they watch it instead."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    main()
