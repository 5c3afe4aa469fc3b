"""I1, I3, I18 and the balance: stored amounts and statuses against each other and against the providers' books."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any, Final

from simulation.checker.evidence import (
    PAYMENT,
    UNDONE,
    Evidence,
    OperationEvidence,
    PaymentEvidence,
    Stored,
    Transaction,
    Violation,
)

RESERVED: Final = "reserved"
BOOKED: Final = "booked"
GIVEN_BACK: Final = "given_back"

_HELD_OF: Final = {"PENDING": RESERVED, "SUCCEEDED": BOOKED, "FAILED": GIVEN_BACK}
"""The place of an operation's amount outside of a review."""
_NO_EFFECT: Final = {"DECLINED", "NOT_SENT", "REJECTED", "FENCED"}
_UNSETTLED: Final = {"PENDING", "IN_REVIEW"}
_CLOCKS_MS: Final = 7_000
_RECHECKED_MS: Final = 20 * 3_600_000
"""Inquiries about a refund that succeeded end after most of a day."""


# --- I1: the books


def i1_one_charge(evidence: Evidence) -> Iterator[Violation]:
    """A payment is charged once, an operation moves money once, and no more moves than was held or taken."""
    for name, payment in evidence.payments.items():
        if len(_objects(payment)) > 1:
            books = [(entry["gateway"], entry["reference"], entry["chargeId"]) for entry in payment.charged]
            yield Violation("I1", name, f"charged {len(books)} times: {books}")
        for operation in payment.operations.values():
            if len(operation.executed) > 1:
                books = [(entry["gateway"], entry["reference"], entry["amount"]) for entry in operation.executed]
                yield Violation("I1", name, f"{operation.operation_id} moved money {len(books)} times: {books}")
        yield from _more_than_there_was(name, payment)


def _objects(payment: PaymentEvidence) -> set[str] | list[str]:
    """Where it was charged. A payer may pay twice inside one hosted object; elsewhere each charge counts."""
    places = [str(entry["reference"]) for entry in payment.charged]
    return set(places) if payment.is_checkout else places


def _more_than_there_was(name: str, payment: PaymentEvidence) -> Iterator[Violation]:
    moved: Counter[tuple[str, str]] = Counter()
    for entry in _moved(payment):
        if entry["kind"] != "capture" or _is_our_capture(payment, entry):
            moved[entry["chargeId"], entry["kind"]] += entry["amount"]
    for charge in payment.charged:
        refunded = moved[charge["chargeId"], "refund"]
        if refunded > charge["amount"]:
            yield Violation("I1", name, f"{refunded} of {charge['amount']} were refunded in the books")
        if payment.item is not None and moved[charge["chargeId"], "capture"] > payment.item["amount"]:
            yield Violation("I1", name, "more was captured than was authorized")


def _is_our_capture(payment: PaymentEvidence, entry: Mapping[str, Any]) -> bool:
    """Nobody made it at the provider, and it is not that of a payment which a restore has forgotten.

    The key of a forgotten payment may come again with another amount.
    """
    is_forgotten = payment.item is not None and entry["at"] * 1_000 < payment.item["createdAt"] - _CLOCKS_MS
    return entry.get("source") != "dashboard" and not is_forgotten


def _moved(payment: PaymentEvidence) -> Iterator[dict[str, Any]]:
    """All entries of the books about this payment that moved money: charges, operations, and what others did."""
    yield from (entry for entry in payment.books if entry["kind"] == "charge" or entry["status"] not in UNDONE)
    for operation in payment.operations.values():
        yield from operation.executed


# --- I3: statuses and amounts are what the books say


