"""The mock gateway: one request a charge, idempotency keys for a day."""

import hashlib
import hmac
import re
from typing import Any, Final
from urllib.parse import unquote

from sandbox.behaviours import Answer, Effect, behaviour_of
from sandbox.simulator import (
    CANCELED,
    CHARGED,
    DECLINED,
    PENDING,
    WAITING,
    Simulator,
    require,
    require_positive,
)
from sandbox.store import Record
from sandbox.wire import BadRequestError, Reply, Request, json_reply

_KEYS: Final = "idempotency"
_KEY_LIFETIME_SECONDS: Final = 24 * 3600
_CHARGE: Final = re.compile(r"/v1/charges/(ch_[0-9a-f]+)(/cancel)?")
_STATUSES: Final = {
    CHARGED: "succeeded",
    PENDING: "processing",
    WAITING: "requires_action",
    DECLINED: "failed",
    CANCELED: "canceled",
}
_FAILURES: Final = {
    Effect.SOFT_DECLINE: ("issuer_unavailable", "The issuer cannot be reached."),
    Effect.REOPENED_DECLINE: ("issuer_unavailable", "The issuer cannot be reached."),
    Effect.HARD_DECLINE: ("stolen_card", "The card was reported stolen."),
    Effect.FUNDS_DECLINE: ("insufficient_funds", "The account has insufficient funds."),
}


class MockSimulator(Simulator):
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

    def answer(self, request: Request, now: float) -> Reply:
        if request.path == "/v1/charges":
            return self._create(request, now) if request.method == "POST" else self._search(request, now)
        match = _CHARGE.fullmatch(request.path)
        if match is None:
            return _error(404, "invalid_request_error", "not_found", "No such address.")
        record = self.find(match[1], now)
        if record is None:
            return _error(404, "invalid_request_error", "resource_missing", "No such charge.")
        if match[2]:
            return self._cancel(record) if request.method == "POST" else self.bad_request("use POST")
        return json_reply(200, self._present(record))

    def _create(self, request: Request, now: float) -> Reply:
        key = request.headers.get("idempotency-key", "")
        if not 1 <= len(key) <= 255:
            raise BadRequestError("Idempotency-Key is required")
        body = request.json()
        require(body, {"amount": int, "currency": str, "source": str, "reference": str}, {"capture": str})
        require_positive(body["amount"])
        if body.get("capture", "automatic") != "automatic":
            raise BadRequestError("capture must be automatic")
        content = hashlib.sha256(request.body).hexdigest()
        stored = self.store.get(_KEYS, key)
        if stored is not None and now - stored["at"] < _KEY_LIFETIME_SECONDS:
            return self._replay(stored, content)
        behaviour = behaviour_of(body["source"], self.name)
        if behaviour is None:
            return _error(400, "invalid_request_error", "invalid_source", "No such source.")
        if behaviour.effect is Effect.RATE_LIMITED:
            limited = _error(429, "rate_limit_error", "rate_limit", "Too many requests.")
            return Reply(status=429, body=limited.body, headers={**limited.headers, "retry-after": "1"})

        def take() -> Reply:
            details = {name: body[name] for name in ("amount", "currency", "reference")}
            details["id"] = self.make_id("ch_", key, self.count("charge"))
            record = self.charge(key, behaviour, details, now)
            answer = self._result(record)
            broken = behaviour.answer is Answer.ERROR_AFTER
            self._remember(stored, key, content, self.server_error() if broken else answer, now)
            return answer

        return self.perform(key, behaviour, take)

    def _remember(self, stored: Record | None, key: str, content: str, reply: Reply, now: float) -> None:
        """The first answer is kept once execution has begun, a 500 like any other."""
        record: Record = {
            "content": content,
            "at": now,
            "status": reply.status,
            "body": reply.body.decode(),
            **({"version": stored["version"]} if stored else {}),
        }
        self.store.put(_KEYS, key, record)

    @staticmethod
    def _replay(stored: Record, content: str) -> Reply:
        if stored["content"] != content:
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

    def _cancel(self, record: Record) -> Reply:
        if record["state"] == CANCELED:
            return json_reply(200, self._present(record))
        if record["state"] != WAITING:
            return _error(400, "invalid_request_error", "charge_not_cancelable", "The charge cannot be canceled.")
        return json_reply(200, self._present(self.change(record, state=CANCELED)))

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


def _error(status: int, kind: str, code: str, message: str) -> Reply:
    return json_reply(status, {"error": {"type": kind, "code": code, "message": message}})
