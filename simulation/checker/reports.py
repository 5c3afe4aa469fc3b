"""REPORTS: what a provider's report says otherwise than the ledger is found by the reconciliation that reads it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulation.checker.evidence import (
    Evidence,
    OperationEvidence,
    PaymentEvidence,
    Stored,
    Violation,
    alive_between,
    stored_at,
)
from simulation.history import Entry, ReportChange, Source, Write
from simulation.world import TRANSACTIONS
from testing.dynamodb.values import plain_item

_RUN: Final = "Q#"
_FINDING: Final = "FINDING#"
_OTHER_AMOUNT: Final = "other amount"


def false_amounts_are_found(evidence: Evidence) -> Iterator[Violation]:
    """A line with another amount than a charge has, on a page that was counted, is among its run's findings, and its
    payment is in review where the finding says so.

    A page whose reader died is read again, and may tell the truth then. A line of a refund names its charge, too,
    and is not about that. A payment that nobody has operated on is meant: of others a report may list a part that was
    captured.
    """
    found = {item["reference"]: item.get("remedy") for _, item in _kept_findings(evidence)}
    charges = {
        (payment.merchant, attempt["provider"], attempt["reference"]): payment
        for payment in evidence.payments.values()
        for attempt in (payment.item or {}).get("attempts", [])
        if attempt.get("reference")
    }
    for change in evidence.result.history.report_changes:
        is_meant = change.change == _OTHER_AMOUNT and not _is_refund(change.line)
        run = _counting_run(change, evidence) if is_meant else None
        for reference in _texts(change.line) if run is not None else ():
            payment = charges.get((change.merchant, change.provider, reference))
            if run is None or payment is None or not _is_plainly_charged(payment, change, run):
                continue
            if reference not in found:
                what = f"{reference} was listed with another amount, and no reconciliation found it"
                yield Violation("REPORTS", payment.name, what)
            elif found[reference] == "review" and not _was_in_review(payment, change.at_ms, run["updated_at_ms"]):
                what = f"{reference} was listed with another amount, and no review began"
                yield Violation("REPORTS", payment.name, what)


def false_refunds_are_reviewed(evidence: Evidence) -> Iterator[Violation]:
    """A line with another amount than a refund has, on a page that was counted, is among its run's findings, and a
    person decides: the refund or its payment is in review, whatever the finding says.

    The amount that a person named may be the listed one. A refund that the run itself has found and booked is its
    finding already.
    """
    found = {item["reference"] for _, item in _kept_findings(evidence)}
    refunds = {
        (payment.merchant, name): (payment, operation)
        for payment in evidence.payments.values()
        for operation in payment.operations.values()
        if operation.item is not None and operation.item["kind"] == "refund" and not _is_named_by_person(operation)
        for attempt in operation.item["attempts"]
        for name in _names(attempt)
    }
    for change in evidence.result.history.report_changes:
        texts = set(_texts(change.line)) if change.change == _OTHER_AMOUNT else set[str]()
        named = [refunds[change.merchant, text] for text in sorted(texts) if (change.merchant, text) in refunds]
        run = _counting_run(change, evidence) if named else None
        for payment, operation in named[:1]:
            if run is None:
                continue
            stored = stored_at(operation.versions, run["created_at_ms"], before=True)
            if stored is None or stored["status"] != "SUCCEEDED" or not _is_in_range(stored["attempts"][-1], run):
                continue
            if not found & texts:
                what = f"{operation.operation_id} was listed with another amount, and no reconciliation found it"
                yield Violation("REPORTS", payment.name, what)
            elif not _is_in_review(payment, operation, change.at_ms, run["updated_at_ms"]):
                what = f"{operation.operation_id} was listed with another amount, and nobody reviews it"
                yield Violation("REPORTS", payment.name, what)


def refunds_made_there_are_known(evidence: Evidence) -> Iterator[Violation]:
    """A refund without a key of ours, of a charge that was known when a run began that lists it, is a finding of that
    run or was booked before; and in the end it is an operation, or a person was asked.

    A provider that answered the run, or the reads that follow its finding, from a time before the refund has not listed
    it: the next run finds it. What a person named as kept of the charge may count it.
    """
    history, asked = evidence.result.history, set(_decided_by_amount(evidence))
    forgets_ms = [strike.at_ms for strike in history.strikes if strike.kind == "gateway_forgets"]
    left_out = {text for change in history.report_changes if change.change == "omitted" for text in _texts(change.line)}
    found = {(key, name) for key, item in _kept_findings(evidence) for name in _names(item)}
    made = {entry.operation_id: entry for entry in history.entries if _is_made_there(entry)}
    for payment in evidence.payments.values():
        booked_ms = {
            name: operation.versions[0][0].at_ms
            for operation in payment.operations.values()
            if operation.item is not None
            for attempt in operation.item["attempts"]
            for name in _names(attempt)
        }
        lines = [*payment.books, *(line for operation in payment.operations.values() for line in operation.books)]
        for line in lines:
            entry = made.get(str(line.get("operationId")))
            if entry is None or line["kind"] != "refund" or line["status"] != "done" or payment.name in asked:
                continue
            for key, run in _runs(evidence).items():
                if entry.operation_id in left_out or not _must_list(run, entry, payment):
                    continue
                if any(run["created_at_ms"] <= at_ms <= run["updated_at_ms"] for at_ms in forgets_ms):
                    continue
                at_ms = booked_ms.get(entry.operation_id)
                is_known = at_ms is not None and at_ms <= run["updated_at_ms"]
                if not is_known and (key, entry.operation_id) not in found:
                    what = f"{entry.operation_id} was refunded at {entry.provider}, and {key} did not find it"
                    yield Violation("REPORTS", payment.name, what)
                elif at_ms is None and not (
                    _was_in_review(payment, run["created_at_ms"], evidence.result.ended_ms)
                    or any(run["created_at_ms"] <= at_ms for at_ms in forgets_ms)
                ):
                    what = f"{entry.operation_id} was refunded at {entry.provider}, and nobody knows it"
                    yield Violation("REPORTS", payment.name, what)


def _is_refund(line: Mapping[str, Any]) -> bool:
    """Whether a line of Cashfree, Razorpay or Stripe lists a refund."""
    return "refund" in {str(line.get(name)).lower() for name in ("event_type", "entity", "reporting_category")}


_LISTS_REFUNDS: Final = frozenset({"stripe", "razorpay", "cashfree"})


def _is_made_there(entry: Entry) -> bool:
    is_listed = entry.kind == "refund" and entry.provider in _LISTS_REFUNDS
    return is_listed and entry.source is Source.DASHBOARD


def _must_list(run: Stored, entry: Entry, payment: PaymentEvidence) -> bool:
    """Whether the run ended, has the refund in its range, and began when it was old enough, and its charge stored."""
    stored = stored_at(payment.versions, run["created_at_ms"], before=True)
    charges = [a for a in (stored or {}).get("attempts", ()) if a.get("reference") == entry.charge_id]
    is_known = bool(charges) and charges[0]["state"] == "SUCCEEDED"
    made_ms = max(entry.at_ms, entry.pending_until_ms)
    is_old = made_ms + run["lag_ms"] + _CLOCKS_MS < run["created_at_ms"]
    in_range = run["from_ms"] <= entry.at_ms and made_ms < run["until_ms"]
    of_account = (run["merchant_id"], run["provider"]) == (payment.merchant, entry.provider)
    is_whole = run.get("phase") == "done" and run["source"] == "list"
    return is_known and is_old and in_range and of_account and is_whole


def _names(attempt: Stored) -> Iterator[str]:
    """The names by which a report may list a refund: the provider's of it, and ours, or another merchant's people's."""
    yield from (attempt[fact] for fact in ("reference", "provider_key") if attempt.get(fact))


