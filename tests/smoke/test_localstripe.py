"""Stripe's adapter against localstripe: a fake that somebody else wrote, as a process of its own. `make smoke`.

It is no part of the gate: it is optional, its licence is the GPL (hence never imported here), and it differs from
Stripe. Known differences, none of which this file asserts anything about:

* It does not know `error_on_requires_action`, `return_url` and `cancellation_reason`: taken out on the way there.
* Its intents have neither `amount_received` nor `amount_capturable`, without which our connector rightly says
  nothing: put in on the way back, from the charge that it shows instead. Its webhooks stay as they are, hence prove
  nothing.
* It ignores `Idempotency-Key`: a request with a used key makes a second intent, where Stripe repeats the answer.
* It refunds more than was charged, and cannot search.
* `pm_card_visa_chargeDeclined` is declined when it is attached to a customer, and charged otherwise.
* Its errors have neither `decline_code` nor another type than `invalid_request_error`.
* `latest_charge` comes expanded; the rest of a partial capture appears as refunded.
* Its events are of API version 2017, and there is none of a refund.
"""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import urllib3

from local.processes import free_port
from payflowx.adapters.platform.http import Urllib3Client
from payflowx.domain.payments.outcome import Authorized, Declined, NotFound, Succeeded, Unknown
from payflowx.domain.providers.events import InvalidSignatureError, Webhook
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.domain.shared.transport import Credentials, HttpClient, HttpRequest, HttpResponse, HttpResult
from payflowx.providers.http_provider import HttpProvider
from payflowx.providers.stripe.connector import CONNECTOR
from tests.support.left_out import LOCALSTRIPE_PYTHON

LAUNCH = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.store.dump_to_disk = lambda: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""
"""Its own command listens on every interface and writes to /tmp."""

LEFT_OUT = {"error_on_requires_action", "return_url", "cancellation_reason"}
SECRET = "whsec_smoke"

pytestmark = pytest.mark.needs("localstripe")


@dataclass
class Abridged:
    """Implements `HttpClient`: what localstripe does not know is left out, what it leaves out is put in."""

    inner: HttpClient

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        kept = [(name, value) for name, value in parse_qsl(request.body.decode()) if name not in LEFT_OUT]
        result = self.inner.send(replace(request, body=urlencode(kept).encode()), endpoint)
        if not isinstance(result, HttpResponse) or result.status != 200:
            return result
        answer = json.loads(result.body)
        for thing in [answer, *(answer["data"] if answer["object"] == "list" else [])]:
            if thing["object"] == "payment_intent":
                thing.update(amounts(thing))
        return replace(result, body=json.dumps(answer).encode())


def amounts(intent: dict[str, Any]) -> dict[str, int]:
    """From the intent's charge, where it has one that was paid."""
    charge, status = intent["latest_charge"] or {}, intent["status"]
    return {
        "amount_received": charge.get("amount", 0) if status == "succeeded" else 0,
        "amount_capturable": charge.get("amount", 0) if status == "requires_capture" else 0,
    }


class Secrets:
    """Implements `Secrets`."""

    def credentials(self, secret_arn: str) -> Credentials:
        return Credentials(key_id="unused", key_secret="sk_test_smoke")