def i3_status_is_truth(evidence: Evidence) -> Iterator[Violation]:
    """SUCCESS exactly with one charge, FAILED and CANCELLED with none; refunds as the books have them.

    A payment about which an operator decided against the books is as the operator said. Nothing is charged that went
    back as a whole. Where a person named what was kept of a charge, that is captured, and nothing is left to capture.
    Of a charge that a person found under the key of a forgotten attempt, that one alone is known.
    """
    misjudged, unread = set(misjudged_payments(evidence)), _unread_accounts(evidence)
    returned = _Returned(evidence)
    for name, payment in evidence.payments.items():
        item = payment.item
        if item is None or payment.name in misjudged:
            continue
        if payment.status == "SUCCESS":
            extras = [(extra["amount"], extra["currency"]) for extra in item.get("extraCharges", [])]
            wanted = [(item["captured"], item["currency"]), *extras]
            found = [
                (entry["amount"] - returned.before_a_person_named(payment, entry), entry["currency"])
                for entry in payment.charged
            ]
            is_known_in_part = payment.is_under_another_key and wanted[0] in found
            if sorted(found) != sorted(wanted) and not is_known_in_part and not _is_read_once_more(item):
                yield Violation("I3", name, f"is SUCCESS, but the books say {found} instead of {wanted}")
            if item["capturable"]:
                yield Violation("I3", name, f"is SUCCESS, and {item['capturable']} can still be captured")
            yield from _refunds(name, payment, item)
        elif payment.status in {"FAILED", "CANCELLED"} and any(e["refunded"] < e["amount"] for e in payment.charged):
            yield Violation("I3", name, f"is {payment.status} and was charged at {payment.charged[0]['gateway']}")
        for operation in payment.operations.values():
            yield from _operation(name, operation, evidence.result.ended_ms, unread)


def i3_not_before_its_time(evidence: Evidence) -> Iterator[Violation]:
    """No capture, void or refund is stored as made while its provider has only taken it on."""
    misjudged = set(misjudged_payments(evidence))
    pending = {
        (entry.merchant, entry.provider, entry.operation_id): entry.pending_until_ms
        for entry in evidence.result.history.entries
        if entry.pending_until_ms
    }
    for name, payment in evidence.payments.items():
        for operation in payment.operations.values() if name not in misjudged else ():
            lines = [(line["merchant"], line["provider"], line.get("operationId", "")) for line in operation.books]
            made_ms = min((pending.get(line, 0) for line in lines), default=0)
            for write, _, after in operation.versions:
                if after is not None and after["status"] == "SUCCEEDED" and write.at_ms < made_ms:
                    yield Violation("I3", name, f"{operation.operation_id} is SUCCEEDED, and was pending then")
                    break


class _Returned:
    """The refunds in the providers' books, by merchant and charge."""

    def __init__(self, evidence: Evidence) -> None:
        self.named_ms: dict[tuple[str, str], list[int]] = {}
        """When people sent the closings that name an amount, by merchant and payment."""
        for command in evidence.result.history.commands:
            fields = command.command
            if fields["command"] == "close_review" and "amount" in fields:
                place = (fields["merchantId"], fields["transactionId"])
                self.named_ms.setdefault(place, []).append(command.at_ms)
        self.refunds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for line in evidence.result.ledger:
            if line.get("kind") == "refund" and _is_refund(line):
                self.refunds.setdefault((line["merchant"], line["chargeId"]), []).append(line)

    def before_a_person_named(self, payment: PaymentEvidence, charge: Mapping[str, Any]) -> int:
        """The sum of what was given back, and stayed so, before a person named what was kept: it is no operation.

        PayU does not say when it refunded. What a list of it shows later stands beside what was named.
        """
        attempts = payment.item["attempts"] if payment.item else []
        named = [a for a in attempts if a.get("reference") == charge["chargeId"] and _named_at_ms(a)]
        if not named:
            return 0
        is_told = charge["provider"] != "payu"
        stored_ms = _named_at_ms(named[0])
        asked_ms = self.named_ms.get((payment.merchant, payment.transaction_id), [])
        until_ms = max((at_ms for at_ms in asked_ms if at_ms <= stored_ms + _CLOCKS_MS), default=stored_ms)
        booked = {line["operationId"] for o in payment.operations.values() for line in o.books if is_told}
        return sum(
            line["amount"]
            for line in self.refunds.get((payment.merchant, charge["chargeId"]), ())
            if line["at"] * 1000 <= until_ms < line.get("reversedAt", inf) * 1000 and line["operationId"] not in booked
        )


def _named_at_ms(attempt: Mapping[str, Any]) -> int:
    """By the clock of the function that stored it; 0 where nobody named an amount."""
    return int(attempt.get("progress", {}).get("amount_named_at", "0"))


def _is_read_once_more(item: Stored) -> bool:
    """A paid object whose last read is still to come may hold charges that nobody knows yet."""
    return "checkout" in item and bool(item.get("eventInquiries", {}).get("waiting"))


