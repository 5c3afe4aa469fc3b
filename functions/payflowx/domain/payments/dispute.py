"""Disputes: a payer asked the bank to return a charge. Pure.

PayFlowX records them and warns of their deadlines. The payment's amounts do not change, and evidence is submitted in
the provider's dashboard.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from payflowx.domain.payments.event_types import DISPUTE_PREFIX
from payflowx.domain.payments.events import Fact
from payflowx.domain.shared.limits import DAY_MS, MAX_AMOUNT
from payflowx.domain.shared.money import CURRENCY_EXPONENTS

MAX_DISPUTES: Final = 8
"""The most disputes of one payment that are recorded: an item has a size."""
MAX_UNSIGNED_DISPUTES: Final = 4
"""The most of them that only unsigned reports opened: those of anyone leave room for those of a provider."""


class DisputeLeftOut(StrEnum):
    """Why a report that says something new is not recorded. A person has to know: a dispute has a deadline."""

    TOO_MANY = "too_many"
    """The payment has as many disputes as are recorded of one."""
    LONG_LOG = "long_log"
    """The payment's audit log is too long for what anyone may have sent."""


class DisputeState(StrEnum):
    """The state of a dispute, in the order in which it advances."""

    OPEN = "OPEN"
    """The merchant can submit evidence, at the provider."""
    UNDER_REVIEW = "UNDER_REVIEW"
    WON = "WON"
    """The merchant keeps the money."""
    LOST = "LOST"
    """The payer got the money back."""
    CLOSED = "CLOSED"
    """It ended without a decision, such as an inquiry that became no chargeback."""


