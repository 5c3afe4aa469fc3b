"""The counts of single steps, from which the operators' function adds up what a payment cost.

`python -m bench counts` writes `payflowx/application/operators/step_counts.py`; a test compares.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from bench.layout import ROOT
from bench.metering import Meter
from bench.model.engine import ModelEngine
from bench.payment_counts import (
    EXAMPLE,
    OPENED,
    PAGES,
    counting,
    deliver,
    page_request,
    read_configuration,
    register_endpoint,
    work,
)
from payflowx.adapters.dynamodb.payments.payment_size import payment_bytes
from payflowx.application.operators.step_counts import Step
from payflowx.domain.payments.outcome import Accepted, ActionRequired, NotSent, Unknown
from payflowx.domain.payments.payment import Layout, Payment
from payflowx.wiring.api import ApiWiring
from tests.support.handlers import Functions

PAGE: Final = ROOT / "functions" / "payflowx" / "application" / "operators" / "step_counts.py"
_LARGER: Final = {
    **EXAMPLE,
    "metadata": {"cart": "c-77", "channel": "web", "a": "x" * 490, "b": "x" * 490, "c": "x" * 38},
}
"""The same payment with a kilobyte more."""
_KILOBYTE: Final = 1024
_DIGITS: Final = 16
"""Times end in zeros or not, which takes bytes."""

_HEAD: Final = '''"""The calls and units of AWS that each step takes. Written by `python -m bench counts`."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Step(NamedTuple):
    """`further_kilobyte`: the write units of each kilobyte that the payment has more.

    `item_bytes`: the largest item of the payment that the step wrote. `payment_bytes`: the payment as it was measured,
    in its last state and with the attempts of this step.
    """

    calls: int
    write_units: int
    half_read_units: int
    messages: int
    further_kilobyte: int = 0
    item_bytes: int = 0
    payment_bytes: int = 0


