"""Broken designs of answers: what clients read of a payment, an operation or a list."""

from http import HTTPStatus
from typing import Any, Final
from unittest.mock import patch

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.payments.operation_list import OperationList
from payflowx.adapters.dynamodb.payments.payments import DynamoDBPayments
from payflowx.adapters.dynamodb.reconciliation.payment_index import MerchantDays
from payflowx.application.payments.create_payment import CreatePayment
from payflowx.entrypoints.api import problems
from payflowx.entrypoints.api.payments import fingerprints, handlers, presenting
from simulation.mutants.mutant import Edit, Mutant, Patches, broken


def _cancellations_are_answered_at_once() -> Patches:
    """With 200, whatever the payment's status is."""
    original = vars(handlers)["answer"]

    def answer(body: Any, **said: Any) -> Any:
        is_cancellation = said.get("status") is HTTPStatus.ACCEPTED and "Location" not in (said.get("headers") or {})
        return original(body, **{**said, "status": HTTPStatus.OK} if is_cancellation else said)

    return [patch.object(handlers, "answer", answer)]


ANSWERING: Final[tuple[Mutant, ...]] = (
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
    Mutant(
        "answers",
        "what is not known yet is answered with 422",
        lambda: [patch.dict(problems.KINDS, {"outcome_unknown": problems.Kind(422, "x")})],
    ),
    Mutant("answers", "a cancellation is always answered with 200", _cancellations_are_answered_at_once),
)