def _is_named_by_person(operation: OperationEvidence) -> bool:
    item = operation.item or {"amount": 0}
    return item.get("bookedAmount", 0) not in {0, item["amount"]}


def _decided_by_amount(evidence: Evidence) -> Iterator[str]:
    """The payments whose reviews a person has closed with an amount."""
    for command in evidence.result.history.commands:
        fields = command.command
        if fields["command"] == "close_review" and fields.get("verdict") == "charged" and "amount" in fields:
            yield f"{fields['transactionId']}@{fields['merchantId']}"


def _is_in_review(payment: PaymentEvidence, operation: OperationEvidence, from_ms: int, until_ms: int) -> bool:
    stored = alive_between(operation.versions, from_ms - _CLOCKS_MS, until_ms + _REVIEWED_WITHIN_MS)
    reviewed = any(version["status"] == "IN_REVIEW" for version in stored)
    return reviewed or _was_in_review(payment, from_ms, until_ms)


def _kept_findings(evidence: Evidence) -> Iterator[tuple[str, Stored]]:
    """The findings with the partitions of their runs."""
    for (table, (partition, sort)), item in evidence.result.items.items():
        if table == TRANSACTIONS and partition.startswith(_RUN) and sort.startswith(_FINDING):
            yield partition, plain_item(item)


