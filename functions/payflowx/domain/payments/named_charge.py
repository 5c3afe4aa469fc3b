"""The charge that a person found at a provider, where the stored attempts do not say which one it is. Pure.

After a restore, the request that charged may not be stored, or another attempt may be the one under review.
"""

from dataclasses import dataclass, replace

from payflowx.domain.payments.attempt import CLOSED_BY_OPERATOR, Attempt
from payflowx.domain.payments.checkout import facts_of_forgotten
from payflowx.domain.payments.hosted import HostedCapability
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import derive_provider_key, parse_provider_key
from payflowx.domain.shared.limits import MAX_ATTEMPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCharge:
    """Where the charge is: at the merchant's account, under the key that the provider shows.

    `provider_key` None: that of a stored attempt there, else that of the next request. `hosted`: what the provider's
    pages can do; None where it has none.
    """

    provider: str
    account_id: str
    provider_key: str | None = None
    hosted: HostedCapability | None = None


def is_at(attempt: Attempt, charge: NamedCharge) -> bool:
    """Return whether the attempt used this account and, if a key was named, this key."""
    is_account = (attempt.provider, attempt.account_id) == (charge.provider, charge.account_id)
    return is_account and charge.provider_key in {None, attempt.provider_key}


def attempt_of(payment: Payment, charge: NamedCharge, in_question: Attempt | None, now_ms: int) -> Attempt:
    """Return the stored attempt that made this charge, else a new one for the record.

    Of several at the account, it is the one in question, else the newest. The payer of a checkout has paid inside a
    hosted object, and can pay there a second time: a new attempt has such an object, so that it is read once more.
    Raises `Refusal` (`evidence_contradicts`) for a key that is not this payment's, or that was used at another account.
    """
    key = charge.provider_key or derive_provider_key(payment.transaction_id, len(payment.attempts) + 1)
    _check_key(payment, charge, key)
    found = [attempt for attempt in payment.attempts if is_at(attempt, charge)]
    if in_question in found:
        return in_question
    if found:
        return found[-1]
    if len(payment.attempts) >= MAX_ATTEMPTS:
        raise Refusal("evidence_contradicts", f"All {MAX_ATTEMPTS} requests of this payment are stored; name one.")
    recorded = recorded_attempt(payment, payment.transaction_id, charge)
    if payment.checkout is None or charge.hosted is None:
        return recorded
    number = recorded.number
    facts = facts_of_forgotten(payment.checkout, charge.provider, charge.hosted, number=number, now_ms=now_ms)
    return replace(recorded, progress=facts)


def recorded_attempt(owner: Payment | Operation, owner_id: str, charge: NamedCharge) -> Attempt:
    """Return the attempt that stands for a request which is not stored. Nothing is ever sent for it."""
    number = len(owner.attempts) + 1
    return Attempt(
        number=number,
        provider=charge.provider,
        account_id=charge.account_id,
        provider_key=charge.provider_key or derive_provider_key(owner_id, number),
        request_hash="",
        epoch=owner.lease.epoch,
        started_at_ms=owner.created_at_ms,
        code=CLOSED_BY_OPERATOR,
    )


def _check_key(payment: Payment, charge: NamedCharge, key: str) -> None:
    parsed, own = parse_provider_key(key), parse_provider_key(derive_provider_key(payment.transaction_id, 1))
    if parsed is None or own is None or parsed[0] != own[0] or not 1 <= parsed[1] <= MAX_ATTEMPTS:
        raise Refusal(
            "evidence_contradicts",
            f"This payment's keys are {derive_provider_key(payment.transaction_id, 1)} to {MAX_ATTEMPTS}; "
            "a charge under another key is not this payment's.",
        )
    elsewhere = (a for a in payment.attempts if a.provider_key == key and not is_at(a, charge))
    other = next(elsewhere, None)
    if other is not None:
        raise Refusal(
            "evidence_contradicts",
            f"Attempt {other.number} used the key {key} at {other.provider} ({other.account_id}), and not there.",
        )
