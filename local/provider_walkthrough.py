"""A walk through a real provider's simulator: authorization, capture, refund, a payer who approves, and webhooks.

It calls the public API as a merchant would, acts as the payer, and compares our record with the provider's ledger.
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
from local.environment import LocalEnvironment
from local.errors import LocalEnvironmentError
from local.scenarios import SCENARIOS, Scenario
from local.simulators import control

_FINAL_SECONDS: Final = 90
_POLL_SECONDS: Final = 0.1
_DELIVERY_SECONDS: Final = 20
"""How much later than its effect a delivery may be reported: its answer has to come back first."""
_FIRST_INQUIRY_SECONDS: Final = 5
"""When a worker inquires without a webhook: an earlier inquiry was caused by one."""
_FINAL_PAYMENT: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"})
_FINAL_OPERATION: Final = frozenset({"SUCCEEDED", "FAILED", "IN_REVIEW"})
_UPI_REFERENCE: Final = re.compile(r"[?&]tr=([A-Za-z0-9_]+)")

Json = dict[str, Any]


def walk_through_provider(environment: LocalEnvironment, provider: str, run: str) -> bool:
    """True when everything went as the scenario says."""
    walk = _Walk(scenario=SCENARIOS[provider], address=environment.simulators[provider], api=environment.api(), run=run)
    walk.authorize_capture_refund()
    walk.approve_as_payer()
    walk.compare_ledgers()
    return walk.is_as_expected


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Prints as it goes. `payments` are compared with the provider's ledger in the end."""

    scenario: Scenario
    address: str
    api: Api
    run: str
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=10))
    is_as_expected: bool = True
    payments: list[Json] = field(default_factory=list)
    _seen_deliveries: int = 0
    _seen_events: int = 0

    # -- the steps

    def authorize_capture_refund(self) -> None:
        """A payment without its payer: authorized and captured where that is possible, then refunded in part."""
        scenario = self.scenario
        capture = "automatic" if scenario.capture is None else "manual"
        say(f"\n{self._money(scenario.amount)} with a stored payment method, {capture} capture")
        payment = self._pay("held", {**scenario.request, "capture": capture})
        wanted = "SUCCESS" if scenario.capture is None else "AUTHORIZED"
        payment = self._watch(payment, lambda now: now["status"] in {wanted} | _FINAL_PAYMENT)
        self._expect(payment["status"] == wanted, f"{payment['status']}, not {wanted}")
        if scenario.capture is not None:
            whole = "" if scenario.capture < scenario.amount else ", all of it"
            self._operate(payment, "capture", scenario.capture, f"{self._money(scenario.capture)} captured{whole}")
        self._refund(payment)
        self.payments.append(payment)

    def approve_as_payer(self) -> None:
        """A payment that waits for its payer and whose outcome a webhook reports."""
        say(f"\n{self._money(self.scenario.amount)} that the payer has to approve")
        payment = self._pay("approved", {**self.scenario.payer_request, "capture": "automatic"})
        payment = self._watch(payment, lambda now: now["status"] in _FINAL_PAYMENT or _waits(now))
        self._expect(_waits(payment), "the payment does not wait for its payer")
        said = self.scenario.paid_event
        mark = self._approve(payment)
        payment = self._watch(payment, lambda now: now["status"] in _FINAL_PAYMENT)
        self._expect(payment["status"] == "SUCCESS", f"{payment['status']}, not SUCCESS")
        self._closed_by(said, mark, self._events(payment))
        self.payments.append(payment)

    def compare_ledgers(self) -> None:
        """Each payment's amounts as we record them and as the provider's ledger holds them."""
        say(f"\nThe ledger of {self.scenario.provider} and our record")
        entries = self._get("_ledger")["entries"]
        for payment in map(self._read, self.payments):
            ours = (payment["captured"], payment["refunded"], payment["currency"])
            keys = {attempt["providerKey"] for attempt in payment["attempts"]}
            charges = [e for e in entries if e["kind"] == "charge" and e["reference"] in keys]
            theirs = [(e["amount"], e["refunded"], e["currency"]) for e in charges if e["status"] == "charged"]
            say(f"  {payment['transactionId']}  captured {ours[0]}, refunded {ours[1]} {ours[2]}")
            for amount, refunded, currency in theirs:
                say(f"  {charges[0]['chargeId']:<20}  captured {amount}, refunded {refunded} {currency}")
            self._expect(theirs == [ours], "the ledger and our record differ")

    # -- parts of steps

    def _pay(self, name: str, rest: Json) -> Json:
        scenario, self._seen_events = self.scenario, 0
        body = {
            "amount": scenario.amount,
            "currency": scenario.currency,
            "metadata": {"gateway": scenario.provider},
            **rest,
        }
        payment = self.api.post("/payments", body, f"{self.run}-{name}")
        say(f"  {payment['transactionId']} {payment['status']}")
        say(f"  routed to {payment['provider']}: {'; '.join(payment['routing']['reasons'])}")
        self._expect(payment["provider"] == scenario.provider, f"routed to {payment['provider']}")
        return payment

    def _operate(self, payment: Json, path: str, amount: int, text: str) -> Json:
        """Request a capture or refund and wait until it is final."""
        url = f"{_path(payment)}/{path}"
        operation = self.api.post(url, {"amount": amount}, f"{self.run}-{path}")
        say(f"  {operation['operationId']} {operation['status']}")
        own = f"{_path(payment)}/operations/{operation['operationId']}"
        self._watch(payment, lambda _: self.api.get(own)["status"] in _FINAL_OPERATION)
        ended = self.api.get(own)
        self._expect(ended["status"] == "SUCCEEDED", f"{operation['kind']} {ended['status']}, not SUCCEEDED")
        say(f"  {text}")
        return ended

    def _refund(self, payment: Json) -> None:
        """The simulator completes the refund later, so that its webhook reports the outcome."""
        scenario, mark = self.scenario, self._seen_deliveries
        control(self.address, nextOperations=["tok_async_success"])
        operation = self._operate(payment, "refunds", scenario.refund, f"{self._money(scenario.refund)} of it refunded")
        about = [e for e in self._events(payment) if e["facts"].get("operationId") == operation["operationId"]]
        self._closed_by(scenario.refunded_event, mark, about)

    def _approve(self, payment: Json) -> int:
        """As the payer, at the action's address or in an app. Returns the number of the last delivery before."""
        mark, action = self._seen_deliveries, payment["nextAction"]
        if action is None:
            url = f"{self.address}/actions/{payment['providerRef']}"
            where = "in the bank's app"
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

    def _closed_by(self, kind: str, mark: int, events: list[Json]) -> None:
        """The webhook was accepted, and it closed the attempt: by what it proves, or by the inquiry that it caused."""
        last, before = events[-1], events[-min(2, len(events))]
        if self._wait_for(lambda d: d["type"] == kind and d["status"] == 200, mark) is None:
            self._expect(False, f"no webhook {kind} was accepted; the attempt was closed by {last['actor']}")  # noqa: FBT003
        elif kind in self.scenario.proof:
            is_closer = last["actor"] == "webhook" and last["facts"].get("webhookType") == kind
            self._expect(is_closer, f"closed by {last['actor']}, not by the webhook {kind}")
            if is_closer:
                say(f"  closed by the webhook {kind}")
        else:
            self._closed_by_inquiry(kind, last, _seconds(last["at"]) - _seconds(before["at"]))

    def _closed_by_inquiry(self, kind: str, last: Json, waited_seconds: float) -> None:
        """From the time of the first planned inquiry on, it may have been either: a busy machine is slow."""
        proved_by = last["facts"].get("webhookType")
        if last["actor"] == "webhook" and proved_by in self.scenario.capture_proof:
            say(f"  our worker captured it because of the webhook {kind}; closed by the webhook {proved_by}")
            return
        self._expect(last["actor"] == "worker", f"closed by {last['actor']}, though the webhook {kind} proves nothing")
        is_early = waited_seconds < _FIRST_INQUIRY_SECONDS
        why = f"because of the webhook {kind}" if is_early else f"by the plan or because of the webhook {kind}"
        say(f"  closed by an inquiry, {why}")
        say(f"    ({self.scenario.remark})")

    def _watch(self, payment: Json, done: Callable[[Json], bool]) -> Json:
        """Print events and webhooks as they come, until `done` or for at most `_FINAL_SECONDS`."""
        deadline = time.monotonic() + _FINAL_SECONDS
        while True:
            now = self._read(payment)
            over = done(now) or time.monotonic() > deadline
            self._show(payment)
            if over:
                return now
            time.sleep(_POLL_SECONDS)

    def _show(self, payment: Json) -> None:
        events = self._events(payment)[self._seen_events :]
        self._seen_events += len(events)
        lines = [(_seconds(event["at"]), _event_line(event)) for event in events]
        lines += [(delivery["at"], _delivery_line(delivery)) for delivery in self._new_deliveries()]
        for _, line in sorted(lines):
            say(f"    {line}")

    def _wait_for(self, wanted: Callable[[Json], bool], mark: int) -> Json | None:
        """A delivery with a number above `mark`; None when there is none in time."""
        deadline = time.monotonic() + _DELIVERY_SECONDS
        while True:
            for delivery in self._deliveries():
                if delivery["number"] > mark and wanted(delivery):
                    return delivery
            if time.monotonic() > deadline:
                return None
            time.sleep(_POLL_SECONDS)

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
            raise LocalEnvironmentError(
                f"The simulator {self.scenario.provider} answered {answer.status} for its {name}."
            )
        decoded: Json = json.loads(answer.data)
        return decoded

    def _read(self, payment: Json) -> Json:
        return self.api.get(_path(payment))

    def _events(self, payment: Json) -> list[Json]:
        items: list[Json] = self.api.get(f"{_path(payment)}/events?limit=100")["items"]
        return items

    def _money(self, amount: int) -> str:
        return f"{amount // 100}.{amount % 100:02} {self.scenario.currency}"

    def _expect(self, condition: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
        if not condition:
            self.is_as_expected = False
            say(f"  <- not as expected: {otherwise}")


def _path(payment: Json) -> str:
    return f"/payments/{payment['transactionId']}"


def _waits(payment: Json) -> bool:
    """Whether the payment waits for its payer, with an action of ours or of the provider's own app."""
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
