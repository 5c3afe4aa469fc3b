"""DELIVERY: a merchant's endpoints get its own events, true, signed, and until they have answered or time is over."""

import base64
import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from simulation.checker.answers import why_false
from simulation.checker.evidence import Evidence, PaymentEvidence, Stored, Violation
from simulation.history import Call, Delivered

MAX_TRIES: Final = 10
"""5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h after the first one."""
_WAY_MS: Final = 1_500_000
"""A deliverer that read the payment may be held up this long before its message arrives: two freezes of ten minutes
(one before each of two endpoints), a stall, and calls that are repeated after their time limits."""
_CLOCKS_MS: Final = 3_000
"""By so much another machine's clock may be ahead."""
_OVERLAP_MS: Final = 24 * 3_600_000
"""For a day after a rotation, an endpoint's former secret signs as well: docs/webhooks-out.md."""
_PREFIX: Final = "whsec_"
_GONE: Final = 410


def deliveries(evidence: Evidence) -> Iterator[Violation]:
    """Every delivery is of an event of that merchant, says what is stored and is signed; a stored result is true."""
    secrets, rotations = _secrets(evidence), _rotations(evidence)
    by_event: dict[str, list[Delivered]] = defaultdict(list)
    payments = {f"{p.transaction_id[4:]}": p for p in evidence.payments.values()}
    for delivered in evidence.result.history.deliveries:
        event_id = delivered.headers.get("webhook-id", "")
        by_event[event_id].append(delivered)
        _, _, rest = event_id.partition("_")
        payment = payments.get(rest.partition("_")[0])
        alone = evidence.of_no_payment.get(event_id)
        what = _why_wrong_alone(delivered, alone, secrets) if alone else _why_wrong(delivered, payment, secrets)
        what = what or _why_not_rotated(delivered, rotations.get(delivered.url))
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
    told = data["change"]
    if told != {"from": event.get("from"), "to": event.get("to")}:
        return f"tells of {told}, stored is a change from {event.get('from')} to {event.get('to')}"
    shown, operation_id = (data["operation"] or {}).get("operationId"), event.get("facts", {}).get("operationId")
    if shown != operation_id:
        return f"shows the operation {shown}, and is about {operation_id}"
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


@dataclass(frozen=True, slots=True)
class _Rotation:
    """The only rotation of an endpoint's secret: between the request and the answer the new one began to sign."""

    before: str
    after: str
    asked_ms: int
    answered_ms: int


def _rotations(evidence: Evidence) -> Mapping[str, _Rotation]:
    """By address, where the secret of before is known and no answer was lost."""
    first = {
        call.answer["id"]: (call.answer["url"], call.answer["secret"])
        for call in evidence.result.history.calls
        if call.method == "POST" and call.path == "/webhook-endpoints" and call.status == 201
    }
    asked: dict[str, list[Call]] = defaultdict(list)
    for call in evidence.result.history.calls:
        if call.path.endswith("/rotate-secret"):
            asked[call.path.split("/")[2]].append(call)
    return {
        first[endpoint_id][0]: _Rotation(
            before=first[endpoint_id][1],
            after=calls[0].answer["secret"],
            asked_ms=calls[0].at_ms,
            answered_ms=calls[0].answered_ms,
        )
        for endpoint_id, calls in asked.items()
        if endpoint_id in first and len(calls) == 1 and calls[0].status == 200
    }


def _why_not_rotated(delivered: Delivered, rotation: _Rotation | None) -> str:
    """For a day after a rotation both secrets sign, and after that the new one alone."""
    if rotation is None:
        return ""
    sent_ms = int(delivered.headers["webhook-timestamp"]) * 1_000
    if sent_ms > rotation.answered_ms + _CLOCKS_MS and not _is_signed(delivered, rotation.after):
        return "is not signed with the secret of after the rotation"
    if sent_ms < rotation.asked_ms + _OVERLAP_MS - _CLOCKS_MS and not _is_signed(delivered, rotation.before):
        return "is not signed with the secret of before the rotation, which a merchant may still have"
    if sent_ms > rotation.answered_ms + _OVERLAP_MS + _CLOCKS_MS and _is_signed(delivered, rotation.before):
        return "is signed with a secret that was rotated more than a day before"
    return ""


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
        if delivery["state"] in {"PENDING", "SKIPPED"} and delivery["attempts"] >= MAX_TRIES:
            what = f"event {event['seq']} is {delivery['state']} at {endpoint_id} after {delivery['attempts']} tries"
            yield Violation("DELIVERY", name, what)


def audience(evidence: Evidence) -> Iterator[Violation]:
    """Every event is meant for each endpoint that its merchant had when it happened, whoever knew of it then.

    An endpoint that is subscribed to some types gets no others.
    """
    made: dict[str, dict[str, int]] = defaultdict(dict)
    subscribed: dict[str, frozenset[str]] = {}
    for call in evidence.result.history.calls:
        if call.method == "POST" and call.path == "/webhook-endpoints" and call.status == 201:
            # Promised with the answer; and chosen by the times of two machines.
            known_ms = max(_milliseconds(call.answer["createdAt"]), call.answered_ms + _CLOCKS_MS)
            made[call.merchant][call.answer["id"]] = known_ms
            subscribed[call.answer["id"]] = frozenset(call.answer["eventTypes"])
    gone = _gone(evidence)
    for name, payment in evidence.payments.items():
        for event in payment.events:
            if "topic" not in event:
                continue
            others = {endpoint_id for endpoint_id, types in subscribed.items() if types and event["topic"] not in types}
            known = {endpoint_id for endpoint_id, at_ms in made[payment.merchant].items() if at_ms < event["at"]}
            missing = known - others - set(event.get("deliveries", {})) - gone
            if missing:
                yield Violation("DELIVERY", name, f"event {event['seq']} was not meant for {sorted(missing)}")
            unwanted = others & set(event.get("deliveries", {}))
            if unwanted:
                what = f"event {event['seq']} was meant for {sorted(unwanted)}, which are subscribed to other types"
                yield Violation("DELIVERY", name, what)


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
