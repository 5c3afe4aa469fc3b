"""The refusals that PayU documents as made before execution. Pure.

PayU answers a refused command with `status` 0. Captures, voids and refunds carry a numeric code. A debit carries a
sentence only: `sentence_code` gives each documented sentence a code, and every other one the code of no row.
"""

import re
from typing import Final

from payflowx.providers.refusals import Refusal, RefusalTable, RefusedCall

_REFUND_CODES: Final = "https://docs.payu.in/docs/error-codes-for-refund-initiation"
_LATER_REFUND_CODES: Final = "https://docs.payu.in/reference-link/error-codes-for-refund-initiation"
_CAPTURE_CODES: Final = "https://docs.payu.in/reference/error-codes-pre-authorize-payment"
_NOTIFICATION: Final = "https://docs.payu.in/reference/pre_debit_notification_api"
_CROSS_BORDER: Final = "https://docs.payu.in/reference/recurring-payment-transaction-api-pacb"

_CHARGE: Final = frozenset({RefusedCall.CHARGE})
_CAPTURE: Final = frozenset({RefusedCall.CAPTURE})
_REFUND: Final = frozenset({RefusedCall.REFUND})
_RETURNS: Final = frozenset({RefusedCall.VOID, RefusedCall.REFUND})
"""One command voids an authorized payment and refunds a captured one."""
_ANY_OPERATION: Final = _CAPTURE | _RETURNS

NOT_UNDERSTOOD: Final = "refusal_not_understood"
_DUPLICATE: Final = "duplicate_transaction"

REFUSALS: Final = RefusalTable(
    (
        # -- debits of a mandate
        Refusal(
            code="mandate_is_not_active",
            calls=_CHARGE,
            meaning="the payer or the bank paused or revoked the mandate, and PayU knows it",
            source=_NOTIFICATION,
        ),
        Refusal(
            code="pre_debit_notification_not_sent",
            calls=_CHARGE,
            meaning="without the notification PayU charges no card and no UPI mandate",
            source=_NOTIFICATION,
        ),
        Refusal(
            code="missing_mandatory_field",
            calls=_CHARGE,
            meaning="a cross-border account requires the payer's name and address",
            source=_CROSS_BORDER,
        ),
        Refusal(
            code="invalid_country",
            calls=_CHARGE,
            meaning="a cross-border account accepts payers in India only",
            source=_CROSS_BORDER,
        ),
        # -- captures, voids and refunds
        Refusal(code="105", calls=_ANY_OPERATION, meaning="invalid amount", source=_REFUND_CODES),
        Refusal(code="117", calls=_ANY_OPERATION, meaning="the amount does not match", source=_REFUND_CODES),
        Refusal(code="124", calls=_ANY_OPERATION, meaning="input is missing", source=_LATER_REFUND_CODES),
        Refusal(
            code="128", calls=_ANY_OPERATION, meaning="partial amounts are not allowed", source=_LATER_REFUND_CODES
        ),
        Refusal(code="129", calls=_ANY_OPERATION, meaning="a remark is mandatory", source=_LATER_REFUND_CODES),
        Refusal(code="237", calls=_ANY_OPERATION, meaning="special characters in a field", source=_REFUND_CODES),
        Refusal(code="238", calls=_ANY_OPERATION, meaning="a mandatory field is missing", source=_REFUND_CODES),
        Refusal(code="303", calls=_CAPTURE, meaning="more than can be captured", source=_CAPTURE_CODES),
        Refusal(code="304", calls=_CAPTURE, meaning="less than allowed", source=_CAPTURE_CODES),
        Refusal(code="305", calls=_CAPTURE, meaning="more than allowed", source=_CAPTURE_CODES),
        Refusal(code="306", calls=_CAPTURE, meaning="invalid tolerance of amounts", source=_CAPTURE_CODES),
        Refusal(
            code="301",
            calls=_CAPTURE,
            meaning="captured by an earlier request",
            source=_CAPTURE_CODES,
            claims_done=True,
        ),
        Refusal(code="103", calls=_RETURNS, meaning="rejected on reconfirmation", source=_REFUND_CODES),
        Refusal(code="110", calls=_REFUND, meaning="a second part of a Maestro payment", source=_REFUND_CODES),
        Refusal(code="113", calls=_REFUND, meaning="a chargeback took the amount", source=_REFUND_CODES),
        Refusal(code="115", calls=_RETURNS, meaning="invalid status to be updated", source=_REFUND_CODES),
        Refusal(code="119", calls=_RETURNS, meaning="no such request", source=_REFUND_CODES),
        Refusal(code="230", calls=_RETURNS, meaning="the transaction is purged", source=_REFUND_CODES),
        Refusal(code="231", calls=_RETURNS, meaning="settlements are on hold", source=_REFUND_CODES),
        Refusal(code="232", calls=_RETURNS, meaning="could not be initiated: not supported", source=_REFUND_CODES),
        Refusal(code="233", calls=_RETURNS, meaning="refused from the panel", source=_REFUND_CODES, misconfigured=True),
        Refusal(
            code="234", calls=_RETURNS, meaning="refused from panel and API", source=_REFUND_CODES, misconfigured=True
        ),
        Refusal(
            code="235", calls=_RETURNS, meaning="refunds are switched off", source=_REFUND_CODES, misconfigured=True
        ),
        Refusal(code="236", calls=_RETURNS, meaning="not possible for this payment", source=_REFUND_CODES),
        Refusal(code="239", calls=_REFUND, meaning="instant refunds are off", source=_REFUND_CODES, misconfigured=True),
        Refusal(code="250", calls=_REFUND, meaning="a successful chargeback took the amount", source=_REFUND_CODES),
        Refusal(code="251", calls=_RETURNS, meaning="the bank refuses this account's refunds", source=_REFUND_CODES),
    )
)
"""Codes that PayU lists as failures and that are no rows, because their meaning speaks of a request that goes on:

104 waits for a confirmation, 107 became a refund, 123 is set as pending. 106 and 227 (token used), 109 (logged before),
111 and 116 (state or existence of the payment), 120 (lock), 214 (equal amount within five minutes), 302 (try later)
may be the effect of an earlier request of ours.
"""

_CONFLICT: Final = re.compile(r"txnid|transaction|duplicate|already|exist|\bused\b|in progress", re.IGNORECASE)
_SENTENCES: Final = (
    (re.compile(r"mandate is not active"), "mandate_is_not_active"),
    (
        re.compile(r"pre ?debit notification (?:was |is |has )?(?:been )?not (?:been )?sent"),
        "pre_debit_notification_not_sent",
    ),
    (re.compile(r"missing mandatory field: .+"), "missing_mandatory_field"),
    (re.compile(r"invalid country(?:\..*)?"), "invalid_country"),
)


def sentence_code(sentence: str) -> str:
    """Return the code of a refusal that PayU gives as a sentence only.

    `sentence`: in lower case, with blanks for hyphens, without a full stop at its end.
    """
    for pattern, code in _SENTENCES:
        if pattern.fullmatch(sentence):
            return code
    return _DUPLICATE if _CONFLICT.search(sentence) else NOT_UNDERSTOOD
