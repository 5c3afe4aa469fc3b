"""The refusals that Stripe documents, by the code of the error.

Stripe separates a request that was unacceptable (400) or about an object that does not exist (404) from one whose
parameters were valid and which failed afterwards (402): https://docs.stripe.com/api/errors. A row stands here if the
list of error codes describes a parameter, the payment method, the customer or the account. Codes about an object's
state, about another request in progress, about a payer's decision and about other products have no row.

Never a row: codes that the list explains as the fault of a processor or a regulator (`payment_method_not_available`,
`application_fees_not_allowed`), as the state of a token or source that an earlier request may have consumed
(`token_already_used`, `invalid_source_usage`), as the answer of a bank (`no_account`, `insufficient_funds`), or not at
all (`capability_not_active`, `three_d_secure_authentication_not_supported`). Stripe's SDK lists
`expired_payment_method` and `payment_method_restricted` among the failures of an attempt that was made.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from payflowx.providers.refusals import Refusal, RefusalTable, RefusedCall
from payflowx.providers.stripe.messages import safe_code

_CODES: Final = "https://docs.stripe.com/error-codes"
_VALIDATION: Final = "https://docs.stripe.com/api/idempotent_requests"

PARAMETER_REFUSED: Final = "parameter_refused"
"""Ours, for an error without a code that names the parameter: its values are validated before the endpoint runs."""
PAYMENT_METHOD_CONSUMED: Final = "payment_method_consumed"
"""Ours, for the error about a payment method of single use that was used before: it has neither code nor parameter."""
INSUFFICIENT_BALANCE: Final = "insufficient_balance_for_refund"
"""The `message_code` of an error without a code: the account's balance does not cover the refund."""

_CONSUMED_PHRASES: Final = ("may not be used again", "cannot reuse PaymentMethods")
_EARLIER_REQUEST: Final = re.compile(
    r"already|duplicate|in progress|another request|pending|tim(?:ed |e)?out", re.IGNORECASE
)
"""Words of a sentence that may be about the effect of an earlier request of ours. The parameter of an error without a
code is no refusal beside them."""

_CHARGE: Final = (RefusedCall.CHARGE,)
_CAPTURE: Final = (RefusedCall.CAPTURE,)
_REFUND: Final = (RefusedCall.REFUND,)
_EVERY: Final = tuple(RefusedCall)

_PARAMETERS: Final = {
    "amount_too_large": "above the maximum, or above what can be captured or refunded",
    "amount_too_small": "below the minimum for the currency",
    "charge_invalid_parameter": "a parameter is invalid for this kind of charge",
    "email_invalid": "the e-mail address is not in a valid form",
    "invalid_characters": "a value contains characters that the field does not support",
    "invalid_charge_amount": "the amount is not a positive integer above the minimum",
    "parameter_invalid_empty": "a required value is empty",
    "parameter_invalid_integer": "a value should be an integer, or is out of range",
    "parameter_invalid_string_blank": "a value consists of white space",
    "parameter_invalid_string_empty": "a string is empty",
    "parameter_missing": "a required value is missing",
    "parameter_unknown": "the request has a parameter that does not exist",
    "parameters_exclusive": "two parameters exclude each other",
    "url_invalid": "the return address is invalid",
}
_PAYMENT_METHODS: Final = {
    "charge_exceeds_source_limit": "the amount exceeds the limit of the account for this kind of payment method",
    "charge_exceeds_transaction_limit": "the amount exceeds the limit of one transaction",
    "country_code_invalid": "the country's code is invalid",
    "customer_max_payment_methods": "the customer has no room for another payment method",
    "invalid_cvc": "the card's security code is no such code",
    "invalid_expiry_month": "the card's month of expiry is no month",
    "invalid_expiry_year": "the card's year of expiry is invalid",
    "invalid_number": "the card's number is no card number",
    "missing": "the source is not linked to the customer",
    "payment_intent_incompatible_payment_method": "the intent expected a payment method of another kind",
    "payment_intent_invalid_parameter": "a parameter is not allowed for this kind of payment method",
    "payment_intent_mandate_invalid": "the mandate is invalid for this intent",
    "payment_method_billing_details_address_missing": "the payment method has no billing address",
    "payment_method_currency_mismatch": "the payment method does not support the currency",
    "payment_method_invalid_parameter": "a parameter of the payment method is invalid",
    "payment_method_invalid_parameter_testmode": "a parameter of the payment method is invalid in test mode",
    "payment_method_unexpected_state": "the payment method's state does not allow the request",
    "payment_method_unsupported_type": "the type of payment method is not supported",
    "postal_code_invalid": "the postal code is invalid",
    "resource_missing": "the payment method or the customer does not exist in this account",
    "token_card_network_invalid": "the card's network cannot be used",
}
_ACCOUNT: Final = {
    "account_invalid": "the account does not exist or cannot be used",
    "api_key_expired": "the key has expired",
    "livemode_mismatch": "keys and objects belong to different modes",
    "payment_method_unactivated": "the account has not activated the payment method",
    "platform_account_required": "only a platform may send the request",
    "platform_api_key_expired": "the platform's key has expired",
    "progressive_onboarding_limit_exceeded": "the account must be verified before it may take more",
    "secret_key_required": "a publishable key was used",
    "testmode_charges_only": "the account is not activated for live charges",
    "tls_version_unsupported": "the TLS version is not supported",
}
"""Refused for the account's settings: an operator must correct them."""
_CAPTURES: Final = {
    "capture_charge_authorization_expired": "the authorization has expired",
    "capture_unauthorized_payment": "the payment is not authorized",
    "charge_expired_for_capture": "the authorization has expired",
}
_REFUNDS: Final = {
    "balance_insufficient": "the account's balance does not cover the refund",
    "charge_disputed": "the payer's bank has charged the payment back",
    "charge_not_refundable": "the charge cannot be refunded any more",
    "refund_disputed_payment": "a disputed payment cannot be refunded",
}


