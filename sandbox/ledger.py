"""Simulators with captures, voids, refunds, payments that change by themselves, and webhooks."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sandbox.behaviours import ASYNC_SECONDS, Behaviour, Effect, behaviour_of
from sandbox.simulator import CANCELED, CHARGE, Simulator
from sandbox.store import Record

DONE: Final = "done"
FAILED: Final = "failed"

_EVENT: Final = "event"
_OPERATION: Final = "operation"
_PLAN: Final = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook that is ready to be posted. The simulator posts none: the caller may drop, repeat or delay it."""

    id: str
    type: str
    headers: Mapping[str, str]
    body: bytes


class LedgerSimulator(Simulator):
    """A provider with captures, voids, refunds, and the webhooks about them."""

    refund_seconds: float = ASYNC_SECONDS
    """After so long a refund ends that is pending at first, where the caller of a real provider's simulator says so."""

    @abstractmethod
    def sign(self, body: bytes, now: float) -> dict[str, str]:
        """The headers of a webhook with this body, sent at `now`; a later delivery is signed again."""

    @abstractmethod
    def render(self, kind: str, event: Record) -> bytes:
        """The body of a webhook, with the state at `event["due"]`."""

    # -- operations on charges

    def next_operation(self, *tokens: str) -> None:
        """Set the behaviour of the next captures, voids and refunds, one token each; later ones succeed.

        Real providers let no merchant choose this, so it is no request: the caller of the simulator sets it.
        """
        unknown = [token for token in tokens if behaviour_of(token, self.name) is None]
        if unknown:
            raise ValueError(f"no such tokens: {unknown}")
        plan = self.store.get(_PLAN, _PLAN) or {"id": _PLAN, "tokens": []}
        self.store.put(_PLAN, _PLAN, {**plan, "tokens": [*plan["tokens"], *tokens]})

    def planned_behaviour(self) -> Behaviour:
        """The behaviour of the operation that begins now."""
        plan = self.store.get(_PLAN, _PLAN)
        if plan is None or not plan["tokens"]:
            return Behaviour(Effect.CHARGE)
        first, *others = plan["tokens"]
        self.store.put(_PLAN, _PLAN, {**plan, "tokens": others})
        return behaviour_of(first, self.name) or Behaviour(Effect.CHARGE)

    def book(self, charge: Record, operation: Record, **changes: Any) -> Record:
        """Store an operation and list it on its charge. The charge's version lets only one of two writers through."""
        changed = self.change(charge, operations=[*charge.get("operations", []), operation["id"]], **changes)
        self.store.put(_OPERATION, operation["id"], {**operation, "charge_id": charge["id"]})
        return changed

    def operation(self, operation_id: str, now: float) -> Record | None:
        """The operation in its state at `now`, or None."""
        record = self.store.get(_OPERATION, operation_id)
        if record is None or now < record.get("settles_at", now + 1):
            return record
        return {**record, "state": record["settles_to"]}

    def change_operation(self, operation: Record, **changes: Any) -> Record:
        """Store a change of an operation and cancel its planned change."""
        kept = {name: value for name, value in operation.items() if name not in {"settles_at", "settles_to"}}
        changed = {**kept, **changes}
        self.store.put(_OPERATION, operation["id"], changed)
        return {**changed, "version": operation["version"] + 1}

    def operations_of(self, charge: Record, now: float, kind: str | None = None) -> list[Record]:
        """In the order of their requests."""
        found = (self.operation(operation_id, now) for operation_id in charge.get("operations", []))
        return [record for record in found if record and kind in {None, record["kind"]}]

    def refunded(self, charge: Record, now: float) -> int:
        """The sum of refunds that are done or pending, in minor units."""
        refunds = self.operations_of(charge, now, "refund")
        return sum(record["amount"] for record in refunds if record["state"] not in {FAILED, CANCELED})

    def dispute(self, charge_id: str, now: float, *, blocks_refunds: bool) -> None:
        """A payer's bank asks for the charge, or has decided: providers refuse refunds meanwhile."""
        record = self.find(charge_id, now)
        if record is not None:
            self.change(record, disputed=blocks_refunds)

    def ledger(self, now: float) -> list[Record]:
        """The charges with their refunded amount, then captures, voids and refunds as entries of their own."""
        charges = {record["id"]: record for record in self.store.all(CHARGE)}
        entries = [
            {**entry, "kind": "charge", "refunded": self.refunded(charges[entry["chargeId"]], now)}
            for entry in super().ledger(now)
        ]
        operations = (self.operation(record["id"], now) or record for record in self.store.all(_OPERATION))
        return entries + [
            {
                "reference": record["reference"],
                "chargeId": record["charge_id"],
                "operationId": record["id"],
                "kind": record["kind"],
                "amount": record["amount"],
                "currency": record["currency"],
                "status": record["state"],
                "at": record["at"],
                **self._reversal(record),
            }
            for record in operations
        ]

    def _reversal(self, operation: Record) -> Record:
        """When it failed after it was done, because the payer's bank returned it; empty for any other operation."""
        stored = self.store.get(_OPERATION, operation["id"])
        if operation["state"] != FAILED or stored is None or stored["state"] != DONE:
            return {}
        return {"reversed": True, "reversedAt": stored["settles_at"]}

    # -- webhooks

    def emit_webhook(self, events: list[tuple[str, Record]], due: float, now: float) -> None:
        """Store the webhooks of a change. A present one has today's snapshot, a later one the snapshot of its time."""
        for index, (kind, facts) in enumerate(events):
            name = self.make_id("evt_", kind, facts["subject"], facts.get("revision", 0), int(due * 1000))
            event: Record = {**facts, "id": name, "type": kind, "due": due, "index": index, "body": None, "sent": False}
            if due <= now:
                event["body"] = self.render(kind, event).decode()
            self.store.put(_EVENT, name, event)

    def events(self, now: float) -> list[Record]:
        """All events up to `now`, oldest first, each with its body."""
        found = [event for event in self.store.all(_EVENT) if event["due"] <= now]
        found.sort(key=lambda event: (event["due"], event.get("revision", 0), event["index"]))
        return [self._rendered(event) for event in found]

    def webhooks_due(self, now: float) -> list[Webhook]:
        """The webhooks to send now for the first time, in order and signed. Each is returned once."""
        due = [event for event in self.events(now) if not event["sent"]]
        for event in due:
            self.store.put(_EVENT, event["id"], {**event, "sent": True})
        return [
            Webhook(id=event["id"], type=event["type"], headers=self.sign(body, now), body=body)
            for event in due
            for body in [event["body"].encode()]
        ]

    def redelivered(self, webhook: Webhook, now: float) -> Webhook:
        """The same webhook at another time, with a new signature."""
        return replace(webhook, headers=self.sign(webhook.body, now))

    def _rendered(self, event: Record) -> Record:
        """A later event gets its snapshot when it is first read, and keeps it."""
        if event["body"] is not None:
            return event
        rendered = {**event, "body": self.render(event["type"], event).decode()}
        self.store.put(_EVENT, event["id"], rendered)
        return {**rendered, "version": event["version"] + 1}


