"""Payments, captures, voids and refunds after the tables were restored to an earlier time. Pure.

The restored tables have forgotten what happened between that time and the stop of the deployment. A request may have
left in that time under a key that looks unused now. So nothing is sent and nothing ends before the providers were asked
for every key that may have been used, and an attempt that may have been forgotten is resolved like one that was sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from payflowx.domain.payments.attempt import SEARCH_FOLLOWS, SENT_BEFORE_RESTORE, Attempt
from payflowx.domain.payments.change import Change, Context, change_of
from payflowx.domain.payments.event_types import PAYMENT_RESTORED
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.payment import Candidate, Payment
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.shared.limits import EARLY_GRACE_MS, MAX_ATTEMPTS
from payflowx.domain.shared.statuses import AttemptState, OperationStatus, PaymentStatus

LATER_ATTEMPT_FOUND: Final = "later_attempt_found"
"""The mismatch of an attempt after which the provider knows another one that is not stored: a person decides."""
_UNFINISHED: Final = frozenset({PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInQuestion:
    """A key that may have been used in the forgotten time, and the provider's account at which."""

    number: int
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The providers' answers about all keys in question.

    `found`: the first key that a provider knows. `proven`: every provider that knows none proves by that that it got
    none. `complete`: all of them answered.
    """

    found: KeyInQuestion | None = None
    proven: bool = True
    complete: bool = True


def needs_search(owner: Payment | Operation, window: RestoreWindow | None) -> bool:
    """Return whether the providers must be asked before anything is sent for it, and before it ends.

    An open attempt is resolved first, if they were asked once already.
    """
    if window is None or not window.concerns(owner.created_at_ms) or owner.due_at_ms is None:
        return False
    if any(attempt.is_open and attempt.is_followed_by_search for attempt in owner.attempts):
        return False
    if owner.searched_at_ms is not None and owner.searched_at_ms >= window.recorded_at_ms:
        return False
    if isinstance(owner, Operation):
        return owner.status is OperationStatus.PENDING and owner.origin is Origin.MERCHANT
    return owner.status in _UNFINISHED and owner.charged_attempt is None


def is_to_search(item: WorkItem, window: RestoreWindow | None, now_ms: int) -> bool:
    """Return whether this is the item's next step now. A live lease, and a payer who has not chosen yet, come first."""
    owner = item.owner
    if not needs_search(owner, window) or owner.lease.is_live(now_ms):
        return False
    if item.operation is None and _waits_for_payer(item.payment, now_ms):
        return False
    return now_ms + EARLY_GRACE_MS >= owner.ready_at_ms


def _waits_for_payer(payment: Payment, now_ms: int) -> bool:
    """Return whether a checkout sends nothing and does not end yet."""
    checkout = payment.checkout
    if checkout is None or payment.cancel_requested or any(attempt.is_open for attempt in payment.attempts):
        return False
    return checkout.choice_for(len(payment.attempts) + 1) is None and now_ms < checkout.expires_at_ms


def is_routed_anew(payment: Payment, window: RestoreWindow) -> bool:
    """Return whether the payment's route may not be the one that was used: it was accepted after the forgotten time.

    Its key may have been accepted before, when other accounts and providers were available.
    """
    return payment.created_at_ms > window.restored_to_ms


def keys_in_question(item: WorkItem, candidates: Sequence[Candidate], *, max_retries: int) -> Sequence[KeyInQuestion]:
    """Return the keys that may have been used, of attempts that are not stored or that are stored as not sent.

    `candidates`: where the item may have been sent. An attempt that left no trace at its provider may have been
    followed by one at any other of them.
    """
    owner = item.owner
    last = MAX_ATTEMPTS
    if item.operation is None:
        # Each that a provider answered, and of those that were not sent at most one at each provider.
        last = min(MAX_ATTEMPTS, len(owner.attempts) + max_retries + 1 + len(candidates))
    unsent = [
        KeyInQuestion(number=a.number, candidate=Candidate(provider=a.provider, account_id=a.account_id))
        for a in _unsent(owner)
    ]
    forgotten = [
        KeyInQuestion(number=number, candidate=candidate)
        for number in range(len(owner.attempts) + 1, last + 1)
        for candidate in candidates
    ]
    return (*unsent, *forgotten)


