"""REASONS: manual review and FAILED are last resorts. Each needs a reason in the books or in a fault."""

from collections.abc import Iterator
from typing import Any, Final

from simulation.checker.evidence import UNDONE, Evidence, PaymentEvidence, Stored, Violation, is_recorded_by_person
from simulation.checker.providers import inquiries_end_ms, refusal_proven_ms
from simulation.history import Source, Write
from simulation.world import CONFIGURATION
from testing.dynamodb.values import plain_item

_SECOND_MS: Final = 1_000
_MINUTE_MS: Final = 60 * _SECOND_MS
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS
_CLOCKS_MS: Final = 7 * _SECOND_MS
_SESSION_MS: Final = 12 * _MINUTE_MS
"""A worker that read its merchant may be held up for ten minutes before it writes."""
_CACHED_MS: Final = 2 * _MINUTE_MS
"""A function may know a switch or an account for a minute longer than it is true, and a call lasts a while."""

MAX_RETRIES: Final = 3
MAX_ATTEMPTS: Final = 8
MAX_WAKE_UPS: Final = 40
CHARGE_DEADLINE_MS: Final = _DAY_MS
NOT_SENT_PATIENCE_MS: Final = _HOUR_MS
_MAY_PASS_LATER: Final = {"rate_limited", "unauthorized"}
"""A provider that rejected the request for another reason is not asked again."""
_NO_DIFFERENCE: Final = "is in review, and report and books show no difference"
_NO_FURTHER: Final = {"hard", "funds"}


def reasons(evidence: Evidence) -> Iterator[Violation]:
    """No payment or operation is given to a person or given up before all that the design allows was tried."""
    world = _World(evidence)
    for name, payment in evidence.payments.items():
        for write, before, after, event in payment.changes():
            if after["status"] == before["status"] or event is None or event["actor"] == "operator":
                continue
            if after["status"] == "IN_REVIEW":
                what = _why_review(world, payment, write, before, after)
            elif after["status"] == "FAILED":
                what = _why_failed(world, payment, write, before, after)
            else:
                continue
            if what:
                yield Violation("REASONS", name, what)
        yield from _told_otherwise(name, payment)
        yield from _changed_requests(world, name, payment)
        yield from _cut_short(world, name, payment)
        yield from _refused_too_early(name, payment)
        yield from _operation_reasons(world, name, payment)
        yield from _switched_off(world, name, payment)
        yield from _order_of_tries(world, name, payment)


