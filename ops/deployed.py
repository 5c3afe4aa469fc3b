"""Tries a deployed environment through its public API: `PAYFLOWX_API_KEY=... python -m ops.deployed https://...`.

It pays with simulated providers, so it refuses a key of production. The pipeline runs it after a deployment, as a quick
look before the end-to-end suite.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import urllib3

_FINAL: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"})
_CLOSED: Final = frozenset({"SUCCEEDED", "FAILED", "IN_REVIEW"})
_FINAL_SECONDS: Final = 120
_PAUSE_SECONDS: Final = 0.5
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=30)
LIVE_KEY: Final = "pfx_live_"
_BUSY: Final = frozenset({429, 503})
_MAX_TRIES: Final = 5

Json = dict[str, Any]


class NotAsExpectedError(Exception):
    """A deployed environment gave another answer than the expected one; the text names both."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """The API of one environment. `run` makes the keys of this run's payments its own."""

    url: str
    key: str = field(repr=False)
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(timeout=_TIMEOUT, retries=False))

    def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> tuple[int, Json]:
        """One request with the merchant's key, and again with the same headers when the API says that it is busy."""
        sent = {"Authorization": f"Bearer {self.key}"} | {name.replace("_", "-"): v for name, v in headers.items()}
        data = None
        if body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        for attempt in range(1, _MAX_TRIES + 1):
            answer = self.pool.request(method, self.url.rstrip("/") + path, headers=sent, body=data)
            if answer.status not in _BUSY or attempt == _MAX_TRIES:
                break
            time.sleep(attempt)
        return answer.status, json.loads(answer.data or b"null")

    def pay(self, name: str, token: str, *, amount: int = 1999, status: int = 202) -> Json:
        """Accept a payment under this run's key `name`."""
        body = {"amount": amount, "currency": "USD", "paymentMethod": {"type": "card", "token": token}}
        found, payment = self.call("POST", "/payments", body, Idempotency_Key=f"{self.run}-{name}")
        _expect(found, status, f"POST /payments of {name}")
        return payment

    def final(self, path: str, states: frozenset[str] = _FINAL) -> Json:
        """The payment or operation once it is final."""
        deadline = time.monotonic() + _FINAL_SECONDS
        while True:
            status, found = self.call("GET", path)
            _expect(status, 200, f"GET {path}")
            if found["status"] in states:
                return found
            if time.monotonic() > deadline:
                raise NotAsExpectedError(f"{path} is {found['status']} after {_FINAL_SECONDS} s")
            time.sleep(_PAUSE_SECONDS)


def _expect(found: Any, expected: Any, what: str) -> None:
    if found != expected:
        raise NotAsExpectedError(f"{what}: {expected!r} was expected, {found!r} came")


# -- what is tried


def answers(api: Api) -> None:
    """Health, and the description that this version of the commands has."""
    status, health = api.call("GET", "/health")
    _expect((status, health), (200, {"status": "ok"}), "GET /health")
    status, document = api.call("GET", "/openapi.json")
    _expect((status, document["openapi"]), (200, "3.1.0"), "GET /openapi.json")


