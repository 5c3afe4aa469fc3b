"""The log lines of ordinary payments: what accept, worker and deliverer write to standard output."""

import contextlib
import io
import json
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from bench.model.engine import ModelEngine
from payflowx.entrypoints import deliverer, worker
from payflowx.entrypoints.api import handler as api
from tests.support.handlers import Context, Functions, payment_body, rest_event, simulated_functions
from tests.support.memory import ManualClock
from tests.support.providers import SimulatedHttp

if TYPE_CHECKING:
    from tests.support.engine import InProcessEngine

PROVIDER: Final = "mock"
_SERVICE: Final = "Worker"
"""The name that the lines bear. Every line has it, so its length counts."""
FULL_BATCH: Final = 10
MAX_BYTES_OF_PAYMENT: Final = 1_000
"""Of accept, worker and deliverer, in full batches, for a payment that succeeds at the first attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLines:
    """The lines of `payments` payments, each with its newline."""

    payments: int
    lines: tuple[str, ...]

    @property
    def bytes_a_payment(self) -> float:
        return sum(len(line.encode()) for line in self.lines) / self.payments

    @property
    def lines_a_payment(self) -> float:
        return len(self.lines) / self.payments

    def bytes_by_kind(self) -> dict[str, int]:
        """Bytes a payment by the line's message; those without one hold metrics."""
        found: Counter[str] = Counter()
        for line in self.lines:
            document = json.loads(line)
            found[document.get("message") or "metrics"] += len(line.encode())
        return {kind: round(count / self.payments) for kind, count in sorted(found.items())}


def log_lines(engine: "InProcessEngine", *, batch: int = FULL_BATCH) -> LogLines:
    """Accept `batch` payments one by one, and give worker and deliverer their messages in one event each.

    Ids are as long as deployed: API Gateway's request ids and SQS's message ids are UUIDs. The tables must be empty.
    """
    with _paying(engine) as functions:
        _pay(functions, 1)  # a warm-up
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            _pay(functions, batch)
    return LogLines(payments=batch, lines=tuple(output.getvalue().splitlines(keepends=True)))


def counted_lines() -> dict[str, Any]:
    """Bytes and lines a payment, in events of ten messages and of one, whatever this process is called in its logs."""
    with patch.dict(os.environ, {"POWERTOOLS_SERVICE_NAME": _SERVICE}):
        found = {str(batch): log_lines(ModelEngine(provider=PROVIDER), batch=batch) for batch in (FULL_BATCH, 1)}  # type: ignore[arg-type]  # as `InProcessEngine`
    return {
        batch: {
            "bytes": round(lines.bytes_a_payment),
            "lines": round(lines.lines_a_payment, 1),
            "byKind": lines.bytes_by_kind(),
        }
        for batch, lines in found.items()
    }


@contextlib.contextmanager
def _paying(engine: "InProcessEngine") -> Iterator[Functions]:
    clock = ManualClock()
    account = {"provider": PROVIDER, "accountId": "main", "endpoint": f"https://{PROVIDER}", "secretArn": "arn:s"}
    with (
        contextlib.redirect_stdout(io.StringIO()),
        simulated_functions(engine, SimulatedHttp(clock), clock, PROVIDER) as functions,
    ):
        made = functions.operate(command="create_merchant", merchantId="acme", name="Acme", accounts=[account])
        if not made["ok"]:
            raise AssertionError(made)
        yield functions


def _pay(functions: Functions, count: int) -> None:
    for _ in range(count):
        answer = api.handler(_accept_event(), Context())
        if answer["statusCode"] not in {201, 202}:
            raise AssertionError(answer)
    for handler, queue_url in ((worker.handler, functions.queue_url), (deliverer.handler, functions.deliveries_url)):
        records = functions.messages(queue_url)
        if records and handler({"Records": records}, Context())["batchItemFailures"]:
            raise AssertionError("a message failed")


def _accept_event() -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    event = rest_event("POST", "/payments", headers, {}, json.dumps(payment_body()), "acme")
    event["requestContext"]["requestId"] = str(uuid.uuid4())
    return event
