"""The simulators as one Lambda function behind a function URL: /mock, /razorpay_mock and /cashfree_mock."""

import base64
import json
import os
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl

import boto3

from sandbox.dynamodb_store import DynamoDBStore
from sandbox.http_types import MAX_BODY_BYTES, Reply, Request, json_reply
from sandbox.simulator import Credentials, Simulator
from sandbox.simulators import SIMULATORS
from sandbox.store import ConflictError

_MAX_HOLD_SECONDS: Final = 25.0
_TRIES: Final = 5
_CREDENTIALS_LIFETIME_SECONDS: Final = 300


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """An event of a function URL (payload format 2.0)."""
    provider, request = _split(event)
    if provider not in SIMULATORS:
        return _encode(json_reply(404, {"error": f"use {', '.join(f'/{name}' for name in sorted(SIMULATORS))}"}))
    if len(request.body) > MAX_BODY_BYTES:
        return _encode(json_reply(413, {"error": "too large"}))
    url = f"https://{event['requestContext']['domainName']}/{provider}"
    simulator = _simulator(provider, url, int(time.time()) // _CREDENTIALS_LIFETIME_SECONDS)
    reply = _handle(simulator, request)
    time.sleep(min(reply.hold_seconds, _MAX_HOLD_SECONDS))
    return _encode(reply)


def _handle(simulator: Simulator, request: Request) -> Reply:
    """The ledger is open to the key that may charge, and to no other."""
    if request.path == "/_ledger":
        known = {"authorization": f"Bearer {simulator.credentials.key_secret}"}
        if request.headers.get("authorization") != known["authorization"]:
            return simulator.unauthorized()
        return json_reply(200, {"gateway": simulator.name, "entries": simulator.ledger(time.time())})
    for _ in range(_TRIES):
        try:
            return simulator.handle(request, time.time())
        except ConflictError:
            continue
    return simulator.server_error()


@cache
def _client(service: str) -> Any:
    make: Callable[..., Any] = boto3.client  # its types know literal names only
    return make(service)


@cache
def _simulator(provider: str, url: str, _period: int) -> Simulator:
    """A new one every five minutes, so that a rotated secret is used soon."""
    secret = _client("secretsmanager").get_secret_value(SecretId=os.environ["SANDBOX_SECRET_ARN"])
    fields = json.loads(secret["SecretString"])
    store = DynamoDBStore(_client("dynamodb"), os.environ["SANDBOX_TABLE"], provider)
    credentials = Credentials(key_id=fields["keyId"], key_secret=fields["keySecret"])
    return SIMULATORS[provider](store, credentials, public_url=url)


def _split(event: dict[str, Any]) -> tuple[str, Request]:
    path = event["rawPath"].lstrip("/")
    provider, _, rest = path.partition("/")
    body = event.get("body") or ""
    return provider, Request(
        method=event["requestContext"]["http"]["method"],
        path="/" + rest,
        query=dict(parse_qsl(event.get("rawQueryString", ""))),
        headers={name.lower(): value for name, value in event["headers"].items()},
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )


def _encode(reply: Reply) -> dict[str, Any]:
    return {"statusCode": reply.status, "headers": dict(reply.headers), "body": reply.body.decode()}
