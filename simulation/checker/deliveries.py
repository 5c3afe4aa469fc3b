"""DELIVERY: a merchant's endpoints get its own events, true, signed, and until they have answered or time is over."""

import base64
import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from simulation.checker.answers import why_false
from simulation.checker.evidence import Evidence, PaymentEvidence, Stored, Violation
from simulation.history import Delivered

MAX_TRIES: Final = 10
"""5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h after the first one."""
_WAY_MS: Final = 1_500_000
"""A deliverer that read the payment may be held up this long before its message arrives: two freezes of ten minutes
(one before each of two endpoints), a stall, and calls that are repeated after their time limits."""
_CLOCKS_MS: Final = 3_000
"""By so much another machine's clock may be ahead."""
_PREFIX: Final = "whsec_"
_GONE: Final = 410


def deliveries(evidence: Evidence) -> Iterator[Violation]:
    """Every delivery is of an event of that merchant, says what is stored and is signed; a stored result is true."""
    secrets = _secrets(evidence)
    by_event: dict[str, list[Delivered]] = defaultdict(list)
    payments = {f"{p.transaction_id[4:]}": p for p in evidence.payments.values()}
    for delivered in evidence.result.history.deliveries:
        event_id = delivered.headers.get("webhook-id", "")
        by_event[event_id].append(delivered)
        _, _, rest = event_id.partition("_")
        payment = payments.get(rest.partition("_")[0])
        alone = evidence.of_no_payment.get(event_id)
        what = _why_wrong_alone(delivered, alone, secrets) if alone else _why_wrong(delivered, payment, secrets)
        if what:
            yield Violation("DELIVERY", payment.name if payment else event_id, f"{event_id} at {delivered.url}: {what}")
    for name, payment in evidence.payments.items():
        for event in payment.events:
            if "topic" in event:
                event_id = f"evt_{payment.transaction_id[4:]}_{event['seq']}"
                yield from _results(name, event, by_event[event_id])


def _why_wrong(delivered: Delivered, payment: PaymentEvidence | None, secrets: Mapping[str, set[str]]) -> str:
    if payment is None:
        return "names no payment"
    if payment.merchant != delivered.merchant:
        return f"is an event of {payment.merchant}"
    seq = delivered.headers["webhook-id"].rpartition("_")[2]
    event = (payment.event(int(seq)) if seq.isdigit() else None) or {}
    wrong = _why_envelope_is_wrong(delivered, event, secrets)
    if wrong:
        return wrong
    data = delivered.body["data"]
    span = (delivered.at_ms - _WAY_MS, delivered.at_ms)
    false = why_false(payment, data["payment"], *span)
    if not false and data.get("operation"):
        false = why_false(payment, data["operation"], *span)
    return f"shows {false}" if false else ""


def _why_wrong_alone(delivered: Delivered, event: Stored, secrets: Mapping[str, set[str]]) -> str:
    """An event that belongs to no payment, and tells of a restore."""
    if event["merchantId"] != delivered.merchant:
        return f"is an event of {event['merchantId']}"
    data = delivered.body["data"]
    told = {name: _milliseconds(at) for name, at in (data.get("forgotten") or {}).items()}
    if told != event["forgotten"] or data["payment"] is not None:
        return f"tells of {told}, forgotten is {event['forgotten']}"
    return _why_envelope_is_wrong(delivered, event, secrets)


def _why_envelope_is_wrong(delivered: Delivered, event: Stored, secrets: Mapping[str, set[str]]) -> str:
    told = (delivered.body.get("id"), delivered.body.get("type"), delivered.body.get("sequence"))
    if told != (delivered.headers["webhook-id"], event.get("topic"), event.get("number")):
        return f"says {told}, stored is {event.get('topic')} with number {event.get('number')}"
    sent_ms = int(delivered.headers["webhook-timestamp"]) * 1_000
    if not delivered.at_ms - _WAY_MS <= sent_ms <= delivered.at_ms + _CLOCKS_MS:
        return f"says that it was sent at {sent_ms}, and was posted at {delivered.at_ms}"
    known = secrets.get(delivered.url)
    if known and not any(_is_signed(delivered, secret) for secret in known):
        return "is not signed with a secret of this endpoint"
    return ""


def _secrets(evidence: Evidence) -> dict[str, set[str]]:
    """All secrets that an endpoint ever had, by its address: the answer to the one who made them shows them once."""
    found: dict[str, set[str]] = defaultdict(set)
    for call in evidence.result.history.calls:
        url, secret = call.answer.get("url"), call.answer.get("secret")
        if isinstance(url, str) and isinstance(secret, str):
            found[url].add(secret)
    return found


def _is_signed(delivered: Delivered, secret: str) -> bool:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    body = json.dumps(delivered.body, separators=(",", ":"), ensure_ascii=False).encode()
    content = f"{delivered.headers['webhook-id']}.{delivered.headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return f"v1,{digest}" in delivered.headers["webhook-signature"].split(" ")


def _results(name: str, event: Stored, posted: list[Delivered]) -> Iterator[Violation]:
    for endpoint_id, delivery in event.get("deliveries", {}).items():
        answered = [delivered for delivered in posted if 200 <= delivered.status < 300]
        if delivery["state"] == "DELIVERED" and not answered:
            yield Violation(
                "DELIVERY", name, f"event {event['seq']} counts as delivered to {endpoint_id}, which was not"
            )
        if delivery["state"] == "FAILED" and delivery["attempts"] < MAX_TRIES:
            what = f"event {event['seq']} was given up at {endpoint_id} after {delivery['attempts']} tries"
            yield Violation("DELIVERY", name, what)


def audience(evidence: Evidence) -> Iterator[Violation]:
    """Every event is meant for each endpoint that its merchant had when it happened, whoever knew of it then."""
    made: dict[str, dict[str, int]] = defaultdict(dict)
    for call in evidence.result.history.calls:
        if call.method == "POST" and call.path == "/webhook-endpoints" and call.status == 201:
            # Promised with the answer; and chosen by the times of two machines.
            known_ms = max(_milliseconds(call.answer["createdAt"]), call.answered_ms + _CLOCKS_MS)
            made[call.merchant][call.answer["id"]] = known_ms
    gone = _gone(evidence)
    for name, payment in evidence.payments.items():
        for event in payment.events:
            if "topic" not in event:
                continue
            wanted = {endpoint_id for endpoint_id, at_ms in made[payment.merchant].items() if at_ms < event["at"]}
            missing = wanted - set(event.get("deliveries", {})) - gone
            if missing:
                yield Violation("DELIVERY", name, f"event {event['seq']} was not meant for {sorted(missing)}")


def _milliseconds(timestamp: str) -> int:
    return round(datetime.fromisoformat(timestamp).timestamp() * 1_000)


def _gone(evidence: Evidence) -> set[str]:
    """Endpoints that said that they are gone, or that failed for so long that they were disabled."""
    urls = {delivered.url for delivered in evidence.result.history.deliveries if delivered.status == _GONE}
    if evidence.result.forgotten is not None:
        urls |= evidence.result.forgotten.gone
    made = {call.answer.get("id", ""): call.answer.get("url") for call in evidence.result.history.calls}
    return {endpoint_id for endpoint_id, url in made.items() if url in urls} | {
        endpoint_id
        for payment in evidence.payments.values()
        for event in payment.events
        for endpoint_id, delivery in event.get("deliveries", {}).items()
        if delivery["state"] in {"SKIPPED", "FAILED"}
    }
