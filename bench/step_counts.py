"""The counts of single steps, from which the operators' function adds up what a payment cost.

`python -m bench counts` writes `payflowx/application/operators/step_counts.py`; a test compares.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bench.layout import ROOT
from bench.metering import Meter
from bench.model.engine import ModelEngine
from bench.payment_counts import EXAMPLE, Shop, counting, deliver, read_configuration, register_endpoint, work
from payflowx.domain.outbound_webhooks.merchant_events import Answered
from payflowx.domain.payments.outcome import Accepted, NotSent, Unknown
from payflowx.wiring.outbound_webhooks import DelivererWiring
from tests.support.handlers import Functions

PAGE: Final = ROOT / "functions" / "payflowx" / "application" / "operators" / "step_counts.py"
Step = tuple[int, int, int, int]
"""Calls, write units, half read units, messages sent."""

_HEAD: Final = '''"""Calls, write units, half read units, messages of each step. Written by `python -m bench counts`."""

from collections.abc import Mapping
from typing import Final

STEPS: Final[Mapping[str, Mapping[str, tuple[int, int, int, int]]]] = {
'''


def written() -> str:
    """The module's text."""
    lines = [_HEAD]
    for merchant, steps in step_counts().items():
        lines.append(f'    "{merchant}": {{\n')
        lines += [f'        "{name}": {counts},\n' for name, counts in steps.items()]
        lines.append("    },\n")
    return "".join((*lines, "}\n"))


def step_counts() -> Mapping[str, Mapping[str, Step]]:
    """By whether the merchant has an endpoint."""
    found: dict[str, Mapping[str, Step]] = {}
    for merchant in ("no endpoint", "one endpoint"):
        with counting() as (engine, functions):
            if merchant == "one endpoint":
                register_endpoint(functions)
                _paid(functions, engine)
            found[merchant] = _Steps(engine, functions).measured()
    return found


class _Steps:
    """Measures each step where it happens, or as the difference of two payments."""

    def __init__(self, engine: ModelEngine, functions: Functions) -> None:
        self._engine, self._functions = engine, functions

    def measured(self) -> Mapping[str, Step]:
        functions = self._functions
        accept = self._step(lambda: functions.pay("steps", **EXAMPLE))
        first = self._step(lambda: work(functions))
        delivery = self._step(lambda: deliver(functions))
        ordered = self._step(lambda: functions.pay("steps-ordered", orderId="steps", **EXAMPLE))
        work(functions)
        deliver(functions)
        plain = self._worked()
        return {
            "accept": accept,
            "accept, with an order": ordered,
            "first attempt": first,
            "later attempt": _less(self._worked(NotSent(code="x")), plain),
            "inquiry": _less(self._worked(Unknown(code="x"), inquiries=("charged",)), plain),
            "inquiry without news": self._fruitless(),
            **self._operation(),
            "delivery": delivery,
            "repeated delivery": self._repeated(),
        }

    def _fruitless(self) -> Step:
        one = self._worked(Accepted(reference="first"), inquiries=("charged",))
        waiting = Accepted(reference="second")  # a reference belongs to one payment
        return _less(self._worked(waiting, inquiries=(waiting, "charged")), one)

    def _worked(self, *first: object, inquiries: tuple[object, ...] = ()) -> Step:
        """The worker's part of a payment from its first job to SUCCESS."""
        functions, meter = self._functions, self._engine.meter
        provider = functions.providers.get("alpha")
        provider.charges, provider.inquiries = list(first), list(inquiries)  # type: ignore[arg-type]
        functions.clock.advance(1)
        functions.messages()  # the last payment may have left a wake-up that nobody needs
        _, payment, _ = functions.pay(f"worked-{functions.clock.now_ms()}", **EXAMPLE)
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
        return _of(counted)

    def _operation(self) -> Mapping[str, Step]:
        payment = _paid(self._functions, self._engine)
        path = f"/payments/{payment}/refunds"
        headers = {"Idempotency-Key": "steps-refund"}

        def refund() -> None:
            answer = self._functions.call("POST", path, {"amount": 100}, headers=headers)
            if answer[0] not in {201, 202}:
                raise AssertionError(answer)
            work(self._functions)

        operation = self._step(refund)
        return {"operation": operation, "delivery of an operation": self._step(lambda: deliver(self._functions))}

    def _repeated(self) -> Step:
        """A round after one that failed: the failed round itself is the first one's, and sends the wake-up."""
        functions = self._functions
        shop = functions.wired(DelivererWiring).webhook_client
        if not isinstance(shop, Shop):
            return 0, 0, 0, 0  # nobody is posted to
        shop.answers = [Answered(status=500)]
        functions.pay(f"repeated-{functions.clock.now_ms()}", **EXAMPLE)
        work(functions)
        first = self._step(lambda: deliver(functions))
        functions.clock.advance(3_600)
        second = self._step(lambda: deliver(functions))
        _paid(functions, self._engine)
        functions.pay(f"once-{functions.clock.now_ms()}", **EXAMPLE)
        work(functions)
        return _less(_sum(first, second), self._step(lambda: deliver(functions)))

    def _step(self, step: Callable[[], object]) -> Step:
        read_configuration(self._functions)
        self._engine.meter.take()
        step()
        return _of(self._engine.meter.take())


def _paid(functions: Functions, engine: ModelEngine) -> str:
    functions.clock.advance(1)
    _, payment, _ = functions.pay(f"paid-{functions.clock.now_ms()}", **EXAMPLE)
    work(functions)
    deliver(functions)
    engine.meter.take()
    return str(payment["transactionId"])


def _of(counted: Meter) -> Step:
    sent = counted.calls.count("send_message")
    return len(counted.calls), int(counted.write_units), int(2 * counted.read_units), sent


def _less(one: Step, other: Step) -> Step:
    a, b, c, d = (x - y for x, y in zip(one, other, strict=True))
    return a, b, c, d


def _sum(one: Step, other: Step) -> Step:
    a, b, c, d = (x + y for x, y in zip(one, other, strict=True))
    return a, b, c, d
