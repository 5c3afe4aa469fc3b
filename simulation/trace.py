"""A run as a person reads it: one payment's life, line by line."""

from collections.abc import Iterator
from typing import Any, Final

from simulation.checker.evidence import Evidence, PaymentEvidence
from simulation.kernel import EPOCH_MS

_MAX_LINES: Final = 400


def tell(evidence: Evidence, name: str) -> Iterator[str]:
    """What happened to a payment, in order, and how it stands at the end; for "-" the whole run."""
    payment = evidence.payments.get(name)
    lines = sorted(_lines(evidence, payment), key=lambda line: line[0])
    for at_ms, text in lines[:_MAX_LINES]:
        yield f"{_clock(at_ms)}  {text}"
    if len(lines) > _MAX_LINES:
        yield f"... and {len(lines) - _MAX_LINES} more"
    if payment is not None and payment.item is not None:
        yield f"in the end {payment.status}; the books: {payment.charged or 'no charge'}"


def _clock(at_ms: int) -> str:
    seconds, ms = divmod(at_ms - EPOCH_MS, 1000)
    return f"{seconds // 3600:3d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"


def _lines(evidence: Evidence, payment: PaymentEvidence | None) -> Iterator[tuple[int, str]]:
    if payment is None:
        for at_ms, who, did, what in evidence.result.history.steps:
            yield at_ms, f"{who} {did} {what}"
        return
    for call in evidence.result.history.calls:
        if call.merchant == payment.merchant and payment.transaction_id in (
            call.path,
            call.answer.get("transactionId"),
        ):
            shown = call.answer.get("status") or call.answer.get("code")
            yield call.at_ms, f"{call.merchant} {call.method} {call.path} -> {call.status} {shown}"
    for sent in payment.sent:
        yield (
            sent.at_ms,
            f"process {sent.process} reaches {sent.connector}: {sent.method} {sent.path} ({sent.provider_key})",
        )
    for write, before, after in payment.versions:
        yield write.at_ms, f"process {write.process} writes {_difference(before, after)}"
    for entry in payment.charged:
        yield (
            int(entry["at"] * 1000),
            f"{entry['gateway']} CHARGES {entry['amount']} {entry['currency']} ({entry['reference']})",
        )


_QUIET: Final = {"updatedAt", "eventHash", "eventSeq", "dueShard", "readyAt", "lease", "attempts", "drives"}


def _difference(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    if after is None:
        return "the payment away"
    if before is None:
        providers = ", ".join(candidate["provider"] for candidate in after["route"]["candidates"])
        return f"the payment: {after['amount']} {after['currency']}, to {providers}"
    parts = [
        f"{key}={after.get(key)}" for key in sorted({*before, *after} - _QUIET) if before.get(key) != after.get(key)
    ]
    if before["lease"] != after["lease"]:
        parts.append(f"epoch={after['lease']['epoch']} {'held' if after['lease']['owner'] else 'free'}")
    for number, attempt in enumerate(after["attempts"]):
        old = before["attempts"][number] if number < len(before["attempts"]) else None
        if old is None or old["state"] != attempt["state"]:
            change = f"{old['state']} -> " if old else ""
            parts.append(f"attempt {attempt['number']} at {attempt['provider']}: {change}{attempt['state']}")
        elif old != attempt:
            parts.append(f"attempt {attempt['number']}: progress or counters")
    return ", ".join(parts)
