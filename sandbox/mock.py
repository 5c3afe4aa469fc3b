"""The mock gateway: one request a charge, a capture, a void or a refund; idempotency keys for a day; webhooks."""

import hashlib
import hmac
import json
import re
from typing import Any, Final
from urllib.parse import unquote

from sandbox.behaviours import ASYNC_SECONDS, Answer, Behaviour, Effect, behaviour_of
from sandbox.ledger import DONE, FAILED, LedgerSimulator
from sandbox.simulator import (
    CANCELED,
    CHARGE,
    CHARGED,
    DECLINED,
    PENDING,
    WAITING,
    require,
    require_positive,
)
from sandbox.store import Record
from sandbox.wire import BadRequestError, Reply, Request, json_reply

_KEYS: Final = "idempotency"
_KEY_LIFETIME_SECONDS: Final = 24 * 3600
_AUTHORIZED: Final = "authorized"
_AUTHORIZATION_SECONDS: Final = 7 * 24 * 3600
_CHARGE: Final = re.compile(r"/v1/charges/(ch_[0-9a-f]+)(?:/(cancel|capture|refunds))?")
_STATUSES: Final = {
    CHARGED: "succeeded",
    PENDING: "processing",
    WAITING: "requires_action",
    DECLINED: "failed",
    CANCELED: "canceled",
    _AUTHORIZED: "requires_capture",
}
_OPERATION_STATUSES: Final = {DONE: "succeeded", PENDING: "pending", FAILED: "failed"}
_DECLINES: Final = {Effect.SOFT_DECLINE, Effect.HARD_DECLINE, Effect.FUNDS_DECLINE, Effect.REOPENED_DECLINE}
_FAILURES: Final = {
    Effect.SOFT_DECLINE: ("issuer_unavailable", "The issuer cannot be reached."),
    Effect.REOPENED_DECLINE: ("issuer_unavailable", "The issuer cannot be reached."),
    Effect.HARD_DECLINE: ("stolen_card", "The card was reported stolen."),
    Effect.FUNDS_DECLINE: ("insufficient_funds", "The account has insufficient funds."),
}