def _unsent(owner: Payment | Operation) -> Sequence[Attempt]:
    return [attempt for attempt in owner.attempts if attempt.state is AttemptState.NOT_SENT]


def may_send_after(item: WorkItem, window: RestoreWindow, search: Search) -> bool:
    """Return whether a complete search without a find lets ordinary work go on.

    An order that looks free may be held by a payment that was forgotten: then a payment that says *once* is not sent.
    """
    order = item.payment.order if item.operation is None else None
    has_request_left = len(item.owner.attempts) < MAX_ATTEMPTS or bool(_unsent(item.owner))
    is_order_unsure = order is not None and order.once and not window.orders_known and has_request_left
    return search.complete and search.found is None and search.proven and not is_order_unsure


def forgotten_attempt(item: WorkItem, search: Search) -> tuple[int, Candidate]:
    """Return number and candidate of the attempt that stands for what was forgotten: a found one, or the likeliest.

    A find beyond the next number has the next number all the same, and the find's provider: only a person can tell
    what became of those between. Where no attempt may follow, it is the last one that is stored as not sent.
    """
    following = len(item.owner.attempts) + 1
    if search.found is not None:
        return min(search.found.number, following), search.found.candidate
    if following > MAX_ATTEMPTS:
        last = _unsent(item.owner)[-1]
        return last.number, Candidate(provider=last.provider, account_id=last.account_id)
    if item.operation is not None:
        charge = item.payment.attempt(item.operation.charge_attempt)
        return following, Candidate(provider=charge.provider, account_id=charge.account_id)
    tried = {attempt.provider for attempt in item.payment.attempts}
    untried = (candidate for candidate in item.payment.route.candidates if candidate.provider not in tried)
    return following, next(untried, item.payment.route.candidates[0])


def searched(owner: Payment | Operation, window: RestoreWindow, now_ms: int, *, is_proven: bool) -> Payment | Operation:
    """Return the item after a search that found nothing new: open attempts are never sent again.

    All others may be if the search proved that nothing was forgotten. If not, another search follows the open attempt.
    """
    attempts = tuple(
        sent_before(attempt, window, search_follows=not is_proven) if attempt.is_open else attempt
        for attempt in owner.attempts
    )
    return replace(
        owner,
        attempts=attempts,
        searched_at_ms=max(now_ms, window.recorded_at_ms) if is_proven else owner.searched_at_ms,
        version=owner.version + 1,
        lease=owner.lease.after_change_by_another(now_ms),
    )


def postponed(owner: Payment | Operation, until_ms: int, now_ms: int) -> Payment | Operation:
    """Return the item whose search is repeated then, because a provider did not answer."""
    return replace(
        owner,
        ready_at_ms=until_ms,
        due_at_ms=until_ms,
        drives=0,
        version=owner.version + 1,
        lease=owner.lease.after_change_by_another(now_ms),
    )


def sent_before(attempt: Attempt, window: RestoreWindow, *, search_follows: bool = False) -> Attempt:
    """Return the attempt as one whose request may have left in the forgotten time, or before it."""
    marks = {SENT_BEFORE_RESTORE: str(window.restored_to_ms)} | ({SEARCH_FOLLOWS: "true"} if search_follows else {})
    return replace(attempt, progress={**attempt.progress, **marks})


def raise_numbers(
    payment: Payment, window: RestoreWindow, context: Context, *, used_seq: int, used_number: int
) -> Change:
    """Raise the numbers of the payment's events above those that were used in the forgotten time.

    `used_seq` and `used_number` are the last ones of audit log and merchant events that may have been used. Receivers
    tell events apart by them: a number that came twice would hide the second event.
    """
    known = replace(
        payment,
        event_seq=max(payment.event_seq, used_seq),
        announced=max(payment.announced, used_number),
    )
    facts = {
        "afterSeq": payment.event_seq,
        "restoredToMs": window.restored_to_ms,
        "stoppedAtMs": window.stopped_at_ms,
    }
    change = change_of(known, known, PAYMENT_RESTORED, facts, context)
    return replace(change, before=payment)