class CourseSimulator(LedgerSimulator):
    """Charges that pass through several states by themselves; the last steps of a course may be in the future."""

    @abstractmethod
    def news(self, record: Record, reached: Record) -> list[tuple[str, Record]]:
        """The webhooks for a step, given the charge at its time."""

    def begin(self, details: Record, course: list[Record], now: float) -> Record:
        """Create a charge. `details` has `id`, `reference`, `amount`, `taken`, `currency` and all that steps change."""
        record: Record = {**details, "at": now, "first": details, "steps": course, "notified": 0}
        self.store.put(CHARGE, record["id"], record)
        return self._settled({**record, "version": 1}, now)

    def go_on(self, record: Record, now: float, *steps: Record) -> Record:
        """Keep the steps up to `now` and replace the later ones with `steps`."""
        happened = [known for known in record["steps"] if known["when"] <= now]
        return self._settled(self.change(record, steps=[*happened, *steps]), now)

    def everything(self, now: float) -> list[Record]:
        """All charges in their state at `now`, without the visibility lag."""
        return [self._settled(record, now) for record in self.store.all(CHARGE)]

    def events(self, now: float) -> list[Record]:
        """A step emits its webhook once it has happened: until then it may be cancelled."""
        for record in self.everything(now):
            taken = [reached for reached in record["steps"] if reached["when"] <= now]
            self._notify(record, taken[record["notified"] :], now)
        return super().events(now)

    def operations_of(self, charge: Record, now: float, kind: str | None = None) -> list[Record]:
        """The operations that were requested up to `now`."""
        return [record for record in super().operations_of(charge, now, kind) if record["at"] <= now]

    def _notify(self, record: Record, not_notified: list[Record], now: float) -> None:
        for when in sorted({reached["when"] for reached in not_notified}):
            then = self._settled(record, when)
            news = [item for reached in not_notified if reached["when"] == when for item in self.news(then, reached)]
            self.emit_webhook(news, when, now)
        if not_notified:
            self.change(record, notified=record["notified"] + len(not_notified))

    def _settled(self, record: Record, now: float) -> Record:
        """Apply the steps up to `now` from the beginning, so that past states can be computed."""
        record = {**record, **record["first"]}
        for reached in record["steps"]:
            if reached["when"] <= now:
                record = {**record, **{name: value for name, value in reached.items() if name != "when"}}
        return record


def step(when: float, state: str, **facts: Any) -> Record:
    """A step of a charge's course, with the other fields of the charge that it changes."""
    return {"when": when, "state": state, **facts}
