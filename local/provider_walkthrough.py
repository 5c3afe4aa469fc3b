"""A walk through a vendor while somebody watches: money held, taken and given back, a payer, and webhooks.

It speaks the public API as a merchant would, plays the payer at the vendor, and compares the books in the end.
"""

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import urllib3

from local.api import Api
from local.console import say
from local.environment import Stage
from local.errors import StageError
from local.scenarios import STORIES, Story
from local.simulators import control

_PATIENCE_SECONDS: Final = 40
_LOOK_SECONDS: Final = 0.1
_DELIVERY_SECONDS: Final = 3
"""How much later than its effect a delivery may be reported: its answer has to come back first."""
_FIRST_INQUIRY_SECONDS: Final = 5
"""When a worker would ask by itself: what ends before that, a webhook has ended."""
_ENDED: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"})
_SETTLED: Final = frozenset({"SUCCEEDED", "FAILED", "IN_REVIEW"})
_UPI_REFERENCE: Final = re.compile(r"[?&]tr=([A-Za-z0-9_]+)")

Json = dict[str, Any]


def walk_through_vendor(stage: Stage, provider: str, run: str) -> bool:
    """Whether everything went as the vendor's story says."""
    walk = _Walk(story=STORIES[provider], address=stage.vendors[provider], api=stage.api(), run=run)
    walk.hold_take_and_give_back()
    walk.let_the_payer_approve()
    walk.compare_the_books()
    return walk.is_right


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Prints as it goes. `payments` are those to be compared in the end."""

    story: Story
    address: str
    api: Api
    run: str
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=10))
    is_right: bool = True
    payments: list[Json] = field(default_factory=list)
    _seen_deliveries: int = 0
    _seen_events: int = 0

    # -- the steps

    def hold_take_and_give_back(self) -> None:
        """A payment without its payer: authorized and captured where the vendor can do that, then refunded in part."""
        story = self.story
        capture = "automatic" if story.capture is None else "manual"
        say(f"\n{self._money(story.amount)} with what the vendor has stored of a payer, {capture} capture")
        payment = self._pay("held", {**story.request, "capture": capture})
        wanted = "SUCCESS" if story.capture is None else "AUTHORIZED"
        payment = self._watch(payment, lambda now: now["status"] in {wanted} | _ENDED)
        self._expect(payment["status"] == wanted, f"{payment['status']}, not {wanted}")
        if story.capture is not None:
            whole = "" if story.capture < story.amount else ", all of it"
            self._move(payment, "capture", story.capture, f"{self._money(story.capture)} captured{whole}")
        self._refund(payment)
        self.payments.append(payment)

    def let_the_payer_approve(self) -> None:
        """A payment that waits for its payer, and whose end is told by a webhook."""
        say(f"\n{self._money(self.story.amount)} that the payer has to approve")
        payment = self._pay("approved", {**self.story.payer_request, "capture": "automatic"})
        payment = self._watch(payment, lambda now: now["status"] in _ENDED or _waits(now))
        self._expect(_waits(payment), "nothing waits for the payer")
        said = self.story.paid_event
        mark = self._approve(payment)
        payment = self._watch(payment, lambda now: now["status"] in _ENDED)
        self._expect(payment["status"] == "SUCCESS", f"{payment['status']}, not SUCCESS")
        self._closed_by(said, mark, self._trail(payment))
        self.payments.append(payment)

    def compare_the_books(self) -> None:
        """What we say and what the vendor's ledger says of every payment, charge by charge."""
        say(f"\nThe books of {self.story.provider} and ours")
        entries = self._get("_ledger")["entries"]
        for payment in map(self._read, self.payments):
            ours = (payment["captured"], payment["refunded"], payment["currency"])
            keys = {attempt["providerKey"] for attempt in payment["attempts"]}
            charges = [e for e in entries if e["kind"] == "charge" and e["reference"] in keys]
            theirs = [(e["amount"], e["refunded"], e["currency"]) for e in charges if e["status"] == "charged"]
            say(f"  {payment['transactionId']}  captured {ours[0]}, refunded {ours[1]} {ours[2]}")
            for amount, refunded, currency in theirs:
                say(f"  {charges[0]['chargeId']:<20}  captured {amount}, refunded {refunded} {currency}")
            self._expect(theirs == [ours], "the books do not agree")

    # -- parts of steps

    def _pay(self, name: str, rest: Json) -> Json:
        story, self._seen_events = self.story, 0
        body = {
            "amount": story.amount,
            "currency": story.currency,
            "metadata": {"gateway": story.provider},
            **rest,
        }
        payment = self.api.post("/payments", body, f"{self.run}-{name}")
        say(f"  {payment['transactionId']} {payment['status']}")
        say(f"  routed to {payment['provider']}: {'; '.join(payment['routing']['reasons'])}")
        self._expect(payment["provider"] == story.provider, f"routed to {payment['provider']}")
        return payment

    def _move(self, payment: Json, path: str, amount: int, text: str) -> Json:
        """A capture or refund, to its end."""
        url = f"{_path(payment)}/{path}"
        operation = self.api.post(url, {"amount": amount}, f"{self.run}-{path}")
        say(f"  {operation['operationId']} {operation['status']}")
        own = f"{_path(payment)}/operations/{operation['operationId']}"
        self._watch(payment, lambda _: self.api.get(own)["status"] in _SETTLED)
        ended = self.api.get(own)
        self._expect(ended["status"] == "SUCCEEDED", f"{operation['kind']} {ended['status']}, not SUCCEEDED")
        say(f"  {text}")
        return ended

    def _refund(self, payment: Json) -> None:
        """Later, where the vendor could have done it at once: so that a webhook has something to tell."""
        story, mark = self.story, self._seen_deliveries
        control(self.address, nextOperations=["tok_async_success"])
        operation = self._move(payment, "refunds", story.refund, f"{self._money(story.refund)} of it refunded")
        about = [e for e in self._trail(payment) if e["facts"].get("operationId") == operation["operationId"]]
        if story.refunded_event is not None:
            self._closed_by(story.refunded_event, mark, about)
            return
        refused = self._wait_for(lambda d: d["type"] == "refund", mark)
        self._expect(refused is not None and refused["status"] == 401, "an unsigned webhook was not refused")
        say("  its webhook about the refund was refused, being unsigned: a worker asked")

    def _approve(self, payment: Json) -> int:
        """As the payer: at the address of the action, in the UPI app, or in the bank's app. The deliveries so far."""
        mark, action = self._seen_deliveries, payment["nextAction"]
        if action is None:
            url = f"{self.address}/actions/{payment['providerRef']}"
            where = "in the app of the bank, which asks by itself"
        elif action["type"] == "upi_intent":
            found = _UPI_REFERENCE.search(action["url"])
            self._expect(found is not None, "the UPI link bears no reference")
            url, where = f"{self.address}/actions/{found[1] if found else ''}", f"in a UPI app, by {action['url']}"
        else:
            url, where = action["url"], f"at {action['url']}"
        status = self.pool.request("GET", url).status
        say(f"  the payer approves {where}")
        self._expect(status == 200, f"the payer's page answered {status}")
        return mark

    def _closed_by(self, kind: str, mark: int, trail: list[Json]) -> None:
        """The webhook arrived, was taken, and ended it: by what it proves, or by the question it gave rise to."""
        last, before = trail[-1], trail[-min(2, len(trail))]
        if self._wait_for(lambda d: d["type"] == kind and d["status"] == 200, mark) is None:
            self._expect(False, f"no webhook {kind} was taken; it was closed by {last['actor']}")  # noqa: FBT003
        elif kind in self.story.proof:
            is_closer = last["actor"] == "webhook" and last["facts"].get("webhookType") == kind
            self._expect(is_closer, f"closed by {last['actor']}, not by the webhook {kind}")
            if is_closer:
                say(f"  closed by the webhook {kind}")
        else:
            self._closed_by_asking(kind, last, _seconds(last["at"]) - _seconds(before["at"]))

    def _closed_by_asking(self, kind: str, last: Json, waited_seconds: float) -> None:
        """A refund is settled shortly before a worker would ask by itself: there it may have been either."""
        self._expect(last["actor"] == "worker", f"closed by {last['actor']}, though the webhook {kind} proves nothing")
        is_soon = waited_seconds < _FIRST_INQUIRY_SECONDS
        slow = f"it took {waited_seconds:.1f} s to be closed: the webhook {kind} changed nothing"
        self._expect(is_soon or kind != self.story.paid_event, slow)
        why = f"because of the webhook {kind}" if is_soon else f"as planned; the webhook {kind} came at the same time"
        say(f"  closed by asking, {why}")
        say(f"    ({self.story.remark})")

    def _watch(self, payment: Json, done: Callable[[Json], bool]) -> Json:
        """Print events and webhooks as they come, until it is done or patience ends."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            now = self._read(payment)
            over = done(now) or time.monotonic() > deadline
            self._show(payment)
            if over:
                return now
            time.sleep(_LOOK_SECONDS)

    def _show(self, payment: Json) -> None:
        trail = self._trail(payment)[self._seen_events :]
        self._seen_events += len(trail)
        lines = [(_seconds(event["at"]), _event_line(event)) for event in trail]
        lines += [(delivery["at"], _delivery_line(delivery)) for delivery in self._new_deliveries()]
        for _, line in sorted(lines):
            say(f"    {line}")

    def _wait_for(self, wanted: Callable[[Json], bool], mark: int) -> Json | None:
        """A delivery after the one with the number `mark`; it may come a moment after what it is about."""
        deadline = time.monotonic() + _DELIVERY_SECONDS
        while True:
            for delivery in self._deliveries():
                if delivery["number"] > mark and wanted(delivery):
                    return delivery
            if time.monotonic() > deadline:
                return None
            time.sleep(_LOOK_SECONDS)

    def _new_deliveries(self) -> Iterable[Json]:
        found = [d for d in self._deliveries() if d["number"] > self._seen_deliveries]
        self._seen_deliveries = max([self._seen_deliveries, *(d["number"] for d in found)])
        return found

    def _deliveries(self) -> list[Json]:
        found: list[Json] = self._get("_webhooks")["deliveries"]
        return found

    def _get(self, name: str) -> Json:
        answer = self.pool.request("GET", f"{self.address}/{name}")
        if answer.status != 200:
            raise StageError(f"The simulator {self.story.provider} answered {answer.status} for its {name}.")
        decoded: Json = json.loads(answer.data)
        return decoded

    def _read(self, payment: Json) -> Json:
        return self.api.get(_path(payment))

    def _trail(self, payment: Json) -> list[Json]:
        items: list[Json] = self.api.get(f"{_path(payment)}/events?limit=100")["items"]
        return items

    def _money(self, amount: int) -> str:
        return f"{amount // 100}.{amount % 100:02} {self.story.currency}"

    def _expect(self, condition: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
        if not condition:
            self.is_right = False
            say(f"  <- not as expected: {otherwise}")


def _path(payment: Json) -> str:
    return f"/payments/{payment['transactionId']}"


def _waits(payment: Json) -> bool:
    """For the payer, whether the vendor gave us something to show or tells its payer itself."""
    accepted = payment["attempts"] and payment["attempts"][-1]["state"] == "ACCEPTED"
    return payment["status"] == "REQUIRES_ACTION" or (payment["status"] == "PENDING" and bool(accepted))


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _event_line(event: Json) -> str:
    change = f"{event['from'] or '-'} -> {event['to']}"
    return f"{event['at']}  #{event['seq']} {event['type']:<24} {change}  (by {event['actor']})"


def _delivery_line(delivery: Json) -> str:
    at = datetime.fromtimestamp(delivery["at"], UTC)
    answered = delivery["status"] or "no answer"
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z  webhook {delivery['type']} -> {answered}"