def unlisted_charges_are_found(evidence: Evidence) -> Iterator[Violation]:
    """A charge that no report of its provider listed is among the findings of each run whose range it is in.

    Meant are runs that ended, and charges that were older than the provider's lag when the run began.
    """
    items = evidence.result.items
    listed = {key[0].rpartition("#")[2] for (table, key) in items if table == TRANSACTIONS and key[0].startswith("S#")}
    found = {(key[0], item["reference"]["S"]) for (_, key), item in items.items() if key[1].startswith(_FINDING)}
    for (table, key), item in items.items():
        run = plain_item(item) if table == TRANSACTIONS and key[0].startswith(_RUN) and key[1] == "RUN" else None
        if run is None or run.get("phase") != "done" or run["source"] != "list":
            continue
        for payment in evidence.payments.values():
            charge = _charge_of(payment, run)
            if charge is not None and charge["reference"] not in listed | {r for k, r in found if k == key[0]}:
                what = f"{charge['reference']} was on no list of {run['provider']}, and no reconciliation found that"
                yield Violation("REPORTS", payment.name, what)


def _charge_of(payment: PaymentEvidence, run: Stored) -> Stored | None:
    """The payment's charge, if the run must find it in the report."""
    stored = stored_at(payment.versions, run["created_at_ms"], before=True)
    if payment.merchant != run["merchant_id"] or stored is None or stored.get("chargedAttempt") is None:
        return None
    charge: Stored = stored["attempts"][stored["chargedAttempt"] - 1]
    if (charge["provider"], charge["account_id"]) != (run["provider"], run["account_id"]) or "reference" not in charge:
        return None
    settled_ms = charge.get("settled_at_ms", 0)
    is_old = settled_ms + run["lag_ms"] + _CLOCKS_MS < min(run["created_at_ms"], run["listed_until_ms"])
    begun_ms = charge["started_at_ms"]
    in_range = run["from_ms"] <= settled_ms < run["until_ms"] and run["listed_from_ms"] <= begun_ms
    return charge if is_old and in_range and charge["state"] == "SUCCEEDED" else None


def differences_are_true(evidence: Evidence) -> Iterator[Violation]:
    """A line that tells the truth about a charge that was known when the run began, and that nothing followed, is no
    difference. Each run that an operator asked for has the range that was asked for.

    A run that a provider answered from a time before the charge has not seen the line.
    """
    history, runs = evidence.result.history, _runs(evidence)
    forgets_ms = [strike.at_ms for strike in history.strikes if strike.kind == "gateway_forgets"]
    changed = {text for change in history.report_changes for text in _texts(change.line)}
    touched = changed | {entry.charge_id for entry in history.entries if entry.kind != "charge"}
    charges = {
        (payment.merchant, str(line["chargeId"])): payment
        for payment in evidence.payments.values()
        for line in payment.charged
        if len(payment.charged) == 1 and not payment.operations and line["chargeId"] not in touched
    }
    for (table, key), item in evidence.result.items.items():
        if table != TRANSACTIONS or key[0] not in runs or not key[1].startswith(_FINDING):
            continue
        run, reference = runs[key[0]], item["reference"]["S"]
        payment = charges.get((run["merchant_id"], reference))
        is_unseen = item["verdict"]["S"] == "missing_there" and any(
            run["created_at_ms"] <= at_ms <= run["updated_at_ms"] for at_ms in forgets_ms
        )
        if payment is not None and not is_unseen and _was_known(payment, run):
            yield Violation("REPORTS", payment.name, f"{reference} is a difference ({item['verdict']['S']})")
    asked = {(run["merchant_id"], run["provider"], run["from_ms"], run["until_ms"]) for run in runs.values()}
    for command in history.commands if evidence.result.forgotten is None else ():
        fields = command.command
        if fields["command"] != "reconcile" or not command.ok:
            continue
        if (fields["merchantId"], fields["provider"], fields["fromMs"], fields["untilMs"]) not in asked:
            what = f"{fields['provider']} was to be reconciled from {fields['fromMs']} to {fields['untilMs']}"
            yield Violation("REPORTS", fields["merchantId"], what)


