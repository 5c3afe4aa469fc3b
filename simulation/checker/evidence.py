"""What a run left behind, put in order by payment. Nothing here comes from the code under test."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulation.history import Call, Sent, Write
from simulation.world import TRANSACTIONS, Result
from testing.dynamodb.values import plain_item

_PARTITION: Final = re.compile(r"M#([a-z0-9_-]+)#P#(pay_[a-z2-7]{16})")


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold, for which payment, and how that shows."""

    invariant: str
    payment: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.payment}: {self.what}"


@dataclass(slots=True)
class PaymentEvidence:
    """All about one payment. `versions` are the stored states in order, as plain values, with their writers."""

    merchant: str
    transaction_id: str
    item: dict[str, Any] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    versions: list[tuple[Write, dict[str, Any] | None, dict[str, Any] | None]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    charged: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        """As stored."""
        return self.item["status"] if self.item else "MISSING"


@dataclass(slots=True)
class Evidence:
    """A run, by payment."""

    result: Result
    payments: dict[str, PaymentEvidence]
    accepted: Sequence[Call]
    created: Mapping[tuple[str, str], Sequence[Call]]
    """All POST /payments of a merchant with a key, in the order in which they were made."""


def gather(result: Result) -> Evidence:
    """Read the run once."""
    payments: dict[str, PaymentEvidence] = {}

    def of(partition: str) -> PaymentEvidence | None:
        match = _PARTITION.fullmatch(partition)
        if match is None:
            return None
        return payments.setdefault(match[2] + "@" + match[1], PaymentEvidence(match[1], match[2]))

    for (table, (partition, sort)), item in result.items.items():
        payment = of(partition) if table == TRANSACTIONS else None
        if payment is None:
            continue
        if sort == "PAYMENT":
            payment.item = plain_item(item)
        elif sort.startswith("EVENT#"):
            payment.events.append(plain_item(item))
    for payment in payments.values():
        payment.events.sort(key=lambda event: str(event["sk"]))
    _add_versions(result, of)
    _add_providers(result, payments)
    created: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in result.history.calls:
        if call.method == "POST" and call.path == "/payments" and call.key is not None:
            created[call.merchant, call.key].append(call)
    accepted = [call for calls in created.values() for call in calls if call.status == 202]
    return Evidence(result=result, payments=payments, accepted=accepted, created=created)


def _add_versions(result: Result, of: Any) -> None:
    decoded: dict[int, Any] = {}  # the history keeps all versions alive, so that an identity stays one
    for write in result.history.writes:
        payment = of(write.key[0]) if write.table == TRANSACTIONS and write.key[1] == "PAYMENT" else None
        if payment is None:
            continue
        known = payment.versions[-1][2] if payment.versions else None
        before = known if known is not None else (plain_item(write.before, decoded) if write.before else None)
        after = plain_item(write.after, decoded) if write.after else None
        payment.versions.append((write, before, after))


def _add_providers(result: Result, payments: Mapping[str, PaymentEvidence]) -> None:
    by_key = {payment.transaction_id[4:]: payment for payment in payments.values()}
    for sent in result.history.sent:
        owner = by_key.get(sent.provider_key[4:20]) if sent.provider_key else None
        if owner is not None:
            owner.sent.append(sent)
    for entry in result.ledger:
        owner = by_key.get(str(entry["reference"])[4:20])
        if owner is not None and entry["status"] == "charged":
            owner.charged.append(entry)
