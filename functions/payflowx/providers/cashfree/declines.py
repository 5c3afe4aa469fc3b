"""The kinds of declines by Cashfree's reason words, and by the response codes of UPI. Pure.

A decline counts once its order is closed, so a wrong kind never charges twice. It costs a sale, or asks a bank again
that will refuse again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from payflowx.domain.shared.statuses import DeclineKind
from payflowx.providers.json_fields import as_object

_ERRORS: Final = "https://www.cashfree.com/docs/api-reference/payments/errors"
_PAYMENTS: Final = "https://www.cashfree.com/docs/api-reference/payments/latest/payments/get-payments-for-order"
_MIGRATION: Final = (
    "https://github.com/cashfree/agent-skills/blob/main/src/templates/migrate-from-razorpay-reference.md"
)
_UPI: Final = "https://www.cashfree.com/docs/payments/manage/payment-methods/upi-error-codes"
_NPCI: Final = "https://juspay.io/hdfc-resources/docs/common-resources/upi-error-codes"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineReason:
    """One documented reason. `source`: the address of the page that says what it means."""

    word: str
    kind: DeclineKind
    meaning: str
    source: str


def _reason(word: str, kind: DeclineKind, meaning: str, source: str) -> DeclineReason:
    return DeclineReason(word=word, kind=kind, meaning=meaning, source=source)


REASONS: Final = (
    _reason("gateway_error", DeclineKind.SOFT, "the payment failed at the payment gateway", _MIGRATION),
    _reason("bank_processing_failure", DeclineKind.SOFT, "the bank could not process the payment", _ERRORS),
    _reason("bank_rejected", DeclineKind.SOFT, "the payer's bank rejected this payment", _ERRORS),
    _reason("auth_declined", DeclineKind.SOFT, "the bank or the payer's app declined this payment", _PAYMENTS),
    _reason("authentication_failed", DeclineKind.SOFT, "the payer was not authenticated", _MIGRATION),
    _reason("insufficient_funds", DeclineKind.FUNDS, "the account has too little money", _MIGRATION),
    _reason("insufficient_balance", DeclineKind.FUNDS, "the account has too little money", _UPI),
)
"""By `error_reason`. An unknown word is a hard decline, so it is not tried again."""

UPI_CODES: Final = (
    _reason("Z9", DeclineKind.FUNDS, "insufficient funds", _NPCI),
    _reason("Z8", DeclineKind.FUNDS, "the bank's limit for one payment is exceeded", _NPCI),
    _reason("Z7", DeclineKind.FUNDS, "the bank's limit of the number of payments is exceeded", _NPCI),
    _reason("ZU", DeclineKind.FUNDS, "the bank's limit is exceeded", _NPCI),
    _reason("ZM", DeclineKind.SOFT, "a wrong PIN", _NPCI),
    _reason("UP", DeclineKind.SOFT, "the payer's app did not answer in time", _NPCI),
    _reason("59", DeclineKind.HARD, "the bank suspects fraud", _NPCI),
    _reason("YE", DeclineKind.HARD, "the payer's account is blocked", _NPCI),
    _reason("ZX", DeclineKind.HARD, "the payer's account is inactive", _NPCI),
    _reason("XH", DeclineKind.HARD, "the payer's account does not exist", _NPCI),
    _reason("B1", DeclineKind.HARD, "the telephone number of the account was changed or removed", _NPCI),
)
"""By `error_code_raw` of a UPI payment, as the network gives it. It is more exact than Cashfree's word."""

_BY_WORD: Final[Mapping[str, DeclineKind]] = {row.word: row.kind for row in REASONS}
_BY_UPI_CODE: Final[Mapping[str, DeclineKind]] = {row.word: row.kind for row in UPI_CODES}


def kind_of(payment: Mapping[str, Any]) -> DeclineKind:
    """Return the kind of a payment that failed; hard for a reason that is not listed."""
    error = as_object(payment.get("error_details"))
    code, word = error.get("error_code_raw"), error.get("error_reason") or error.get("error_code")
    group = payment.get("payment_group")
    if isinstance(group, str) and group.startswith("upi") and isinstance(code, str) and code in _BY_UPI_CODE:
        return _BY_UPI_CODE[code]
    return _BY_WORD.get(word, DeclineKind.HARD) if isinstance(word, str) else DeclineKind.HARD
