"""Application of provider events: apply a verified success, else bring the next inquiry forward.

Order, repetition and loss do not change the final state: a verified success is the same whenever it arrives, and an
unverified event only causes an inquiry: it brings forward a scheduled one, or buys one about a closed attempt.
"""

from dataclasses import dataclass, replace

from payflowx.application.inbound_webhooks.match_event import Matched, MatchEvent, Unmatched
from payflowx.application.payments.outcome_writer import OutcomeWriter, Written
from payflowx.application.payments.work_items import Conflict
from payflowx.domain.inbound_webhooks.ports import ProviderEventQueue, ReceivedEvent, ReferenceOwner
from payflowx.domain.merchants.ports import MerchantConfiguration
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Context, SeenEvent
from payflowx.domain.payments.dispute import DisputeReport
from payflowx.domain.payments.event_inquiries import one_more
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.operation_state_machine import expedite_operation
from payflowx.domain.payments.outcome import Outcome, Succeeded
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import AlreadySeen, Job, Payments, Stored, VersionConflict
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.payments.state_machine import expedite, record_dispute
from payflowx.domain.payments.verification import verify_outcome
from payflowx.domain.payments.work_item import WorkItem
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import PayFlowXError, StorageUnavailableError, UnreadableItemError
from payflowx.domain.shared.limits import MAX_COMMIT_TRIES, PROVIDER_EVENT_RETRY_DELAYS_SECONDS, SEEN_EVENT_LIFETIME_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import AttemptState, OperationStatus


