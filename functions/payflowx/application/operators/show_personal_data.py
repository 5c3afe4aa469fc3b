"""The personal data of a payment, for an operator who says why. Each access is in the operators' audit log."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from payflowx.domain.merchants.directory import AuditEntry, AuditLog
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal

ACTION = "personal_data.shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """Texts that people entered. An erased payment has none. Tokens are no part of it: nobody needs to read them."""

    erased: bool
    customer: Mapping[str, str] = field(repr=False)
    description: str | None = field(repr=False)
    metadata: Mapping[str, str] = field(repr=False)
    receipt_email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPersonalData:
    """Raises `Refusal` (`not_found`). The access is recorded before anything is answered."""

    payments: Payments
    audit_log: AuditLog
    clock: Clock

    def __call__(self, merchant_id: str, transaction_id: str, operator_action: OperatorAction) -> PersonalData:
        payment = self.payments.get(merchant_id, transaction_id)
        if payment is None:
            raise Refusal("not_found", "There is no payment with this id.")
        self.audit_log.record(
            AuditEntry(
                action=ACTION,
                at_ms=self.clock.now_ms(),
                operator_action=operator_action,
                merchant_id=merchant_id,
                facts={"transactionId": transaction_id},
            )
        )
        return PersonalData(
            erased=payment.erased,
            customer=_customer(payment),
            description=payment.description,
            metadata=dict(payment.metadata),
            receipt_email=payment.receipt_email,
        )


def _customer(payment: Payment) -> Mapping[str, str]:
    """Return the facts that are known, those of the address under names such as `address.city`."""
    customer = payment.customer
    if customer is None:
        return {}
    known = {one.name: getattr(customer, one.name) for one in fields(customer) if one.name != "address"}
    if customer.address is not None:
        address = customer.address
        known |= {f"address.{one.name}": getattr(address, one.name) for one in fields(address)}
    return {name: str(value) for name, value in known.items() if value is not None}
