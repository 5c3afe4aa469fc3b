"""Payments as operators see them: as merchants do, with what the machinery knows, without what people entered."""

from typing import Any, Final

import msgspec

from payflowx.application.operators.payment_cost import PaymentCost
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.money import to_major
from payflowx.entrypoints.api.payments.presenting import present_event, present_operation, present_payment, timestamp

_ENTERED: Final = frozenset({"description", "metadata", "nextAction"})
"""Fields that may name a person or hold a payment token."""


def money(amount: int, currency: str) -> str:
    """In major units, as a person reads it: 19.99 USD."""
    return f"{to_major(amount, currency)} {currency}"


def payment_fields(payment: Payment) -> dict[str, Any]:
    """`leaseUntil` is set while a worker may be talking to a provider."""
    shown = msgspec.to_builtins(present_payment(payment))
    return {
        "merchantId": payment.merchant_id,
        **{name: value for name, value in shown.items() if name not in _ENTERED},
        "money": money(payment.amount, payment.currency),
        "reserved": payment.reserved,
        "excess": payment.excess,
        "version": payment.version,
        "drives": payment.drives,
        "dueAt": timestamp(payment.due_at_ms) if payment.due_at_ms is not None else None,
        "leaseUntil": timestamp(payment.lease.expires_at_ms) if payment.lease.expires_at_ms else None,
        "erased": payment.erased,
    }


def operation_fields(operation: Operation) -> dict[str, Any]:
    """A capture, void or refund."""
    fields: dict[str, Any] = msgspec.to_builtins(present_operation(operation))
    return fields


def cost_fields(cost: PaymentCost) -> dict[str, Any]:
    """Read units may be halves."""
    usage = cost.usage
    return {
        "calls": usage.calls,
        "writeUnits": usage.write_units,
        "readUnits": usage.half_read_units / 2,
        "messages": usage.messages,
        "apiRequests": usage.api_requests,
        "microDollars": usage.micro_dollars,
        "complete": cost.complete,
    }


def event_fields(event: Event) -> dict[str, Any]:
    """An entry of the audit log."""
    fields: dict[str, Any] = msgspec.to_builtins(present_event(event))
    return fields
