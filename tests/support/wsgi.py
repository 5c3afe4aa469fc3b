"""API Gateway's REST proxy as a WSGI application, so that tools which speak HTTP can drive the real handlers.

The provider's own work is modelled where a test of the API needs it: the proxy event, the authorizer and its 401.
Throttling, the firewall and routing are not: an unknown address reaches the handler here, which must cope with it.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from payflowx.entrypoints.api import handler as api
from payflowx.entrypoints.api import problems
from tests.support.handlers import Context, Functions, rest_event

Environ = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]

_PUBLIC: Final = frozenset({"/health", "/openapi.json"})


class ApiGateway:
    """`functions` is set by whoever has the engine running."""

    functions: Functions | None = None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI's entry."""
        if self.functions is None:
            raise RuntimeError("no functions are behind the gateway")
        status, headers, body = _handled(self.functions, environ)
        start_response(f"{status} -", headers)
        return [body]


def proxy_event(environ: Environ, merchant_id: str) -> dict[str, Any]:
    """What Lambda gets: the path as it was sent, the query decoded, every header and parameter in all its values."""
    path = urlsplit(environ.get("REQUEST_URI") or environ["PATH_INFO"]).path
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    text, is_binary = _body(environ)
    event = rest_event(environ["REQUEST_METHOD"], path, _headers(environ), query, text, merchant_id)
    return event | {"isBase64Encoded": is_binary}


def _handled(functions: Functions, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
    event = proxy_event(environ, functions.merchant_id)
    if event["path"] not in _PUBLIC:
        merchant_id = _authorized_merchant(functions, event)
        if merchant_id is None:
            return _unauthenticated(event["requestContext"]["requestId"])
        event["requestContext"]["authorizer"] = {"merchantId": merchant_id}
    else:
        del event["requestContext"]["authorizer"]
    return _sent(api.handler(event, Context()))


def _authorized_merchant(functions: Functions, event: Mapping[str, Any]) -> str | None:
    """The authorizer is asked only if its identity source, the header, is there."""
    header = event["headers"].get("Authorization")
    if not header:
        return None
    policy = functions.authorize(header)
    allowed = policy["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    return policy["context"]["merchantId"] if allowed else None


def _unauthenticated(request_id: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """The provider's answer; `infra/constructs/api/gateway_responses.py` has the real one, and tests/infra holds it."""
    problem = problems.Problem(code="unauthenticated", detail="Send a valid API key.", request_id=request_id)
    headers = [("Content-Type", problems.CONTENT_TYPE), ("WWW-Authenticate", "Bearer")]
    return problem.status, headers, json.dumps(problem.body()).encode()


def _sent(answer: Mapping[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    """The provider refuses an answer that is not of this form with a 502."""
    if not (isinstance(answer["statusCode"], int) and isinstance(answer["body"], str)):
        raise TypeError("malformed Lambda proxy response")
    several = {name: [value] for name, value in (answer.get("headers") or {}).items()}
    several |= answer.get("multiValueHeaders") or {}
    body = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"].encode()
    return answer["statusCode"], [(name, value) for name, values in several.items() for value in values], body


def _headers(environ: Environ) -> dict[str, str]:
    found = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    found |= {name: environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
    return {name.replace("_", "-").title(): value for name, value in found.items()}


def _body(environ: Environ) -> tuple[str | None, bool]:
    """Text as it is, anything else in base64; null when there is none."""
    data = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        return data.decode() or None, False
    except UnicodeDecodeError:
        return base64.b64encode(data).decode(), True
