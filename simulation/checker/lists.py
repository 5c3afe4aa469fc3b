"""ANSWERS of lists, and the form of answers: nothing is left out or repeated, and codes are the documented ones."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simulation.checker.answers import time_of
from simulation.checker.evidence import Evidence, PaymentEvidence, Violation, alive_between, stored_at
from simulation.history import Call

_STALE_MS: Final = 30_000
"""A list may show payments as they were shortly before: it is read from an index."""
_EVENTS_A_PAGE: Final = 20
_OPERATIONS_A_PAGE: Final = 100
_CODES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("malformed_json", "idempotency_key_required", "parameter_invalid", "cursor_invalid"), 400),
    **dict.fromkeys(("invalid_state", "outcome_unknown", "order_not_free", "endpoint_exists", "endpoint_limit"), 409),
    **dict.fromkeys(("idempotency_key_reused", "no_route", "no_provider_available", "checkout_unavailable"), 422),
    **dict.fromkeys(("amount_exceeded", "not_supported", "amount_invalid", "field_missing", "field_invalid"), 422),
    "unauthenticated": 401,
    "not_found": 404,
    "rate_limited": 429,
    "not_readable": 503,
    "unavailable": 503,
    "internal_error": 500,
}
"""As docs/api.md lists them."""


def answers_have_their_codes(evidence: Evidence) -> Iterator[Violation]:
    """Every answer has the status code of its kind, and a repeated request is answered as one.

    What was accepted is answered with 202, a cancellation with 200 once the payment is cancelled. An answer says that
    the request was repeated exactly if an earlier one had stored its payment or operation.
    """
    for call in evidence.result.history.calls:
        wanted = _CODES.get(str(call.answer.get("code")), call.status) if "code" in call.answer else _success(call)
        if call.answer and call.status != wanted:
            told = call.answer.get("code", "an answer")
            yield Violation("ANSWERS", call.path, f"{call.method} was answered with {call.status} and {told}")
        if call.status == 202 and call.replayed is not None and call.key is not None:
            yield from _repetition(evidence, call)


def _success(call: Call) -> int:
    """Only answers to requests that are known here."""
    if call.method == "GET":
        return 200
    if call.path == "/webhook-endpoints":
        return 201
    if call.path.endswith("/cancel"):
        return 200 if call.answer.get("status") == "CANCELLED" else 202
    return 202 if call.path.startswith("/payments") else call.status


def _repetition(evidence: Evidence, call: Call) -> Iterator[Violation]:
    payment = evidence.payments.get(f"{call.answer.get('transactionId')}@{call.merchant}")
    if payment is None or evidence.result.forgotten is not None or call.path.endswith("/cancel"):
        return
    operation = payment.operations.get(call.answer.get("operationId", ""))
    versions = payment.versions if "operationId" not in call.answer else operation.versions if operation else []
    if not versions or versions[0][1] is not None:
        return
    made_ms = versions[0][0].at_ms
    if call.replayed and made_ms > call.answered_ms:
        yield Violation("ANSWERS", payment.name, f"{call.path} was answered as a repetition, and was the first request")
    if not call.replayed and made_ms < call.at_ms:
        yield Violation("ANSWERS", payment.name, f"{call.path} was answered as the first request, and was a repetition")


def lists_are_complete(evidence: Evidence) -> Iterator[Violation]:
    """A list holds all that there was, once, in its order; its pages together, too."""
    if evidence.result.forgotten is not None:
        return
    for pages in _lists(evidence.result.history.calls):
        first, merchant = pages[0], pages[0].merchant
        payment = evidence.payments.get(f"{first.path.split('/')[2]}@{merchant}") if first.path.count("/") > 1 else None
        shown = [each for page in pages for each in page.answer["items"]]
        is_over = pages[-1].answer.get("nextCursor") is None
        if "providerRef" in first.query:
            what = _of_reference(evidence, first, shown)
        elif first.path == "/payments":
            what = _payments(evidence, pages, shown, is_over=is_over)
        elif first.path.endswith("/operations") and payment is not None:
            what = _operations(payment, pages, [each["operationId"] for each in shown], is_over=is_over)
        elif first.path.endswith("/events") and payment is not None:
            what = _events(payment, pages, [each["seq"] for each in shown], is_over=is_over)
        else:
            continue
        if what:
            yield Violation("ANSWERS", first.path, f"the list of {merchant} {what}")


def _lists(calls: Sequence[Call]) -> Iterator[list[Call]]:
    """Each list with its further pages, which name the cursor of the page before."""
    open_lists: dict[str, list[Call]] = {}
    found: list[list[Call]] = []
    for call in calls:
        if call.method != "GET" or call.status != 200 or "items" not in call.answer:
            continue
        pages = open_lists.pop((call.query or {}).get("cursor", ""), None)
        if pages is None:
            if "cursor" in (call.query or {}):
                continue
            pages = []
            found.append(pages)
        pages.append(call)
        cursor = call.answer.get("nextCursor")
        if cursor is not None:
            open_lists[cursor] = pages
    yield from found


def _payments(evidence: Evidence, pages: list[Call], shown: list[dict[str, Any]], *, is_over: bool) -> str:
    """Newest first; the index may be late with the newest ones."""
    names = [each["transactionId"] for each in shown]
    if len(set(names)) < len(names):
        return "repeats a payment"
    times = [each["createdAt"] for each in shown]
    if times != sorted(times, reverse=True):
        return "is not newest first"
    last = "" if is_over or not times else times[-1]
    for payment in evidence.payments.values():
        versions = payment.versions
        if payment.merchant != pages[0].merchant or not versions or versions[0][1] is not None:
            continue
        made_ms = versions[0][0].at_ms
        is_meant = made_ms < pages[0].at_ms - _STALE_MS and time_of(versions[0][2]["createdAt"]) > last  # type: ignore[index]
        if is_meant and payment.transaction_id not in names:
            return f"leaves {payment.transaction_id} out"
    return ""


def _of_reference(evidence: Evidence, call: Call, shown: list[dict[str, Any]]) -> str:
    """A search by the provider's id of a charge finds the payment that holds it, and no other one."""
    holders = {
        payment.transaction_id
        for payment in evidence.payments.values()
        if payment.merchant == call.merchant and _holds(payment, call.query["providerRef"], call.at_ms - _STALE_MS)
    }
    found = {each["transactionId"] for each in shown}
    if len(found) > 1 or (holders and holders != found):
        return f"finds {sorted(found)} by {call.query['providerRef']}, which {sorted(holders)} holds"
    return ""


