"""A run as a person reads it: one payment's life with its operations, line by line."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from simulation.checker.evidence import Evidence, OperationEvidence, PaymentEvidence
from simulation.history import Call, Commanded, Delivered, PostedWebhook, Sent
from simulation.kernel import EPOCH_MS

_MAX_LINES: Final = 400
Line = tuple[int, str]


def tell(evidence: Evidence, name: str) -> Iterator[str]:
    """The story of a payment, in order, and how it stands at the end; for "-" the whole run."""
    payment = evidence.payments.get(name)
    found = _of_payment(evidence, payment) if payment is not None else _of_run(evidence)
    lines = sorted(found, key=lambda line: line[0])
    for at_ms, text in lines[:_MAX_LINES]:
        yield f"{_clock(at_ms)}  {text}"
    if len(lines) > _MAX_LINES:
        yield f"... and {len(lines) - _MAX_LINES} more"
    if payment is not None and payment.item is not None:
        yield from _ends(payment)


def _clock(at_ms: int) -> str:
    seconds, ms = divmod(at_ms - EPOCH_MS, 1000)
    return f"{seconds // 3600:3d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"


def _ends(payment: PaymentEvidence) -> Iterator[str]:
    yield f"in the end {payment.status}; the books: {payment.charged or 'no charge'}"
    for operation in payment.operations.values():
        item = operation.item or {}
        what = f"{item.get('kind')} of {item.get('amount')}"
        yield f"  {operation.operation_id}, {what}: {operation.status}; the books: {operation.books or 'nothing'}"


def _of_run(evidence: Evidence) -> Iterator[Line]:
    for at_ms, who, did, what in evidence.result.history.steps:
        yield at_ms, f"{who} {did} {what}"


def _of_payment(evidence: Evidence, payment: PaymentEvidence) -> Iterator[Line]:
    history = evidence.result.history
    keys = {sent.provider_key for sent in payment.sent if sent.provider_key}
    yield from (_call(call) for call in history.calls if _is_about(call, payment))
    yield from (_command(command) for command in history.commands if _names(command, payment))
    for write, before, after in payment.versions:
        yield write.at_ms, f"process {write.process} writes {_difference(before, after)}"
    yield from (_sent(sent) for sent in payment.sent)
    for operation in payment.operations.values():
        keys |= {sent.provider_key for sent in operation.sent if sent.provider_key}
        yield from _of_operation(operation)
    names = {name.encode() for name in keys | {str(entry["chargeId"]) for entry in payment.books}}
    yield from (_webhook(w) for w in history.webhooks if any(name in w.body for name in names))
    yield from (_delivery(d) for d in history.deliveries if _told(d, payment))
    yield from (_booked(entry) for entry in payment.books)


def _of_operation(operation: OperationEvidence) -> Iterator[Line]:
    for write, before, after in operation.versions:
        yield write.at_ms, f"process {write.process} writes {operation.operation_id}: {_difference(before, after)}"
    yield from (_sent(sent) for sent in operation.sent)
    yield from (_booked(entry) for entry in operation.books)


# --- one line each


def _is_about(call: Call, payment: PaymentEvidence) -> bool:
    named = payment.transaction_id in call.path or call.answer.get("transactionId") == payment.transaction_id
    return call.merchant == payment.merchant and named


def _call(call: Call) -> Line:
    shown = call.answer.get("status") or call.answer.get("code")
    if isinstance(shown, int):
        shown = call.answer.get("code")
    return call.at_ms, f"{call.merchant} {call.method} {call.path} {call.body or ''} -> {call.status} {shown}"


def _names(command: Commanded, payment: PaymentEvidence) -> bool:
    fields = command.command
    named = fields.get("transactionId") == payment.transaction_id or fields.get("operationId") in payment.operations
    return named and fields.get("merchantId") == payment.merchant


def _command(command: Commanded) -> Line:
    fields = command.command
    answer = "died" if command.answer is None else command.answer.get("error", {}).get("code", "ok")
    evidence = {True: " by the books", False: " against the books", None: ""}[command.is_right]
    return command.at_ms, f"an operator: {fields['command']} {fields.get('verdict', '')}{evidence} -> {answer}"


def _sent(sent: Sent) -> Line:
    request = f"{sent.method} {sent.path} ({sent.provider_key})"
    return sent.at_ms, f"{sent.function or 'process'} {sent.process} reaches {sent.connector}: {request}"


def _webhook(webhook: PostedWebhook) -> Line:
    is_authentic = webhook.signed_by == webhook.address
    origin = "" if is_authentic and webhook.merchant == webhook.address else f", signed by {webhook.signed_by}"
    what = f"{webhook.provider} posts {webhook.type} to {webhook.address}{origin} -> {webhook.status}"
    return webhook.at_ms, what


def _told(delivered: Delivered, payment: PaymentEvidence) -> bool:
    return payment.transaction_id.removeprefix("pay_") in delivered.headers.get("webhook-id", "")


def _delivery(delivered: Delivered) -> Line:
    return delivered.at_ms, f"{delivered.url} is told {delivered.body.get('type')} -> {delivered.status}"


def _booked(entry: Mapping[str, Any]) -> Line:
    did = {"charge": "CHARGES", "capture": "CAPTURES", "void": "VOIDS", "refund": "REFUNDS"}[entry["kind"]]
    if entry["kind"] == "charge" and entry["status"] != "charged":
        did = f"books as {entry['status']}"
    return int(
        entry["at"] * 1000
    ), f"{entry['provider']} {did} {entry['amount']} {entry['currency']} ({entry['status']})"


_QUIET: Final = {"updatedAt", "eventHash", "eventSeq", "dueShard", "readyAt", "lease", "attempts", "drives"}


def _difference(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    if after is None:
        return "the item away"
    if before is None:
        return _created(after)
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


def _created(item: Mapping[str, Any]) -> str:
    if "route" not in item:
        return f"a {item['kind']} of {item['amount']} {item['currency']}"
    providers = ", ".join(candidate["provider"] for candidate in item["route"]["candidates"])
    return f"the payment: {item['amount']} {item['currency']}, to {providers}"
