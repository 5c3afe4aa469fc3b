"""Compares the clients' answers, the stored payments and the providers' ledgers; prints the table."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from local.chaos.load import ACCEPTED, NO_ANSWER, Answer, Order

FINAL: Final = frozenset({"SUCCESS", "FAILED", "CANCELLED", "IN_REVIEW"})
RESTING: Final = FINAL | {"AUTHORIZED"}
"""Nothing happens to a held amount until its merchant captures or voids it."""
_UNCHARGED: Final = frozenset({"FAILED", "CANCELLED", "AUTHORIZED"})
_REUSED: Final = 422
_REFERENCE: Final = re.compile(r"pfx-([a-z2-7]{16})-\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A ledger entry that says `charged`."""

    provider: str
    reference: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A payment as the API shows it at the end."""

    transaction_id: str
    status: str
    amount: int
    currency: str
    provider_keys: tuple[str, ...]
    events: tuple[tuple[int, str], ...]
    """Number and `to` of each."""
    chain_whole: bool
    captured: int | None = None
    """Less than the amount after a partial capture; None stands for all of it."""
    asked_on: bool = False
    """The outcome is unknown at a provider that can prove nothing, and the payment is due again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that was broken."""

    rule: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.detail}"


def judge(
    orders: Mapping[str, Order], answers: Sequence[Answer], seen: Sequence[Seen], charges: Sequence[Charge]
) -> list[Violation]:
    """Empty if every promise was kept."""
    return [
        *_answers(orders, answers),
        *_lost(answers, seen),
        *_amounts(orders, answers, seen),
        *_open(seen),
        *_charged(seen, charges),
        *_events_of(seen),
    ]


def _answers(orders: Mapping[str, Order], answers: Sequence[Answer]) -> Iterator[Violation]:
    """One key is one payment for all who ask, and a key of one payment is none of another."""
    owners: dict[str, str] = {}
    for key, same, altered in _by_key(orders, answers):
        for answer in same:
            if answer.status == NO_ANSWER or answer.status >= 500:
                yield Violation(rule="never answered", subject=key, detail=f"last: {answer.status}")
            elif answer.status != ACCEPTED or answer.transaction_id is None:
                yield Violation(rule="a valid request was refused", subject=key, detail=f"{answer.status}")
        ids = {answer.transaction_id for answer in same if answer.transaction_id}
        if len(ids) > 1:
            yield Violation(rule="one key, several payments", subject=key, detail=", ".join(sorted(ids)))
        for transaction_id in ids:
            other = owners.setdefault(transaction_id, key)
            if other != key:
                yield Violation(rule="two keys, one payment", subject=transaction_id, detail=f"{other} and {key}")
        for answer in altered:
            if answer.status != _REUSED:
                yield Violation(rule="another body was not refused", subject=key, detail=f"{answer.status}")


def _by_key(orders: Mapping[str, Order], answers: Sequence[Answer]) -> Iterator[tuple[str, list[Answer], list[Answer]]]:
    grouped: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        grouped[answer.key].append(answer)
    for key in orders:
        yield key, [a for a in grouped[key] if not a.altered], [a for a in grouped[key] if a.altered]


def _lost(answers: Sequence[Answer], seen: Sequence[Seen]) -> Iterator[Violation]:
    known = {payment.transaction_id for payment in seen}
    for answer in answers:
        if answer.status == ACCEPTED and answer.transaction_id not in known:
            yield Violation(rule="accepted and lost", subject=str(answer.transaction_id), detail=f"key {answer.key}")


def _amounts(orders: Mapping[str, Order], answers: Sequence[Answer], seen: Sequence[Seen]) -> Iterator[Violation]:
    keys = {a.transaction_id: a.key for a in answers if a.transaction_id and not a.altered}
    for payment in seen:
        order = orders.get(keys.get(payment.transaction_id, ""))
        if order and (order.amount, order.currency) != (payment.amount, payment.currency):
            detail = f"ordered {order.amount} {order.currency}, stored {payment.amount} {payment.currency}"
            yield Violation(rule="another amount was stored", subject=payment.transaction_id, detail=detail)


def _open(seen: Sequence[Seen]) -> Iterator[Violation]:
    for payment in seen:
        if payment.status not in RESTING and not payment.asked_on:
            yield Violation(rule="stuck", subject=payment.transaction_id, detail=f"still {payment.status}")


def _charged(seen: Sequence[Seen], charges: Sequence[Charge]) -> Iterator[Violation]:
    """By the id inside the reference, so that a charge under a key that was never stored is found too."""
    by_payment: dict[str, list[Charge]] = defaultdict(list)
    for charge in charges:
        match = _REFERENCE.fullmatch(charge.reference)
        by_payment[f"pay_{match[1]}" if match else charge.reference].append(charge)
    for payment in seen:
        taken = by_payment.pop(payment.transaction_id, [])
        yield from _charges_of(payment, taken)
    for subject, taken in by_payment.items():
        yield Violation(rule="a charge without a payment", subject=subject, detail=_described(taken))


def _charges_of(payment: Seen, taken: Sequence[Charge]) -> Iterator[Violation]:
    subject = payment.transaction_id
    if len(taken) > 1:
        yield Violation(rule="double charge", subject=subject, detail=_described(taken))
    if unknown := [charge for charge in taken if charge.reference not in payment.provider_keys]:
        yield Violation(rule="charged under a key that is not stored", subject=subject, detail=_described(unknown))
    if payment.status == "SUCCESS":
        if not taken:
            yield Violation(rule="SUCCESS without a charge", subject=subject, detail="no provider has one")
        elif (taken[0].amount, taken[0].currency) != (expected := _expected(payment), payment.currency):
            detail = f"{_described(taken)}, not {expected} {payment.currency}"
            yield Violation(rule="SUCCESS with another charge", subject=subject, detail=detail)
    elif payment.status in _UNCHARGED and taken:
        yield Violation(rule=f"{payment.status} but charged", subject=subject, detail=_described(taken))
    elif payment.asked_on and taken:
        yield Violation(rule="a charge that no inquiry found", subject=subject, detail=_described(taken))


def _expected(payment: Seen) -> int:
    return payment.amount if payment.captured is None else payment.captured


def _described(charges: Iterable[Charge]) -> str:
    return "; ".join(f"{c.reference} at {c.provider}: {c.amount} {c.currency}" for c in charges)


def _events_of(seen: Sequence[Seen]) -> Iterator[Violation]:
    for payment in seen:
        subject = payment.transaction_id
        numbers = [number for number, _ in payment.events]
        if numbers != list(range(1, len(numbers) + 1)) or not numbers:
            yield Violation(rule="a gap in the events", subject=subject, detail=f"{numbers}")
        elif payment.events[-1][1] != payment.status:
            detail = f"the last says {payment.events[-1][1]}, the payment {payment.status}"
            yield Violation(rule="events and status disagree", subject=subject, detail=detail)
        if not payment.chain_whole:
            yield Violation(
                rule="the audit log's hash chain is broken", subject=subject, detail="verify_trail found it"
            )


def table(
    *,
    statuses: Mapping[int, int],
    orders: Mapping[str, Order],
    held_back: int,
    tally: Mapping[str, int],
    seen: Sequence[Seen],
    charges: Sequence[Charge],
    operations: Mapping[str, int],
    provider_events: Mapping[str, int],
    merchant_events: int,
    deliveries: Mapping[str, int],
    violations: Sequence[Violation],
) -> str:
    """Return the table of the faults, and of their results."""
    by_status = Counter(f"{p.status}, still asked about" if p.asked_on else p.status for p in seen)
    sections: list[tuple[str, int, Mapping[str, int]]] = [
        ("requests", sum(statuses.values()), {_word(status): count for status, count in sorted(statuses.items())}),
        ("orders", len(orders), {"held back, too many in work": held_back} if held_back else {}),
        ("trouble", sum(tally.values()), dict(sorted(tally.items()))),
        ("payments", len(seen), dict(by_status.most_common())),
        ("charges at providers", len(charges), dict(Counter(c.provider for c in charges).most_common())),
        ("operations", _total(operations, "refused"), operations),
        ("provider events", sum(provider_events.values()), dict(sorted(provider_events.items()))),
        ("merchant events", merchant_events, deliveries),
        ("violations", len(violations), dict(Counter(v.rule for v in violations).most_common())),
    ]
    width = max(len(name) for _, _, parts in sections for name in ["charges at providers", *parts]) + 2
    lines = []
    for title, total, parts in sections:
        lines.append(f"{title:<{width + 2}}{total:>6}")
        lines += [f"  {name:<{width}}{count:>6}" for name, count in parts.items()]
    return "\n".join(lines)


def _total(rows: Mapping[str, int], without: str) -> int:
    return sum(count for name, count in rows.items() if without not in name)


def _word(status: int) -> str:
    return "no answer" if status == NO_ANSWER else f"answered {status}"
