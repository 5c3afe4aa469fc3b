"""Checkouts and their pages through warm handlers in this new interpreter, and the CPU time of each request.

`bench.checkout_path` runs it. Arguments: how many checkouts; the address of the stand-in.
"""

import json
import os
import sys
import time
import urllib.request
from urllib.parse import urlsplit

from hot_path import Context, accept_event

_PAGES = "/checkout/"
_MERCHANT = "acme"


def timed(step, events):
    """Milliseconds of CPU a request, and the answers."""
    started = time.process_time()
    answers = [step(event, Context()) for event in events]
    return (time.process_time() - started) * 1000 / len(events), answers


def page_event(accepted):
    """A browser that opens the address of an accepted checkout."""
    path = urlsplit(json.loads(accepted["body"])["nextAction"]["url"]).path
    event = accept_event(_MERCHANT)
    return {
        **event,
        "resource": "/checkout/{token}",
        "path": path,
        "httpMethod": "GET",
        "headers": {"accept": "text/html"},
        "multiValueHeaders": {"accept": ["text/html"]},
        "pathParameters": {"token": path.removeprefix(_PAGES)},
        "requestContext": {**event["requestContext"], "path": f"/v1{path}", "authorizer": None},
        "body": None,
    }


def measured(count, url):
    """CPU time and calls of AWS, both a request."""
    from payflowx.entrypoints.api import handler as api
    from payflowx.entrypoints.checkout import handler as pages

    found = {}
    calls(url)
    events = [accept_event(_MERCHANT, paymentMethod={"type": "checkout"}) for _ in range(count)]
    cpu_ms, accepted = timed(api.handler, events)
    found["create"] = {"cpuMs": cpu_ms, "calls": sum(calls(url).values()) / count}
    cpu_ms, shown = timed(pages.handler, [page_event(answer) for answer in accepted])
    found["page"] = {"cpuMs": cpu_ms, "calls": sum(calls(url).values()) / count, "bytes": len(shown[0]["body"])}
    if {answer["statusCode"] for answer in (*accepted, *shown)} != {200, 202}:
        raise AssertionError([accepted[0], shown[0]])
    return found


def calls(url):
    """The calls since the last time."""
    with urllib.request.urlopen(f"{url}/control/calls", b"{}") as answer:
        return json.load(answer)


def main():
    count, url = int(sys.argv[1]), sys.argv[2]
    said, sys.stdout = sys.stdout, open(os.devnull, "w")
    measured(10, url)
    print(json.dumps(measured(count, url)), file=said)


main()
