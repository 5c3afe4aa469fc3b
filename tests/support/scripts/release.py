"""The handlers of one release in this process. Not imported by anything: `tests/support/releases.py` runs it.

Each line of the input is JSON: an event for a handler, or seconds by which the clock goes on. Each line of the output
is the handler's answer. What the functions themselves print goes to standard error.
"""

import importlib
import json
import sys
import time


class Context:
    """Lambda's context, as far as it is used."""

    function_name = "f"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:f"
    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    real_ns, passed_ns = time.time_ns, 0
    time.time_ns = lambda: real_ns() + passed_ns
    for line in sys.stdin:
        asked = json.loads(line)
        passed_ns += asked.get("advanceSeconds", 0) * 1_000_000_000
        answer = None
        if "handler" in asked:
            module = importlib.import_module(f"payflowx.entrypoints.{asked['handler']}")
            answer = module.handler(asked["event"], Context())
        print(json.dumps(answer), file=answers, flush=True)


main()
