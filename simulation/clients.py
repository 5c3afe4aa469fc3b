"""The merchants' software: it repeats what got lost, with the same key, and now and then does worse."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from simulation.api import Api
from simulation.checkouts import is_checkout
from simulation.faults import Faults
from simulation.history import Call
from simulation.kernel import Kernel
from simulation.operators import Operators
from simulation.payers import Payers
from simulation.providers import SimulatedProviders
from simulation.workload import MERCHANTS, Manner, Order, Step, Wish

_TRIES: Final = 6
_LATEST_REPEAT_MS: Final = 30 * 3_600_000
_LOOKS_MS: Final = (5_000, 60_000, 1_200_000, 6_000_000)
_SOON: Final = 24
"""Most late repetitions come within hours, few after more than a day: a whole run waits for the last."""
_WAITS_MS: Final = (20_000, 240_000, 1_500_000)
"""Before an operation that could not be taken yet is asked for again."""
_ORDER_WAITS_MS: Final = (
    1_000,
    2_000,
    3_000,
    5_000,
    5_000,
    10_000,
    15_000,
    20_000,
    30_000,
    120_000,
    900_000,
    7_200_000,
)
"""Before a payment for an order that another payment holds is asked for again."""
_UNANSWERED: Final = frozenset({0, 500, 502, 503})
"""These say nothing about what happened."""
_UNAUTHENTICATED: Final = 401
"""Asked again with another API key, and the same idempotency key."""
_ALLOWING: Final = {
    Wish.CAPTURE: frozenset({"AUTHORIZED"}),
    Wish.CANCEL: frozenset({"AUTHORIZED"}),
    Wish.REFUND: frozenset({"SUCCESS"}),
    Wish.ERASE: frozenset({"SUCCESS"}),
}
_ENDED: Final = frozenset({"FAILED", "CANCELLED"})
_PATHS: Final = {Wish.CAPTURE: "capture", Wish.CANCEL: "cancel", Wish.REFUND: "refunds"}


@dataclass(slots=True)
class Clients:
    """The software of all merchants. `busy` counts the clients that still do something."""

    kernel: Kernel
    faults: Faults
    api: Api
    operators: Operators
    providers: SimulatedProviders
    payers: Payers
    busy: int = 0
    _paths: dict[tuple[str, str], str] = field(default_factory=dict)
    """The address of each order's payment."""
    expired_keys: set[tuple[str, str | None]] = field(default_factory=set)
    """Merchants, and keys that a restore has forgotten for too long to be used again."""

    def start(self, order: Order, *, without: frozenset[int] = frozenset()) -> None:
        """Let the client software of an order begin when it is time. `without`: the numbers of steps it leaves out."""
        if without:
            kept = tuple(step for number, step in enumerate(order.steps) if number not in without)
            order = replace(order, steps=kept)
        self.busy += 1
        self.kernel.at(order.at_ms, lambda: self.kernel.spawn(lambda: self._client(order)))

    # -- one order

    def _client(self, order: Order) -> None:
        body = json.dumps(order.body)
        rates, extras = self.faults.rates, order.extras
        if extras["concurrent"] < rates["client_concurrent"]:
            self.faults.count("client_concurrent")
            for _ in range(2):
                self._beside(lambda: self._create(order, body))
        if extras["other"] < rates["client_other_body"]:
            self.faults.count("client_other_body")
            other = json.dumps({**order.body, "amount": order.body["amount"] + 1})
            self._beside(lambda: self._create(order, other))
        if extras["later"] < rates["client_repeats_later"]:
            self.faults.count("client_repeats_later")
            delay_ms = int(extras["pause"] ** _SOON * _LATEST_REPEAT_MS)
            self._beside(lambda: self._repeat_later(order, body, delay_ms))
        call = self._create(order, body)
        for wait_ms in _ORDER_WAITS_MS:
            if call.answer.get("code") != "order_not_free":
                break
            self.kernel.sleep(wait_ms)
            call = self._create(order, body)
        if call.status == 202:
            self.operators.amounts[call.answer["transactionId"]] = order.body["amount"]
            self._send_payer(order, call)
            self._go_on(order, call.answer["transactionId"])
        self.busy -= 1

    def _beside(self, action: Callable[[], Any]) -> None:
        self.busy += 1

        def run() -> None:
            action()
            self.busy -= 1

        self.kernel.spawn(run)

    def _repeat_later(self, order: Order, body: str, delay_ms: int) -> None:
        self.kernel.sleep(delay_ms)
        if (order.merchant, order.key) not in self.expired_keys:
            self._create(order, body)

    def repeat(self, call: Call) -> None:
        """Ask again, under the same key, for what was answered before the deployment was restored."""
        self.busy += 1
        self._insist(call.merchant, call.path, call.key or "", call.body or "")
        self.busy -= 1

    def _create(self, order: Order, body: str) -> Call:
        return self._post(order.merchant, "/payments", order.key, body)

    def _post(self, merchant: str, path: str, key: str | None, body: str) -> Call:
        """POST until there is an answer that says what happened; 503 and silence say nothing."""
        for tries in range(_TRIES):
            call = self.api.request(merchant, "POST", path, key=key, body=body)
            if call.status not in {*_UNANSWERED, _UNAUTHENTICATED}:
                break
            self.kernel.sleep(1_000 << tries)
        return call

    # -- what follows

    def _go_on(self, order: Order, transaction_id: str) -> None:
        """The payer approves; the merchant captures, cancels, refunds, and reads."""
        path = f"/payments/{transaction_id}"
        self._paths[order.merchant, order.key] = path
        if order.extras["cancel"] < self.faults.rates["client_cancels"]:
            self.faults.count("client_cancels")
            self._beside(lambda: self._cancel(order, path))
        hasty = [step for step in order.steps if not step.patient]
        for number, step in enumerate(hasty):
            self._beside(partial(self._ask_early, order, path, step, f"hasty-{number}"))
        status = self._watch(order, path, _LOOKS_MS)
        for number, step in enumerate(step for step in order.steps if step.patient):
            if status in _ENDED:
                break
            self.kernel.sleep(step.wait_ms)
            if status not in _ALLOWING[step.wish]:
                status = self._watch(order, path, (10_000, 300_000), until=_ALLOWING[step.wish] | _ENDED)
            if status not in _ALLOWING[step.wish]:
                break
            if step.wish is Wish.ERASE:
                self.operators.erase(order.merchant, transaction_id)
                continue
            self._ask(order, path, step, f"step-{number}")
            if step.wish is not Wish.REFUND:
                status = self._watch(order, path, (30_000,))
        if order.extras["pause"] < 0.1:
            self._look_around(order, path)
        if order.extras["erase"] < self.faults.rates["client_erases"]:
            self.faults.count("client_erases")
            self.operators.erase(order.merchant, transaction_id)

    def _send_payer(self, order: Order, call: Call) -> None:
        """Give the payer of a checkout the address, as soon as there is one."""
        action = call.answer.get("nextAction")
        if action and is_checkout(order.body):
            expires_ms = call.at_ms + order.body["expiresInSeconds"] * 1_000
            self.payers.arrive(order, action["url"], expires_ms, action.get("fields") or {})

    def _watch(self, order: Order, path: str, looks_ms: tuple[int, ...], *, until: frozenset[str] | None = None) -> str:
        """The payment's status at the last look. Looking ends early at a status that was waited for."""
        wanted = until or frozenset({"SUCCESS", "AUTHORIZED"}) | _ENDED
        status = ""
        for delay_ms in looks_ms:
            self.kernel.sleep(delay_ms)
            call = self.api.request(order.merchant, "GET", path)
            if call.status != 200:
                continue
            status = call.answer["status"]
            action = call.answer.get("nextAction")
            if is_checkout(order.body):
                self._send_payer(order, call)
            elif action and order.approves:
                self.providers.approve(action["url"])
            if status in wanted:
                break
        return status

    def give_up(self, order: Order) -> None:
        """Cancel because the payer said so."""
        path = self._paths.get((order.merchant, order.key))
        if path is not None:
            self._beside(lambda: self._insist(order.merchant, f"{path}/cancel", "given-up", "{}"))

    def _cancel(self, order: Order, path: str) -> None:
        """At any moment, and without a key."""
        within_ms = 1_200_000 if is_checkout(order.body) else 30_000
        self.kernel.sleep(int(order.extras["pause"] * within_ms))
        self.api.request(order.merchant, "POST", f"{path}/cancel")

    def _ask_early(self, order: Order, path: str, step: Step, key: str) -> None:
        self.kernel.sleep(step.wait_ms)
        self._ask(order, path, step, key)

    def _ask(self, order: Order, path: str, step: Step, key: str) -> None:
        """An operation in the step's manner. Keys are the same at both merchants and for all payments' first steps."""
        key = f"{order.key}-{key}"
        address, body = f"{path}/{_PATHS[step.wish]}", self._body(order, step, step.share)
        match step.manner:
            case Manner.TWICE_AT_ONCE:
                self._beside(lambda: self._insist(order.merchant, address, key, body))
            case Manner.TWO_AT_ONCE:
                self._beside(lambda: self._insist(order.merchant, address, f"{key}-other", body))
            case Manner.OTHER_BODY:
                other = self._body(order, step, 0.01 if step.share == 1.0 else 1.0)
                self._beside(lambda: self._insist(order.merchant, address, key, other))
            case Manner.TOO_MUCH:
                body = self._body(order, step, 1.5)
            case Manner.ONCE:
                pass
        call = self._insist(order.merchant, address, key if step.keyed else None, body)
        if step.wish is Wish.CAPTURE and call.answer.get("code") == "not_supported":
            call = self._insist(order.merchant, address, f"{key}-whole", "{}")  # not every provider captures a part
        operation_id = call.answer.get("operationId")
        if operation_id and order.extras["pause"] < 0.5:
            self.kernel.sleep(5_000)
            self.api.request(order.merchant, "GET", f"{path}/operations/{operation_id}")

    @staticmethod
    def _body(order: Order, step: Step, share: float | None) -> str:
        if share is None or step.wish is Wish.CANCEL:
            return "{}"
        return json.dumps({"amount": max(1, int(order.body["amount"] * share))})

    def _insist(self, merchant: str, path: str, key: str | None, body: str) -> Call:
        """Ask again, under the same key, as long as the payment is only not ready for it."""
        for wait_ms in (*_WAITS_MS, 0):
            call = self._post(merchant, path, key, body)
            if call.answer.get("code") != "outcome_unknown" or not wait_ms:
                break
            self.kernel.sleep(wait_ms)
        return call

    def _look_around(self, order: Order, path: str) -> None:
        other = MERCHANTS[1 - MERCHANTS.index(order.merchant)]
        self.api.request(other, "GET", path)
        self.api.request(other, "GET", f"{path}/operations")
        self.api.request(order.merchant, "GET", f"{path}/operations")
        self.api.request(order.merchant, "GET", "/payments", query={"limit": "5"})
        self.api.request(order.merchant, "GET", f"{path}/events")

    # -- at the end

    def look_through(self, merchant: str) -> None:
        """All payments page by page, and the log and the operations of one of them; then what must be recognized.

        Everything has come to rest: nothing that is asked for here changes anything.
        """
        listed = self._pages(merchant, "/payments", "4")
        for payment in listed:
            self._ask_in_vain(merchant, payment)
        operated = [call for call in self.api.history.calls if call.merchant == merchant and _is_operation(call)]
        created = [call for call in self.api.history.calls if call.merchant == merchant and _is_creation(call)]
        counted = Counter(call.answer["transactionId"] for call in operated or created)
        for transaction_id, _ in counted.most_common(1):
            self._pages(merchant, f"/payments/{transaction_id}/events", "3")
            self._pages(merchant, f"/payments/{transaction_id}/operations", "2")
        for call in created[:1]:
            members = json.loads(call.body or "{}")
            spelled = json.dumps({"savePaymentMethod": False, **dict(reversed(members.items()))}, indent=1)
            self.api.request(merchant, "POST", call.path, key=call.key, body=spelled)
        # Without its key's row, a key is free for another payment: an operation is found by its own payment's path.
        for call in operated[:1] if not self.faults.counts["db_key_row_lost"] else ():
            verb, other = call.path.rpartition("/")[2], {"capture": "refunds", "refunds": "capture"}
            others = [c for c in created if c.answer["transactionId"] != call.answer["transactionId"]]
            too_much = json.dumps({"amount": 999_999_999_999})
            address = f"/payments/{call.answer['transactionId']}/{other[verb]}"
            self.api.request(merchant, "POST", address, key=call.key, body=too_much)
            for another in others[:1]:
                address = f"/payments/{another.answer['transactionId']}/{verb}"
                self.api.request(merchant, "POST", address, key=call.key, body=call.body)

    def _pages(self, merchant: str, path: str, limit: str) -> list[dict[str, Any]]:
        query, found = {"limit": limit}, list[dict[str, Any]]()
        while query:
            answer = self.api.request(merchant, "GET", path, query=query).answer
            found += answer.get("items", [])
            cursor = answer.get("nextCursor")
            query = {"limit": limit, "cursor": cursor} if cursor else {}
        return found

    def _ask_in_vain(self, merchant: str, payment: dict[str, Any]) -> None:
        """Ask for what the payment's state excludes: a refund of what is in review or was not charged, and a capture of
        what was not held, or is to be cancelled.
        """
        status, path = payment["status"], f"/payments/{payment['transactionId']}"
        is_doubted = status == "IN_REVIEW" and payment["contendsWith"] is None
        key = f"vain-{payment['transactionId']}"
        if is_doubted or status == "FAILED":
            self.api.request(merchant, "POST", f"{path}/refunds", key=key, body=json.dumps({"amount": 1}))
        if status == "CANCELLED" or (status == "AUTHORIZED" and payment["cancelRequested"]):
            self.api.request(merchant, "POST", f"{path}/capture", key=key, body=json.dumps({"amount": 1}))


def _is_creation(call: Call) -> bool:
    return (call.method, call.path, call.status) == ("POST", "/payments", 202)


def _is_operation(call: Call) -> bool:
    """A capture or refund that was accepted."""
    return call.status == 202 and call.key is not None and call.path.endswith(("/capture", "/refunds"))