def _row(code: str, calls: tuple[RefusedCall, ...], meaning: str, **flags: bool) -> Refusal:
    source = f"{_CODES}#{code.replace('_', '-')}"
    return Refusal(code=code, calls=frozenset(calls), meaning=meaning, source=source, **flags)


def _rows() -> Iterator[Refusal]:
    yield from (_row(code, _EVERY, meaning) for code, meaning in _PARAMETERS.items())
    yield from (_row(code, _CHARGE, meaning) for code, meaning in _PAYMENT_METHODS.items())
    yield from (_row(code, _EVERY, meaning, misconfigured=True) for code, meaning in _ACCOUNT.items())
    yield from (_row(code, _CAPTURE, meaning) for code, meaning in _CAPTURES.items())
    yield from (_row(code, _REFUND, meaning) for code, meaning in _REFUNDS.items())
    yield _row("charge_already_captured", _CAPTURE, "the charge was captured before", claims_done=True)
    yield _row("charge_already_refunded", _REFUND, "the charge was refunded before", claims_done=True)
    yield Refusal(
        code=PARAMETER_REFUSED,
        calls=frozenset(RefusedCall),
        meaning="the value of the parameter that the error names was refused",
        source=_VALIDATION,
    )
    yield Refusal(
        code=PAYMENT_METHOD_CONSUMED,
        calls=frozenset(_CHARGE),
        meaning="a payment method that is attached to no customer can be used once, and was",
        source="https://docs.stripe.com/api/payment_methods/attach",
    )
    yield Refusal(
        code=INSUFFICIENT_BALANCE,
        calls=frozenset(_REFUND),
        meaning="the account's balance does not cover the refund",
        source="https://docs.stripe.com/refunds",
    )


REFUSALS: Final = RefusalTable(tuple(_rows()))


def refusal_code(error: dict[str, Any]) -> str:
    """Return the code under which a refusal stands in the table. An error without a code is known by its other parts.

    `unrecognized` for an error that has none of them.
    """
    code = error.get("code") or error.get("message_code")
    if code is not None or error.get("type") != "invalid_request_error":
        return safe_code(code)
    message = error.get("message")
    if isinstance(message, str) and any(phrase in message for phrase in _CONSUMED_PHRASES):
        return PAYMENT_METHOD_CONSUMED
    is_earlier = isinstance(message, str) and _EARLIER_REQUEST.search(message) is not None
    return PARAMETER_REFUSED if isinstance(error.get("param"), str) and not is_earlier else safe_code(None)