class _World:
    """The excuses that the providers' books and the world's faults give."""

    def __init__(self, evidence: Evidence) -> None:
        self.removed = [s for s in evidence.result.history.strikes if s.kind == "account_removed"]
        history = evidence.result.history
        may_lack_all = any(strike.kind == "gateway_forgets" for strike in history.strikes)
        # A line that is left out is no difference where reads are complete: the product asks, and the charge is there.
        changes = [change for change in history.report_changes if may_lack_all or change.change != "omitted"]
        self.false_reports = {change.merchant for change in changes}
        entries = evidence.result.history.entries
        self.outside = {entry.charge_id for entry in entries if entry.source is Source.DASHBOARD}
        self.moved = [entry for entry in entries if entry.kind != "charge"]
        self.off: dict[str, list[tuple[int, int]]] = {}
        for write in evidence.result.history.writes:
            if write.table == CONFIGURATION and write.key[0] == "GLOBAL":
                self._switch(write)
        self.has_releases = any(s.kind == "deployment" for s in evidence.result.history.strikes)
        self.ended_ms = evidence.result.ended_ms
        self.is_restored = evidence.result.forgotten is not None

    def _switch(self, write: Write) -> None:
        name, item = write.key[1].removeprefix("SWITCH#"), plain_item(write.after or {})
        spans = self.off.setdefault(name, [])
        if item.get("disabled"):
            spans.append((write.at_ms, 1 << 62))
        elif spans:
            spans[-1] = (spans[-1][0], write.at_ms)

    def has_difference(self, payment: PaymentEvidence) -> bool:
        """A report was falsified, money moved outside, the books changed what they had said, or a charge or one of its
        refunds bears the key of an attempt that a restore forgot.
        """
        charges = {str(entry["chargeId"]) for entry in payment.books}
        keys = {attempt["provider_key"] for attempt in payment.item["attempts"]} if payment.item else set()
        return (
            any(entry["reference"] not in keys for entry in payment.charged)
            or payment.merchant in self.false_reports
            or bool(charges & self.outside)
            or payment.status != "SUCCESS"
            or any(entry["status"] in UNDONE for o in payment.operations.values() for entry in o.books)
            or (self.is_restored and self._has_forgotten_operation(payment, charges))
        )

    def _has_forgotten_operation(self, payment: PaymentEvidence, charges: set[str]) -> bool:
        items = [operation.item for operation in payment.operations.values() if operation.item is not None]
        keys = {attempt["provider_key"] for item in items for attempt in item["attempts"]}
        return any(entry.charge_id in charges and entry.provider_key not in keys for entry in self.moved)

    def lacked_account(self, merchant: str, attempt: Stored, write: Write) -> bool:
        """The merchant's account had been removed by mistake, or a function could still think so."""
        return any(
            strike.about == f"{attempt['provider']}@{merchant}"
            and strike.at_ms <= write.at_ms <= strike.until_ms + _CACHED_MS + _SESSION_MS
            for strike in self.removed
        )

    def is_off_for_long(self, provider: str, at_ms: int) -> bool:
        """An operator had switched the provider off so long ago that every function knows it."""
        return any(start + _CACHED_MS < at_ms < end for start, end in self.off.get(provider, ()))

    def was_off(self, provider: str, at_ms: int) -> bool:
        """An operator had switched the provider off, or a function could still think so."""
        return any(start <= at_ms <= end + _CACHED_MS for start, end in self.off.get(provider, ()))


