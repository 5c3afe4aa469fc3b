"""Application of provider events: apply a verified success, else bring the next inquiry forward.

Order, repetition and loss do not change the final state: a verified success is the same whenever it arrives, and an
unverified event only causes an inquiry: it brings forward a scheduled one, or asks for one about a closed attempt.
"""

from dataclasses import dataclass, replace

from payflowx.application.inbound_webhooks.match_event import Matched, MatchEvent, Unmatched
from payflowx.application.payments.outcome_writer import OutcomeWriter, Written
from payflowx.application.payments.work_items import Conflict, StoredItem
from payflowx.domain.inbound_webhooks.ports import ProviderEventQueue, ReceivedEvent, ReferenceOwner
from payflowx.domain.merchants.ports import MerchantConfiguration
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.change import Context, SeenEvent
from payflowx.domain.payments.closed_attempts import ask, due_inquiry
from payflowx.domain.payments.dispute import DisputeLeftOut, DisputeReport
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
from payflowx.domain.payments.work_item import Owner, WorkItem
from payflowx.domain.providers.ports import Providers
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import PayFlowXError, StorageUnavailableError, UnreadableItemError
from payflowx.domain.shared.limits import (
    MAX_COMMIT_TRIES,
    MAX_EVENT_INQUIRIES_A_DAY,
    MAX_EXPEDITED_INQUIRIES_A_DAY,
    PROVIDER_EVENT_RETRY_DELAYS_SECONDS,
    SEEN_EVENT_LIFETIME_MS,
)
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
        claimed = None if self._only_a_read_tells(inbound, found.attempt) else inbound.provider_event.outcome
        written = self._prove(inbound, WorkItem(payment=found.payment), found.attempt, claimed)
        if written is None:
            return self._expedite_payment(inbound, found)
        return isinstance(written, Stored | AlreadySeen)

    def _only_a_read_tells(self, inbound: ReceivedEvent, attempt: Attempt) -> bool:
        """Return whether only a read of the whole hosted object shows which of its charges is the payment's.

        An event reports one charge. Some providers keep one charge of an object and give the others back by themselves;
        and a person may have closed the review of a paid object's charge under another reference than the event has.
        """
        if attempt.hosted is None:
            return False
        hosted = self.providers.get(inbound.provider).capabilities.hosted
        is_paid = attempt.state is AttemptState.SUCCEEDED
        return is_paid or (hosted is not None and hosted.returns_extra_charges)

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
        if isinstance(change, DisputeLeftOut):
            return self._leave_out(inbound, report, change)
        written = self.outcome_writer.apply(replace(change, seen=self._seen(inbound)))
        if isinstance(written, Stored):
            # A dispute without a deadline is on no list: an operator who is warned of it finds it here.
            self.telemetry.info(
                "dispute recorded",
                merchantId=found.payment.merchant_id,
                provider=inbound.provider,
                disputeReference=report.reference,
                event=change.event.type,
            )
        return isinstance(written, Stored | AlreadySeen)

    def _leave_out(self, inbound: ReceivedEvent, report: DisputeReport, why: DisputeLeftOut) -> bool:
        """Warn as of a recorded dispute: it is on no list, and has a deadline all the same."""
        self.telemetry.count(Metric.DISPUTES_REPORTED)
        self.telemetry.warn(
            "dispute not recorded", provider=inbound.provider, disputeReference=report.reference, reason=why.value
        )
        return True

    # -- the charge

    def _expedite_payment(self, inbound: ReceivedEvent, found: Matched) -> bool:
        payment, now_ms = found.payment, self.clock.now_ms()
        if not found.attempt.is_open and not found.attempt.may_reopen(now_ms):
            return self._inquire_closed(inbound, payment, found.attempt)
        if payment.lease.is_live(now_ms):
            # A worker is calling the provider now; the answer that it gets may be older than this webhook.
            return self._put_back_or_drop(inbound)
        counted = one_more(payment.event_inquiries, now_ms, most=MAX_EXPEDITED_INQUIRIES_A_DAY)
        if counted is None:
            return self._without_news(inbound)  # the inquiry is scheduled anyway
        return self._store(inbound, payment, replace(expedite(payment, now_ms), event_inquiries=counted))

    def _put_back_or_drop(self, inbound: ReceivedEvent) -> bool:
        """Put the event back, or drop it after the last delay.

        Dropping loses nothing, because the inquiry is scheduled anyway.
        """
        return self._put_back(inbound) or self._without_news(inbound)

    def _put_back_or_fail(self, inbound: ReceivedEvent) -> bool:
        """Put the event back. After the last delay the message fails and returns, because no inquiry is scheduled."""
        if not self._put_back(inbound):
            raise StorageUnavailableError("a worker holds the lease of what the webhook is about")
        return True

    def _without_news(self, inbound: ReceivedEvent) -> bool:
        self.telemetry.count(Metric.WEBHOOKS_WITHOUT_NEWS, provider=inbound.provider)
        return True

    # -- a capture, void or refund

    def _apply_to_operation(self, inbound: ReceivedEvent, found: Matched, operation: Operation) -> bool:
        item = WorkItem(payment=found.payment, operation=operation)
        charge = found.payment.attempt(operation.charge_attempt)
        claimed = inbound.provider_event.operation_outcome if _is_about_charge(inbound, charge) else None
        written = self._prove(inbound, item, found.attempt, claimed)
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
        has_ended = operation.status is not OperationStatus.PENDING and not operation.last_attempt.is_open
        if operation.lease.is_live(now_ms):
            return self._put_back_or_fail(inbound) if has_ended else self._put_back_or_drop(inbound)
        most = MAX_EVENT_INQUIRIES_A_DAY if has_ended else MAX_EXPEDITED_INQUIRIES_A_DAY
        expedited = expedite_operation(operation, now_ms)
        counted = one_more(operation.event_inquiries, now_ms, most=most)
        if counted is not None:
            return self._store(inbound, operation, replace(expedited, event_inquiries=counted))
        # Of what has ended nothing is scheduled, or only weeks later: the next day's inquiry serves all further events.
        tomorrow_ms = operation.event_inquiries.next_at_ms(now_ms) if operation.event_inquiries else now_ms
        is_scheduled = operation.due_at_ms is not None and operation.ready_at_ms <= tomorrow_ms
        if is_scheduled or not has_ended:
            return self._without_news(inbound)
        later = replace(expedited, ready_at_ms=tomorrow_ms, due_at_ms=tomorrow_ms)
        return self._store(inbound, operation, later, wakes=False)

    # -- closed attempts

    def _inquire_closed(self, inbound: ReceivedEvent, owner: Owner, attempt: Attempt) -> bool:
        """Have a worker inquire about a closed attempt, a bounded number of times a day.

        No further attempt begins before. The inquiry waits on the item, in one transaction with the event's own item: a
        repeated event causes no second one, and a lost message delays it only.
        """
        now_ms = self.clock.now_ms()
        if not attempt.may_prove_late and not _may_be_a_further_charge(inbound, attempt):
            return self._without_news(inbound)
        if owner.lease.is_live(now_ms):
            # The answer that the worker gets may be older than the event.
            return self._put_back_or_fail(inbound)
        asked = ask(owner, attempt.number, now_ms)
        if asked is None:
            return self._without_news(inbound)
        return self._store(inbound, owner, asked, wakes=due_inquiry(asked, now_ms) is not None)

    # -- shared

    def _store(self, inbound: ReceivedEvent, before: Owner, after: Owner, *, wakes: bool = True) -> bool:
        """Store the time of the inquiry that the event causes, and wake a worker; False after a version conflict."""
        match self._expedite(before, after, self._seen(inbound)):
            case Stored(item=stored):
                self.outcome_writer.wake(stored, 0 if wakes else None)
                return True
            case AlreadySeen():
                return True
            case VersionConflict():
                return False

    def _expedite(
        self, before: Payment | Operation, after: Payment | Operation, seen: SeenEvent
    ) -> StoredItem | Conflict | AlreadySeen:
        if isinstance(before, Payment) and isinstance(after, Payment):
            return self.payments.expedite(before, after, seen)
        if isinstance(before, Operation) and isinstance(after, Operation):
            return self.operations.expedite(before, after, seen)
        raise TypeError("a payment cannot become an operation")

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


def _is_about_charge(inbound: ReceivedEvent, charge: Attempt) -> bool:
    """Return whether the ids of the charge that the event names, if it names any, are those of this charge.

    A provider may take a refund from another payment of the same order; an inquiry calls that a mismatch.
    """
    event = inbound.provider_event
    return event.charge_reference in {None, charge.reference} and event.charge_key in {None, charge.provider_key}


def _may_be_a_further_charge(inbound: ReceivedEvent, attempt: Attempt) -> bool:
    """Return whether an event about a paid hosted object is about neither the object nor the charge that is known."""
    if attempt.hosted is None or attempt.final_read_at_ms is None:
        return False
    return inbound.provider_event.charge_reference not in {None, attempt.reference, attempt.hosted.object_id}
