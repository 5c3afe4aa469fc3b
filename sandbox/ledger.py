"""Providers with the whole life of money: captures, voids, refunds, payments that go on by themselves, and webhooks."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sandbox.behaviours import Behaviour, Effect, behaviour_of
from sandbox.simulator import CANCELED, CHARGE, Simulator
from sandbox.store import Record

DONE: Final = "done"
FAILED: Final = "failed"

_EVENT: Final = "event"
_OPERATION: Final = "operation"
_PLAN: Final = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What the provider would post to the merchant. Nobody has: a driver may drop, repeat, reorder or delay it."""

    id: str
    type: str
    headers: Mapping[str, str]
    body: bytes


class LedgerSimulator(Simulator):
    """A provider with the later life of money: captures, voids, refunds, and the webhooks that tell of them."""

    @abstractmethod
    def sign(self, body: bytes, now: float) -> dict[str, str]:
        """The headers of a webhook with this body that leaves now; a later delivery is signed again."""

    @abstractmethod
    def render(self, kind: str, event: Record) -> bytes:
        """The body of a webhook, as things are at `event["due"]`."""

    # -- operations on charges

    def next_operation(self, *tokens: str) -> None:
        """How the next captures, voids and refunds behave, one token each. Afterwards they succeed again.

        No provider lets a merchant choose this, hence it is no request: a driver of the simulator calls it.
        """
        unknown = [token for token in tokens if behaviour_of(token, self.name) is None]
        if unknown:
            raise ValueError(f"no such tokens: {unknown}")
        plan = self.store.get(_PLAN, _PLAN) or {"id": _PLAN, "tokens": []}
        self.store.put(_PLAN, _PLAN, {**plan, "tokens": [*plan["tokens"], *tokens]})

    def planned_behaviour(self) -> Behaviour:
        """Of the operation that begins now."""
        plan = self.store.get(_PLAN, _PLAN)
        if plan is None or not plan["tokens"]:
            return Behaviour(Effect.CHARGE)
        first, *others = plan["tokens"]
        self.store.put(_PLAN, _PLAN, {**plan, "tokens": others})
        return behaviour_of(first, self.name) or Behaviour(Effect.CHARGE)

    def book(self, charge: Record, operation: Record, **changes: Any) -> Record:
        """Store an operation, and on its charge that it exists. The charge's version lets only one of two through."""
        changed = self.change(charge, operations=[*charge.get("operations", []), operation["id"]], **changes)
        self.store.put(_OPERATION, operation["id"], {**operation, "charge_id": charge["id"]})
        return changed

    def operation(self, operation_id: str, now: float) -> Record | None:
        """An operation as it is now."""
        record = self.store.get(_OPERATION, operation_id)
        if record is None or now < record.get("settles_at", now + 1):
            return record
        return {**record, "state": record["settles_to"]}

    def change_operation(self, operation: Record, **changes: Any) -> Record:
        """Store a change of an operation; whatever was to happen to it later does not."""
        kept = {name: value for name, value in operation.items() if name not in {"settles_at", "settles_to"}}
        changed = {**kept, **changes}
        self.store.put(_OPERATION, operation["id"], changed)
        return {**changed, "version": operation["version"] + 1}

    def operations_of(self, charge: Record, now: float, kind: str | None = None) -> list[Record]:
        """In the order in which they were asked for."""
        found = (self.operation(operation_id, now) for operation_id in charge.get("operations", []))
        return [record for record in found if record and kind in {None, record["kind"]}]

    def refunded(self, charge: Record, now: float) -> int:
        """What left or is about to leave the merchant again."""
        refunds = self.operations_of(charge, now, "refund")
        return sum(record["amount"] for record in refunds if record["state"] not in {FAILED, CANCELED})

    def ledger(self, now: float) -> list[Record]:
        """Charges as ever, with what was refunded of them; then captures, voids and refunds as entries of their own."""
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
            }
            for record in operations
        ]

    # -- webhooks

    def emit_webhook(self, events: list[tuple[str, Record]], due: float, now: float) -> None:
        """Note webhooks for a change: those of the present with today's snapshot, later ones when their time comes."""
        for index, (kind, facts) in enumerate(events):
            name = self.make_id("evt_", kind, facts["subject"], facts.get("revision", 0), int(due * 1000))
            event: Record = {**facts, "id": name, "type": kind, "due": due, "index": index, "body": None, "sent": False}
            if due <= now:
                event["body"] = self.render(kind, event).decode()
            self.store.put(_EVENT, name, event)

    def events(self, now: float) -> list[Record]:
        """What has happened so far, oldest first, each with its body."""
        found = [event for event in self.store.all(_EVENT) if event["due"] <= now]
        found.sort(key=lambda event: (event["due"], event.get("revision", 0), event["index"]))
        return [self._rendered(event) for event in found]

    def webhooks_due(self, now: float) -> list[Webhook]:
        """Those that the provider would send now for the first time, in order and signed. Each is returned once."""
        due = [event for event in self.events(now) if not event["sent"]]
        for event in due:
            self.store.put(_EVENT, event["id"], {**event, "sent": True})
        return [
            Webhook(id=event["id"], type=event["type"], headers=self.sign(body, now), body=body)
            for event in due
            for body in [event["body"].encode()]
        ]

    def redelivered(self, webhook: Webhook, now: float) -> Webhook:
        """The same again at another time, as providers do it: with a signature of its own."""
        return replace(webhook, headers=self.sign(webhook.body, now))

    def _rendered(self, event: Record) -> Record:
        """A later event gets its snapshot when it is first looked at, and keeps it."""
        if event["body"] is not None:
            return event
        rendered = {**event, "body": self.render(event["type"], event).decode()}
        self.store.put(_EVENT, event["id"], rendered)
        return {**rendered, "version": event["version"] + 1}


