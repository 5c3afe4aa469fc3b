"""The base of all simulators: charges and their ledger, counts of sends, ids, and faulty answers."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sandbox.behaviours import (
    ASYNC_SECONDS,
    HANG_SECONDS,
    REOPEN_SECONDS,
    SLOW_SECONDS,
    Answer,
    Behaviour,
    Effect,
)
from sandbox.hosted_pages import PAGES, no_page
from sandbox.http_types import BadRequestError, Reply, Request, html_reply
from sandbox.store import Record, Store

CHARGED: Final = "charged"
AUTHORIZED: Final = "authorized"
DECLINED: Final = "declined"
PENDING: Final = "pending"
WAITING: Final = "waiting for the payer"
CANCELED: Final = "canceled"

CHARGE: Final = "charge"
_SENDS: Final = "sends"

_STATE_OF: Final = {
    Effect.CHARGE: CHARGED,
    Effect.WRONG_AMOUNT: CHARGED,
    Effect.SOFT_DECLINE: DECLINED,
    Effect.HARD_DECLINE: DECLINED,
    Effect.FUNDS_DECLINE: DECLINED,
    Effect.REOPENED_DECLINE: DECLINED,
    Effect.ACTION: WAITING,
    Effect.LATER_CHARGE: PENDING,
    Effect.LATER_DECLINE: PENDING,
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The key pair that the simulator accepts."""

    key_id: str
    key_secret: str


