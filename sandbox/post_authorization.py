"""The base of the mock providers: authorizations, captures, voids, refunds, and webhooks about all of them."""

import hashlib
import hmac
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Final

from sandbox.behaviours import ASYNC_SECONDS, REOPEN_SECONDS, Behaviour, Effect
from sandbox.http_types import Reply, html_reply
from sandbox.ledger import DONE, FAILED, LedgerSimulator
from sandbox.simulator import AUTHORIZED, CANCELED, CHARGED, PENDING, WAITING
from sandbox.store import Record

CAPTURE: Final = "capture"
VOID: Final = "void"
REFUND: Final = "refund"
TAKEN: Final = frozenset({CHARGED, AUTHORIZED})
"""The payer's money is taken or held: no other charge is allowed for the same order."""

SIGNATURE_HEADER: Final = "x-mock-signature"
_LATER: Final = frozenset({"settles_at", "settles_to"})


class PostAuthorizationSimulator(LedgerSimulator):
    """An authorization is captured once or voided once; a charge is refunded in any number of parts."""

    refuses_voids = False
    """Whether voids are refused now although the amount is held, as a provider does while a bank does not answer."""

    @abstractmethod
    def news(self, record: Record) -> str:
        """The webhook type for the state of a charge or operation."""

    @abstractmethod
    def body(self, kind: str, event_id: str, record: Record, now: float) -> bytes:
        """The body of the webhook about a charge or operation."""

    @abstractmethod
    def too_many_requests(self) -> Reply:
        """The provider's 429."""

    # -- charges

    def charge(
        self,
        key: str,
        behaviour: Behaviour,
        details: Record,
        now: float,
        *,
        success: str = CHARGED,
        later_seconds: float | None = None,
    ) -> Record:
        """As the base class, and emits a webhook."""
        record = super().charge(key, behaviour, details, now, success=success, later_seconds=later_seconds)
        self.notify(record, now)
        return record

    def _approve(self, charge_id: str, now: float) -> Reply:
        record = self.find(charge_id, now)
        if record is None or record["state"] not in {WAITING, *TAKEN}:
            return html_reply(404, "<html><body>There is nothing to approve here.</body></html>")
        if record["state"] == WAITING:
            self.notify(self.change(record, state=record["success"], effect=Effect.CHARGE), now)
        return html_reply(200, "<html><body>Approved. You may close this page.</body></html>")

    # -- operations

    def why_not(self, kind: str, charge: Record, amount: int, now: float) -> str | None:
        """The reason to refuse a capture, void or refund of `amount`; None when it is allowed."""
        is_refused = kind == VOID and self.refuses_voids
        if is_refused or charge["state"] != (CHARGED if kind == REFUND else AUTHORIZED):
            return {REFUND: "not_refundable", CAPTURE: "not_capturable", VOID: "not_voidable"}[kind]
        left = charge["taken"] - self.refunded(charge, now)
        return "amount_too_large" if amount > left else None

    def move(self, wanted: Record, charge: Record, now: float, show: Callable[[Record, Behaviour], Reply]) -> Reply:
        """Execute an allowed operation as planned and answer with `show` of it.

        `wanted`: `kind`, `amount`, and our `reference` for it.
        """
        behaviour = self.planned_behaviour()
        if behaviour.effect is Effect.RATE_LIMITED:
            return self.too_many_requests()
        name = f"{wanted['kind']} {charge['id']} {wanted['reference']}"
        return self.perform(
            name, behaviour, lambda: show(self._operate(wanted, charge, behaviour.effect, now), behaviour)
        )

    def _operate(self, wanted: Record, charge: Record, effect: Effect, now: float) -> Record:
        kind, amount = wanted["kind"], wanted["amount"]
        if kind == REFUND and effect is Effect.WRONG_AMOUNT:
            amount += 1 if amount < charge["taken"] - self.refunded(charge, now) else -1
        operation: Record = {
            **wanted,
            "id": self.make_id("op_", charge["id"], len(charge.get("operations", []))),
            "charge_id": charge["id"],
            "amount": amount,
            "currency": charge["currency"],
            "at": now,
            **(_refund_course(effect, now) if kind == REFUND else {"state": DONE}),
        }
        changes: dict[str, Record] = {CAPTURE: {"state": CHARGED, "taken": amount}, VOID: {"state": CANCELED}}
        # An operation needs a charge in a final state: a planned change of it has happened already.
        kept = {name: value for name, value in charge.items() if name not in _LATER}
        self.book(kept, operation, **changes.get(kind, {}))
        self.notify(operation, now)
        return operation

    def visible_operations(self, charge: Record, now: float, kind: str | None = None) -> list[Record]:
        """The operations of a list, without those younger than the visibility lag."""
        found = self.operations_of(charge, now, kind)
        return [record for record in found if now - record["at"] >= self.visibility_lag_seconds]

    # -- webhooks

    def notify(self, record: Record, now: float) -> None:
        """Emit the webhooks of the present state and of the planned state."""
        facts = {"subject": record["id"], "revision": record.get("version", 0)}
        if record["state"] not in {PENDING, WAITING}:
            self.emit_webhook([(self.news(record), facts)], now, now)
        if record.get("settles_at", now) > now:
            later = {**record, "state": record["settles_to"]}
            self.emit_webhook([(self.news(later), facts)], record["settles_at"], now)

    def sign(self, body: bytes, now: float) -> dict[str, str]:  # noqa: ARG002 - no time is signed here
        digest = hmac.new(self.credentials.key_secret.encode(), body, hashlib.sha256).hexdigest()
        return {"content-type": "application/json", SIGNATURE_HEADER: digest}

    def render(self, kind: str, event: Record) -> bytes:
        subject, due = event["subject"], event["due"]
        record = self.operation(subject, due) or self.find(subject, due)
        if record is None:
            raise ValueError("an event is about something that exists")
        return self.body(kind, event["id"], record, due)

    def charge_request_of(self, operation: Record, now: float) -> Record:
        """The charge of an operation. Raises ValueError when there is none."""
        record = self.find(operation["charge_id"], now)
        if record is None:
            raise ValueError("an operation is about a charge that exists")
        return record


def is_charge(record: Record) -> bool:
    """Whether the record is a charge and not an operation."""
    return "charge_id" not in record


def _refund_course(effect: Effect, now: float) -> dict[str, Any]:
    """The present and the planned state of a refund. A failure may follow a success: the payer's bank returns it."""
    match effect:
        case Effect.LATER_CHARGE:
            return {"state": PENDING, "settles_at": now + ASYNC_SECONDS, "settles_to": DONE}
        case Effect.LATER_DECLINE:
            return {"state": PENDING, "settles_at": now + ASYNC_SECONDS, "settles_to": FAILED}
        case Effect.REOPENED_DECLINE:
            return {"state": DONE, "settles_at": now + REOPEN_SECONDS, "settles_to": FAILED}
        case Effect.SOFT_DECLINE | Effect.HARD_DECLINE | Effect.FUNDS_DECLINE:
            return {"state": FAILED}
        case _:
            return {"state": DONE}