def _switched_off(world: _World, name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """A switched-off provider is passed over when an attempt begins: the first one, and a payer's choice too."""
    for write, before, after in payment.versions:
        if before is None or after is None:
            continue
        newest = after["attempts"][-1] if len(after["attempts"]) > len(before["attempts"]) else None
        if newest is None or "sent_before_restore" in newest.get("progress", {}) or is_recorded_by_person(newest):
            continue  # a restore's attempt is recorded where it may have been sent before, and never sent
        if world.is_off_for_long(newest["provider"], write.at_ms):
            yield Violation("REASONS", name, f"attempt {newest['number']} went to {newest['provider']}, which was off")


def _order_of_tries(world: _World, name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """A provider that was not tried comes before one that was; and what cannot be sent is tried for an hour.

    The last try is made when the hour is over, however late that is.
    """
    late = 0
    for write, before, after in payment.versions:
        if before is None or after is None or "checkout" in after:
            continue
        epochs = [attempt["epoch"] for attempt in before["attempts"]]
        begun = [a for n, a in enumerate(after["attempts"]) if n >= len(epochs) or a["epoch"] != epochs[n]]
        if not begun or "sent_before_restore" in begun[-1].get("progress", {}) or is_recorded_by_person(begun[-1]):
            continue
        tried = {attempt["provider"] for attempt in before["attempts"]}
        untried = [c["provider"] for c in after["route"]["candidates"] if c["provider"] not in tried]
        left = [provider for provider in untried if not world.was_off(provider, write.at_ms)]
        if begun[-1]["provider"] in tried and left:
            what = f"attempt {begun[-1]['number']} began at {begun[-1]['provider']}, and {left} were not tried yet"
            yield Violation("REASONS", name, what)
        since_ms = _unsent_since_ms(payment, write)
        is_late = since_ms is not None and write.at_ms - since_ms > NOT_SENT_PATIENCE_MS + _CLOCKS_MS
        late = late + 1 if is_late and begun[-1]["provider"] in tried else 0
        if late > 1:
            yield Violation("REASONS", name, f"is tried on, and nothing could be sent for {NOT_SENT_PATIENCE_MS} ms")


_DECLINES: Final = {"soft_decline": "soft", "hard_decline": "hard", "insufficient_funds": "funds"}
_NOT_HELD_ANY_MORE: Final = {"authorization_expired", "authorization_released"}


def _was_to_end(before: Stored) -> bool:
    """Whether the merchant cancels the payment, or its object is closed for the payer or after ten failed tries."""
    is_closed = before.get("checkout", {}).get("closing") is not None
    tries = [int(attempt.get("progress", {}).get("failed_tries", "0")) for attempt in before["attempts"]]
    return bool(before.get("cancelRequested")) or is_closed or max(tries, default=0) >= _MAX_FAILED_TRIES


def _told_otherwise(name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """The last error is that of its attempt: merchants read from it whether another try makes sense."""
    for _, before, after, event in payment.changes():
        error = after.get("lastError", {})
        about: Stored = next((a for a in after["attempts"] if a["number"] == error.get("attempt")), {})
        kind = about.get("decline_kind")
        if kind is not None and error["code"] in _DECLINES and _DECLINES[error["code"]] != kind:
            yield Violation("REASONS", name, f"tells of {error['code']}, and attempt {about['number']} is a {kind} one")
        is_own = event is not None and event["type"] == "attempt.fenced" and not _was_to_end(before)
        is_released = is_own and (before["status"], after["status"]) == ("AUTHORIZED", "CANCELLED")
        if is_released and error.get("code") not in _NOT_HELD_ANY_MORE:
            yield Violation("REASONS", name, f"tells of {error.get('code')}, and its amount was held until then")


def _changed_requests(world: _World, name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """The bytes of an attempt's request are the same at each send; only another release may build other ones."""
    if world.has_releases or world.is_restored:
        return
    items = [payment.item, *(operation.item for operation in payment.operations.values())]
    for item in items:
        for attempt in item["attempts"] if item is not None else ():
            if attempt.get("code") == "request_changed":
                what = f"the request of {attempt['provider_key']} changed, and the release did not"
                yield Violation("REASONS", name, what)


_MAX_FAILED_TRIES: Final = 10


def _cut_short(world: _World, name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """A payment that its payer may still approve or pay is cancelled before its time only on request.

    The merchant or the payer asks, another payment of the order is charged, or the payer has failed too often; or the
    payer has paid, and the merchant's people released that at the provider. Nobody knows who asked in the time that a
    restore forgot.
    """
    for write, before, after, event in payment.changes():
        if event is not None and event["actor"] == "operator":
            continue
        for one, other in zip(before["attempts"], after["attempts"], strict=False):
            if (one["state"], other["state"]) != ("REQUIRES_ACTION", "FENCED"):
                continue
            left_ms = one.get("deadline_ms", 0) - write.at_ms - _CLOCKS_MS
            is_forgotten = "sent_before_restore" in one.get("progress", {})
            is_excused = is_forgotten or _is_released(world, payment, one, write.at_ms) or _is_asked_to_end(before, one)
            if left_ms > 0 and not is_excused:
                what = (
                    f"attempt {one['number']} was cancelled {left_ms // _SECOND_MS} s before its payer's time was over"
                )
                yield Violation("REASONS", name, what)


def _is_released(world: _World, payment: PaymentEvidence, attempt: Stored, at_ms: int) -> bool:
    """Whether the attempt's hold was voided at the provider by then. A void of a dashboard may name no key of ours."""
    key, charges = attempt["provider_key"], {line["chargeId"] for line in payment.books if line["status"] == "canceled"}
    voids = [line for line in payment.books if line["kind"] == "void" and line["status"] == "done"]
    voided_ms = [line["at"] * _SECOND_MS for line in voids if line["reference"] == key]
    by_others = [entry for entry in world.moved if entry.kind == "void" and entry.source is Source.DASHBOARD]
    voided_ms += [entry.at_ms for entry in by_others if entry.charge_id in charges]
    return any(each <= at_ms + _CLOCKS_MS for each in voided_ms)


def _is_released_later(payment: PaymentEvidence, at_ms: int) -> bool:
    """Whether a hold was released after this time. One that was released before it is no second one."""
    voided_ms = {line["chargeId"]: line["at"] * _SECOND_MS for line in payment.books if line["kind"] == "void"}
    released = [entry for entry in payment.books if entry["kind"] == "charge" and entry["status"] == "canceled"]
    return any(voided_ms.get(entry["chargeId"], at_ms) + _CLOCKS_MS > at_ms for entry in released)


def _is_asked_to_end(payment: Stored, attempt: Stored) -> bool:
    is_asked = payment.get("cancelRequested") or payment.get("stopRequested")
    is_closing = payment.get("checkout", {}).get("closing") == attempt["number"]
    failed = int(attempt.get("progress", {}).get("failed_tries", "0"))
    return bool(is_asked) or is_closing or failed >= _MAX_FAILED_TRIES


def _is_forgotten(item: Stored) -> bool:
    """An attempt may have been sent before the tables were restored, and no provider could say what became of it."""
    return any("sent_before_restore" in attempt.get("progress", {}) for attempt in item["attempts"])


def _is_forgotten_there(world: _World, payment: PaymentEvidence, item: Stored) -> bool:
    """A restore forgot the request of a charge: its attempt is not stored, or stored as one that was not sent."""
    sent = {attempt["provider_key"] for attempt in item["attempts"] if attempt["state"] != "NOT_SENT"}
    return world.is_restored and any(entry["reference"] not in sent for entry in payment.charged)


# --- payments


def _why_review(world: _World, payment: PaymentEvidence, write: Write, before: Stored, after: Stored) -> str:
    """Empty when the review has its reason."""
    code = after.get("lastError", {}).get("code")
    match code:
        case "outcome_unknown":
            return "" if _is_forgotten(before) else _why_unknown(world, write, before)
        case "mismatch" if any(a.get("code") == "later_attempt_found" for a in after["attempts"]):
            return "" if world.is_restored else "is in review for an attempt that nobody can have forgotten"
        case "mismatch":
            differs = [a["code"] for a in after["attempts"] if a["state"] == "MISMATCH"]
            books = [(e["amount"], e["currency"]) for e in payment.books if e["status"] in {"charged", "authorized"}]
            same = (after["amount"], after["currency"])
            was_held_twice = differs == ["duplicate_authorization"] and _is_released_later(payment, write.at_ms)
            is_explained = differs == ["reference_taken"] or was_held_twice
            return (
                f"is in review for {differs}, and the books have {books}"
                if books == [same] and not is_explained
                else ""
            )
        case "late_success":
            return "" if payment.charged else "is in review for a late success, and nothing was charged"
        case "drives_exhausted":
            return "" if before["drives"] >= MAX_WAKE_UPS else f"was given up after {before['drives']} wake-ups"
        case "reconciliation":
            is_explained = _is_forgotten(before) or _is_forgotten_there(world, payment, before)
            return "" if is_explained or world.has_difference(payment) else _NO_DIFFERENCE
        case "order_contended" | "order_charged_twice":
            return "" if payment.charged else f"is in review as {code}, and nothing was charged"
        case "balance":
            return "is in review because its amounts contradict each other"
        case _:
            return f"is in review for no reason that the design knows: {code}"


def _why_unknown(world: _World, write: Write, before: Stored) -> str:
    """The means are exhausted only when the provider's horizon is over, or when its account is gone."""
    attempt = next((a for a in before["attempts"] if a["state"] in _ASKABLE), None)
    if attempt is None:
        return "went to review as unknown, and no attempt is open"
    if write.at_ms + _CLOCKS_MS >= inquiries_end_ms(attempt) or world.lacked_account(
        before["merchantId"], attempt, write
    ):
        return ""
    age_ms = write.at_ms - attempt["started_at_ms"]
    return f"went to review {age_ms // _SECOND_MS} s after {attempt['provider']} was asked"


_ASKABLE: Final = {"STARTED", "UNKNOWN", "ACCEPTED", "REQUIRES_ACTION", "AUTHORIZED"}


def _why_failed(world: _World, payment: PaymentEvidence, write: Write, before: Stored, after: Stored) -> str:
    """Empty when nothing was left to try."""
    if before["status"] == "IN_REVIEW":
        return ""  # a payment in review begins no attempt any more
    attempts = after["attempts"]
    last: Stored = max(attempts, key=lambda attempt: (attempt["epoch"], attempt["number"]), default={})
    code = after.get("lastError", {}).get("code")
    if "checkout" in after:
        ended = write.at_ms + _CLOCKS_MS >= after["checkout"]["expires_at_ms"] or len(attempts) >= MAX_ATTEMPTS
        return "" if ended else f"failed ({code}) while its payer could still pay"
    if code == "action_expired":
        if any(line["kind"] == "void" and line["source"] == "dashboard" for line in payment.books):
            return ""  # somebody released it at the provider
        waited = [a for a in before["attempts"] if a["state"] == "REQUIRES_ACTION"]
        deadline_ms = waited[0].get("deadline_ms", 1 << 62) if waited else 1 << 62
        return "" if write.at_ms + _CLOCKS_MS >= deadline_ms else "failed before the payer's time was over"
    if last.get("decline_kind") in _NO_FURTHER or last.get("reopens_until_ms") is not None:
        return ""
    answered = sum(attempt["state"] != "NOT_SENT" for attempt in attempts)
    if answered > MAX_RETRIES or len(attempts) >= MAX_ATTEMPTS or write.at_ms + _CLOCKS_MS >= after["chargeDeadline"]:
        return ""
    since_ms = _unsent_since_ms(payment, write)
    if since_ms is not None and write.at_ms - since_ms + _CLOCKS_MS >= NOT_SENT_PATIENCE_MS:
        return ""
    left = [c["provider"] for c in after["route"]["candidates"] if _could_be_tried(world, after, c["provider"], write)]
    return f"failed after {[a['state'] for a in attempts]} while {left} could still be tried" if left else ""


def _unsent_since_ms(payment: PaymentEvidence, last: Write) -> int | None:
    """The time of the first of the latest requests that did not leave, one after the other; an answer ends them."""
    since_ms: int | None = None
    for write, before, after in payment.versions:
        known = {attempt["number"]: attempt["state"] for attempt in (before or {}).get("attempts", [])}
        for attempt in (after or {}).get("attempts", []):
            if attempt["state"] == "NOT_SENT" and known.get(attempt["number"]) != "NOT_SENT":
                # A worker that stalls may store it long after it knew it.
                known_ms = min(write.at_ms, attempt.get("settled_at_ms", write.at_ms))
                since_ms = known_ms if since_ms is None else since_ms
            elif attempt["state"] not in {"STARTED", known.get(attempt["number"])}:
                since_ms = None
        if write is last:
            break
    return since_ms


def _could_be_tried(world: _World, after: Stored, provider: str, write: Write) -> bool:
    tried = [attempt for attempt in after["attempts"] if attempt["provider"] == provider]
    return not world.was_off(provider, write.at_ms) and all(
        attempt["state"] == "NOT_SENT" or (attempt["state"] == "REJECTED" and attempt.get("code") in _MAY_PASS_LATER)
        for attempt in tried
    )


# --- operations


def _operation_reasons(world: _World, name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    for operation in payment.operations.values():
        for write, before, after in operation.versions:
            if before is None or after is None or before["status"] == after["status"]:
                continue
            code = after.get("lastError", {}).get("code")
            what = ""
            if after["status"] == "IN_REVIEW":
                if _is_of_another_charge(payment, after, operation.books):
                    continue
                what = _why_operation_review(world, write, before, after, operation.books)
                if code == "reconciliation":
                    what = "" if world.has_difference(payment) else _NO_DIFFERENCE
            elif after["status"] == "FAILED" and before["status"] == "PENDING" and code == "retries_exhausted":
                what = "" if len(after["attempts"]) > _MAX_OPERATION_RETRIES else "was given up too early"
            if what:
                yield Violation("REASONS", name, f"{operation.operation_id} {what}")


def _refused_too_early(name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    """The refusal of a repeated refund takes two complete reads, the second after the provider's visibility lag.

    The first request may be the reason for the refusal, and a read may lack what it did. What the provider has in its
    books as failed needs no such proof; and the state of a charge proves alone that a capture or void was not made.
    """
    for operation in payment.operations.values():
        is_refund = (operation.item or {}).get("kind") == "refund"
        if not is_refund or any(entry["status"] in UNDONE for entry in operation.books):
            continue
        for write, before, after in operation.versions:
            attempts = zip((before or {}).get("attempts", []), (after or {}).get("attempts", []), strict=False)
            if any(_is_believed_early(one, other, write) for one, other in attempts):
                what = f"{operation.operation_id} failed before the refusal of its repetition was proven"
                yield Violation("REASONS", name, what)


def _is_believed_early(one: Stored, other: Stored, write: Write) -> bool:
    proven_ms = refusal_proven_ms(one)
    if proven_ms is None or one["state"] == "DECLINED" or other["state"] != "DECLINED":
        return False
    _, is_first_send, _, reads = one["progress"]["refused_send"].split(" ")
    return is_first_send == "0" and (reads == "0" or write.at_ms + _CLOCKS_MS < proven_ms)


_MAX_OPERATION_RETRIES: Final = 5


def _is_of_another_charge(payment: PaymentEvidence, after: Stored, books: list[dict[str, Any]]) -> bool:
    """The provider has executed it at another charge of the same object, or its answer was about such a one.

    A payer may try twice in one object. A provider that takes the object's key may then void the first try.
    """
    if payment.is_held_twice and after.get("lastError", {}).get("code") == "mismatch":
        return True
    ours = {attempt.get("reference") for attempt in payment.item["attempts"]} if payment.item is not None else set()
    is_said = any(attempt.get("code") == "reference_differs" for attempt in after["attempts"])
    return is_said and bool(books) and all(entry["chargeId"] not in ours for entry in books)


def _why_operation_review(
    world: _World, write: Write, before: Stored, after: Stored, books: list[dict[str, Any]]
) -> str:
    code = after.get("lastError", {}).get("code")
    match code:
        case "outcome_unknown":
            return "" if _is_forgotten(before) else _why_unknown(world, write, before)
        case "mismatch" if any(a.get("code") == "later_attempt_found" for a in after["attempts"]):
            return "" if world.is_restored else "is in review for an attempt that nobody can have forgotten"
        case "mismatch":
            found = [(entry["amount"], entry["currency"]) for entry in books]
            same = (after["amount"], after["currency"])
            taken = any(a.get("code") == "reference_taken" for a in after["attempts"])
            # A capture bears its own charge's reference, which is no sign of another one; and an attempt that a restore
            # forgot may have moved the same amount.
            excused = (taken and after["kind"] == "refund") or _is_forgotten(after)
            return "is in review for a mismatch, and the books have the same" if found == [same] and not excused else ""
        case "late_success":
            return "" if books else "is in review for a late success, and nothing moved"
        case "reversed":
            failed = any(entry["status"] == "failed" for entry in books)
            return "" if failed else "is in review as reversed, and the books have no reversal"
        case "drives_exhausted":
            return "" if before["drives"] >= MAX_WAKE_UPS else f"was given up after {before['drives']} wake-ups"
        case "reconciliation":
            return ""  # of the payment and its operations together
        case _:
            return f"is in review for no reason that the design knows: {code}"