@dataclass
class Fake:
    """localstripe, and our adapter that talks to it."""

    address: str
    stripe: HttpProvider
    account: Account

    def charge(self, key: str, **changes: Any) -> ChargeRequest:
        defaults = {"token": "pm_card_visa", "capture": CaptureMode.AUTOMATIC}
        return ChargeRequest(
            provider_key=key, amount=12_000, currency="EUR", payment_method_type="card", **{**defaults, **changes}
        )

    def operation_request(
        self, kind: OperationKind, request: ChargeRequest, reference: str, amount: int
    ) -> OperationRequest:
        return OperationRequest(
            kind=kind,
            provider_key=f"{request.provider_key[:-2]}-2",
            amount=amount,
            currency=request.currency,
            charge_key=request.provider_key,
            charge_reference=reference,
            charge_amount=request.amount,
        )


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [LOCALSTRIPE_PYTHON, "-c", LAUNCH, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        pool = urllib3.PoolManager(retries=False, timeout=5)
        deadline = time.monotonic() + 20
        while not _answers(pool, address):
            assert process.poll() is None, "localstripe did not start"
            assert time.monotonic() < deadline, "localstripe does not answer"
            time.sleep(0.1)
        http_provider = HttpProvider(CONNECTOR, Abridged(Urllib3Client()), Secrets(), _now_ms, lambda *_: None)
        account = Account(provider="stripe", account_id="smoke", endpoint=address, secret_arn="arn:smoke")
        yield Fake(address, http_provider, account)
        pool.clear()
    finally:
        process.terminate()
        process.wait(10)


def _answers(pool: urllib3.PoolManager, address: str) -> bool:
    try:
        return pool.request("GET", f"{address}/v1/payment_intents").status in {200, 401}
    except urllib3.exceptions.HTTPError:
        return False


def _now_ms() -> int:
    return int(time.time() * 1000)


def test_a_charge_and_its_inquiry_agree(fake: Fake) -> None:
    charge = fake.charge("pfx-smokeaaaaaaaaaaa-1")
    charged = fake.stripe.charge(charge, fake.account)
    assert isinstance(charged, Succeeded)
    assert (charged.amount, charged.currency, charged.merchant_reference) == (12_000, "EUR", charge.provider_key)
    known = replace(charge, reference=charged.reference)
    assert fake.stripe.inquire(known, fake.account) == charged
    assert fake.stripe.inquire(charge, fake.account) == charged, "found among the newest, without its id"


def test_a_refund_of_a_part_is_found_by_its_id_and_by_our_key(fake: Fake) -> None:
    charge = fake.charge("pfx-smokebbbbbbbbbbb-1")
    charged = fake.stripe.charge(charge, fake.account)
    refund = fake.operation_request(OperationKind.REFUND, charge, charged.reference, 3_000)
    assert isinstance(fake.stripe.inquire_operation(refund, fake.account), NotFound)
    moved = fake.stripe.move(refund, fake.account)
    assert isinstance(moved, Succeeded)
    assert (moved.amount, moved.currency, moved.merchant_reference) == (3_000, "EUR", refund.provider_key)
    assert fake.stripe.inquire_operation(refund, fake.account) == moved
    assert fake.stripe.inquire_operation(replace(refund, reference=moved.reference), fake.account) == moved


def test_money_is_held_and_set_free(fake: Fake) -> None:
    charge = fake.charge("pfx-smokeccccccccccc-1", capture=CaptureMode.MANUAL)
    held = fake.stripe.charge(charge, fake.account)
    assert isinstance(held, Authorized)
    void = fake.operation_request(OperationKind.VOID, charge, held.reference, charge.amount)
    moved = fake.stripe.move(void, fake.account)
    assert isinstance(moved, Succeeded)


def test_a_declined_card_is_never_taken_for_a_charge(fake: Fake) -> None:
    """Its 402 says less than Stripe's: nothing follows but that nothing was charged, or that nobody knows."""
    declined = fake.stripe.charge(
        fake.charge("pfx-smokeddddddddddd-1", token="pm_card_chargeCustomerFail"), fake.account
    )
    assert isinstance(declined, Declined | Unknown)


def test_its_webhook_is_authentic_and_names_our_charge(fake: Fake) -> None:
    letters: list[Webhook] = []

    class Mailbox(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            letters.append(Webhook(headers=headers, body=body, received_at_ms=_now_ms()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    charge = fake.charge("pfx-smokeeeeeeeeeeee-1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Mailbox) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        body = {"url": f"http://127.0.0.1:{server.server_address[1]}/", "secret": SECRET}
        with urllib3.PoolManager(retries=False, timeout=5) as pool:
            headers = {"Authorization": "Bearer sk_test_smoke"}
            answer = pool.request("POST", f"{fake.address}/_config/webhooks/smoke", json=body, headers=headers)
            assert answer.status == 200
        charged = fake.stripe.charge(charge, fake.account)
        deadline = time.monotonic() + 10
        while not (ours := _about(letters, charge)) and time.monotonic() < deadline:
            time.sleep(0.1)
        server.shutdown()
    provider_event = fake.stripe.read_webhook(ours[0], [SECRET])
    assert (provider_event.type, provider_event.charge_reference) == ("payment_intent.succeeded", charged.reference)
    with pytest.raises(InvalidSignatureError):
        fake.stripe.read_webhook(ours[0], ["whsec_another"])


def _about(letters: list[Webhook], request: ChargeRequest) -> list[Webhook]:
    ours = [letter for letter in letters if request.provider_key.encode() in letter.body]
    return [letter for letter in ours if json.loads(letter.body)["type"] == "payment_intent.succeeded"]
