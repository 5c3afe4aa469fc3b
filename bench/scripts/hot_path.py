"""Payments through warm handlers in this new interpreter, and the CPU time of each step.

`bench.hot_path` runs it. Arguments: `ours`, `signed` (ours with the trial's clients),
`prototype` or `original`; the merchant who is paid; how many payments; how many messages in one event; the address of
the stand-in.
"""

import json
import os
import sys
import time
import urllib.request
import uuid


class Context:
    """Lambda's context, as far as it is used."""

    function_name = "f"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:f"
    aws_request_id = "request"

    def get_remaining_time_in_millis(self):
        return 30_000


class Ours:
    """The deployed handlers."""

    def __init__(self, *, signed):
        if signed:
            sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "trials"))
            sys.modules["payflowx.adapters.platform.aws"] = __import__("signed_aws")
        from payflowx.entrypoints import deliverer, worker
        from payflowx.entrypoints.api import handler

        self._api, self._worker, self._deliverer = handler.handler, worker.handler, deliverer.handler

    def accept(self, event):
        return self._api(event, Context())

    def work(self, records):
        if self._worker({"Records": records}, Context())["batchItemFailures"]:
            raise AssertionError("a message failed")

    def finish(self, records):
        if records and self._deliverer({"Records": records}, Context())["batchItemFailures"]:
            raise AssertionError("a message failed")


class Baseline:
    """A module beside this folder."""

    def __init__(self, name):
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(__file__)), "baselines"))
        self._module = __import__(name)
        self._ids = []

    def accept(self, event):
        answer = self._module.accept(event)
        self._ids.append(json.loads(answer["body"])["id"])
        return answer

    def work(self, records):
        self._module.work(records)

    def finish(self, _records):
        ids, self._ids = self._ids, []
        self._module.finish(ids)


class Run:
    """Times one variant."""

    def __init__(self, variant, merchant, batch, url):
        self._merchant, self._batch, self._url = merchant, batch, url
        self._is_ours, self._polls = variant in {"ours", "signed"}, variant == "original"
        self._variant = Ours(signed=variant == "signed") if self._is_ours else Baseline(variant)
        self.latencies = []
        self.work_wall_ms = 0.0

    def payments(self, count):
        """Milliseconds of CPU a payment, by step."""
        events = [accept_event(self._merchant) for _ in range(count)]
        self.latencies = []
        accept = self._timed(lambda: [self._accept(event) for event in events])
        jobs = [] if self._polls else self._messages("JOBS_QUEUE_URL")
        started = time.perf_counter()
        work = self._timed(lambda: self._batches(self._variant.work, jobs or [None]))
        self.work_wall_ms = (time.perf_counter() - started) * 1000
        deliveries = self._messages("DELIVERIES_QUEUE_URL") if self._is_ours else []
        finish = self._timed(lambda: self._batches(self._variant.finish, deliveries or [None]))
        return {"accept": accept / count, "work": work / count, "finish": finish / count}

    def _accept(self, event):
        started = time.perf_counter()
        answer = self._variant.accept(event)
        self.latencies.append((time.perf_counter() - started) * 1000)
        if answer["statusCode"] not in {201, 202}:
            raise AssertionError(answer)

    def _batches(self, step, records):
        for at in range(0, len(records), self._batch):
            step([record for record in records[at : at + self._batch] if record])

    def _timed(self, step):
        started = time.process_time()
        step()
        return (time.process_time() - started) * 1000

    def _messages(self, queue):
        content = json.dumps({"queue": os.environ[queue]}).encode()
        with urllib.request.urlopen(f"{self._url}/control/messages", content) as answer:
            return json.load(answer)


def accept_event(merchant, **changes):
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    body = {
        "amount": 1999,
        "currency": "USD",
        "paymentMethod": {"type": "card", "token": "tok_success"},
        "description": "Order 1001",
        "metadata": {"cart": "c-77", "channel": "web"},
        **changes,
    }
    return {
        "resource": "/payments",
        "path": "/payments",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "stage": "v1",
            "authorizer": {"merchantId": merchant},
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def main():
    variant, merchant, count, batch, url = *sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    said, sys.stdout = sys.stdout, open(os.devnull, "w")
    run = Run(variant, merchant, batch, url)
    run.payments(10)
    urllib.request.urlopen(f"{url}/control/calls", b"{}").read()
    cpu = run.payments(count)
    with urllib.request.urlopen(f"{url}/control/calls", b"{}") as answer:
        calls = json.load(answer)
    print(
        json.dumps({"cpuMs": cpu, "latenciesMs": run.latencies, "calls": calls, "workWallMs": run.work_wall_ms}),
        file=said,
        flush=True,
    )


if __name__ == "__main__":
    main()
