"""REPORTS: what a provider's report says otherwise than the ledger is found by the reconciliation that reads it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulation.checker.evidence import Evidence, PaymentEvidence, Stored, Violation, stored_at
from simulation.history import ReportChange, Write
from simulation.world import TRANSACTIONS
from testing.dynamodb.values import plain_item

_RUN: Final = "Q#"
_FINDING: Final = "FINDING#"
_OTHER_AMOUNT: Final = "other amount"


def false_amounts_are_found(evidence: Evidence) -> Iterator[Violation]:
    """A line with another amount than a charge has, on a page that was counted, is among its run's findings.

    A page whose reader died is read again, and may tell the truth then. A payment that nobody has operated on is meant:
    of others a report may list a part that was captured.
    """
    found = {item["reference"]["S"] for item in _findings(evidence)}
    charges = {
        (payment.merchant, attempt["provider"], attempt["reference"]): payment
        for payment in evidence.payments.values()
        for attempt in (payment.item or {}).get("attempts", [])
        if attempt.get("reference")
    }
    for change in evidence.result.history.report_changes:
        run = _counting_run(change, evidence) if change.change == _OTHER_AMOUNT else None
        for reference in _texts(change.line) if run is not None else ():
            payment = charges.get((change.merchant, change.provider, reference))
            if run is None or payment is None or not _is_plainly_charged(payment, change, run):
                continue
            if reference not in found:
                what = f"{reference} was listed with another amount, and no reconciliation found it"
                yield Violation("REPORTS", payment.name, what)


def _findings(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    for (table, (partition, sort)), item in evidence.result.items.items():
        if table == TRANSACTIONS and partition.startswith(_RUN) and sort.startswith(_FINDING):
            yield item


def _counting_run(change: ReportChange, evidence: Evidence) -> Stored | None:
    """The run whose next position the process stored that read the page; None if it died before."""
    history = evidence.result.history
    asked = (s for s in reversed(history.sent) if (s.connector, s.merchant) == (change.provider, change.merchant))
    reader = next((sent.process for sent in asked if sent.at_ms <= change.at_ms), None)
    written = (w for w in history.writes if w.process == reader and w.at_ms > change.at_ms and _counts_a_page(w))
    return next((plain_item(write.after or {}) for write in written), None)


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
    charged_ms = charge.get("settled_at_ms", charge["started_at_ms"])
    return is_whole and bool(run["from_ms"] <= charge["started_at_ms"] and charged_ms < run["until_ms"])


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
