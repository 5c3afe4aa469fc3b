"""Broken designs as a sceptical payments engineer would write them: requests, answers, lists, endpoints, people."""

from http import HTTPStatus
from typing import Any, Final
from unittest.mock import patch

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.merchants.directory import DynamoDBMerchantDirectory
from payflowx.adapters.dynamodb.payments.operation_list import OperationList
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.reconciliation.payment_index import MerchantDays
from payflowx.application.inbound_webhooks.process_provider_event import ProcessProviderEvent
from payflowx.application.inbound_webhooks.receive_webhook import ReceiveWebhook
from payflowx.application.merchants.erase_personal_data import ErasePersonalData
from payflowx.application.outbound_webhooks import deliver_event
from payflowx.application.outbound_webhooks.deliver_event import DeliverEvent
from payflowx.application.payments import claim_item, create_payment, settle_order
from payflowx.application.payments.claim_item import ClaimItem
from payflowx.application.payments.create_payment import CreatePayment
from payflowx.application.payments.new_checkout import CheckoutOpener
from payflowx.application.payments.record_provider_refunds import RecordProviderRefunds
from payflowx.application.payments.request_operation import RequestOperation
from payflowx.application.reconciliation import start_reconciliations
from payflowx.application.reconciliation.match_entries import MatchEntries
from payflowx.application.reconciliation.reconcile import Reconcile
from payflowx.application.recovery.catch_up_events import CatchUpEvents
from payflowx.application.recovery.notify_restore import NotifyRestore
from payflowx.application.reviews.close_operation_review import CloseOperationReview
from payflowx.application.reviews.close_review import CloseReview
from payflowx.domain.checkout import offers
from payflowx.domain.outbound_webhooks import merchant_events
from payflowx.domain.payments import (
    change,
    eligibility,
    erasure,
    not_sent,
    operation_claim,
    operation_review,
    operation_state_machine,
    provider_refund,
    retry,
    review,
    review_since,
)
from payflowx.domain.providers import health
from payflowx.domain.reconciliation import matching
from payflowx.domain.shared import backoff
from payflowx.entrypoints.api import problems
from payflowx.entrypoints.api.payments import fingerprints, handlers, presenting
from payflowx.entrypoints.operators.commands import reviews as review_commands
from simulation.mutants.mutant import Edit, Mutant, Patches, broken, replaced


def _cancellations_are_answered_at_once() -> Patches:
    """With 200, whatever the payment's status is."""
    original = vars(handlers)["answer"]

    def answer(body: Any, **said: Any) -> Any:
        is_cancellation = said.get("status") is HTTPStatus.ACCEPTED and "Location" not in (said.get("headers") or {})
        return original(body, **{**said, "status": HTTPStatus.OK} if is_cancellation else said)

    return [patch.object(handlers, "answer", answer)]


