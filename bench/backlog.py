"""`python -m bench.backlog`: how long the deployed sweeper takes to wake a million due payments.

The calls an item takes are counted in the real sweeper over the model of DynamoDB and SQS, for its first wake-up and
for a later one, which takes one update more: the index does not say how often an item was woken, so the sweeper assumes
that it never was, and learns the number from the refusal. The processor time of a call of botocore is measured against
a server in another process. The rest are the settings of an environment. `--due` and `--provider-ms` ask for another
backlog and another provider.
"""

import argparse
import http.server
import json
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import boto3
from botocore.config import Config

from bench.ceilings import a_second, batch_ms
from infra.constructs.recovery import ONE_PROCESSOR_MB, TIMEOUT
from infra.settings import ENVIRONMENTS
from payflowx.application.recovery.sweep import TIME_TO_STOP_MS
from testing.sqs import Sqs
from tests.support.world import World

WAKES: Final = {"first wake-up": 0, "each later wake-up": 1}
"""How often an item was woken before."""
_SAMPLES: Final = 400
_ROUNDS: Final = 5
_LONGER_THAN_ANY_WAIT_SECONDS: Final = 3_601
"""Of an item until it is due, and between two wake-ups."""


@dataclass(frozen=True, slots=True)
class ItemCalls:
    """The calls that the sweeper makes for a due item, as a mean."""

    updates: float
    sends: float
    reads: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """The time of a backlog. `waking_an_hour` and `working_an_hour` are what sweeper and workers can do."""

    minutes: float
    waking_an_hour: int
    working_an_hour: int


class _CountingSqs(Sqs):
    """Counts the batches that are sent."""

    batches = 0

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """SendMessageBatch."""
        self.batches += 1
        return super().send_message_batch(**request)


def counted(items: int, *, earlier_wakes: int = 0) -> ItemCalls:
    """Let the real sweeper wake this many payments, and count. Nobody worked on them after their earlier wake-ups."""
    sqs = _CountingSqs()
    world = World(sqs=sqs)
    for number in range(items):
        world.accept(f"order-{number}")
    for _ in range(earlier_wakes):
        _wake_all(world, items)
    updates, reads, sent_before = world.requests_of("update_item"), world.requests_of("get_item"), sqs.batches
    _wake_all(world, items)
    sends = sqs.batches - sent_before
    return ItemCalls(updates=len(updates) / items, sends=sends / items, reads=len(reads) / items)


def _wake_all(world: World, items: int) -> None:
    """Once, when all are due again."""
    world.jobs.sent.clear()
    world.clock.advance(_LONGER_THAN_ANY_WAIT_SECONDS)
    if world.sweep(world.deadline).woken != items:
        raise RuntimeError("the sweeper did not wake all payments")


def drained(due: int, calls: ItemCalls, *, call_cpu_ms: float, slots: int, provider_ms: int) -> Drain:
    """The sweeper is bound by its processor for the part of each minute in which it may begin items.

    The workers' batches of ten take as long as the provider and their own processor time. A queue that is late gets no
    more than they take.
    """
    item_cpu_ms = (calls.updates + calls.sends + calls.reads) * call_cpu_ms
    run_ms = TIMEOUT.to_seconds() * 1_000 - TIME_TO_STOP_MS
    waking = int(run_ms / item_cpu_ms) * 60
    working = int(a_second(slots, batch_ms(provider_ms)) * 3_600)
    return Drain(minutes=due / min(waking, working) * 60, waking_an_hour=waking, working_an_hour=working)


def measured_cpu_ms() -> float:
    """The median processor time of a conditional update by botocore, with its answer of a kilobyte."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.Process(target=_serve, args=(sender,), daemon=True)
    server.start()
    try:
        client = boto3.client(
            "dynamodb",
            endpoint_url=f"http://127.0.0.1:{receiver.recv()}",
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the stub asks for no secret
            config=Config(retries={"total_max_attempts": 1}),
        )
        _cpu_ms(lambda: _update(client), _SAMPLES // 4)
        return median(_cpu_ms(lambda: _update(client), _SAMPLES) for _ in range(_ROUNDS))
    finally:
        server.terminate()


def _cpu_ms(call: Callable[[], object], times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - started) * 1_000 / times


def _update(client: Any) -> None:
    client.update_item(
        TableName="transactions",
        Key={"pk": {"S": "M#acme#P#pay_aaaaaaaaaaaaaaaa"}, "sk": {"S": "PAYMENT"}},
        UpdateExpression="SET #dueAt = :v0, #drives = :v1",
        ConditionExpression="#dueAt = :v2 AND #drives = :v3 AND #lease.#expiresAt <= :v4",
        ExpressionAttributeNames={f"#{name}": name for name in ("dueAt", "drives", "lease", "expiresAt")},
        ExpressionAttributeValues={f":v{number}": {"N": "1790000000000"} for number in range(5)},
        ReturnValues="ALL_NEW",
    )


class _Stub(http.server.BaseHTTPRequestHandler):
    """Answers every call as an update of an item of about a kilobyte."""

    protocol_version = "HTTP/1.1"
    body = json.dumps({"Attributes": {f"attribute{n}": {"S": "x" * 30} for n in range(20)}}).encode()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_args: Any) -> None:
        """Nothing."""


def _serve(port: Any) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Stub)
    port.send(server.server_address[1])
    server.serve_forever()


def main() -> None:
    """Print the calls of an item, the time of a call, and a line an environment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--due", type=int, default=1_000_000)
    parser.add_argument("--provider-ms", type=int, default=300)
    parser.add_argument("--call-cpu-ms", type=float, help="instead of measuring it here")
    asked = parser.parse_args()
    call_cpu_ms = asked.call_cpu_ms or measured_cpu_ms()
    print(f"a call: {call_cpu_ms:.2f} ms of a processor; the sweeper has one ({ONE_PROCESSOR_MB} MB)")
    for name, earlier_wakes in WAKES.items():
        calls = counted(500, earlier_wakes=earlier_wakes)
        print(f"\n{name}, an item: {calls.updates:.2f} updates, {calls.sends:.2f} sends, {calls.reads:.2f} reads")
        for settings in ENVIRONMENTS:
            slots = settings.worker_concurrency
            found = drained(asked.due, calls, call_cpu_ms=call_cpu_ms, slots=slots, provider_ms=asked.provider_ms)
            print(
                f"{settings.name:<8} {asked.due:,} due: {found.minutes:,.0f} min "
                f"(wakes {found.waking_an_hour:,} an hour, works {found.working_an_hour:,} an hour)"
            )


if __name__ == "__main__":
    main()
