"""Webhooks of providers: checked over the raw bytes, queued, and acknowledged before anything is done about them."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from payflowx.adapters.platform import log_context
from payflowx.domain.inbound_webhooks.tokens import TOKEN_PATTERN
from payflowx.domain.providers.events import InvalidSignatureError, Webhook
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_WEBHOOK_BYTES
from payflowx.entrypoints.api import problems
from payflowx.entrypoints.runtime import Wired
from payflowx.wiring.inbound_webhooks import WebhookReceiverWiring

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_MAX_PROVIDER_CHARS: Final = 40

wiring: Final = Wired(WebhookReceiverWiring.of_function)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """200 once it is queued, 401 for whatever is not authentic, 503 for the provider to come again."""
    request_id = str(event["requestContext"].get("requestId", ""))
    wired = wiring()
    facts = log_context.request_facts(request_id, log_context.correlation_id(request_id))
    with log_context.work_on(facts, trace=wired.platform.trace):
        return _answered(wired, event, request_id)


def _answered(wired: WebhookReceiverWiring, event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    try:
        return _receive(wired, event, request_id)
    except InvalidSignatureError:
        detail = "The address is not known, or the signature does not fit it. Nothing was stored."
        return _problem("webhook_refused", detail, request_id)
    except StorageUnavailableError as error:
        wired.telemetry.warn("webhook not queued", reason=str(error))
        return _problem("unavailable", "It could not be taken. Deliver it again.", request_id)
    except Exception:
        wired.platform.logger.exception("unhandled")
        return _problem("internal_error", "Something went wrong on our side. Deliver it again.", request_id)


def _receive(wired: WebhookReceiverWiring, event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    named = event.get("pathParameters") or {}
    provider, token = str(named.get("provider", "")), str(named.get("accountToken", ""))
    if not TOKEN_PATTERN.fullmatch(token) or len(provider) > _MAX_PROVIDER_CHARS:
        raise InvalidSignatureError
    body = _body(event)
    if len(body) > MAX_WEBHOOK_BYTES:
        detail = f"A webhook may have {MAX_WEBHOOK_BYTES} bytes."
        return _problem("body_too_large", detail, request_id)
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    received_at_ms = wired.platform.clock.now_ms()
    wired.receive_webhook(provider, token, Webhook(headers=headers, body=body, received_at_ms=received_at_ms))
    return _answer(200, "application/json", {"received": True}, {})


def _body(event: Mapping[str, Any]) -> bytes:
    """The raw bytes that were signed; bytes that cannot be decoded have no valid signature."""
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(text).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise InvalidSignatureError from None


def _problem(code: str, detail: str, request_id: str) -> dict[str, Any]:
    problem = problems.Problem(code=code, detail=detail, request_id=request_id)
    return _answer(problem.status, problems.CONTENT_TYPE, problem.body(), problem.all_headers())


def _answer(status: int, media_type: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {**_HEADERS, "Content-Type": media_type, **headers},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
