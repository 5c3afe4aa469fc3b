"""What the providers that exist only here share: money that is held, taken, released, given back, and told of."""

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
"""The payer's money is gone or held: nothing else may be charged for the same order."""

SIGNATURE_HEADER: Final = "x-mock-signature"
_LATER: Final = frozenset({"settles_at", "settles_to"})


class PostAuthorizationSimulator(LedgerSimulator):
    """A charge that is held is captured once or voided once; what was taken is refunded in as many parts as wanted."""

    @abstractmethod
    def news(self, record: Record) -> str:
        """The type of the webhook for a charge or operation that has got into its state."""

    @abstractmethod
    def body(self, kind: str, event_id: str, record: Record, now: float) -> bytes:
        """The webhook about a charge or operation."""

    @abstractmethod
    def too_many_requests(self) -> Reply:
        """The provider's 429."""

    # -- charges

    def charge(self, key: str, behaviour: Behaviour, details: Record, now: float, *, success: str = CHARGED) -> Record:
        """As ever, and told of."""
        record = super().charge(key, behaviour, details, now, success=success)
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
        """The reason to refuse a capture, void or refund of so much; None when it may be."""
        if charge["state"] != (CHARGED if kind == REFUND else AUTHORIZED):
            return {REFUND: "not_refundable", CAPTURE: "not_capturable", VOID: "not_voidable"}[kind]
        left = charge["taken"] - self.refunded(charge, now)
        return "amount_too_large" if amount > left else None

    def move(self, wanted: Record, charge: Record, now: float, show: Callable[[Record, Behaviour], Reply]) -> Reply:
        """Do it as planned and answer with what `show` makes of the operation. It was checked to be possible.

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
            amount += 1
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
        # What was to become of the charge has become of it, or it could not be operated on.
        kept = {name: value for name, value in charge.items() if name not in _LATER}
        self.book(kept, operation, **changes.get(kind, {}))
        self.notify(operation, now)
        return operation

    def visible_operations(self, charge: Record, now: float, kind: str | None = None) -> list[Record]:
        """What a list shows: young ones stay hidden while the visibility lag lasts."""
        found = self.operations_of(charge, now, kind)
        return [record for record in found if now - record["at"] >= self.visibility_lag_seconds]

    # -- webhooks

    def notify(self, record: Record, now: float) -> None:
        """The webhooks of how a charge or operation stands, and of what will become of it."""
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
        """The charge that an operation is about."""
        record = self.find(operation["charge_id"], now)
        if record is None:
            raise ValueError("an operation is about a charge that exists")
        return record


def is_charge(record: Record) -> bool:
    """Whether it is a charge, and no operation on one."""
    return "charge_id" not in record


def _refund_course(effect: Effect, now: float) -> dict[str, Any]:
    """A refund's state now and later. A failure may follow a success: the payer's bank sends it back."""
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