class MockSimulator(LedgerSimulator):
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
        if request.path == "/v1/operations":
            return self._search_operations(request, now)
        match = _CHARGE.fullmatch(request.path)
        if match is None:
            return _error(404, "invalid_request_error", "not_found", "No such address.")
        record = self.find(match[1], now)
        if record is None:
            return _error(404, "invalid_request_error", "resource_missing", "No such charge.")
        if match[2] is None:
            return json_reply(200, self._present(record))
        if request.method != "POST":
            return self.bad_request("use POST")
        if match[2] == "cancel" and "idempotency-key" not in request.headers:
            return self._cancel(record, now)
        return self._operate(request, record, {"cancel": "void", "refunds": "refund"}.get(match[2], "capture"), now)

    def _create(self, request: Request, now: float) -> Reply:
        key = request.headers.get("idempotency-key", "")
        if not 1 <= len(key) <= 255:
            raise BadRequestError("Idempotency-Key is required")
        body = request.json()
        require(body, {"amount": int, "currency": str, "source": str, "reference": str}, {"capture": str})
        require_positive(body["amount"])
        if body.get("capture", "automatic") not in {"automatic", "manual"}:
            raise BadRequestError("capture must be automatic or manual")
        content = hashlib.sha256(request.body).hexdigest()
        stored = self.store.get(_KEYS, key)
        if stored is not None and now - stored["at"] < _KEY_LIFETIME_SECONDS:
            return self._replay(stored, content)
        behaviour = behaviour_of(body["source"], self.name)
        if behaviour is None:
            return _error(400, "invalid_request_error", "invalid_source", "No such source.")
        if behaviour.effect is Effect.RATE_LIMITED:
            return _rate_limited()

        def take() -> Reply:
            details = {name: body[name] for name in ("amount", "currency", "reference")}
            details["id"] = self.make_id("ch_", key, self.count("charge"))
            details["manual"] = body.get("capture") == "manual"
            record = self._begun(self.charge(key, behaviour, details, now), now)
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

    def _begun(self, record: Record, now: float) -> Record:
        """A charge as it is at first, or will be soon; where its capture is left to the merchant, it is only held."""
        stored = self.store.get(CHARGE, record["id"]) or record
        changes: Record = {}
        if record["manual"] and record["state"] == CHARGED:
            changes = {"state": _AUTHORIZED, **_lapses(now)}
        elif record["manual"] and record.get("settles_to") == CHARGED:
            changes = {"settles_to": _AUTHORIZED}
        changed = self.change(stored, **changes) if changes else stored
        later = changed.get("settles_at")
        self._tell(changed, now, now)
        if later is not None and changed["state"] != _AUTHORIZED:
            self._tell({**changed, "state": changed["settles_to"]}, later, now)
        return changed

    def approved(self, record: Record, now: float) -> None:
        changes = {"state": _AUTHORIZED, **_lapses(now)} if record["manual"] else {"state": CHARGED}
        self._tell(self.change(record, effect=Effect.CHARGE, **changes), now, now)

    def _cancel(self, record: Record, now: float) -> Reply:
        if record["state"] == CANCELED:
            return json_reply(200, self._present(record))
        if record["state"] not in {WAITING, _AUTHORIZED}:
            return _error(400, "invalid_request_error", "charge_not_cancelable", "The charge cannot be canceled.")
        changed = self.change(_without_course(record), state=CANCELED)
        self._tell(changed, now, now)
        return json_reply(200, self._present(changed))

    # -- captures, voids, refunds

    def _operate(self, request: Request, record: Record, kind: str, now: float) -> Reply:
        key = request.headers.get("idempotency-key", "")
        if not 1 <= len(key) <= 255:
            raise BadRequestError("Idempotency-Key is required")
        body = request.json()
        require(body, {"amount": int, "reference": str})
        require_positive(body["amount"])
        content = hashlib.sha256(f"{request.path}\n".encode() + request.body).hexdigest()
        stored = self.store.get(_KEYS, key)
        if stored is not None and now - stored["at"] < _KEY_LIFETIME_SECONDS:
            return self._replay(stored, content)
        behaviour = self.planned_behaviour()
        if behaviour.effect is Effect.RATE_LIMITED:
            return _rate_limited()
        why_not = self._why_not(record, kind, body["amount"], now)
        if behaviour.effect in _DECLINES:
            why_not = _FAILURES[behaviour.effect]

        def move() -> Reply:
            answer = _refused(*why_not) if why_not else self._moved(record, kind, body, behaviour, now)
            broken = behaviour.answer is Answer.ERROR_AFTER
            self._remember(stored, key, content, self.server_error() if broken else answer, now)
            return answer

        return self.perform(key, behaviour, move)

    def _why_not(self, record: Record, kind: str, amount: int, now: float) -> tuple[str, str] | None:
        if kind == "refund":
            left = int(record["taken"]) - self.refunded(record, now)
            if record["state"] != CHARGED:
                return "charge_not_refundable", "Nothing was captured."
            return ("amount_too_large", "More than is left.") if amount > left else None
        if record["state"] != _AUTHORIZED:
            return "charge_unexpected_state", "The charge is not authorized."
        return ("amount_too_large", "More than is held.") if amount > record["taken"] else None

    def _moved(self, record: Record, kind: str, body: Record, behaviour: Behaviour, now: float) -> Reply:
        operation: Record = {
            "id": self.make_id("op_", kind, body["reference"]),
            "kind": kind,
            "amount": body["amount"] + (1 if behaviour.effect is Effect.WRONG_AMOUNT else 0),
            "currency": record["currency"],
            "reference": body["reference"],
            "state": DONE,
            "at": now,
        }
        later = behaviour.effect in {Effect.LATER_CHARGE, Effect.LATER_DECLINE} and kind == "refund"
        if later:
            ends = DONE if behaviour.effect is Effect.LATER_CHARGE else FAILED
            operation |= {"state": PENDING, "settles_at": now + ASYNC_SECONDS, "settles_to": ends}
        changes: Record = {}
        if kind == "capture":
            changes = {"state": CHARGED, "captured": body["amount"], "taken": body["amount"]}
        elif kind == "void":
            changes = {"state": CANCELED}
        charge = _without_course(record) if changes else record
        changed = self.book(charge, operation, **changes)
        if changes:
            self._tell(changed, now, now)
        due = operation.get("settles_at", now)
        end = str(operation.get("settles_to", operation["state"]))
        self.announce([(f"{kind}.{_OPERATION_STATUSES[end]}", {"subject": operation["id"]})], due, now)
        return json_reply(200, self._present_operation({**operation, "charge_id": record["id"]}))

    def _search_operations(self, request: Request, now: float) -> Reply:
        wanted = unquote(request.query.get("reference", ""))
        if not wanted:
            raise BadRequestError("reference is required")
        known = self.charges(now, lambda _record: True)
        found = [o for record in known for o in self.operations_of(record, now) if o["reference"] == wanted]
        visible = [o for o in found if now - o["at"] >= self.visibility_lag_seconds]
        return json_reply(200, {"object": "list", "data": [self._present_operation(o) for o in visible]})

    @staticmethod
    def _present_operation(operation: Record) -> dict[str, Any]:
        return {
            "id": operation["id"],
            "object": "operation",
            "kind": operation["kind"],
            "status": _OPERATION_STATUSES[operation["state"]],
            "amount": operation["amount"],
            "currency": operation["currency"],
            "reference": operation["reference"],
            "charge": operation["charge_id"],
        }

    # -- webhooks

    def _tell(self, record: Record, due: float, now: float) -> None:
        """Of what the charge has become, where that is worth a webhook."""
        if record["state"] in {WAITING, PENDING}:
            return
        facts = {"subject": record["id"], "revision": record.get("version", 0)}
        self.announce([(f"charge.{_STATUSES[record['state']]}", facts)], due, now)

    def sign(self, body: bytes, now: float) -> dict[str, str]:  # noqa: ARG002 - it signs no time
        return {
            "content-type": "application/json",
            "x-mock-signature": hmac.new(self.credentials.key_secret.encode(), body, hashlib.sha256).hexdigest(),
        }

    def render(self, kind: str, event: Record) -> bytes:
        of_charge = kind.startswith("charge.")
        found = (
            self.find(event["subject"], event["due"]) if of_charge else self.operation(event["subject"], event["due"])
        )
        record = found or {}
        shown = self._present(record) if of_charge else self._present_operation(record)
        return json.dumps({"id": event["id"], "type": kind, "data": shown}).encode()

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


def _lapses(now: float) -> Record:
    """What nobody captures is released."""
    return {"settles_at": now + _AUTHORIZATION_SECONDS, "settles_to": CANCELED}


def _without_course(record: Record) -> Record:
    """Whatever was to happen to it later does not."""
    return {name: value for name, value in record.items() if name not in {"settles_at", "settles_to"}}


def _rate_limited() -> Reply:
    limited = _error(429, "rate_limit_error", "rate_limit", "Too many requests.")
    return Reply(status=429, body=limited.body, headers={**limited.headers, "retry-after": "1"})


def _refused(code: str, message: str) -> Reply:
    return _error(402, "operation_error", code, message)


def _error(status: int, kind: str, code: str, message: str) -> Reply:
    return json_reply(status, {"error": {"type": kind, "code": code, "message": message}})
