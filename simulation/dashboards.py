"""Money that merchants' people move at their providers, past us: refunds, captures and voids in dashboards."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import quote, urlencode

from sandbox.http_types import Request
from sandbox.simulator import AUTHORIZED, CHARGED
from sandbox.store import Record
from simulation.faults import Faults
from simulation.history import History
from simulation.kernel import Kernel
from simulation.providers import Shop, SimulatedProviders

_JSON: Final = {"content-type": "application/json"}
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
_VERSION: Final = {**_JSON, "x-api-version": "2025-01-01"}


@dataclass(frozen=True, slots=True)
class _Act:
    """A click in a provider's dashboard. `number` makes names that no other click has."""

    kind: str
    charge: Record
    amount: int
    number: int

    @property
    def whole(self) -> str:
        """The amount in major units: all currencies here have two decimals."""
        return f"{self.amount // 100}.{self.amount % 100:02d}"

    @property
    def order(self) -> str:
        """The order of the charge, as its path names it."""
        return quote(str(self.charge["reference"]))


def _post(path: str, body: str, headers: Mapping[str, str]) -> Request:
    return Request(method="POST", path=path, headers=headers, body=body.encode())


def _at_mock(act: _Act) -> Request:
    body = json.dumps({"amount": act.amount, "reference": f"dashboard-{act.number}"})
    key = {"idempotency-key": f"dashboard-{act.number}"}
    return _post(f"/v1/charges/{act.charge['chargeId']}/{act.kind}s", body, {**_JSON, **key})


def _at_razorpay(act: _Act) -> Request:
    path = f"/v1/payments/{act.charge['chargeId']}/{act.kind}"
    fields = {"amount": act.amount} | ({"currency": act.charge["currency"]} if act.kind == "capture" else {})
    return _post(path, json.dumps(fields), _JSON)


def _at_cashfree(act: _Act) -> Request:
    if act.kind == "refund":
        body = f'{{"refund_id":"dashboard-{act.number}","refund_amount":{act.whole}}}'
        return _post(f"/pg/orders/{act.order}/refunds", body, _VERSION)
    body = f'{{"action":"{act.kind.upper()}","amount":{act.whole}}}'
    key = {"x-idempotency-key": f"dashboard-{act.number}"}
    return _post(f"/pg/orders/{act.order}/authorization", body, {**_VERSION, **key})


def _at_stripe(act: _Act) -> Request:
    charge_id = act.charge["chargeId"]
    match act.kind:
        case "refund":
            return _post("/v1/refunds", urlencode({"payment_intent": charge_id, "amount": act.amount}), _FORM)
        case "capture":
            body = urlencode({"amount_to_capture": act.amount})
            return _post(f"/v1/payment_intents/{charge_id}/capture", body, _FORM)
        case _:
            return _post(f"/v1/payment_intents/{charge_id}/cancel", "", _FORM)


def _at_payu(act: _Act) -> Request:
    command = {"refund": "cancel_refund_transaction", "capture": "capture_transaction"}.get(
        act.kind, "cancel_refund_transaction"
    )
    fields = {"command": command, "var1": act.charge["chargeId"], "var2": f"dashboard{act.number}", "var3": act.whole}
    request = _post("/merchant/postservice.php", urlencode(fields), _FORM)
    return Request(method="POST", path=request.path, query={"form": "2"}, headers=_FORM, body=request.body)


_REQUESTS: Final[Mapping[str, Callable[[_Act], Request]]] = {
    "mock": _at_mock,
    "razorpay_mock": _at_razorpay,
    "cashfree_mock": _at_cashfree,
    "stripe": _at_stripe,
    "razorpay": _at_razorpay,
    "cashfree": _at_cashfree,
    "payu": _at_payu,
}
_LATER: Final = ("tok_async_success", "tok_async_failure")
_WITHOUT_VOID: Final = frozenset({"razorpay", "razorpay_mock"})


@dataclass(slots=True)
class Dashboards:
    """The people of all merchants."""

    kernel: Kernel
    faults: Faults
    history: History
    providers: SimulatedProviders
    acts: int = 0

    def refund(self) -> None:
        """A part of a charge, or all that is left of it."""
        self._act("refund", CHARGED)

    def capture(self) -> None:
        """All or a part of what is held."""
        self._act("capture", AUTHORIZED)

    def void(self) -> None:
        """Give the held amount back to the payer."""
        self._act("void", AUTHORIZED)

    def refund_beside(self, shop: Shop, said: str) -> None:
        """Somebody refunds the charge that a request of ours names, before anybody sees ours there."""
        lines = [line for line in self.providers.lines(shop) if line["kind"] == "charge" and line["status"] == CHARGED]
        charge = next((line for line in lines if line["chargeId"] in said or line["reference"] in said), None)
        if charge is not None:
            self._do("refund", shop, charge, self.faults.apart)

    def _act(self, kind: str, state: str) -> None:
        found = list[tuple[Shop, Record]]()
        for shop in self.providers.shops.values():
            if kind == "void" and shop.account.provider in _WITHOUT_VOID:
                continue
            lines = self.providers.lines(shop)
            found += [(shop, line) for line in lines if line["kind"] == "charge" and line["status"] == state]
        if found:
            self._do(kind, *self.faults.random.choice(found), self.faults.random)

    def _do(self, kind: str, shop: Shop, charge: Record, random: Random) -> None:
        """A part of what is left, or all of it."""
        left = charge["amount"] - charge["refunded"]
        part = left if kind == "void" or random.random() < 0.5 else max(1, left * random.randint(1, 9) // 10)
        if part:
            self.acts += 1
            act = _Act(kind, charge, part, self.acts)
            is_late = kind == "refund" and self.faults.strikes("dashboard_refunds_later")
            turn = self.faults.apart.choice(_LATER) if is_late else None
            status = self.providers.at_dashboard(shop, _REQUESTS[shop.account.provider](act), turn)
            what = f"{kind} {part} of {charge['chargeId']} at {shop.account.provider}"
            self.history.steps.append((self.kernel.now_ms, f"dashboard of {shop.account.merchant}", what, str(status)))
            self.history.sometimes[f"dashboard: {kind}"] += status in range(200, 300)
