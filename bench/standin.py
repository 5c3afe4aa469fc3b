"""AWS and a provider for the suite, over HTTP in another process: then a function's CPU time is its own.

`python -m bench.standin` prints one line of JSON (port and the functions' environment), and serves until its standard
input ends. The models answer at once; `POST /control/latency` makes them wait as AWS does.
"""

import base64
import contextlib
import io
import json
import socket
import socketserver
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from botocore import xform_name
from botocore.exceptions import ClientError

from bench.model.engine import ModelEngine
from sandbox.http_types import Request
from sandbox.mock import MockSimulator
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from tests.support.handlers import simulated_functions
from tests.support.memory import ManualClock
from tests.support.tables import CONFIGURATION

PROVIDER: Final = "mock"
MERCHANT: Final = "acme"
TARGETS: Final = {
    "DynamoDB_20120810": "dynamodb",
    "AmazonSQS": "sqs",
    "secretsmanager": "secretsmanager",
    "TrentService": "kms",
}
_JSON: Final = "application/x-amz-json-1.0"


@dataclass
class Account:
    """The state behind all connections: one request at a time, as in one shard."""

    engine: ModelEngine
    simulator: MockSimulator
    waits_seconds: dict[str, float] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        service, name = _addressed(path, headers)
        if service == "control":
            return self._control(name, body)
        time.sleep(self.waits_seconds.get(service, 0))
        with self.lock:
            if service != PROVIDER:
                self.calls[name] += 1
            match service:
                case "appconfigdata":
                    return self._configuration(method)
                case "mock":
                    return self._provider(method, path, headers, body)
                case _:
                    return self._service(service, name, body)

    def _service(self, service: str, name: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        request = _with_bytes(json.loads(body))
        try:
            found = getattr(self.engine.client(service), name)(**request) or {}
        except ClientError as error:
            refused = {"__type": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
            response: dict[str, Any] = {**error.response}
            more = {key: response[key] for key in ("CancellationReasons", "Item") if key in response}
            return HTTPStatus.BAD_REQUEST, {"Content-Type": _JSON}, _encoded({**refused, **more})
        return HTTPStatus.OK, {"Content-Type": _JSON}, _encoded(found)

    def _configuration(self, method: str) -> tuple[int, dict[str, str], bytes]:
        client = self.engine.client("appconfigdata")
        if method == "POST":
            answer = json.dumps({"InitialConfigurationToken": "start"}).encode()
            return HTTPStatus.CREATED, {"Content-Type": "application/json"}, answer
        found = client.get_latest_configuration(ConfigurationToken="")
        headers = {"Content-Type": "application/json", "Next-Poll-Configuration-Token": "next"}
        return HTTPStatus.OK, headers, found["Configuration"].read()

    def _provider(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(path.removeprefix(f"/{PROVIDER}"))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked = Request(method=method, path=parts.path, query=query, headers=headers, body=body)
        reply = self.simulator.handle(asked, time.time())
        return reply.status, dict(reply.headers), reply.body

    def _control(self, name: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        answer: Any = {}
        with self.lock:
            match name:
                case "latency":
                    self.waits_seconds = {service: ms / 1000 for service, ms in json.loads(body).items()}
                case "messages":
                    answer = self._messages(json.loads(body)["queue"])
                case "calls":
                    answer = dict(self.calls)
                    self.calls.clear()
        return HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def _messages(self, queue: str) -> list[dict[str, Any]]:
        """All that the queue holds, as Lambda hands messages over: reading them is no call of the product."""
        sqs, found = self.engine.client("sqs").client, []
        while messages := sqs.receive_message(QueueUrl=queue).get("Messages"):
            found += messages
        return [{"messageId": m["MessageId"], "body": m["Body"], "attributes": {}} for m in found]


def _addressed(path: str, headers: dict[str, str]) -> tuple[str, str]:
    """The service and its operation."""
    if target := headers.get("x-amz-target"):
        prefix, _, operation = target.partition(".")
        return TARGETS[prefix], xform_name(operation)
    first, _, rest = path.lstrip("/").partition("/")
    if first in {"control", PROVIDER}:
        return first, rest
    return "appconfigdata", first.partition("?")[0]


def _with_bytes(value: Any) -> Any:
    """Binary attribute values and blobs are base64 in JSON."""
    if isinstance(value, dict):
        return {
            name: base64.b64decode(inner) if name in {"B", "CiphertextBlob", "Plaintext"} else _with_bytes(inner)
            for name, inner in value.items()
        }
    return [_with_bytes(inner) for inner in value] if isinstance(value, list) else value


def _encoded(value: Any) -> bytes:
    return json.dumps(value, default=_plain, separators=(",", ":")).encode()


def _plain(value: datetime | bytes) -> float | str:
    """AWS's JSON has seconds since 1970 for times, and base64 for bytes."""
    return value.timestamp() if isinstance(value, datetime) else base64.b64encode(value).decode()


class _Connection(socketserver.StreamRequestHandler):
    """HTTP/1.1 with connections that stay open, in a thread of its own."""

    account: Account
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while line := self.rfile.readline():
            method, path, _ = line.decode().split(" ", 2)
            headers = self._headers()
            if headers.get("expect"):
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = self.rfile.read(int(headers.get("content-length", 0)))
            status, answered, content = self.account.answer(method, path, headers, body)
            head = [f"HTTP/1.1 {int(status)} X", f"Content-Length: {len(content)}"]
            head += [f"{name}: {value}" for name, value in answered.items() if name.lower() != "content-length"]
            self.wfile.write("\r\n".join((*head, "", "")).encode() + content)

    def _headers(self) -> dict[str, str]:
        found = {}
        while line := self.rfile.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            found[name.strip().lower()] = value.strip()
        return found


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    address_family = socket.AF_INET
    request_queue_size = 128


def main() -> None:
    """Serve until the parent closes our standard input."""
    said = sys.stdout
    engine = ModelEngine(provider=PROVIDER, now_ms=lambda: time.time_ns() // 1_000_000)
    credentials = Credentials(key_id="id", key_secret="secret")  # noqa: S106 - a simulator's
    account = Account(engine, MockSimulator(MemoryStore(), credentials, public_url="http://127.0.0.1"))
    server = _Server(("127.0.0.1", 0), type("Connection", (_Connection,), {"account": account}))
    port = server.server_address[1]
    environment, api_key = _deployed(engine, f"http://127.0.0.1:{port}/{PROVIDER}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": port, "apiKey": api_key, "environment": environment}), file=said, flush=True)
    sys.stdin.read()


def _deployed(engine: ModelEngine, endpoint: str) -> tuple[dict[str, str], str]:
    """The functions' settings, and the key of a merchant with one account."""
    account: Any = engine  # as `InProcessEngine`
    with (
        contextlib.redirect_stdout(io.StringIO()),
        simulated_functions(account, None, ManualClock(), PROVIDER) as functions,
    ):
        created = functions.operate(
            command="create_merchant",
            merchantId=MERCHANT,
            name="Acme",
            accounts=[{"provider": PROVIDER, "accountId": "main", "endpoint": "https://mock", "secretArn": "arn:s"}],
        )
        environment = dict(functions.platform.environment)
    for item in engine.database.tables[CONFIGURATION].partitions[f"M#{MERCHANT}"].values():
        if "endpoint" in item:
            item["endpoint"] = {"S": endpoint}  # our server has no certificate, and operators may not store that
    return environment, created["apiKey"]


if __name__ == "__main__":
    main()