class CourseSimulator(LedgerSimulator):
    """Charges that go on by themselves, through several states: each has a course, whose last steps may lie ahead."""

    @abstractmethod
    def news(self, record: Record, reached: Record) -> list[tuple[str, Record]]:
        """The webhooks for a step, given the charge as it was then."""

    def begin(self, details: Record, course: list[Record], now: float) -> Record:
        """A new charge. Its details hold `id`, `reference`, `amount`, `taken`, `currency` and all that steps change."""
        record: Record = {**details, "at": now, "first": details, "steps": course, "notified": 0}
        self.store.put(CHARGE, record["id"], record)
        return self._settled({**record, "version": 1}, now)

    def go_on(self, record: Record, now: float, *steps: Record) -> Record:
        """What has happened stays, what was to happen does not, and this comes instead."""
        happened = [known for known in record["steps"] if known["when"] <= now]
        return self._settled(self.change(record, steps=[*happened, *steps]), now)

    def everything(self, now: float) -> list[Record]:
        """All charges as they are now: the provider itself is not subject to the visibility lag."""
        return [self._settled(record, now) for record in self.store.all(CHARGE)]

    def events(self, now: float) -> list[Record]:
        """A step becomes news only once it was taken: until then it may be called off."""
        for record in self.everything(now):
            taken = [reached for reached in record["steps"] if reached["when"] <= now]
            self._notify(record, taken[record["notified"] :], now)
        return super().events(now)

    def operations_of(self, charge: Record, now: float, kind: str | None = None) -> list[Record]:
        """Those that were asked for by then."""
        return [record for record in super().operations_of(charge, now, kind) if record["at"] <= now]

    def _notify(self, record: Record, not_notified: list[Record], now: float) -> None:
        for when in sorted({reached["when"] for reached in not_notified}):
            then = self._settled(record, when)
            news = [item for reached in not_notified if reached["when"] == when for item in self.news(then, reached)]
            self.emit_webhook(news, when, now)
        if not_notified:
            self.change(record, notified=record["notified"] + len(not_notified))

    def _settled(self, record: Record, now: float) -> Record:
        """The sum of the steps up to now, from the beginning: it can be asked what a charge was like in the past."""
        record = {**record, **record["first"]}
        for reached in record["steps"]:
            if reached["when"] <= now:
                record = {**record, **{name: value for name, value in reached.items() if name != "when"}}
        return record


def step(when: float, state: str, **facts: Any) -> Record:
    """A step of a charge's course, with what else it changes of the charge."""
    return {"when": when, "state": state, **facts}