def refuses_strangers(api: Api) -> None:
    """No key and a wrong key."""
    stranger = Api(url=api.url, key="pfx_test_AAAAAAAAAAAAAAAA_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    status, _ = stranger.call("GET", "/payments")
    if status not in {401, 403}:
        raise NotAsExpectedError(f"a wrong key got {status}")


def charges_once(api: Api) -> None:
    """A payment that succeeds; its request repeated is the same payment, and another request under its key is none."""
    payment = api.pay("once", "tok_success")
    _expect(api.pay("once", "tok_success")["transactionId"], payment["transactionId"], "the repeated request")
    done = api.final(f"/payments/{payment['transactionId']}")
    _expect(done["status"], "SUCCESS", "a payment with a card that is good")
    _expect(len(done["attempts"]), 1, "its attempts")
    api.pay("once", "tok_success", amount=2000, status=422)


def fails_over(api: Api) -> None:
    """A decline at one provider ends at another."""
    payment = api.pay("over", "tok_soft_decline@mock")
    done = api.final(f"/payments/{payment['transactionId']}")
    _expect(done["status"], "SUCCESS", "a payment that its first provider declines")
    _expect(len(done["attempts"]), 2, "its attempts")


def resolves_lost_answers(api: Api) -> None:
    """A provider that charges and then says nothing: its charge is found, and there is no second one."""
    payment = api.pay("lost", "tok_500_before_charge")
    _expect(api.final(f"/payments/{payment['transactionId']}")["status"], "SUCCESS", "a payment with a lost answer")


def declines(api: Api) -> None:
    """A hard decline is final, and no other provider is asked."""
    payment = api.pay("declined", "tok_hard_decline")
    done = api.final(f"/payments/{payment['transactionId']}")
    _expect((done["status"], len(done["attempts"])), ("FAILED", 1), "a payment that is declined")


def refunds(api: Api) -> None:
    """A part of a payment given back, once for two requests."""
    payment = api.pay("refund", "tok_success")
    path = f"/payments/{payment['transactionId']}"
    api.final(path)
    made = [
        api.call("POST", f"{path}/refunds", {"amount": 500}, Idempotency_Key=f"{api.run}-refund-1") for _ in range(2)
    ]
    _expect([status for status, _ in made], [202, 202], "the refund")
    ids = {refund["operationId"] for _, refund in made}
    _expect(len(ids), 1, "refunds for one key")
    done = api.final(f"{path}/operations/{ids.pop()}", _CLOSED)
    _expect(done["status"], "SUCCEEDED", "the refund")
    _expect(api.call("GET", path)[1]["refunded"], 500, "the amount given back")


def tells_what_happened(api: Api) -> None:
    """The payment's own events, and the list that holds it."""
    payment = api.pay("events", "tok_success")
    path = f"/payments/{payment['transactionId']}"
    api.final(path)
    status, events = api.call("GET", f"{path}/events")
    _expect(status, 200, "GET events")
    _expect([event["seq"] for event in events["items"]], list(range(1, len(events["items"]) + 1)), "numbers of events")
    status, listed = api.call("GET", "/payments?limit=20")
    _expect(status, 200, "GET /payments")
    if payment["transactionId"] not in {item["transactionId"] for item in listed["items"]}:
        raise NotAsExpectedError("the list lacks the newest payment")


CHECKS: Final[Mapping[str, Callable[[Api], None]]] = {
    "the API answers": answers,
    "strangers are refused": refuses_strangers,
    "a payment is charged once": charges_once,
    "a decline fails over": fails_over,
    "a lost answer is resolved": resolves_lost_answers,
    "a hard decline is final": declines,
    "a refund is made once": refunds,
    "events and lists tell it": tells_what_happened,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of one check. `fault` is None when all was as expected."""

    name: str
    seconds: float
    fault: str | None


def tried(api: Api, checks: Mapping[str, Callable[[Api], None]] = CHECKS) -> Iterator[Result]:
    """Each check in turn; one that fails does not stop the others. Raises `ValueError` for a key of production."""
    if api.key.startswith(LIVE_KEY):
        raise ValueError("this is a key of production: nothing is tried there")
    for name, check in checks.items():
        started = time.monotonic()
        fault = None
        try:
            check(api)
        except NotAsExpectedError as error:
            fault = str(error)
        except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError) as error:
            fault = f"{type(error).__name__}: {error}"
        yield Result(name=name, seconds=time.monotonic() - started, fault=fault)


def main(arguments: list[str]) -> int:
    """Exit status 0 when all was as expected, 1 when not, 2 when the command line is wrong."""
    key = os.environ.get("PAYFLOWX_API_KEY", "")
    if len(arguments) != 1 or not key:
        print("usage: PAYFLOWX_API_KEY=... python -m ops.deployed https://address/of/the/api", file=sys.stderr)
        return 2
    faults = 0
    for result in tried(Api(url=arguments[0], key=key)):
        faults += result.fault is not None
        print(
            f"{'FAILED' if result.fault else 'ok    '} {result.seconds:6.1f} s  {result.name}{_why(result)}", flush=True
        )
    return int(faults > 0)


def _why(result: Result) -> str:
    return f": {result.fault}" if result.fault else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
