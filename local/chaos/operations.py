"""Judges captures, voids and refunds: the answers to them, their payments' amounts, and the providers' ledgers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.chaos.load import ACCEPTED, NO_ANSWER, OperationAnswer
from local.chaos.result import Seen, Violation

_REFUSED: Final = frozenset({409, 422})
_REUSED: Final = 422
_AGREED: Final = frozenset({"SUCCESS", "AUTHORIZED", "CANCELLED"})
"""Statuses in which the payment's amounts are claimed to be those of the provider."""
_MOVED: Final = frozenset({"done", "pending"})
_KINDS: Final = frozenset({"capture", "void", "refund"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A capture, void or refund as the API shows it at the end."""

    operation_id: str
    kind: str
    status: str
    amount: int
    provider_keys: tuple[str, ...] = ()
    asked_on: bool = False
    """The outcome is unknown, and an inquiry is planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The amounts of the stored item, in the currency's minor unit."""

    captured: int = 0
    excess: int = 0
    refundable: int = 0
    refunded: int = 0
    reserved: int = 0

    @property
    def difference(self) -> int:
        """0 in every item that is right."""
        return self.captured + self.excess - self.refundable - self.refunded - self.reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A payment with its operations and amounts."""

    seen: Seen
    balance: Balance
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A capture, void or refund in a provider's ledger. `charge` is the reference of its charge: our provider key."""

    kind: str
    reference: str
    charge: str
    amount: int
    has_moved: bool


def entries_in(ledger: Sequence[Mapping[str, Any]]) -> list[LedgerEntry]:
    """From the ledgers' entries."""
    charges = {(e["provider"], e["chargeId"]): e["reference"] for e in ledger if e.get("kind") not in _KINDS}
    return [
        LedgerEntry(
            kind=entry["kind"],
            reference=entry["reference"],
            charge=charges.get((entry["provider"], entry["chargeId"]), ""),
            amount=entry["amount"],
            has_moved=entry["status"] in _MOVED,
        )
        for entry in ledger
        if entry.get("kind") in _KINDS
    ]


def judge_operations(
    answers: Sequence[OperationAnswer], accounts: Sequence[Account], entries: Sequence[LedgerEntry]
) -> list[Violation]:
    """Empty if every promise was kept."""
    return [*_answers(answers, accounts), *_balances(accounts), *_stuck(accounts), *_booked(accounts, entries)]


# -- answers


def _answers(answers: Sequence[OperationAnswer], accounts: Sequence[Account]) -> Iterator[Violation]:
    known = {operation.operation_id: operation for account in accounts for operation in account.operations}
    by_key: dict[str, list[OperationAnswer]] = defaultdict(list)
    for answer in answers:
        by_key[answer.key].append(answer)
    for key, given in by_key.items():
        same = [answer for answer in given if not answer.altered]
        for answer in same:
            yield from _answer(answer, known)
        if len({answer.operation_id for answer in same if answer.operation_id}) > 1:
            yield Violation(rule="one key, several operations", subject=same[0].transaction_id, detail=key)
        is_accepted = any(answer.status == ACCEPTED for answer in same)
        for answer in given:
            if answer.altered and is_accepted and answer.status != _REUSED:
                detail = f"{key} was answered {answer.status}"
                yield Violation(
                    rule="another body of an operation was not refused", subject=answer.transaction_id, detail=detail
                )


def _answer(answer: OperationAnswer, known: Mapping[str, Operation]) -> Iterator[Violation]:
    subject, detail = answer.transaction_id, f"{answer.kind} {answer.key}: {answer.status}"
    if answer.status == NO_ANSWER or answer.status >= 500:
        yield Violation(rule="an operation was never answered", subject=subject, detail=detail)
    elif answer.status != ACCEPTED:
        if answer.status not in _REFUSED:
            yield Violation(rule="a valid operation was refused", subject=subject, detail=detail)
    elif answer.is_too_much:
        yield Violation(rule="more was accepted than was paid", subject=subject, detail=detail)
    elif (found := known.get(answer.operation_id or "")) is None:
        yield Violation(rule="an operation was accepted and lost", subject=subject, detail=detail)
    elif (found.kind, found.amount) != (answer.kind, answer.amount):
        detail = f"asked {answer.kind} {answer.amount}, stored {found.kind} {found.amount}"
        yield Violation(rule="another operation was stored", subject=subject, detail=detail)


# -- amounts


def _balances(accounts: Sequence[Account]) -> Iterator[Violation]:
    for account in accounts:
        if account.balance.difference or min(account.balance.refundable, account.balance.reserved) < 0:
            subject = account.seen.transaction_id
            yield Violation(rule="amounts off balance", subject=subject, detail=f"{account.balance}")
        if not any(operation.status in {"PENDING", "IN_REVIEW"} for operation in account.operations):
            yield from _sums(account)


def _sums(account: Account) -> Iterator[Violation]:
    """Nothing is open: what is booked is the sum of what succeeded, and nothing is reserved."""
    subject, balance = account.seen.transaction_id, account.balance
    refunded = _sum(account, "refund")
    if account.seen.status in _AGREED and balance.refunded != refunded:
        detail = f"{balance.refunded}, but the refunds that succeeded are {refunded}"
        yield Violation(rule="refunded is not the sum of the refunds", subject=subject, detail=detail)
    captures = _sum(account, "capture")
    if account.seen.status == "SUCCESS" and captures and balance.captured != captures:
        detail = f"{balance.captured}, but the capture that succeeded is {captures}"
        yield Violation(rule="captured is not the capture", subject=subject, detail=detail)
    if account.seen.status in _AGREED and balance.reserved:
        yield Violation(rule="reserved for nothing", subject=subject, detail=f"{balance.reserved}")


def _sum(account: Account, kind: str) -> int:
    return sum(o.amount for o in account.operations if o.kind == kind and o.status == "SUCCEEDED")


def _stuck(accounts: Sequence[Account]) -> Iterator[Violation]:
    for account in accounts:
        for operation in account.operations:
            if operation.status == "PENDING" and not operation.asked_on:
                detail = f"{operation.kind} {operation.operation_id} is PENDING and not due"
                yield Violation(rule="an operation is stuck", subject=account.seen.transaction_id, detail=detail)


# -- ledgers


def _booked(accounts: Sequence[Account], entries: Sequence[LedgerEntry]) -> Iterator[Violation]:
    """Money moved at the provider exactly as operations succeeded here: the same kinds and amounts, each as often.

    An operation that is still asked about or in review may have moved or not.
    """
    by_charge: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        if entry.has_moved:
            by_charge[entry.charge].append(entry)
    for account in accounts:
        moved = Counter((m.kind, m.amount) for key in account.seen.provider_keys for m in by_charge.pop(key, []))
        succeeded = _counted(account, "SUCCEEDED")
        undecided = _counted(account, "PENDING", "IN_REVIEW")
        subject = account.seen.transaction_id
        if extra := moved - succeeded - undecided:
            yield Violation(rule="money moved that no operation booked", subject=subject, detail=_words(extra))
        if missing := succeeded - moved:
            yield Violation(rule="an operation succeeded that no ledger has", subject=subject, detail=_words(missing))
    for charge, found in by_charge.items():
        detail = _words(Counter((entry.kind, entry.amount) for entry in found))
        yield Violation(rule="money moved on an unknown charge", subject=charge, detail=detail)


def _counted(account: Account, *statuses: str) -> Counter[tuple[str, int]]:
    return Counter((o.kind, o.amount) for o in account.operations if o.status in statuses)


def _words(counted: Counter[tuple[str, int]]) -> str:
    return ", ".join(f"{count} x {kind} {amount}" for (kind, amount), count in sorted(counted.items()))


def operation_rows(accounts: Sequence[Account], answers: Sequence[OperationAnswer]) -> dict[str, int]:
    """The table's rows: each kind by its status, then the requests that were refused."""
    rows = Counter(
        f"{operation.kind} {operation.status}{', still asked about' if operation.asked_on else ''}"
        for account in accounts
        for operation in account.operations
    )
    refused = Counter(f"requests refused with {a.status}" for a in answers if a.status in _REFUSED)
    return dict(sorted(rows.items())) | dict(sorted(refused.items()))