class UnknownPaymentError(PayFlowXError):
    """The webhook carries a key that PayFlowX made and no record has; it becomes a dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessProviderEvent:
    """Idempotent.

    Raises `UnknownPaymentError`, and `StorageUnavailableError` when the event must be processed again.
    """

    find: MatchEvent
    payments: Payments
    operations: Operations
    merchants: MerchantConfiguration
    providers: Providers
    provider_events: ProviderEventQueue
    outcome_writer: OutcomeWriter
    clock: Clock
    telemetry: Telemetry
    policy: RetryPolicy

    def __call__(self, inbound: ReceivedEvent) -> None:
        """Apply the event, recognize it as seen, or put it back with a delay."""
        try:
            self._process(inbound)
        except UnreadableItemError as error:
            # A newer release wrote the payment. After the last delay the message fails, and is kept as a dead letter.
            self.telemetry.warn("item not readable", kind=error.kind, reason=error.reason)
            if not self._put_back(inbound):
                raise

    def _process(self, inbound: ReceivedEvent) -> None:
        for _ in range(MAX_COMMIT_TRIES):
            found = self.find(inbound)
            if isinstance(found, Unmatched):
                self._not_found(inbound, found)
                return
            self.telemetry.about(transactionId=found.payment.transaction_id, attempt=found.attempt.number)
            if self._apply(inbound, found):
                lag_ms = self.clock.now_ms() - inbound.received_at_ms
                self.telemetry.milliseconds(Metric.WEBHOOK_LAG, max(0, lag_ms), provider=inbound.provider)
                return
        raise StorageUnavailableError("the payment of the webhook kept changing")

    def _not_found(self, inbound: ReceivedEvent, why: Unmatched) -> None:
        """Put the event back; it may have arrived before our own write, or be about a refund made at the provider."""
        refunded = self.find.payment_of_refund(inbound) if why is Unmatched.UNKNOWN else None
        if refunded is not None and self._read_refunds(inbound, refunded):
            return
        if why is not Unmatched.ELSEWHERE and self._put_back(inbound):
            return
        self.telemetry.count(Metric.WEBHOOKS_UNMATCHED, provider=inbound.provider)
        self.telemetry.warn("webhook matches no payment", provider=inbound.provider, reason=why.value)
        if why is Unmatched.OURS_UNKNOWN:
            raise UnknownPaymentError("the webhook's key was made by PayFlowX but matches no payment")

    def _read_refunds(self, inbound: ReceivedEvent, owner: ReferenceOwner) -> bool:
        """Have a worker read the refunds of a known charge, when the event arrives and when it was put back last.

        Returns whether the event is done: in between, a refund of ours may become known. Where refunds cannot be read,
        the daily reconciliation finds them.
        """
        if not self.providers.get(inbound.provider).lists_refunds:
            return False
        last = inbound.tries >= len(PROVIDER_EVENT_RETRY_DELAYS_SECONDS)
        if inbound.tries == 0 or last:
            job = Job(merchant_id=owner.merchant_id, transaction_id=owner.transaction_id, read_refunds=True)
            self.outcome_writer.jobs.send(job)
        return last

    def _put_back(self, inbound: ReceivedEvent) -> bool:
        if inbound.tries >= len(PROVIDER_EVENT_RETRY_DELAYS_SECONDS):
            return False
        delay_seconds = PROVIDER_EVENT_RETRY_DELAYS_SECONDS[inbound.tries]
        self.provider_events.send(replace(inbound, tries=inbound.tries + 1), delay_seconds=delay_seconds)
        return True

    def _apply(self, inbound: ReceivedEvent, found: Matched) -> bool:
        """Apply the event; False after a version conflict, when the match must be repeated."""
        if inbound.provider_event.dispute is not None:
            return self._record_dispute(inbound, found, inbound.provider_event.dispute)
        if found.operation is not None:
            return self._apply_to_operation(inbound, found, found.operation)
        open_operation = found.payment.open_capture_or_void
        if open_operation is not None and found.attempt.state is AttemptState.AUTHORIZED:
            # The open capture or void decides the charge's state.
            return self._expedite_operation(inbound, found.payment, open_operation)
        written = self._prove(inbound, WorkItem(payment=found.payment), found.attempt, inbound.provider_event.outcome)
        if written is None:
            return self._expedite_payment(inbound, found)
        return isinstance(written, Stored | AlreadySeen)

    def _prove(
        self, inbound: ReceivedEvent, item: WorkItem, attempt: Attempt, claimed: Outcome | None
    ) -> Written | None:
        """Write a verified success of exactly this attempt; None for anything else, which requires an inquiry."""
        if not isinstance(claimed, Succeeded):
            return None
        outcome = verify_outcome(claimed, item.owner, attempt, first_send=False)
        if not isinstance(outcome, Succeeded):
            return None
        item = self.outcome_writer.items.current(item)
        return self.outcome_writer.prove(item, attempt.number, outcome, self._context(inbound), self._seen(inbound))

    # -- disputes

    def _record_dispute(self, inbound: ReceivedEvent, found: Matched, report: DisputeReport) -> bool:
        item = self.outcome_writer.items.current(WorkItem(payment=found.payment))
        change = record_dispute(item.payment, inbound.provider, report, self._context(inbound))
        if change is None:
            return self._without_news(inbound)
        written = self.outcome_writer.apply(replace(change, seen=self._seen(inbound)))
        return isinstance(written, Stored | AlreadySeen)

    # -- the charge

    def _expedite_payment(self, inbound: ReceivedEvent, found: Matched) -> bool:
        payment, now_ms = found.payment, self.clock.now_ms()
        if not found.attempt.is_open and not found.attempt.may_reopen(now_ms):
            return self._inquire_closed(inbound, payment, found.attempt)
        if payment.lease.is_live(now_ms):
            # A worker is calling the provider now; the answer that it gets may be older than this webhook.
            return self._put_back_or_drop(inbound)
        match self.payments.expedite(payment, expedite(payment, now_ms), self._seen(inbound)):
            case Stored(item=expedited):
                self.outcome_writer.wake(expedited, 0)
                return True
            case AlreadySeen():
                return True
            case VersionConflict():
                return False

    def _put_back_or_drop(self, inbound: ReceivedEvent) -> bool:
        """Put the event back, or drop it after the last delay.

        Dropping loses nothing, because the inquiry is scheduled anyway.
        """
        return self._put_back(inbound) or self._without_news(inbound)

    def _without_news(self, inbound: ReceivedEvent) -> bool:
        self.telemetry.count(Metric.WEBHOOKS_WITHOUT_NEWS, provider=inbound.provider)
        return True

    # -- a capture, void or refund

    def _apply_to_operation(self, inbound: ReceivedEvent, found: Matched, operation: Operation) -> bool:
        item = WorkItem(payment=found.payment, operation=operation)
        written = self._prove(inbound, item, found.attempt, inbound.provider_event.operation_outcome)
        if written is not None:
            return isinstance(written, Stored | AlreadySeen)
        if found.attempt.may_prove_late:
            return self._inquire_closed(inbound, operation, found.attempt)
        return self._expedite_operation(inbound, found.payment, operation.operation_id)

    def _expedite_operation(self, inbound: ReceivedEvent, payment: Payment, operation_id: str) -> bool:
        operation = self.operations.get(payment.merchant_id, payment.transaction_id, operation_id)
        now_ms = self.clock.now_ms()
        if operation is None or operation.last_attempt is None:
            return self._put_back_or_drop(inbound)  # accepted, and not sent yet
        if operation.lease.is_live(now_ms):
            return self._put_back_or_drop(inbound)
        expedited = expedite_operation(operation, now_ms)
        if operation.status is not OperationStatus.PENDING and not operation.last_attempt.is_open:
            # It ended or waits for a person: nothing was scheduled that the event could bring forward.
            counted = one_more(operation.event_inquiries, now_ms)
            if counted is None:
                return self._without_news(inbound)
            expedited = replace(expedited, event_inquiries=counted)
        match self.operations.expedite(operation, expedited, self._seen(inbound)):
            case Stored(item=expedited):
                self.outcome_writer.wake(expedited, 0)
                return True
            case AlreadySeen():
                return True
            case VersionConflict():
                return False

    # -- closed attempts

    def _inquire_closed(self, inbound: ReceivedEvent, owner: Payment | Operation, attempt: Attempt) -> bool:
        """Have a worker inquire about a closed attempt, a bounded number of times a day; its due time stays.

        An event beyond the bound writes nothing. The count is written first, in one transaction with the event's item,
        so that a repeated event causes no second inquiry. Where the message is lost after that, reconciliation finds
        the success.
        """
        now_ms = self.clock.now_ms()
        counted = one_more(owner.event_inquiries, now_ms) if attempt.may_prove_late else None
        if counted is None:
            return self._without_news(inbound)
        if owner.lease.is_live(now_ms):
            return self._put_back_or_drop(inbound)
        lease = owner.lease.after_change_by_another(now_ms)
        match self._count(
            owner, replace(owner, event_inquiries=counted, version=owner.version + 1, lease=lease), inbound
        ):
            case Stored():
                self.outcome_writer.send_inquiry(owner, attempt.number)
                return True
            case AlreadySeen():
                return True
            case VersionConflict():
                return False

    def _count(
        self, before: Payment | Operation, after: Payment | Operation, inbound: ReceivedEvent
    ) -> Stored[Payment] | Stored[Operation] | Conflict | AlreadySeen:
        seen = self._seen(inbound)
        if isinstance(before, Payment) and isinstance(after, Payment):
            return self.payments.expedite(before, after, seen)
        if isinstance(before, Operation) and isinstance(after, Operation):
            return self.operations.expedite(before, after, seen)
        raise TypeError("a payment cannot become an operation")

    # -- shared

    def _seen(self, inbound: ReceivedEvent) -> SeenEvent:
        return SeenEvent(
            provider=inbound.provider,
            account_id=inbound.account_id,
            event_id=inbound.provider_event.event_id,
            expires_at_ms=self.clock.now_ms() + SEEN_EVENT_LIFETIME_MS,
        )

    def _context(self, inbound: ReceivedEvent) -> Context:
        merchant = self.merchants.get(inbound.merchant_id)
        return Context(
            now_ms=self.clock.now_ms(),
            actor="webhook",
            policy=self.policy,
            able=self.providers.capabilities().get(inbound.provider),
            disabled=merchant.disabled if merchant else frozenset(),
            evidence={"webhook": inbound.provider_event.event_id, "webhookType": inbound.provider_event.type},
        )
