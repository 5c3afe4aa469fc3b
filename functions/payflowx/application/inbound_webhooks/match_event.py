"""Matching of a webhook to a payment's attempt or an operation.

It uses the provider's reference or our own provider key.
"""

from dataclasses import dataclass
from enum import StrEnum

from payflowx.domain.inbound_webhooks.ports import ReceivedEvent, ReferenceOwner, References
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import Operations
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.ports import Payments
from payflowx.domain.shared.identifiers import OPERATION_PREFIXES, PAYMENT_PREFIX, parse_provider_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The matched payment and attempt. `operation` None: the webhook is about the charge."""

    payment: Payment
    attempt: Attempt
    operation: Operation | None = None


class Unmatched(StrEnum):
    """The reason why no match was found."""

    UNKNOWN = "unknown"
    """A reference without an owner: not ours, or not stored yet."""
    OURS_UNKNOWN = "ours_unknown"
    """A key that PayFlowX made but no record has: not stored yet, or of another deployment."""
    ELSEWHERE = "elsewhere"
    """The owner is another merchant or another account than the webhook's sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchEvent:
    """Reads only the records of the merchant whose account sent the webhook."""

    payments: Payments
    operations: Operations
    references: References

    def __call__(self, inbound: ReceivedEvent) -> Matched | Unmatched:
        """Return the operation that the webhook names, else the charge."""
        provider_event = inbound.provider_event
        if provider_event.operation_reference or provider_event.operation_key:
            return self._found(inbound, self._operation_owner(inbound))
        return self._found(inbound, self._charge_owner(inbound))

    def payment_of_refund(self, inbound: ReceivedEvent) -> ReferenceOwner | None:
        """Return the owner of the charge of a refund that matches nothing; None for an event about anything else."""
        event = inbound.provider_event
        if event.operation_reference is None:
            return None
        owner = self._by_reference(inbound, event.charge_reference)
        return owner if owner and owner.merchant_id == inbound.merchant_id else None

    def _operation_owner(self, inbound: ReceivedEvent) -> ReferenceOwner | Unmatched:
        by_reference = self._by_reference(inbound, inbound.provider_event.operation_reference)
        if by_reference is not None:
            return by_reference
        parsed = parse_provider_key(inbound.provider_event.operation_key or "")
        if parsed is None:
            return Unmatched.UNKNOWN
        name, number = parsed
        for prefix in OPERATION_PREFIXES.values():
            operation_id = prefix + name
            transaction_id = self.operations.locate(inbound.merchant_id, operation_id)
            if transaction_id is not None:
                return ReferenceOwner(
                    merchant_id=inbound.merchant_id,
                    transaction_id=transaction_id,
                    attempt=number,
                    operation_id=operation_id,
                )
        return Unmatched.OURS_UNKNOWN

    def _charge_owner(self, inbound: ReceivedEvent) -> ReferenceOwner | Unmatched:
        """Return the owner by reference, unless the key names another attempt of ours.

        Such an attempt is the one that the event is about: its proof is a mismatch, because its reference is taken. A
        dispute proves nothing: it is about the charge that it names, whatever a payer wrote beside it.
        """
        by_reference = self._by_reference(inbound, inbound.provider_event.charge_reference)
        if by_reference is not None and inbound.provider_event.dispute is not None:
            return by_reference
        parsed = parse_provider_key(inbound.provider_event.charge_key or "")
        if parsed is None:
            return by_reference or Unmatched.UNKNOWN
        name, number = parsed
        by_key = ReferenceOwner(merchant_id=inbound.merchant_id, transaction_id=PAYMENT_PREFIX + name, attempt=number)
        if by_reference is None or by_reference == by_key or by_reference.operation_id is not None:
            return by_reference or by_key
        return by_key if isinstance(self._found(inbound, by_key), Matched) else by_reference

    def _by_reference(self, inbound: ReceivedEvent, reference: str | None) -> ReferenceOwner | None:
        if not reference:
            return None
        return self.references.find(inbound.merchant_id, inbound.provider, inbound.account_id, reference)

    def _found(self, inbound: ReceivedEvent, owner: ReferenceOwner | Unmatched) -> Matched | Unmatched:
        if isinstance(owner, Unmatched):
            return owner
        if owner.merchant_id != inbound.merchant_id:
            return Unmatched.ELSEWHERE
        payment = self.payments.get(owner.merchant_id, owner.transaction_id)
        operation = self._operation(owner)
        of: Payment | Operation | None = operation if owner.operation_id else payment
        if payment is None or of is None or not 1 <= owner.attempt <= len(of.attempts):
            return Unmatched.OURS_UNKNOWN
        attempt = of.attempt(owner.attempt)
        if (attempt.provider, attempt.account_id) != (inbound.provider, inbound.account_id):
            return Unmatched.ELSEWHERE
        return Matched(payment=payment, attempt=attempt, operation=operation)

    def _operation(self, owner: ReferenceOwner) -> Operation | None:
        if owner.operation_id is None:
            return None
        return self.operations.get(owner.merchant_id, owner.transaction_id, owner.operation_id)