class Simulator(ABC):
    """A provider. `handle` answers all requests; the caller passes the time."""

    name: str
    reopens: bool = False
    """Whether this provider may turn a decline into a charge later."""
    charge_seconds: float = ASYNC_SECONDS
    """How long a charge stays pending whose result comes later."""
    account: str = ""
    """Two accounts at one provider have different ids; empty where there is only one."""

    def __init__(self, store: Store, credentials: Credentials, *, public_url: str, visibility_lag_seconds: float = 0.0):
        self.store = store
        self.credentials = credentials
        self.public_url = public_url.rstrip("/")
        self.visibility_lag_seconds = visibility_lag_seconds

    def handle(self, request: Request, now: float) -> Reply:
        """Answer the request. `now` in seconds since 1970."""
        if request.path.startswith("/actions/"):
            return self._approve(request.path.removeprefix("/actions/"), now)
        if request.path.startswith(PAGES):
            return self.answer_page(request, now)
        if not self.is_authentic(request):
            return self.unauthorized()
        try:
            return self.answer(request, now)
        except BadRequestError as error:
            return self.bad_request(str(error))

    def answer_page(self, request: Request, now: float) -> Reply:  # noqa: ARG002 - for those with hosted objects
        """Answer a payer's browser at the page of a hosted object."""
        return no_page()

    @abstractmethod
    def is_authentic(self, request: Request) -> bool:
        """Whether the request has the credentials of this provider."""

    @abstractmethod
    def unauthorized(self) -> Reply:
        """The provider's 401."""

    @abstractmethod
    def bad_request(self, message: str) -> Reply:
        """The provider's validation error."""

    @abstractmethod
    def server_error(self) -> Reply:
        """The provider's 500."""

    @abstractmethod
    def answer(self, request: Request, now: float) -> Reply:
        """Answer an authentic request."""

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
        """Charge as `behaviour` prescribes and store it in the ledger. `success` is the state of a success.

        `later_seconds`: how long a charge with a later result stays pending, where `charge_seconds` is not meant.
        A decline takes `REOPEN_SECONDS` at least until it reopens.
        """
        state = _STATE_OF[behaviour.effect]
        later_seconds = self.charge_seconds if later_seconds is None else later_seconds
        record: Record = {
            **details,
            "id": details["id"],
            "key": key,
            "effect": behaviour.effect,
            "state": success if state == CHARGED else state,
            "success": success,
            "at": now,
            "taken": details["amount"] + (1 if behaviour.effect is Effect.WRONG_AMOUNT else 0),
        }
        if behaviour.effect is Effect.LATER_CHARGE:
            record |= {"settles_at": now + later_seconds, "settles_to": success}
        elif behaviour.effect is Effect.LATER_DECLINE:
            record |= {"settles_at": now + later_seconds, "settles_to": DECLINED}
        elif behaviour.effect is Effect.REOPENED_DECLINE and self.reopens:
            record |= {"settles_at": now + max(later_seconds, REOPEN_SECONDS), "settles_to": success}
        self.store.put(CHARGE, record["id"], record)
        return record

    def find(self, charge_id: str, now: float) -> Record | None:
        """The charge in its state at `now`, or None."""
        record = self.store.get(CHARGE, charge_id)
        return self._settled(record, now) if record else None

    def charges(self, now: float, having: Callable[[Record], bool]) -> list[Record]:
        """Charges in their state at `now`, without those younger than the visibility lag."""
        found = (self._settled(record, now) for record in self.store.all(CHARGE))
        return [r for r in found if having(r) and now - r["at"] >= self.visibility_lag_seconds]

    def change(self, record: Record, **changes: Any) -> Record:
        changed = {**record, **changes}
        self.store.put(CHARGE, record["id"], changed)
        return {**changed, "version": record["version"] + 1}

    def ledger(self, now: float) -> list[Record]:
        """All charges with the amount that was really taken, and their state."""
        return [
            {
                "reference": record["reference"],
                "chargeId": record["id"],
                "amount": record["taken"],
                "currency": record["currency"],
                "status": record["state"],
                "at": record["at"],
            }
            for record in (self._settled(r, now) for r in self.store.all(CHARGE))
        ]

    def _settled(self, record: Record, now: float) -> Record:
        """The record in its state at `now`: a planned change happens at its time, with or without a request."""
        if now < record.get("settles_at", now + 1):
            return record
        settled = {**record, "state": record["settles_to"], "effect": Effect.CHARGE}
        if settled["state"] == DECLINED:
            settled["effect"] = Effect.SOFT_DECLINE
        return settled

    # -- faulty answers

    def perform(self, key: str, behaviour: Behaviour, effect: Callable[[], Reply]) -> Reply:
        """Run `effect` and answer as the behaviour prescribes. The sends of a key are counted first."""
        first = self._count_send(key) == 1
        if first and behaviour.answer is Answer.HANG_FIRST:
            return self.server_error().held(HANG_SECONDS)
        if first and behaviour.answer is Answer.ERROR_FIRST:
            return self.server_error()
        reply = effect()
        match behaviour.answer:
            case Answer.SLOW:
                return reply.held(SLOW_SECONDS)
            case Answer.HANG_AFTER:
                return reply.held(HANG_SECONDS)
            case Answer.ERROR_AFTER:
                return self.server_error()
            case Answer.GARBAGE:
                return html_reply(200, "<html><body><h1>Welcome to nginx!</h1></body></html>")
            case _:
                return reply

    def _count_send(self, key: str) -> int:
        record = self.store.get(_SENDS, key) or {"count": 0}
        record["count"] += 1
        self.store.put(_SENDS, key, record)
        return int(record["count"])

    def action_url(self, charge_id: str) -> str:
        """The page where the payer approves."""
        return f"{self.public_url}/actions/{charge_id}"

    def _approve(self, charge_id: str, now: float) -> Reply:
        record = self.find(charge_id, now)
        if record is None or record["state"] not in {WAITING, CHARGED}:
            return html_reply(404, "<html><body>There is nothing to approve here.</body></html>")
        if record["state"] == WAITING:
            self.change(record, state=CHARGED, effect=Effect.CHARGE)
        return html_reply(200, "<html><body>Approved. You may close this page.</body></html>")

    def make_id(self, prefix: str, *parts: object) -> str:
        """A deterministic id: the same sequence of requests gives the same ids."""
        text = "|".join([self.name + self.account, prefix, *map(str, parts)])
        return prefix + hashlib.sha256(text.encode()).hexdigest()[:16]

    def count(self, kind: str) -> int:
        """The number of records, for the next id."""
        return self.store.count(kind)


def require(body: Record, fields: dict[str, type], optional: dict[str, type] | None = None) -> None:
    """Raises `BadRequestError` for missing, unknown and wrongly typed fields."""
    known = {**fields, **(optional or {})}
    for name in fields:
        if name not in body:
            raise BadRequestError(f"{name} is required")
    for name, value in body.items():
        if name not in known:
            raise BadRequestError(f"{name} is not expected")
        if type(value) is not known[name]:
            raise BadRequestError(f"{name} has the wrong type")


def require_positive(amount: int, *, least: int = 1) -> None:
    """Raises `BadRequestError` for an amount below `least`."""
    if amount < least:
        raise BadRequestError(f"amount must be at least {least}")
