"""The mock provider: one request for each charge and operation, idempotency keys for 24 hours."""

import hashlib
import hmac
import json
import re
from typing import Any, Final
from urllib.parse import unquote

from sandbox.behaviours import Answer, Behaviour, Effect, behaviour_of
from sandbox.http_types import BadRequestError, Reply, Request, json_reply
from sandbox.ledger import DONE, FAILED
from sandbox.mock_hosted import HostedSessions
from sandbox.post_authorization import CAPTURE, REFUND, VOID, is_charge
from sandbox.simulator import (
    AUTHORIZED,
    CANCELED,
    CHARGED,
    DECLINED,
    PENDING,
    WAITING,
    require,
    require_positive,
)
from sandbox.store import Record

_KEYS: Final = "idempotency"
_KEY_LIFETIME_SECONDS: Final = 24 * 3600
_CHARGE: Final = re.compile(r"/v1/charges/(ch_[0-9a-f]+)(?:/(cancel|captures|voids|refunds|operations))?")
_OPERATION: Final = re.compile(r"/v1/operations/(op_[0-9a-f]+)")
_KINDS: Final = {"captures": CAPTURE, "voids": VOID, "refunds": REFUND}
_STATUSES: Final = {
    CHARGED: "succeeded",
    AUTHORIZED: "authorized",
    PENDING: "processing",
    WAITING: "requires_action",
    DECLINED: "failed",
    CANCELED: "canceled",
}
_OPERATION_STATUSES: Final = {DONE: "succeeded", PENDING: "pending", FAILED: "failed"}
_FAILURES: Final = {
    Effect.SOFT_DECLINE: ("issuer_unavailable", "The issuer cannot be reached."),
    Effect.REOPENED_DECLINE: ("issuer_unavailable", "The issuer cannot be reached."),
    Effect.HARD_DECLINE: ("stolen_card", "The card was reported stolen."),
    Effect.FUNDS_DECLINE: ("insufficient_funds", "The account has insufficient funds."),
}


