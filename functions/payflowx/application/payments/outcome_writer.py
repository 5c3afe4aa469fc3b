"""Storage of an attempt's outcome while the payment or operation may change concurrently."""

from dataclasses import dataclass, replace
from typing import Final

from payflowx.application.orders.keep_order import KeepOrder, Kept
from payflowx.application.payments.event_publisher import publish
from payflowx.application.payments.status_metrics import count_change
from payflowx.application.payments.work_items import Conflict, StoredItem, WorkItems
from payflowx.domain.orders.freeing import frees_order
from payflowx.domain.outbound_webhooks.ports import Deliveries, EndpointPresence
from payflowx.domain.payments import attempt_engine
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.attempt_records import learned
from payflowx.domain.payments.change import Change, Context, SeenEvent, change_of
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import Mismatch, Outcome, Rejected
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import AlreadySeen, Job, Jobs, ReferenceTaken, Stored, VersionConflict
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.payments.work_item import WorkItem, id_of
from payflowx.domain.shared.ambient import Telemetry
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import MAX_RECORD_TRIES
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import OperationStatus, PaymentStatus

_REFERENCE_TAKEN: Final = Mismatch(code="reference_taken")

Written = Stored[Payment] | VersionConflict[Payment] | ReferenceTaken | AlreadySeen


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A provider's outcome. `exhausted`: no automatic step is left if it changes no state."""

    outcome: Outcome
    first_send: bool
    exhausted: bool = False
    reads_refunds: bool = False
    """The provider lists refunds of the charge that we did not request: they must be recorded."""
    misconfigured: bool = False
    """The provider refused because of the account's settings, which is told although reads must prove the refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeWriter:
    """Commits observations under the lease of the worker that made them."""

    items: WorkItems
    keep_order: KeepOrder
    jobs: Jobs
    deliveries: Deliveries
    presence: EndpointPresence
    telemetry: Telemetry

    def record(self, item: WorkItem, number: int, observation: Observation, context: Context) -> None:
        """Retry until stored, a limited number of times; stop silently when a newer worker has taken over.

        Raises `StorageUnavailableError` when it could not be stored: the attempt stays open and is resolved later.
        """
        lease_owner = item.owner.lease.owner
        for _ in range(MAX_RECORD_TRIES):
            result = self._write(item, number, observation, context)
            if isinstance(result, Stored):
                if observation.reads_refunds:
                    self.send_refund_read(item.owner)
                return
            if isinstance(result, ReferenceTaken):
                observation = replace(observation, outcome=_REFERENCE_TAKEN, exhausted=False)
            found = self._reread(item, result)
            if found is None or found.owner.lease.owner != lease_owner:
                self.telemetry.warn("a newer worker took over", **_ids(item.owner))
                return
            item = found
        raise StorageUnavailableError("the outcome could not be stored; the attempt will be resolved later")

    def commit(self, change: Change) -> Payment | None:
        """Write a change without a provider's outcome; None after a version conflict."""
        result = self.apply(change)
        return result.item if isinstance(result, Stored) else None

    def prove(
        self, item: WorkItem, number: int, outcome: Outcome, context: Context, seen: SeenEvent | None = None
    ) -> Written | None:
        """Write a verified proof that no lease protects; None if it changes nothing.

        A proof whose reference another attempt owns is a mismatch, as it is for a worker.
        """
        result: Written | None = None
        for proof in (outcome, _REFERENCE_TAKEN):
            change = _change(item, item.owner.attempt(number), proof, context)
            if change is None:
                return None
            result = self.apply(replace(change, seen=seen))
            if not isinstance(result, ReferenceTaken):
                return result
        return result

    def apply(self, change: Change) -> Written:
        """Write a change; once it is stored, publish its event and send its wake-up."""
        change = self._announced(change)
        if change.after.order is not None:
            return self.followed(self.keep_order.commit(change))
        result = self.items.payments.commit(change)
        if isinstance(result, Stored):
            self._follow(change, result.item)
        return result

    def _announced(self, change: Change) -> Change:
        """Return the change without a delivery where nobody wants it. The order's part may still add an event."""
        has_event = change.merchant_event_type is not None or change.after.order is not None
        is_announced = not has_event or self.presence.may_have_endpoints(change.after.merchant_id)
        return change if is_announced else replace(change, is_announced=False)

    def followed(self, kept: Kept) -> Written:
        """Log, publish and wake for a stored change of a payment with an order, and for that of the order's holder."""
        if isinstance(kept.written, Stored):
            self._follow(kept.change, kept.written.item)
            if kept.holder_change is not None:
                self._follow(kept.holder_change, kept.holder_change.after)
            if kept.wakes is not None:
                after = kept.change.after
                self._send(Job(merchant_id=after.merchant_id, transaction_id=kept.wakes), after, 0)
        return kept.written

    def _follow(self, change: Change, stored: Payment) -> None:
        self._log_change(change)
        count_change(self.telemetry, change)
        publish(change, self.deliveries, self.telemetry)
        self.wake(change.operation_after or stored, change.wake_in_seconds)

    def wake(self, owner: Payment | Operation, in_seconds: int | None) -> None:
        """Send the wake-up message. A lost one only delays the item, which is due anyway."""
        if in_seconds is None:
            return
        owner_id = id_of(owner)
        job = Job(
            merchant_id=owner_id.merchant_id,
            transaction_id=owner_id.transaction_id,
            operation_id=owner_id.operation_id,
        )
        self._send(job, owner, in_seconds)

    def send_refund_read(self, owner: Payment | Operation) -> None:
        """Have a worker read the refunds of the payment's charge. A lost message leaves them to reconciliation."""
        job = Job(merchant_id=owner.merchant_id, transaction_id=owner.transaction_id, read_refunds=True)
        self._send(job, owner, 0)

    def _send(self, job: Job, owner: Payment | Operation, in_seconds: int) -> None:
        try:
            self.jobs.send(job, delay_seconds=in_seconds)
        except StorageUnavailableError:
            self.telemetry.warn("message to a worker not sent", **_ids(owner))

    def _write(
        self, item: WorkItem, number: int, observation: Observation, context: Context
    ) -> Written | StoredItem | Conflict:
        item = self.items.current(item)
        owner = item.owner
        attempt = owner.attempt(number)
        verified = verify_outcome(observation.outcome, owner, attempt, first_send=observation.first_send)
        change = _change(item, attempt, verified, context)
        if change is None and observation.exhausted and attempt.is_open and not _is_in_review(owner):
            change = attempt_engine.review(item, ReviewReason.OUTCOME_UNKNOWN, context)
        result = self.apply(change) if change else self._schedule_inquiry(item, attempt, verified, context)
        if isinstance(result, Stored) and _is_misconfigured(observation):
            self.telemetry.count(Metric.PROVIDER_MISCONFIGURED)
        return result

    def _schedule_inquiry(
        self, item: WorkItem, attempt: Attempt, verified: Outcome, context: Context
    ) -> Written | StoredItem | Conflict:
        later, wake_in_seconds = attempt_engine.schedule(item, learned(attempt, verified), verified, context)
        if isinstance(later, Payment) and frees_order(item.payment, later):
            return self.apply(change_of(item.payment, later, "payment.order_freed", {}, context))
        result = self.items.reschedule(item.owner, later)
        if isinstance(result, Stored):
            self._log("attempt inquired", result.item, attempt.number)
            self.wake(result.item, wake_in_seconds)
        return result

    def _reread(self, item: WorkItem, result: object) -> WorkItem | None:
        """Return the item as another writer left it. A payment's conflict has returned it already."""
        if isinstance(result, VersionConflict) and item.operation is None:
            found = result.item
            return WorkItem(payment=found) if isinstance(found, Payment) else None
        return self.items.get(id_of(item.owner))

    def _log_change(self, change: Change) -> None:
        if change.operation_after is not None:
            self._log("operation recorded", change.operation_after, len(change.operation_after.attempts))
        elif change.attempt_number is not None:
            self._log("attempt recorded", change.after, change.attempt_number)

    def _log(self, message: str, owner: Payment | Operation, number: int) -> None:
        attempt = owner.attempt(number) if number else None
        self.telemetry.info(
            message,
            **_ids(owner),
            merchantId=owner.merchant_id,
            status=owner.status,
            attempt=number or None,
            provider=attempt.provider if attempt else None,
            state=attempt.state if attempt else None,
            code=attempt.code if attempt else None,
        )


def _is_misconfigured(observation: Observation) -> bool:
    """Whether the provider refused because of the account, also where the outcome stays as unknown as it was."""
    outcome = observation.outcome
    return outcome.misconfigured if isinstance(outcome, Rejected) else observation.misconfigured


def _change(item: WorkItem, attempt: Attempt, outcome: Outcome, context: Context) -> Change | None:
    """Return the outcome's change. One whose reference is taken claims none, not even the one that is stored here."""
    change = attempt_engine.apply(item, attempt, outcome, context)
    return replace(change, reference=None) if change and outcome == _REFERENCE_TAKEN else change


def _ids(owner: Payment | Operation) -> dict[str, str]:
    ids = {"transactionId": owner.transaction_id}
    return ids | {"operationId": owner.operation_id, "kind": owner.kind} if isinstance(owner, Operation) else ids


def _is_in_review(owner: Payment | Operation) -> bool:
    return owner.status in {PaymentStatus.IN_REVIEW, OperationStatus.IN_REVIEW}
