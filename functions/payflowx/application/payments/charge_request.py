"""Charge requests of a stored payment."""

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.payment import Payment
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.identifiers import derive_provider_key


def charge_request_of(payment: Payment, attempt: Attempt) -> ChargeRequest:
    """Return the request of a stored attempt."""
    return _charge(payment, attempt.provider, attempt.provider_key, attempt)


def new_charge_request_of(payment: Payment, provider: str, number: int) -> ChargeRequest:
    """Return the request of an attempt that is not stored yet."""
    return _charge(payment, provider, derive_provider_key(payment.transaction_id, number), None)


def _charge(payment: Payment, provider: str, provider_key: str, attempt: Attempt | None) -> ChargeRequest:
    return ChargeRequest(
        provider_key=provider_key,
        amount=payment.amount,
        currency=payment.currency,
        token=payment.payment_method.token_for(provider) or "",
        payment_method_type=payment.payment_method.type,
        capture=payment.capture,
        customer=payment.customer,
        description=payment.description,
        metadata=payment.metadata,
        statement_descriptor_suffix=payment.statement_descriptor_suffix,
        receipt_email=payment.receipt_email,
        initiator=payment.initiator,
        save_payment_method=payment.save_payment_method,
        return_url=payment.return_url,
        charge_deadline_ms=payment.charge_deadline_ms,
        sent_at_ms=attempt.started_at_ms if attempt else None,
        progress=attempt.progress if attempt else {},
        reference=attempt.reference if attempt else None,
        hosted=attempt.hosted if attempt else None,
    )
