"""A change of a payment, or of an operation on it, with its audit event. Pure.

A change is written in one transaction, or not at all.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from payflowx.domain.payments.balances import check_balance, is_off_balance
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.closed_attempts import kept_due
from payflowx.domain.payments.dispute import Dispute
from payflowx.domain.payments.erasure import erase_operation, erase_payment
from payflowx.domain.payments.event_types import external_event_type, merchant_event_type
from payflowx.domain.payments.events import Event, Fact
from payflowx.domain.payments.last_errors import last_error
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.payment import BalanceSource, Payment
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.review_since import review_since_ms
from payflowx.domain.payments.transitions import check_operation_transition, check_payment_transition
from payflowx.domain.shared.statuses import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The inputs of a state change besides the payment. `jitter` lies in [0, 1)."""

    now_ms: int
    actor: str
    policy: RetryPolicy
    holds_lease: bool = False
    """Whether the change is made under the lease of what it changes, which it then ends."""
    able: Capabilities | None = None
    disabled: Set[str] = frozenset()
    jitter: float = 0.0
    evidence: Mapping[str, Fact] = field(default_factory=dict)
    """Further facts for the audit log: the webhook that proved it, or the operator and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent:
    """A provider event that this write applies; it is marked as seen in the same transaction."""

    provider: str
    account_id: str
    event_id: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a payment, or of an operation on it.

    `reference`: the provider's id that attempt `attempt_number` (of the operation, where there is one) will own.
    `wake_in_seconds`: the delay of the wake-up message; None: send none.
    `merchant_event_type`: the type of the event for merchants; None: merchants are not notified.
    """

    before: Payment
    after: Payment
    event: Event
    attempt_number: int | None = None
    reference: str | None = None
    wake_in_seconds: int | None = None
    operation_before: Operation | None = None
    operation_after: Operation | None = None
    dispute: Dispute | None = None
    """The dispute that this change records; the list of open disputes follows it."""
    seen: SeenEvent | None = None
    merchant_event_type: str | None = None
    is_announced: bool = True
    """Whether its merchant event is due for delivery. False where the merchant has no endpoint: it is listed only."""


def change_of(
    before: Payment,
    after: Payment,
    event_type: str,
    facts: Mapping[str, Fact],
    context: Context,
    *,
    operation: tuple[Operation | None, Operation] | None = None,
    announced_as: str | None = None,
) -> Change:
    """Build the change with its event, chained to the previous one.

    `operation`: the operation before and after, where the change is one of an operation. A live lease of the payment
    belongs to its own worker then, and stays. `announced_as`: the type of the merchant event of a change that keeps all
    statuses. Raises `TransitionError` for a status change that the table does not
    allow, and `InvariantError` for a change that breaks the balance.
    """
    check_balance(before, after)
    if is_off_balance(after):
        after = off_balance(after)
    check_payment_transition(before.status, after.status)
    event = Event(
        merchant_id=before.merchant_id,
        transaction_id=before.transaction_id,
        seq=before.event_seq + 1,
        type=event_type,
        status_from=before.status,
        status_to=after.status,
        actor=context.actor,
        at_ms=context.now_ms,
        facts={**facts, **context.evidence},
        previous_hash=before.event_hash,
    )
    event = replace(event, hash=event.compute_hash())
    known, changed = operation or (None, None)
    notified = _notified(before, after, known, changed) or announced_as
    final = replace(
        kept_due(after),
        version=before.version + 1,
        balance_source=_source_after(before),
        lease=before.lease.released()
        if context.holds_lease and changed is None
        else before.lease.after_change_by_another(context.now_ms),
        event_seq=event.seq,
        event_hash=event.hash,
        holds_first_event=False,
        announced=before.announced + (notified is not None),
        updated_at_ms=context.now_ms,
        drives=0 if changed is None else before.drives,
        review_since_ms=review_since_ms(before, after, context.now_ms),
    )
    if before.erased:  # a later answer of a provider may name the payer again
        final, changed = erase_payment(final), erase_operation(changed) if changed else None
    return Change(
        before=before,
        after=final,
        event=event,
        operation_before=known,
        operation_after=changed,
        merchant_event_type=notified,
    )


def amended(change: Change, after: Payment, facts: Mapping[str, Fact]) -> Change:
    """Return the change with another payment after it, and further facts in its event.

    The amounts stay. `after` has the version and the lease of `change.after`. Raises `TransitionError` as `change_of`.
    """
    check_payment_transition(change.before.status, after.status)
    event = replace(change.event, status_to=after.status, facts={**change.event.facts, **facts}, hash="")
    event = replace(event, hash=event.compute_hash())
    notified = change.merchant_event_type
    if after.status is not change.after.status:
        notified = _notified(change.before, after, change.operation_before, change.operation_after)
    final = replace(
        kept_due(after),
        event_hash=event.hash,
        announced=change.before.announced + (notified is not None),
        review_since_ms=review_since_ms(change.before, after, event.at_ms),
    )
    return replace(change, after=final, event=event, merchant_event_type=notified)


def _notified(before: Payment, after: Payment, known: Operation | None, changed: Operation | None) -> str | None:
    """Return the type of the merchant event of new statuses; None if merchants are not notified."""
    statuses = (changed.kind, known.status if known else None, changed.status) if changed else None
    notified = merchant_event_type((before.status, after.status), statuses)
    if notified is None and known is None and changed is not None and changed.origin is Origin.PROVIDER:
        return external_event_type(changed.kind, changed.status)
    return notified


def _source_after(before: Payment) -> BalanceSource:
    return BalanceSource.STORED if before.balance_source is BalanceSource.DERIVED else before.balance_source


def off_balance(payment: Payment) -> Payment:
    """Return the payment in manual review, because an older release left its amounts off balance."""
    if payment.status is PaymentStatus.IN_REVIEW:
        return payment
    error = last_error(payment, ReviewReason.BALANCE.value, None)
    return replace(payment, status=PaymentStatus.IN_REVIEW, last_error=error)


def operation_change(
    payment: Payment,
    paid: Payment,
    before: Operation | None,
    after: Operation,
    context: Context,
    *,
    name: str,
    facts: Mapping[str, Fact],
) -> Change:
    """Build one change of payment and operation with one event."""
    if before is not None:
        check_operation_transition(before.status, after.status)
        after = replace(
            after,
            version=before.version + 1,
            lease=before.lease.released()
            if context.holds_lease
            else before.lease.after_change_by_another(context.now_ms),
            updated_at_ms=context.now_ms,
            drives=0,
        )
    after = replace(kept_due(after), review_since_ms=review_since_ms(before, after, context.now_ms))
    return change_of(payment, paid, f"{after.kind}.{name}", facts, context, operation=(before, after))