STEPS: Final[Mapping[str, Mapping[str, Step]]] = {
'''


def written() -> str:
    """The module's text."""
    lines = [_HEAD]
    for merchant, steps in step_counts().items():
        lines.append(f'    "{merchant}": {{\n')
        lines += [f'        "{name}": Step{tuple(counts)},\n' for name, counts in steps.items()]
        lines.append("    },\n")
    return "".join((*lines, "}\n"))


def step_counts() -> Mapping[str, Mapping[str, Step]]:
    """By whether the merchant has an endpoint, and by the layout in which its payments are accepted."""
    return {
        f"{merchant}, {layout.name.lower()} layout": _measured_steps(layout, has_endpoint=has_endpoint)
        for layout in Layout
        for merchant, has_endpoint in (("no endpoint", False), ("one endpoint", True))
    }


def _measured_steps(layout: Layout, *, has_endpoint: bool) -> Mapping[str, Step]:
    with counting(compact=layout is Layout.COMPACT) as (engine, functions):
        if has_endpoint:
            register_endpoint(functions)
            _paid(functions, engine, EXAMPLE)
        plain = _Steps(engine, functions, EXAMPLE).measured()
        larger = _Steps(engine, functions, _LARGER).measured()
        return {name: _by_kilobyte(step, larger[name]) for name, step in plain.items()}


def _by_kilobyte(step: Step, larger: Step) -> Step:
    more_bytes = larger.payment_bytes - step.payment_bytes
    if step.payment_bytes and abs(more_bytes - _KILOBYTE) > _DIGITS:
        raise AssertionError("the larger payment must be larger by a kilobyte")
    return step._replace(further_kilobyte=larger.write_units - step.write_units)


class _Steps:
    """Measures each step where it happens, or as the difference of two payments."""

    def __init__(self, engine: ModelEngine, functions: Functions, example: Mapping[str, Any]) -> None:
        self._engine, self._functions, self._example = engine, functions, example
        self._name = f"steps-{len(str(example)):04}"

    def measured(self) -> Mapping[str, Step]:
        functions = self._functions
        accept = self._step(lambda: functions.pay(self._name, **self._example))
        first = self._step(lambda: work(functions))
        delivery = self._step(lambda: deliver(functions))
        paid = self._stored(self._name)
        order = {"orderId": self._name}
        ordered = self._step(lambda: functions.pay(f"{self._name}-ordered", **order, **self._example))
        work(functions)
        deliver(functions)
        of_order = self._stored(f"{self._name}-ordered", **order)
        plain = self._worked()
        return {
            "accept": _measured(accept, paid, 0),
            "accept, with an order": _measured(ordered, of_order, 0),
            "first attempt": _measured(first, paid, 1),
            "later attempt": _less(self._worked(NotSent(code="x")), plain),
            "inquiry": _less(self._worked(Unknown(code="x"), inquiries=("charged",)), plain),
            "inquiry without news": self._fruitless(),
            **self._operation(),
            **self._checkout(),
            "delivery": delivery,
        }

    def _fruitless(self) -> Step:
        one = self._worked(Accepted(reference=f"first-{self._name}"), inquiries=("charged",))
        waiting = Accepted(reference=f"second-{self._name}")  # a reference belongs to one payment
        return _less(self._worked(waiting, inquiries=(waiting, "charged")), one)

    def _worked(self, *first: object, inquiries: tuple[object, ...] = ()) -> Step:
        """The worker's part of a payment from its first job to SUCCESS."""
        functions, meter = self._functions, self._engine.meter
        provider = functions.providers.get("alpha")
        provider.charges, provider.inquiries = list(first), list(inquiries)  # type: ignore[arg-type]
        functions.clock.advance(1)
        functions.messages()  # the last payment may have left a wake-up that nobody needs
        _, payment, _ = functions.pay(f"worked-{functions.clock.now_ms()}", **self._example)
        meter.take()
        counted = Meter()
        for turn in range(5):
            read_configuration(functions)
            meter.take()
            work(functions, payment["transactionId"])
            counted.add(meter.take())
            if functions.call("GET", f"/payments/{payment['transactionId']}")[1]["status"] == "SUCCESS":
                break
            functions.clock.advance(5 * 12**turn)  # until the next inquiry is due
        else:
            raise AssertionError("the payment did not end")
        deliver(functions)
        stored = self._payment(payment["transactionId"])
        return _measured(_of(counted), stored, len(stored.attempts))

    def _stored(self, key: str, **changes: Any) -> Payment:
        """The payment of this key, by its repetition."""
        _, payment, _ = self._functions.pay(key, **changes, **self._example)
        return self._payment(payment["transactionId"])

    def _payment(self, transaction_id: str) -> Payment:
        found = self._functions.wired(ApiWiring).payments.get(self._functions.merchant_id, transaction_id)
        if found is None:
            raise AssertionError("the payment does not exist")
        return found

    def _operation(self) -> Mapping[str, Step]:
        payment = self._paid()
        path = f"/payments/{payment}/refunds"
        headers = {"Idempotency-Key": f"{self._name}-refund"}

        def refund() -> None:
            answer = self._functions.call("POST", path, {"amount": 100}, headers=headers)
            if answer[0] not in {201, 202}:
                raise AssertionError(answer)
            work(self._functions)

        operation = _measured(self._step(refund), self._payment(payment), 1)
        return {"operation": operation, "delivery of an operation": self._step(lambda: deliver(self._functions))}

    def _checkout(self) -> Mapping[str, Step]:
        """Until the payer is sent to the provider's page."""
        functions = self._functions
        alpha = functions.providers.get("alpha")
        able = alpha.able
        alpha.able = replace(able, hosted=PAGES)
        page_request(functions, self._checkout_page(f"{self._name}-first"))  # the secret is read
        key = f"{self._name}-checkout"
        accept = self._step(lambda: self._checkout_page(key))
        address = self._checkout_page(key)
        choice = self._step(lambda: page_request(functions, f"{address}/attempts", "method=card"))
        alpha.charges = [ActionRequired(reference=f"object-{self._name}", action=OPENED)]
        attempt = self._step(lambda: work(functions))
        functions.messages()  # a message as the sweeper's is taken instead of the later inquiry's own
        functions.clock.advance(60)
        alpha.inquiries = ["charged"]
        opened = self._stored(key, paymentMethod={"type": "checkout"})
        inquiry = self._step(lambda: work(functions, opened.transaction_id))
        deliver(functions)
        stored = self._stored(key, paymentMethod={"type": "checkout"})
        alpha.able = able
        return {
            "accept a checkout": _measured(accept, stored, 0),
            "choice of a payer": _measured(choice, stored, 0),
            "attempt of a checkout": _measured(attempt, stored, 1),
            "inquiry of a checkout": _measured(inquiry, stored, 1),
        }

    def _checkout_page(self, key: str) -> str:
        _, payment, _ = self._functions.pay(key, **self._example, paymentMethod={"type": "checkout"})
        return str(urlsplit(payment["nextAction"]["url"]).path)

    def _paid(self) -> str:
        return _paid(self._functions, self._engine, self._example)

    def _step(self, step: Callable[[], object]) -> Step:
        read_configuration(self._functions)
        self._engine.meter.take()
        step()
        return _of(self._engine.meter.take())


def _paid(functions: Functions, engine: ModelEngine, example: Mapping[str, Any]) -> str:
    functions.clock.advance(1)
    _, payment, _ = functions.pay(f"paid-{functions.clock.now_ms()}", **example)
    work(functions)
    deliver(functions)
    engine.meter.take()
    return str(payment["transactionId"])


def _of(counted: Meter) -> Step:
    sent = counted.calls.count("send_message")
    read = int(2 * counted.read_units)
    return Step(len(counted.calls), int(counted.write_units), read, sent, item_bytes=counted.payment_bytes)


def _measured(step: Step, payment: Payment, attempts: int) -> Step:
    """With the size of the payment, as it is now with so many attempts."""
    return step._replace(payment_bytes=payment_bytes(replace(payment, attempts=payment.attempts[:attempts])))


def _less(one: Step, other: Step) -> Step:
    """The sizes are those of `one`."""
    return one._replace(
        calls=one.calls - other.calls,
        write_units=one.write_units - other.write_units,
        half_read_units=one.half_read_units - other.half_read_units,
        messages=one.messages - other.messages,
    )