_TIMES_MS: Final = range(1, 130 * 365 * DAY_MS)
"""From 1970 to 2099. Any other time is one in another unit, or none: it could hide later reports."""
_RANK: Final = {state: rank for rank, state in enumerate(DisputeState)}
ENDED_STATES: Final = frozenset({DisputeState.WON, DisputeState.LOST, DisputeState.CLOSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeReport:
    """The provider's webhook about a dispute. `reported_at_ms`: its time there, which puts reports in order.

    `is_signed` False: the webhook carries no signature, so anyone who knows its address may have sent it.
    """

    reference: str
    state: DisputeState
    amount: int
    currency: str
    reason: str
    reported_at_ms: int
    evidence_due_at_ms: int | None = None
    is_signed: bool = True

    def __post_init__(self) -> None:
        """Raises ValueError for what no dispute has, and what could not be shown with the payment."""
        if not 0 <= self.amount <= MAX_AMOUNT or self.currency not in CURRENCY_EXPONENTS:
            raise ValueError("a dispute without an amount")
        if self.reported_at_ms not in _TIMES_MS:
            raise ValueError("a report without a time")


def deadline_ms(at_ms: int) -> int | None:
    """Return the time, or None for one that cannot be a deadline: the dispute is recorded without it."""
    return at_ms if at_ms in _TIMES_MS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """One dispute of a charge, as the provider reported it last."""

    provider: str
    reference: str
    state: DisputeState
    amount: int
    currency: str
    reason: str
    opened_at_ms: int
    reported_at_ms: int
    evidence_due_at_ms: int | None = None
    due_reported_at_ms: int | None = None
    """The provider's time of the report that named the deadline; None with a deadline: that of the last report."""
    is_signed: bool = True

    @property
    def awaits_evidence(self) -> bool:
        return self.state is DisputeState.OPEN and self.evidence_due_at_ms is not None


def with_report(
    disputes: Sequence[Dispute], provider: str, report: DisputeReport
) -> tuple[tuple[Dispute, ...], Dispute] | None:
    """Return all disputes with the report applied, and the one that it is about; None if the report says nothing new.

    Webhooks arrive in any order and repeatedly, and every order ends with the same dispute: it is as the newest report
    says, began with the oldest, and has the deadline of the newest that names one. A further dispute beyond its bound
    changes nothing. What unsigned reports say ends with the first signed one.
    """
    known = next((d for d in disputes if (d.provider, d.reference) == (provider, report.reference)), None)
    if known is None:
        if not has_room(disputes, report):
            return None
        opened = _dispute(provider, report)
        return (*disputes, opened), opened
    later = _with_report(known, report)
    if later == known:
        return None
    return tuple(later if d is known else d for d in disputes), later


def _with_report(known: Dispute, report: DisputeReport) -> Dispute:
    said = _dispute(known.provider, report)
    if known.is_signed is not said.is_signed:
        return known if known.is_signed else said
    last = said if _is_newer(known, said) else known
    named = max((d for d in (known, said) if d.evidence_due_at_ms is not None), key=_order_of_deadline, default=last)
    return replace(
        last,
        opened_at_ms=min(known.opened_at_ms, said.opened_at_ms),
        evidence_due_at_ms=named.evidence_due_at_ms,
        due_reported_at_ms=named.due_reported_at_ms,
    )


def has_room(disputes: Sequence[Dispute], report: DisputeReport) -> bool:
    """Return whether one more dispute of a payment can be recorded."""
    unsigned = sum(not dispute.is_signed for dispute in disputes)
    return len(disputes) < MAX_DISPUTES and (report.is_signed or unsigned < MAX_UNSIGNED_DISPUTES)


def _is_newer(known: Dispute, said: Dispute) -> bool:
    """At one time the further state counts, then the greater amount. An erased dispute has no reason to compare."""
    if _order(said) != _order(known):
        return _order(said) > _order(known)
    return known.reason != "" and said.reason > known.reason


def _order(dispute: Dispute) -> tuple[int, int, int, str]:
    return dispute.reported_at_ms, _RANK[dispute.state], dispute.amount, dispute.currency


def _order_of_deadline(dispute: Dispute) -> tuple[int, int]:
    """Of two reports of the same time, the earlier deadline counts."""
    return dispute.due_reported_at_ms or dispute.reported_at_ms, -(dispute.evidence_due_at_ms or 0)


def _dispute(provider: str, report: DisputeReport) -> Dispute:
    return Dispute(
        provider=provider,
        reference=report.reference,
        state=report.state,
        amount=report.amount,
        currency=report.currency,
        reason=report.reason,
        opened_at_ms=report.reported_at_ms,
        reported_at_ms=report.reported_at_ms,
        evidence_due_at_ms=report.evidence_due_at_ms,
        due_reported_at_ms=report.reported_at_ms if report.evidence_due_at_ms is not None else None,
        is_signed=report.is_signed,
    )


def dispute_event_type(before: Dispute | None, after: Dispute) -> str:
    """Return the type of the merchant event: the first report opens the dispute, unless it tells of its end.

    An end is told once: providers report it again, such as when they return the money. A dispute that goes on after its
    end, such as an inquiry that became a chargeback, is opened again: people have turned away from it.
    """
    if after.state in ENDED_STATES and (before is None or before.state is not after.state):
        return f"{DISPUTE_PREFIX}{after.state.lower()}"
    is_opened = before is None or (before.state in ENDED_STATES and after.state not in ENDED_STATES)
    return f"{DISPUTE_PREFIX}{'opened' if is_opened else 'updated'}"


def dispute_facts(dispute: Dispute) -> Mapping[str, Fact]:
    """Return the facts of the audit log's event. No free text of the provider."""
    facts: dict[str, Fact | None] = {
        "provider": dispute.provider,
        "disputeReference": dispute.reference,
        "disputeState": dispute.state.value,
        "disputeAmount": dispute.amount,
        "disputeCurrency": dispute.currency,
        "evidenceDueAtMs": dispute.evidence_due_at_ms,
        "isSigned": dispute.is_signed,
    }
    return {name: value for name, value in facts.items() if value is not None}