def misjudged_payments(evidence: Evidence) -> Iterator[str]:
    """The payments about which, or about whose operations, an operator decided against the books."""
    owners = {o: name for name, payment in evidence.payments.items() for o in payment.operations}
    for command in evidence.result.history.commands:
        if command.is_right is False:
            fields = command.command
            yield owners.get(str(fields.get("operationId")), f"{fields.get('transactionId')}@{fields['merchantId']}")


def _refunds(name: str, payment: PaymentEvidence, item: Stored) -> Iterator[Violation]:
    """At rest, with nothing open or in review, the refunds on the payment are ours, and at most those of others."""
    operations = payment.operations.values()
    if any(operation.status in _UNSETTLED for operation in operations):
        return
    ours = sum(entry["amount"] for o in operations for entry in o.books if _is_refund(entry) and o.status != "FAILED")
    others = sum(entry["amount"] for entry in payment.books if _is_refund(entry))
    refunded = item.get("refunded", 0)
    if not ours <= refunded <= ours + others:
        yield Violation("I3", name, f"says that {refunded} were refunded, the books say {ours}, and {others} by others")


def _is_refund(entry: Mapping[str, Any]) -> bool:
    """A refund that was made; one that the bank returned later was made all the same."""
    return entry["kind"] == "refund" and (entry["status"] == "done" or bool(entry.get("reversed")))


def _unread_accounts(evidence: Evidence) -> frozenset[str]:
    """Accounts that were removed for as long as a closed refund is inquired about, as "provider@merchant".

    A provider that answered nobody for as long is in it too, as "provider".
    """
    silent = [s for s in evidence.result.history.strikes if s.kind in {"account_removed", "gateway_outage"}]
    return frozenset(strike.about for strike in silent if strike.until_ms - strike.at_ms >= _RECHECKED_MS)


def _operation(name: str, operation: OperationEvidence, ended_ms: int, unread: frozenset[str]) -> Iterator[Violation]:
    item = operation.item
    if item is None or item["kind"] != "refund":
        return  # a capture or void is the state of its charge
    if operation.status == "SUCCEEDED":
        found = [(entry["amount"], entry["currency"]) for entry in operation.books if _is_refund(entry)]
        if found != [(item.get("bookedAmount", item["amount"]), item["currency"])]:
            what = f"{operation.operation_id} is SUCCEEDED, but the books say {found}"
            yield Violation("I3", name, what)
        came_back = [entry for entry in operation.books if entry.get("reversed")]
        was_readable = not any(
            unread & {entry["provider"], f"{entry['provider']}@{entry['merchant']}"} for entry in came_back
        )
        if came_back and was_readable and item.get("dueAt", 0) < ended_ms:
            yield Violation("I3", name, f"{operation.operation_id} is SUCCEEDED, came back, and is not read any more")
    elif operation.status == "FAILED" and (moved := _before_its_end(operation)):
        yield Violation("I3", name, f"{operation.operation_id} is FAILED and moved money: {moved[0]}")


def _before_its_end(operation: OperationEvidence) -> list[Mapping[str, Any]]:
    """The entries of what arrived before the operation failed.

    A request that the network holds for longer than the provider's documented lag arrives after the two complete reads
    that ended its operation. Nothing here can know of it; the provider's event and its report tell. docs/proof.md says
    so.
    """
    failed = (write.at_ms for write, _, after in operation.versions if after and after["status"] == "FAILED")
    end_ms = next(failed, inf)
    return [entry for entry in operation.executed if entry["at"] * 1000 <= end_ms]


# --- I18 and the balance of each stored version


def i18_balance(evidence: Evidence) -> Iterator[Violation]:
    """In every stored version captured + excess = refundable + refunded + reserved, and none of them is below zero."""
    for name, payment in evidence.payments.items():
        seen: Counter[str] = Counter()
        for what in _Balance(payment).faults():
            seen[what] += 1
            if seen[what] == 1:
                yield Violation("I18", name, what)


