"""The local engine inside the test process: real boto3 clients, no sockets.

botocore lets a hook answer a request before it is sent; ours hands it to the engine's ASGI application.
"""

import asyncio
import os
import tempfile
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

os.environ.setdefault("TMPDIR", tempfile.gettempdir())
os.environ.setdefault("LOG_LEVEL", "ERROR")

from ministack.app import app

REGION = "eu-west-1"


class _Raw:
    """The part of urllib3's response that botocore's AWSResponse reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_args: Any, **_kwargs: Any) -> Any:
        yield self._body

    def read(self, *_args: Any, **_kwargs: Any) -> bytes:
        body, self._body = self._body, b""
        return body


class InProcessEngine:
    """One engine; `reset` empties it between tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def client(self, service: str) -> Any:
        """A client whose requests never leave the process."""
        make: Any = boto3.client  # its types know literal names only
        client = make(
            service,
            region_name=REGION,
            endpoint_url="http://engine.test",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(
                retries={"total_max_attempts": 1},
                request_checksum_calculation="when_required",  # a body as it is, not in chunks with a trailer
                s3={"addressing_style": "path"},
            ),
        )
        client.meta.events.register("before-send", self._answer)
        return client

    def close(self) -> None:
        """End the loop."""
        self._loop.close()

    def _answer(self, request: Any, **_kwargs: Any) -> AWSResponse:
        body = request.body or b""
        content = body.read() if hasattr(body, "read") else body
        data = content.encode() if isinstance(content, str) else bytes(content)
        status, headers, answer = self._loop.run_until_complete(self._call(request, data))
        return AWSResponse(request.url, status, headers, _Raw(answer))

    async def _call(self, request: Any, data: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(request.url)
        headers = [(name.lower().encode(), _bytes(value)) for name, value in request.headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": parts.path or "/",
            "raw_path": (parts.path or "/").encode(),
            "query_string": parts.query.encode(),
            "headers": [*headers, (b"host", parts.netloc.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        received = [{"type": "http.request", "body": data, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return received.pop(0) if received else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await app(scope, receive, send)
        start = next(m for m in sent if m["type"] == "http.response.start")
        answer = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
        return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, answer


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