def _holds(payment: PaymentEvidence, reference: str, at_ms: int) -> bool:
    stored = stored_at(payment.versions, at_ms, before=True)
    return stored is not None and any(attempt.get("reference") == reference for attempt in stored["attempts"])


def _operations(payment: PaymentEvidence, pages: list[Call], shown: list[str], *, is_over: bool) -> str:
    if len(set(shown)) < len(shown):
        return "repeats an operation"
    there = [
        operation.operation_id
        for operation in payment.operations.values()
        if stored_at(operation.versions, pages[0].at_ms, before=True) is not None
    ]
    missing = sorted(set(there) - set(shown))
    return f"leaves {missing} out" if is_over and missing and len(there) <= _OPERATIONS_A_PAGE else ""


def _events(payment: PaymentEvidence, pages: list[Call], shown: list[int], *, is_over: bool) -> str:
    stored = stored_at(payment.versions, pages[0].at_ms, before=True)
    numbers = [event["seq"] for event in payment.events]
    if stored is None or not numbers:
        return ""
    most = stored["eventSeq"] if is_over else min(stored["eventSeq"], _EVENTS_A_PAGE, len(shown) or 1)
    wanted = [number for number in numbers if number <= max(most, *shown, 0)]
    return f"shows the entries {shown} of {wanted}" if shown != wanted else ""


def refused_orders_name_their_holder(evidence: Evidence) -> Iterator[Violation]:
    """Who is refused for an order is told which payment of this merchant holds it, how that stands, and until when."""
    for call in evidence.result.history.calls:
        told = call.answer.get("order") if call.answer.get("code") == "order_not_free" else None
        if told is None or evidence.result.forgotten is not None:
            continue
        holder = evidence.payments.get(f"{told['transactionId']}@{call.merchant}")
        if holder is None:
            if told["transactionId"] is not None or not told["beside"]:
                yield Violation("ANSWERS", call.path, f"was refused for an order, and told of {told['transactionId']}")
            continue
        seen = alive_between(holder.versions, call.at_ms, call.answered_ms)
        known = [(version["status"], _free_at(version)) for version in seen]
        if seen and (told["status"], told["freeAt"]) not in known:
            what = f"was told that {holder.transaction_id} is {told['status']} until {told['freeAt']}, and not {known}"
            yield Violation("ANSWERS", call.path, what)


_CLOSED: Final = frozenset({"DECLINED", "NOT_SENT", "REJECTED", "FENCED"})


def _free_at(holder: Mapping[str, Any]) -> str | None:
    """When an ended payment's last decline can no longer reopen, where nothing else keeps the order."""
    until = [attempt["reopens_until_ms"] for attempt in holder["attempts"] if "reopens_until_ms" in attempt]
    is_ended = holder["status"] in {"FAILED", "CANCELLED"} and holder.get("chargedAttempt") is None
    is_closed = all(attempt["state"] in _CLOSED for attempt in holder["attempts"])
    return time_of(max(until)) if until and is_ended and is_closed else None