class _Balance:
    """Follows a payment and its operations from one write to the next."""

    def __init__(self, payment: PaymentEvidence) -> None:
        self.evidence = payment
        self.payment: Stored | None = None
        self.operations: dict[str, Stored] = {}
        self.held: dict[str, str] = {}

    def faults(self) -> Iterator[str]:
        """All that is wrong, version by version."""
        for transaction in self.evidence.transactions:
            yield from self._follow(transaction)
            if self.payment is not None and (self.operations or PAYMENT in transaction.changed):
                yield from self._amounts(self.payment)

    def _follow(self, transaction: Transaction) -> Iterator[str]:
        for sort, (_, after) in transaction.changed.items():
            if sort == PAYMENT:
                self.payment = after
            elif after is not None:
                operation_id = after["operationId"]
                known = self.operations.get(operation_id)
                held = after.get("held") or self._derived(known, after)
                if held != _HELD_OF.get(after["status"], held):
                    yield f"{operation_id} is {after['status']} and its amount is {held}"
                if known is not None and held != self.held[operation_id]:
                    yield from self._moved(operation_id, held, after)
                self.operations[operation_id], self.held[operation_id] = after, held

    def _derived(self, before: Stored | None, after: Stored) -> str:
        """The rest of the amount, where it is not stored: from the status, or as it was before a review."""
        if after["status"] != "IN_REVIEW":
            return {"PENDING": RESERVED, "SUCCEEDED": BOOKED, "FAILED": GIVEN_BACK}[after["status"]]
        if before is None:
            return RESERVED
        succeeded = [a["state"] for a in after["attempts"]].count("SUCCEEDED")
        if before["status"] == "FAILED" and succeeded > [a["state"] for a in before["attempts"]].count("SUCCEEDED"):
            return BOOKED  # executed after all: the ledger follows the provider
        return self.held[after["operationId"]]

    @staticmethod
    def _moved(operation_id: str, held: str, after: Stored) -> Iterator[str]:
        """An amount is given back only when every attempt of its operation is proven without effect."""
        states = [attempt["state"] for attempt in after["attempts"]]
        is_open = after["status"] == "FAILED" or (after["status"] == "IN_REVIEW" and after["kind"] == "refund")
        if held == GIVEN_BACK and set(states) - _NO_EFFECT and is_open:
            last = after.get("lastError", {}).get("code")
            if last != "not_moved":
                yield f"{operation_id} was given back while its attempts are {states}"

    def _amounts(self, payment: Stored) -> Iterator[str]:
        captured, excess = payment.get("captured", 0), payment.get("excess", 0)
        refundable, refunded = payment["refundable"], payment.get("refunded", 0)
        refunds = [o for o in self.operations.values() if o["kind"] == "refund"]
        reserved = sum(o["amount"] for o in refunds if self.held[o["operationId"]] == RESERVED)
        if captured + excess != refundable + refunded + reserved:
            yield (
                f"is off balance: captured {captured} + excess {excess} is not "
                f"refundable {refundable} + refunded {refunded} + reserved {reserved}"
            )
        if min(captured, excess, refundable, refunded, reserved, payment["capturable"]) < 0:
            yield f"has an amount below zero: {captured}, {excess}, {refundable}, {refunded}, {payment['capturable']}"
        if excess and refundable:
            yield f"has an excess of {excess} although {refundable} are free to cover it"
        if captured > payment["amount"]:
            yield f"captured {captured} of {payment['amount']}"
        if payment.get("balanceVersion") == payment["version"] and payment.get("reserved", 0) != reserved:
            yield f"says that {payment.get('reserved', 0)} are reserved; its operations reserve {reserved}"
        if (
            excess
            and payment["status"] != "IN_REVIEW"
            and not any(o["status"] == "IN_REVIEW" for o in self.operations.values())
        ):
            yield f"has an excess of {excess} and nobody reviews it"
        yield from self._authorization(payment)

    def _authorization(self, payment: Stored) -> Iterator[str]:
        """Held money is free for one capture or void, or reserved by it; and only one of them is open."""
        settling = [o for o in self.operations.values() if o["kind"] != "refund"]
        open_ids = [o["operationId"] for o in settling if o["status"] == "PENDING"]
        if len(open_ids) > 1:
            yield f"several captures or voids are open: {sorted(open_ids)}"
        if payment["status"] != "AUTHORIZED":
            return
        reserved = sum(o["amount"] for o in settling if self.held[o["operationId"]] == RESERVED)
        if payment["capturable"] + reserved != payment["amount"]:
            yield (
                f"holds {payment['amount']}, but {payment['capturable']} can be captured and {reserved} are reserved"
            )