JUDGING: Final[tuple[Mutant, ...]] = (
    broken(
        "payments",
        "the cents of an amount are cut off at acceptance",
        Edit(CreatePayment, "_new", "amount=request.amount,", "amount=max(100, request.amount // 100 * 100),"),
    ),
    broken(
        "payments",
        "a payment in euros is stored in dollars",
        Edit(
            CreatePayment,
            "_new",
            "currency=request.currency,",
            'currency="USD" if request.currency == "EUR" else request.currency,',
        ),
    ),
    broken(
        "payments",
        "a payment that was to be held is charged at once",
        Edit(CreatePayment, "_new", "capture=request.capture,", "capture=CaptureMode.AUTOMATIC,"),
    ),
    broken(
        "payments",
        "the metadata of a payment is lost",
        Edit(CreatePayment, "_new", "metadata=request.metadata,", "metadata={},"),
    ),
    broken(
        "payments",
        "a payment may be charged for two days",
        Edit(
            CreatePayment,
            "_new",
            "charge_deadline_ms=now_ms + self.policy.charge_deadline_ms,",
            "charge_deadline_ms=now_ms + 2 * self.policy.charge_deadline_ms,",
        ),
    ),
    broken(
        "payments",
        "a provider's Retry-After is not respected",
        Edit(
            not_sent,
            "_asked_to_wait_until_ms",
            "if attempt.retry_after_seconds == 0 or attempt.settled_at_ms is None:",
            "if True:",
        ),
        scenario="rate_limits",
    ),
    broken(
        "payments",
        "a provider that cannot be reached is tried again before the next one",
        Edit(
            retry, "choose_candidate", "(_last_claim_of(payment, candidate), place, candidate)", "(0, place, candidate)"
        ),
        scenario="rate_limits",
    ),
    broken(
        "operations",
        "a refund without an amount gives half of the rest back",
        Edit(
            eligibility,
            "check_amount",
            "requested = left if amount is None else amount",
            "requested = (left + 1) // 2 if amount is None else amount",
        ),
        scenario="operations",
    ),
    broken(
        "operations",
        "a part that is to be refunded is rounded to whole units",
        Edit(
            eligibility,
            "check_amount",
            "requested = left if amount is None else amount",
            "requested = left if amount is None else max(1, amount // 10 * 10)",
        ),
    ),
    broken(
        "operations",
        "a refund may be sent for a month",
        Edit(
            RequestOperation,
            "_plan",
            "send_deadline_ms=now_ms + self.policy.charge_deadline_ms,",
            "send_deadline_ms=now_ms + 30 * self.policy.charge_deadline_ms,",
        ),
    ),
    broken(
        "operations",
        "an operation is tried as often as there is room",
        Edit(
            operation_claim,
            "why_stop",
            "if answered(operation.attempts) > MAX_OPERATION_RETRIES or not may_append:",
            "if not may_append:",
        ),
        scenario="rate_limits",
    ),
    broken(
        "operations",
        "a payment in review can be refunded",
        Edit(
            eligibility,
            "charge_to_operate_on",
            "if payment.status is PaymentStatus.IN_REVIEW and not gives_back:",
            "if False:",
        ),
        Edit(
            eligibility,
            "_charged",
            "is_charged = payment.status is PaymentStatus.SUCCESS or payment.is_order_charged_twice",
            "is_charged = payment.charged_attempt is not None",
        ),
        scenario="false_reports",
    ),
    broken(
        "operations",
        "refunds made at the provider are booked as a running total",
        Edit(
            provider_refund,
            "external_refund",
            "amount=refund.amount,",
            "amount=min(payment.captured, payment.refunded + refund.amount),",
        ),
        scenario="operations",
    ),
    broken(
        "operations",
        "a refund made at the provider is not followed",
        Edit(RecordProviderRefunds, "_follow", "if operation.origin is not Origin.PROVIDER:", "if True:"),
        survives="A worker inquires about each refund that is not final, whoever made it.",
    ),
    broken(
        "operations",
        "the audit log tells no amount of an operation",
        Edit(operation_state_machine, "operation_facts", '"amount": operation.amount,', '"amount": 0,'),
    ),
    broken(
        "orders",
        "every payment of an order counts as the only one",
        Edit(create_payment, "_order_link", "once=request.once_per_order", "once=True"),
        scenario="declined_orders",
    ),
    broken(
        "orders",
        "late charges are given back at every merchant",
        Edit(ClaimItem, "_settle", "refunds=merchant.automatic_refund", "refunds=True"),
        scenario="refunds_turned_off",
    ),
    broken(
        "orders",
        "an automatic refund gives back half",
        Edit(settle_order, "late_refund", "    payment.refundable,\n", "    (payment.refundable + 1) // 2,\n"),
        scenario="declined_orders",
    ),
    broken(
        "checkout",
        "a checkout lives twice as long as was asked for",
        Edit(
            CheckoutOpener,
            "opened",
            "expires_at_ms = payment.created_at_ms + request.lifetime_ms",
            "expires_at_ms = payment.created_at_ms + 2 * request.lifetime_ms",
        ),
    ),
    broken(
        "checkout",
        "our page offers methods that the merchant excludes",
        Edit(offers, "offers", "allowed = payment.checkout.methods or CHECKOUT_METHODS", "allowed = CHECKOUT_METHODS"),
        scenario="closings",
    ),
    broken(
        "reviews",
        "a review begins anew with each change",
        Edit(review_since, "review_since_ms", "return before.review_since_ms or before.updated_at_ms", "return now_ms"),
        scenario="operations",
    ),
    broken(
        "reviews",
        "the list of reviews tells no reason",
        Edit(review_commands, "_reason", "return item.last_error.code if item.last_error else None", "return None"),
        scenario="operations",
    ),
    broken(
        "reviews",
        "the list of reviews tells the amount that was refunded",
        Edit(
            review_commands,
            "_present",
            "money(item.amount, item.currency)",
            'money(getattr(item, "refunded", item.amount), item.currency)',
        ),
    ),
    broken(
        "reviews",
        "an operator's closing is told as a worker's",
        Edit(CloseReview, "__call__", 'actor="operator"', 'actor="worker"'),
        Edit(CloseOperationReview, "__call__", 'actor="operator"', 'actor="worker"'),
        scenario="operations",
    ),
    broken(
        "reviews",
        "a review that was closed meanwhile is closed again",
        Edit(review, "close_review", "if payment.status is not PaymentStatus.IN_REVIEW:", "if False:"),
        Edit(
            operation_review,
            "close_operation_review",
            "if operation.status is not OperationStatus.IN_REVIEW:",
            "if False:",
        ),
        scenario="operations",
    ),
    broken(
        "reviews",
        "a closing as not charged leaves open attempts open",
        Edit(review, "_uncharged", "if not attempt.is_open:", "if True:"),
        Edit(operation_review, "_without_effect", "if not attempt.is_open:", "if True:"),
        scenario="slow_providers",
    ),
    broken(
        "inbound_webhooks",
        "changes by provider events are told as a worker's",
        Edit(ProcessProviderEvent, "_context", 'actor="webhook"', 'actor="worker"'),
    ),
    broken(
        "inbound_webhooks",
        "an event may be signed by any merchant of the deployment",
        Edit(
            ReceiveWebhook,
            "__call__",
            "valid = self.secrets.webhook_secrets(owner.account.secret_arn)",
            "secret = owner.account.secret_arn\n"
            "    both = (secret.replace('globex', 'acme'), secret.replace('acme', 'globex'))\n"
            "    valid = [key for each in both for key in self.secrets.webhook_secrets(each)]",
        ),
    ),
    broken(
        "inbound_webhooks",
        "an event about a failure declines the attempt",
        Edit(ProcessProviderEvent, "_prove", "if not isinstance(claimed, Succeeded):", "if claimed is None:"),
        Edit(ProcessProviderEvent, "_prove", "if not isinstance(outcome, Succeeded):", "if outcome is None:"),
        survives="The connectors read no proof but a success from an event: everything else is a hint.",
    ),
    broken(
        "outbound_webhooks",
        "a delivery bears the time of its event",
        Edit(
            DeliverEvent,
            "_headers",
            "signed_headers(merchant_event.event_id, now_ms // SECOND_MS,",
            "signed_headers(merchant_event.event_id, merchant_event.at_ms // SECOND_MS,",
        ),
    ),
    broken(
        "outbound_webhooks",
        "failed deliveries are tried again at once",
        Edit(
            merchant_events,
            "after_try",
            "return Delivery(attempts=attempts, next_at_ms=now_ms + delay_ms,",
            "return Delivery(attempts=attempts, next_at_ms=now_ms,",
        ),
    ),
    broken(
        "outbound_webhooks",
        "each retry posts to the endpoints that have the event",
        Edit(
            merchant_events,
            "ready",
            "if delivery.state is DeliveryState.PENDING and delivery.next_at_ms <= now_ms + EARLY_GRACE_MS",
            "if delivery.state is not DeliveryState.FAILED and delivery.next_at_ms <= now_ms + EARLY_GRACE_MS",
        ),
    ),
    broken(
        "outbound_webhooks",
        "an endpoint is disabled at its first failure",
        Edit(
            merchant_events, "why_to_disable", "since_ms = endpoint.failing_since_ms", "return DisabledReason.FAILING"
        ),
    ),
    broken(
        "outbound_webhooks",
        "an endpoint that is gone is asked on",
        Edit(
            merchant_events,
            "why_to_disable",
            "if isinstance(posted, Answered) and posted.status == _GONE:",
            "if False:",
        ),
        scenario="endpoints",
    ),
    broken(
        "outbound_webhooks",
        "a disabled endpoint gets events",
        Edit(deliver_event, "_targets", "endpoint is not None and endpoint.is_enabled", "endpoint is not None"),
        Edit(merchant_events, "_audience", "if e.is_enabled and ", "if "),
        Edit(
            DeliverEvent,
            "_after",
            "is_there = endpoint is not None and endpoint.is_enabled",
            "is_there = endpoint is not None",
        ),
        scenario="endpoints",
    ),
    broken(
        "outbound_webhooks",
        "the search for missed events begins when the endpoint is known",
        Edit(CatchUpEvents, "_publish", "from_ms=catch_up.since_ms,", "from_ms=catch_up.since_ms + 120_000,"),
    ),
    broken(
        "reconciliation",
        "our charges are not compared with the report",
        Edit(
            Reconcile,
            "_our_page",
            "for place, (payment, attempt) in enumerate(unlisted)",
            "for place, (payment, attempt) in enumerate(unlisted[:0])",
        ),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "charges that agree are listed as differences",
        Edit(
            matching,
            "_compare",
            "if succeeded:\n        return _MATCHED",
            "if succeeded:\n        return Assessment(result=MatchResult.STATUS)",
        ),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "a run reads half of the range that was asked for",
        Edit(start_reconciliations, "_new", "from_ms=from_ms,", "from_ms=(from_ms + until_ms) // 2,"),
        scenario="false_reports",
    ),
    broken(
        "reconciliation",
        "every line of a report is too young to be a difference",
        Edit(
            MatchEntries,
            "_assess",
            "young=run.source is Source.LIST and entry.at_ms + run.lag_ms > self.clock.now_ms(),",
            "young=True,",
        ),
    ),
    broken(
        "merchants",
        "erasure keeps the providers' sentences",
        Edit(
            erasure,
            "_erase_attempt",
            "next_action=None, message=None, progress=progress",
            "next_action=None, progress=progress",
        ),
    ),
    broken(
        "merchants",
        "erasure leaves the operations out",
        Edit(
            ErasePersonalData,
            "_left",
            "return [operation for operation in operations if operation != erase_operation(operation)]",
            "return []",
        ),
    ),
    broken(
        "merchants",
        "erasure keeps the name of the order",
        Edit(erasure, "erase_payment", "order=replace(payment.order, order_id=None) if payment.order else None,", ""),
    ),
    broken(
        "merchants",
        "erasure keeps the receipt's address",
        Edit(erasure, "erase_payment", "receipt_email=None,", ""),
    ),
    broken(
        "recovery",
        "progress does not end the count of wake-ups",
        Edit(change, "change_of", "drives=0 if changed is None else before.drives,", "drives=before.drives,"),
        Edit(change, "operation_change", "drives=0,", ""),
    ),
    broken(
        "recovery",
        "merchants are told of an earlier time than was forgotten",
        Edit(
            NotifyRestore,
            "__call__",
            "from_ms=window.restored_to_ms, until_ms=window.stopped_at_ms",
            "from_ms=window.restored_to_ms - 3_600_000, until_ms=window.restored_to_ms",
        ),
        scenario="restores",
    ),
    broken(
        "answers",
        "a repeated request does not say that it is one",
        Edit(handlers, "_accepted", "if replayed else {}", "if False else {}"),
    ),
    broken(
        "answers",
        "a refused order names no holder",
        Edit(
            presenting,
            "present_order_holder",
            "transaction_id=holder.transaction_id if holder else None",
            "transaction_id=None",
        ),
        scenario="declined_orders",
    ),
    broken(
        "answers",
        "the list of operations leaves the last one out",
        Edit(
            OperationList,
            "page",
            "map(or_unreadable(operation_from_item), found[:limit])",
            "map(or_unreadable(operation_from_item), found[:limit][:-1] or found[:limit])",
        ),
    ),
    broken(
        "answers",
        "a page of payments repeats the last one of the page before",
        Edit(
            MerchantDays,
            "_rows_of",
            'return [row for row in rows if row["merchantDaySort"] != upper][:limit]',
            "return rows[:limit]",
        ),
    ),
    broken(
        "answers",
        "only the first partition of a day is read",
        Edit(MerchantDays, "_rows", "for partition in partitions for", "for partition in partitions[:1] for"),
        scenario="more_partitions",
    ),
    broken(
        "answers",
        "a page's position loses the rows of the other partitions",
        Edit(
            MerchantDays,
            "_rows",
            "sorted(rows, key=_place, reverse=True)[:limit]",
            "sorted(rows[:limit], key=_place, reverse=True)",
        ),
        scenario="more_partitions",
    ),
    broken(
        "answers",
        "the list of payments leaves the newest out",
        Edit(
            MerchantDays,
            "page",
            "rows = self._rows(time_range, day_start_ms, upper, batch)",
            "rows = self._rows(time_range, day_start_ms, upper, batch)"
            "[1 if time_range.position is None and not items else 0 :]",
        ),
    ),
    broken(
        "answers",
        "a page of the audit log begins one entry too late",
        Edit(
            DynamoDBPayments,
            "_stored_events",
            "next_seq=items[-1].seq if more else None",
            "next_seq=items[-1].seq + 1 if more else None",
        ),
    ),
    broken(
        "answers",
        "a payment is shown as created when it was changed",
        Edit(
            presenting,
            "present_payment",
            "created_at=timestamp(payment.created_at_ms)",
            "created_at=timestamp(payment.updated_at_ms)",
        ),
    ),
    broken(
        "answers",
        "further charges inside an object are not shown",
        Edit(
            presenting, "present_payment", "[_extra_charge(payment, charge) for charge in payment.extra_charges]", "[]"
        ),
        scenario="closings",
    ),
    broken(
        "answers",
        "the provider's id of a refund is not shown",
        Edit(presenting, "present_operation", "provider_ref=last.reference if last else None", "provider_ref=None"),
    ),
    broken(
        "answers",
        "the payment that contends for an order is not named",
        Edit(
            presenting,
            "present_payment",
            "contends_with=payment.order.contends_with if payment.order else None",
            "contends_with=None",
        ),
        scenario="declined_orders",
    ),
    broken(
        "answers",
        "a refund's fingerprint does not tell its payment",
        Edit(
            fingerprints,
            "fingerprint",
            "[FINGERPRINT_FORMAT, method, path, body]",
            '[FINGERPRINT_FORMAT, method, "" if "capture" in path or "refunds" in path else path, body]',
        ),
        scenario="operations",
    ),
    broken(
        "answers",
        "captures and refunds share their keys",
        Edit(
            keys,
            "operation_idempotency_partition",
            'f"M#{merchant_id}#{kind}s#{idempotency_key}"',
            'f"M#{merchant_id}#operations#{idempotency_key}"',
        ),
        scenario="operations",
    ),
    broken(
        "answers",
        "a repeated request must be spelled as the first one",
        Edit(
            CreatePayment,
            "_replay",
            "if not existing.is_of(request.fingerprint, request.content_fingerprint):",
            "if existing.fingerprint != request.fingerprint:",
        ),
    ),
    broken(
        "metrics",
        "accepted operations are not counted",
        Edit(
            RequestOperation,
            "__call__",
            "self.telemetry.count(Metric.OPERATIONS_ACCEPTED, kind=stored.kind.value)",
            "pass",
        ),
    ),
    broken(
        "metrics",
        "forged events are not counted",
        Edit(ReceiveWebhook, "__call__", "self.telemetry.count(Metric.WEBHOOKS_FORGED, provider=provider)", "pass"),
    ),
    Mutant(
        "payments",
        "a rejected request is tried again at once",
        lambda: replaced(backoff, "retry_delay_ms", lambda _r, _j: 0),
        scenario="rate_limits",
    ),
    Mutant("payments", "a lease lasts an hour", lambda: replaced(claim_item, "LEASE_MS", 3_600_000)),
    Mutant(
        "merchants",
        "operators' changes leave no entry in their log",
        lambda: [patch.object(DynamoDBMerchantDirectory, "record", lambda _self, _record: None)],
    ),
    Mutant("recovery", "the breaker opens at the first failure", lambda: [patch.object(health, "_MIN_FAILED", 1)]),
    Mutant(
        "answers",
        "what is not known yet is answered with 422",
        lambda: [patch.dict(problems.KINDS, {"outcome_unknown": problems.Kind(422, "x")})],
    ),
    Mutant("answers", "a cancellation is always answered with 200", _cancellations_are_answered_at_once),
)
