"""Broken designs that allow what the design forbids, and that show only in a situation of their own."""

from typing import Final

from payflowx.adapters.dynamodb.merchants import account_health
from payflowx.adapters.dynamodb.merchants.account_health import DynamoDBAccountHealth
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.platform import secrets_manager
from payflowx.application.orders.take_order import TakeOrder
from payflowx.application.payments.create_payment import CreatePayment
from payflowx.application.payments.search_forgotten import SearchForgotten
from payflowx.domain.payments import (
    attempt_engine,
    balances,
    change,
    eligibility,
    not_sent,
    operation_state_machine,
    provider_refund,
    recovery_plan,
    review,
)
from payflowx.domain.reconciliation import run
from simulation.mutants.mutant import Edit, Mutant, broken

_NOT_CHECKED: Final = Edit(
    balances, "check_balance", 'raise InvariantError("the change breaks', 'return None or str("the change breaks'
)
_NOT_REVIEWED: Final = Edit(balances, "is_off_balance", "return payment", "return False and payment")


FORBIDDING: Final[tuple[Mutant, ...]] = (
    broken(
        "operations",
        "a capture is accepted after the authorization has lapsed",
        Edit(
            eligibility,
            "_authorized",
            "if charge.deadline_ms is not None and now_ms >= charge.deadline_ms and kind is OperationKind.CAPTURE:",
            "if False:",
        ),
        scenario="late_captures",
    ),
    broken(
        "operations",
        "a capture is accepted after a cancellation was requested",
        Edit(eligibility, "_authorized", "if payment.cancel_requested and kind is OperationKind.CAPTURE:", "if False:"),
        scenario="late_captures",
    ),
    broken(
        "operations",
        "an excess is not the first thing that what comes free covers",
        _NOT_CHECKED,
        _NOT_REVIEWED,
        Edit(balances, "_free", "covered = min(payment.excess, amount)", "covered = 0"),
        scenario="operations",
    ),
    broken(
        "recovery",
        "the route of a new payment ignores an open breaker",
        Edit(
            CreatePayment,
            "_route",
            "failing=self.health.passed_over(merchant.merchant_id, merchant.preferred_accounts()),",
            "",
        ),
        scenario="sick_provider",
    ),
    broken(
        "payments",
        "what cannot be sent is tried for ever",
        Edit(
            not_sent,
            "next_send_at_ms",
            "if times.now_ms >= ends_at_ms:\n            return None\n        at_ms = min(times.now_ms + "
            "resend_delay_ms(times.now_ms - times.since_ms, times.jitter), ends_at_ms)",
            "at_ms = times.now_ms + resend_delay_ms(times.now_ms - times.since_ms, times.jitter)",
        ),
        scenario="sick_provider",
    ),
    broken(
        "operations",
        "a refund made at the provider counts as made while it is pending",
        Edit(
            provider_refund,
            "external_refund",
            "succeeded = refund.state is RefundState.SUCCEEDED",
            "succeeded = refund.state is not RefundState.FAILED",
        ),
        scenario="erasures",
    ),
    broken(
        "recovery",
        "the state of breakers is cached for all merchants together",
        Edit(DynamoDBAccountHealth, "of", "self.cache.get(merchant_id,", 'self.cache.get("",'),
        Edit(
            DynamoDBAccountHealth,
            "save",
            "self.cache.forget(before.name.merchant_id)",
            'self.cache.forget("")',
        ),
        scenario="sick_provider",
    ),
    broken(
        "recovery",
        "all merchants share the state of a breaker",
        Edit(DynamoDBAccountHealth, "_load", 'f"{PARTITION_PREFIX}{merchant_id}"', 'f"{PARTITION_PREFIX}acme"'),
        Edit(account_health, "_key", 'f"{PARTITION_PREFIX}{name.merchant_id}"', 'f"{PARTITION_PREFIX}acme"'),
        scenario="sick_provider",
    ),
    broken(
        "reviews",
        "a review is closed as charged while a capture is open",
        Edit(review, "_charged", "if payment.open_capture_or_void is not None:", "if False:"),
        survives=(
            "No payment of the simulator is in review while its capture is open: that takes a provider that breaks its "
            "word about an earlier attempt, or a false line about an amount that is only held. "
            "`tests/unit/domain/payments/test_review.py` holds the refusal."
        ),
    ),
    broken(
        "reconciliation",
        "only the first page of a report is read",
        Edit(run, "after_report_page", "if next_cursor is not None:", "if False:"),
        scenario="false_reports",
    ),
    broken(
        "merchants",
        "during a rotation only the new webhook secret is valid",
        Edit(
            secrets_manager,
            "_webhook_secrets",
            'return current, _webhook_secret(fields["previous"])',
            "return (current,)",
        ),
        scenario="rotations",
    ),
    broken(
        "payments",
        "what no provider confirms is never sent to review",
        Edit(
            recovery_plan,
            "recovery_step_for",
            "exhausted=_is_exhausted(attempt, capabilities, in_window=in_window and same_request, now_ms=now_ms),",
            "exhausted=False,",
        ),
    ),
    broken(
        "merchants",
        "what is written after an erasure is not erased",
        Edit(change, "change_of", "if before.erased:", "if False:"),
        scenario="erasures",
    ),
    broken(
        "merchants",
        "inquiries after an erasure keep the providers' sentences",
        Edit(attempt_engine, "schedule", "if item.payment.erased:", "if False:"),
        scenario="erasures",
    ),
    broken(
        "operations",
        "a refused operation is not watched for the provider's lag",
        Edit(operation_state_machine, "_without_effect", "if not recorded.is_watched:", "if True:"),
        scenario="operations",
    ),
    broken(
        "payments",
        "an attempt that is opened again keeps the time of its first try",
        Edit(not_sent, "reopened", "started_at_ms=now_ms,", ""),
        scenario="rate_limits",
    ),
    broken(
        "recovery",
        "after a restore, a provider that does not answer counts as one that knows nothing",
        Edit(
            SearchForgotten,
            "__call__",
            "case Unknown():\n                return Search(complete=False, proven=False)",
            "case Unknown():\n                continue",
        ),
        scenario="restores",
    ),
    broken(
        "orders",
        "an order that is held is looked at before the request's own payment",
        Edit(TakeOrder, "__call__", "existing = self._existing(payment)", "existing = None"),
        Edit(
            DynamoDBPayments,
            "create_with",
            "if key is not None:",
            "if refused.failed.keys() & {part for part, _ in beside}:\n            return refused\n"
            "        if key is not None:",
        ),
        scenario="refunds_turned_off",
    ),
    broken(
        "reviews",
        "a review is closed while a worker inquires",
        Edit(review, "close_review", "if payment.lease.is_live(context.now_ms):", "if False:"),
        scenario="slow_providers",
        survives=(
            "The worker's write requires the version that it has read: after the closing it reads the payment anew, "
            "and decides what its answer means for a payment that a person has closed."
        ),
    ),
)
