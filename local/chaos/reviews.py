"""Judges the reviews: each has a reason, which is a difference at the provider or a fault of its own token."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from local.chaos.load import Answer, Order
from local.chaos.operations import Account, LedgerEntry, Operation
from local.chaos.result import Charge, Violation

_FAULTS: Final = frozenset({"tok_wrong_amount"})
"""Tokens whose charge has another amount, which no ledger shows as charged while it is only held."""
_REVIEW: Final = "IN_REVIEW"


def judge_reviews(
    orders: Mapping[str, Order],
    answers: Sequence[Answer],
    accounts: Sequence[Account],
    charges: Sequence[Charge],
    entries: Sequence[LedgerEntry],
) -> list[Violation]:
    """Empty if each review has its reason."""
    tokens = {a.transaction_id: orders[a.key].token for a in answers if a.transaction_id and a.key in orders}
    return [violation for account in accounts for violation in _of(account, tokens, charges, entries)]


def _of(
    account: Account, tokens: Mapping[str, str], charges: Sequence[Charge], entries: Sequence[LedgerEntry]
) -> Iterator[Violation]:
    subject = account.seen.transaction_id
    mine = [entry for entry in entries if entry.charge in account.seen.provider_keys]
    reviewed = [operation for operation in account.operations if operation.status == _REVIEW]
    for operation in reviewed:
        if not _differs(operation, mine):
            detail = f"{operation.kind} {operation.operation_id} is in review, and the ledger has it as it is stored"
            yield Violation(rule="a review without a reason", subject=subject, detail=detail)
    is_faulty = tokens.get(subject, "").partition("@")[0] in _FAULTS
    has_reason = bool(reviewed) or is_faulty or _is_charged_otherwise(account, charges)
    if account.seen.status == _REVIEW and not has_reason:
        detail = "the payment is in review, and the ledger has no difference"
        yield Violation(rule="a review without a reason", subject=subject, detail=detail)


def _differs(operation: Operation, entries: Sequence[LedgerEntry]) -> bool:
    """Whether the provider moved another amount, moved nothing in the end, or moved it twice.

    A capture or void may stand under its charge's key.
    """
    by_key: dict[bool, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        if entry.kind == operation.kind:
            by_key[entry.reference in operation.provider_keys].append(entry)
    found = by_key[True] or (by_key[False] if operation.kind != "refund" else [])
    return len(found) > 1 or any(entry.amount != operation.amount or not entry.has_moved for entry in found)


def _is_charged_otherwise(account: Account, charges: Sequence[Charge]) -> bool:
    seen = account.seen
    amount = seen.amount if seen.captured is None else seen.captured or seen.amount
    taken = [charge for charge in charges if charge.reference in seen.provider_keys]
    return len(taken) > 1 or any((charge.amount, charge.currency) != (amount, seen.currency) for charge in taken)