def _was_in_review(payment: PaymentEvidence, from_ms: int, until_ms: int) -> bool:
    stored = alive_between(payment.versions, from_ms - _CLOCKS_MS, until_ms + _CLOCKS_MS)
    return any(version["status"] == "IN_REVIEW" for version in stored)


def _runs(evidence: Evidence) -> Mapping[str, Stored]:
    return {
        key[0]: plain_item(item)
        for (table, key), item in evidence.result.items.items()
        if table == TRANSACTIONS and key[0].startswith(_RUN) and key[1] == "RUN"
    }


def _was_known(payment: PaymentEvidence, run: Stored) -> bool:
    """Whether the payment was charged, with the amount of the books, from before the run on."""
    stored = stored_at(payment.versions, run["created_at_ms"], before=True)
    item, line = payment.item or {}, payment.charged[0]
    same = (line["amount"], line["currency"]) == (item.get("amount"), item.get("currency"))
    always = all(after is None or after["status"] != "IN_REVIEW" for _, _, after in payment.versions)
    return same and always and stored is not None and stored["status"] == "SUCCESS"


_CLOCKS_MS: Final = 7_000
_REVIEWED_WITHIN_MS: Final = 3_600_000
"""A review that meets another change of the payment begins with the next try of its message."""


def _counting_run(change: ReportChange, evidence: Evidence) -> Stored | None:
    """The account's run whose next position the process stored that read the page; None if it died before.

    A process may have messages of several runs, and die in one of them.
    """
    history = evidence.result.history
    asked = (s for s in reversed(history.sent) if (s.connector, s.merchant) == (change.provider, change.merchant))
    reader = next((sent.process for sent in asked if sent.at_ms <= change.at_ms), None)
    written = (w for w in history.writes if w.process == reader and w.at_ms > change.at_ms and _counts_a_page(w))
    runs = (plain_item(write.after or {}) for write in written)
    account = (change.provider, change.merchant)
    return next(
        (run for run in runs if (run.get("provider", account[0]), run.get("merchant_id", account[1])) == account), None
    )


def _counts_a_page(write: Write) -> bool:
    if not write.key[0].startswith(_RUN) or write.before is None or write.after is None:
        return False
    return bool(plain_item(write.after).get("pages", 0) > plain_item(write.before).get("pages", 0))


def _is_plainly_charged(payment: PaymentEvidence, change: ReportChange, run: Stored) -> bool:
    """Whether the run's range has the charge, with the payment's whole amount, and nothing followed it."""
    stored = stored_at(payment.versions, change.at_ms, before=True)
    if stored is None or stored["status"] != "SUCCESS" or payment.operations:
        return False
    charge = stored["attempts"][-1]
    is_whole = stored.get("capture", "automatic") == "automatic" and charge["state"] == "SUCCEEDED"
    return is_whole and _is_in_range(charge, run)


def _is_in_range(attempt: Stored, run: Stored) -> bool:
    """Whether it began and ended in the run's range; a list has more lines than those, which are other runs'."""
    settled_ms = attempt.get("settled_at_ms", attempt["started_at_ms"])
    return bool(run["from_ms"] <= attempt["started_at_ms"] and settled_ms < run["until_ms"])


def _texts(line: Any) -> Iterator[str]:
    match line:
        case dict():
            for value in line.values():
                yield from _texts(value)
        case list():
            for value in line:
                yield from _texts(value)
        case _:
            yield str(line)
