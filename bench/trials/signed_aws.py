"""A trial, never deployed: AWS clients that sign and send JSON themselves, in the place of `adapters/platform/aws.py`.

`bench/scripts` puts it there before a handler is imported, so that the suite can say what botocore costs
(docs/decisions/0039-the-well-kept-client.md). It has what one successful call needs and nothing else: no repeats, no
refreshed credentials, no regions but the one of its address. Signatures are Signature Version 4:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import base64
import hashlib
import hmac
import http.client
import io
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from email.message import Message
from functools import cache, cached_property, partial
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

from botocore.exceptions import ClientError

_TARGETS: Final = {
    "dynamodb": ("DynamoDB_20120810", "application/x-amz-json-1.0"),
    "sqs": ("AmazonSQS", "application/x-amz-json-1.0"),
    "secretsmanager": ("secretsmanager", "application/x-amz-json-1.1"),
    "kms": ("TrentService", "application/x-amz-json-1.1"),
}
_BLOBS: Final = {"B", "CiphertextBlob", "Plaintext"}
_CONNECTIONS: Final = threading.local()

Headers = Mapping[str, str]
Answer = tuple[int, Message, bytes]


class SignedClient:
    """A method for every operation of one service: `put_item` sends `PutItem`."""

    def __init__(self, service: str, timeout_seconds: float) -> None:
        self._service, self._timeout_seconds = service, timeout_seconds
        self._host = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
        self._region = os.environ["AWS_REGION"]

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        method = partial(self._call, "".join(part.capitalize() for part in name.split("_")))
        setattr(self, name, method)
        return method

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        prefix, content_type = _TARGETS[self._service]
        body = json.dumps(request, default=_base64, separators=(",", ":")).encode()
        headers = {"content-type": content_type, "x-amz-target": f"{prefix}.{operation}"}
        status, _, content = self._send("POST", "/", "", headers, body)
        answer: dict[str, Any] = json.loads(content, object_hook=_with_bytes) if content else {}
        if status >= 400:
            code = answer.pop("__type", "").rpartition("#")[2]
            error: Any = {"Error": {"Code": code, "Message": answer.get("message", "")}, **answer}
            raise ClientError(error, operation)
        return answer

    def _send(self, method: str, path: str, query: str, headers: Headers, body: bytes) -> Answer:
        signed = self._signed(method, path, query, headers, body)
        connection = self._connection()
        connection.request(method, f"{path}?{query}" if query else path, body=body, headers=signed)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def _connection(self) -> http.client.HTTPConnection:
        """One a thread, kept."""
        known: http.client.HTTPConnection | None = _CONNECTIONS.__dict__.get(self._service)
        if known is None:
            known = http.client.HTTPConnection(self._host, timeout=self._timeout_seconds)
            setattr(_CONNECTIONS, self._service, known)
        return known

    def _signed(self, method: str, path: str, query: str, headers: Headers, body: bytes) -> Headers:
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        covered = {**headers, "host": self._host, "x-amz-date": at}
        if token := os.environ.get("AWS_SESSION_TOKEN"):
            covered["x-amz-security-token"] = token
        names = ";".join(sorted(covered))
        lines = "".join(f"{name}:{covered[name]}\n" for name in sorted(covered))
        asked = "\n".join((method, path, query, lines, names, hashlib.sha256(body).hexdigest()))
        scope = f"{at[:8]}/{self._region}/{self._service}/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", at, scope, hashlib.sha256(asked.encode()).hexdigest()))
        key = _signing_key(os.environ["AWS_SECRET_ACCESS_KEY"], at[:8], self._region, self._service)
        credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        covered["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        )
        return covered


class SignedAppConfigClient(SignedClient):
    """The two operations of AppConfig's data, which are REST."""

    def start_configuration_session(self, **request: str) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        content = self._send("POST", "/configurationsessions", "", headers, json.dumps(request).encode())[2]
        session: dict[str, Any] = json.loads(content)
        return session

    def get_latest_configuration(self, **request: str) -> dict[str, Any]:
        query = urlencode({"configuration_token": request["ConfigurationToken"]})
        _, headers, content = self._send("GET", "/configuration", query, {}, b"")
        return {
            "Configuration": io.BytesIO(content),
            "NextPollConfigurationToken": headers["next-poll-configuration-token"],
        }


class CallLimits:
    """Only the time of a read."""

    def __init__(self, read_seconds: float) -> None:
        self.read_seconds = read_seconds


PATIENT, PROMPT, AT_ONCE = CallLimits(3), CallLimits(3), CallLimits(1)


class AwsClients:
    """The clients, each made when it is first used."""

    def __init__(self, limits: CallLimits = PATIENT) -> None:
        self._limits = limits

    @classmethod
    def within(cls, limits: CallLimits) -> Self:
        return cls(limits)

    @cached_property
    def appconfigdata(self) -> SignedAppConfigClient:
        return SignedAppConfigClient("appconfigdata", self._limits.read_seconds)

    def __getattr__(self, service: str) -> SignedClient:
        client = SignedClient(service, self._limits.read_seconds)
        setattr(self, service, client)
        return client


def check_versions(_locked: tuple[str, ...]) -> None:
    """No library, no version."""


@cache
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _with_bytes(found: dict[str, Any]) -> dict[str, Any]:
    for name in _BLOBS & found.keys():
        if isinstance(found[name], str):
            found[name] = base64.b64decode(found[name])
    return found