class MockSimulator(HostedSessions):
    """Bearer authentication, JSON, minor units."""

    name = "mock"

    def is_authentic(self, request: Request) -> bool:
        expected = f"Bearer {self.credentials.key_secret}"
        return hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode())

    def unauthorized(self) -> Reply:
        return _error(401, "authentication_error", "invalid_key", "The key is not valid.")

    def bad_request(self, message: str) -> Reply:
        return _error(400, "invalid_request_error", "parameter_invalid", message)

    def server_error(self) -> Reply:
        return _error(500, "api_error", "internal", "Something went wrong.")

    def too_many_requests(self) -> Reply:
        limited = _error(429, "rate_limit_error", "rate_limit", "Too many requests.")
        return Reply(status=429, body=limited.body, headers={**limited.headers, "retry-after": "1"})

    def answer(self, request: Request, now: float) -> Reply:
        if (about_a_session := self.answer_session(request, now)) is not None:
            return about_a_session
        if request.path == "/v1/charges":
            return self._create(request, now) if request.method == "POST" else self._search(request, now)
        if (named := _OPERATION.fullmatch(request.path)) and request.method == "GET":
            operation = self.operation(named[1], now)
            return json_reply(200, _present_operation(operation)) if operation else _missing("operation")
        match = _CHARGE.fullmatch(request.path)
        if match is None:
            return _error(404, "invalid_request_error", "not_found", "No such address.")
        record = self.find(match[1], now)
        if record is None:
            return _missing("charge")
        return self._of_charge(request, record, match[2], now)

    def _of_charge(self, request: Request, record: Record, what: str | None, now: float) -> Reply:
        match request.method, what:
            case "GET", None:
                return json_reply(200, self._present(record))
            case "GET", "operations":
                return self._operations(request, record, now)
            case "POST", "cancel":
                return self._cancel(record, now)
            case "POST", "captures" | "voids" | "refunds":
                return self._move(request, record, _KINDS[what], now)
            case _:
                return self.bad_request("this method is not offered here")

    def _create(self, request: Request, now: float) -> Reply:
        key, body = _key(request), request.json()
        require(body, {"amount": int, "currency": str, "source": str, "reference": str}, {"capture": str})
        require_positive(body["amount"])
        capture = body.get("capture", "automatic")
        if capture not in {"automatic", "manual"}:
            raise BadRequestError("capture must be automatic or manual")
        if (replayed := self._replayed(key, request, now)) is not None:
            return replayed
        behaviour = behaviour_of(body["source"], self.name)
        if behaviour is None:
            return _error(400, "invalid_request_error", "invalid_source", "No such source.")
        if behaviour.effect is Effect.RATE_LIMITED:
            return self.too_many_requests()

        def take() -> Reply:
            details = {name: body[name] for name in ("amount", "currency", "reference")}
            details["id"] = self.make_id("ch_", key, self.count("charge"))
            success = AUTHORIZED if capture == "manual" else CHARGED
            answer = self._result(self.charge(key, behaviour, details, now, success=success))
            return self._remembered(request, behaviour, answer, now)

        return self.perform(key, behaviour, take)

    def _move(self, request: Request, charge: Record, kind: str, now: float) -> Reply:
        key, body = _key(request), request.json()
        require(body, {"amount": int, "reference": str})
        require_positive(body["amount"])
        if (replayed := self._replayed(key, request, now)) is not None:
            return replayed
        if kind == VOID and body["amount"] != charge["taken"]:
            raise BadRequestError("a void releases all that is held")
        if (reason := self.why_not(kind, charge, body["amount"], now)) is not None:
            return _error(400, "invalid_request_error", reason, f"The charge or amount is {reason.replace('_', ' ')}.")

        def show(operation: Record, behaviour: Behaviour) -> Reply:
            return self._remembered(request, behaviour, json_reply(200, _present_operation(operation)), now)

        return self.move({**body, "kind": kind}, charge, now, show)

    def _operations(self, request: Request, charge: Record, now: float) -> Reply:
        reference = unquote(request.query.get("reference", ""))
        if not reference:
            raise BadRequestError("reference is required")
        found = [known for known in self.visible_operations(charge, now) if known["reference"] == reference]
        return json_reply(200, {"object": "list", "data": [_present_operation(known) for known in found]})

    def _remembered(self, request: Request, behaviour: Behaviour, answer: Reply, now: float) -> Reply:
        """The first answer is stored once execution has begun, a 500 like any other."""
        kept = self.server_error() if behaviour.answer is Answer.ERROR_AFTER else answer
        key = _key(request)
        expired = self.store.get(_KEYS, key)
        record: Record = {
            "content": _content(request),
            "at": now,
            "status": kept.status,
            "body": kept.body.decode(),
            **({"version": expired["version"]} if expired else {}),
        }
        self.store.put(_KEYS, key, record)
        return answer

    def _replayed(self, key: str, request: Request, now: float) -> Reply | None:
        stored = self.store.get(_KEYS, key)
        if stored is None or now - stored["at"] >= _KEY_LIFETIME_SECONDS:
            return None
        if stored["content"] != _content(request):
            message = "Keys can be used with the same parameters only."
            return _error(400, "idempotency_error", "idempotency_key_reused", message)
        headers = {"content-type": "application/json", "idempotent-replayed": "true"}
        return Reply(status=stored["status"], body=stored["body"].encode(), headers=headers)

    def _search(self, request: Request, now: float) -> Reply:
        reference = unquote(request.query.get("reference", ""))
        if not reference:
            raise BadRequestError("reference is required")
        found = self.charges(now, lambda record: bool(record["reference"] == reference))
        return json_reply(200, {"object": "list", "data": [self._present(record) for record in found]})

    def _cancel(self, record: Record, now: float) -> Reply:
        if record["state"] == CANCELED:
            return json_reply(200, self._present(record))
        if record["state"] != WAITING:
            return _error(400, "invalid_request_error", "charge_not_cancelable", "The charge cannot be canceled.")
        changed = self.change(record, state=CANCELED)
        self.notify(changed, now)
        return json_reply(200, self._present(changed))

    def _result(self, record: Record) -> Reply:
        if record["state"] != DECLINED:
            return json_reply(200, self._present(record))
        code, message = _FAILURES[Effect(record["effect"])]
        error = {"type": "card_error", "code": code, "message": message, "charge": self._present(record)}
        return json_reply(402, {"error": error})

    def _present(self, record: Record) -> dict[str, Any]:
        charge = {
            "id": record["id"],
            "object": "charge",
            "status": _STATUSES[record["state"]],
            "amount": record["taken"],
            "currency": record["currency"],
            "reference": record["reference"],
        }
        if record["state"] == WAITING:
            charge["next_action"] = {"type": "redirect", "url": self.action_url(record["id"])}
        if record["state"] == DECLINED:
            code, message = _FAILURES[Effect(record["effect"])]
            charge["failure"] = {"code": code, "message": message}
        return charge

    def session_details(self, session: Record, number: int) -> Record:
        details = {name: session["body"][name] for name in ("amount", "currency", "reference")}
        return {**details, "id": self.make_id("ch_", session["id"], number)}

    # -- webhooks

    def news(self, record: Record) -> str:
        if is_charge(record):
            return f"charge.{_STATUSES[record['state']]}"
        return f"{record['kind']}.{_OPERATION_STATUSES[record['state']]}"

    def body(self, kind: str, event_id: str, record: Record, now: float) -> bytes:
        thing = self._present(record) if is_charge(record) else _present_operation(record)
        return json.dumps({"id": event_id, "type": kind, "created": int(now), "data": thing}).encode()


def _present_operation(operation: Record) -> dict[str, Any]:
    return {
        "id": operation["id"],
        "object": operation["kind"],
        "charge": operation["charge_id"],
        "amount": operation["amount"],
        "currency": operation["currency"],
        "reference": operation["reference"],
        "status": _OPERATION_STATUSES[operation["state"]],
        **({"failure_code": "refund_failed"} if operation["state"] == FAILED else {}),
    }


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not 1 <= len(key) <= 255:
        raise BadRequestError("Idempotency-Key is required")
    return key


def _content(request: Request) -> str:
    return hashlib.sha256(request.path.encode() + b" " + request.body).hexdigest()


def _missing(what: str) -> Reply:
    return _error(404, "invalid_request_error", "resource_missing", f"No such {what}.")


def _error(status: int, kind: str, code: str, message: str) -> Reply:
    return json_reply(status, {"error": {"type": kind, "code": code, "message": message}})
