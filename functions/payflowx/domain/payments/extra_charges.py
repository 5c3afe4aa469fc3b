"""Further charges inside a hosted object: each is owed to the payer until its refund at the provider is recorded. Pure.

A person makes that refund in the provider's dashboard, because our operations have the payment's own charge only.
"""

from dataclasses import replace
from typing import Final

from payflowx.domain.payments.change import Change, Context, change_of
from payflowx.domain.payments.events import Fact
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal

EXTRA_CHARGE_REFUNDED: Final = "payment.extra_charge_refunded"
"""The type of the audit event. Merchants are not notified: the payment shows it."""


def record_extra_refund(payment: Payment, reference: str, refund_reference: str, context: Context) -> Change | None:
    """Record that the extra charge `reference` was refunded as `refund_reference`; None if exactly this is recorded.

    It changes no amount and no status. Raises `Refusal` (`not_found`, `invalid_state`, `reference_taken`).
    """
    charge = _named(payment, reference)
    if charge.refund_reference == refund_reference:
        return None
    if not charge.is_owed:
        raise Refusal("invalid_state", f"The charge is already recorded as refunded by {charge.refund_reference}.")
    if any(other.refund_reference == refund_reference for other in payment.extra_charges):
        raise Refusal("reference_taken", "This refund is recorded for another charge of the payment.")
    refunded = replace(charge, refund_reference=refund_reference, refunded_at_ms=context.now_ms)
    charges = tuple(refunded if other is charge else other for other in payment.extra_charges)
    facts: dict[str, Fact] = {
        "attempt": charge.attempt,
        "provider": payment.attempt(charge.attempt).provider,
        "reference": reference,
        "refund": refund_reference,
        "amount": charge.amount,
    }
    return change_of(payment, replace(payment, extra_charges=charges), EXTRA_CHARGE_REFUNDED, facts, context)


def _named(payment: Payment, reference: str) -> ExtraCharge:
    found = next((charge for charge in payment.extra_charges if charge.reference == reference), None)
    if found is None:
        raise Refusal("not_found", "The payment has no extra charge with this id. See `payflowx payments show`.")
    return found
