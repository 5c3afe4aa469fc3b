"""The refusals that Cashfree documents as made before execution.

A row is believed only in an answer whose error type says that the request was malformed, failed validation, or needs a
feature that the account does not have. The last segment of a dotted code decides: Cashfree puts the name of the object
before it, such as `customer_details.customer_phone_invalid`.

Never a row: `refund_id_invalid`, which Cashfree also answers for a refund id that was used before; `order_inactive`,
`order_token_invalid`, `order_id_invalid`, `payment_session_id_invalid` and `orderpay_not_found`, which may follow from
a payment that was made; `request_failed`, which one page calls a wrong configuration and another a server error.
"""

from typing import Final

from payflowx.providers.refusals import Refusal, RefusalTable, RefusedCall

FEATURE_NOT_ENABLED: Final = "feature_not_enabled"
"""An error type of Cashfree's. Its codes name the feature and are not listed, so the type stands in the table."""

_ERRORS: Final = "https://www.cashfree.com/docs/api-reference/payments/errors"
_TROUBLESHOOTING: Final = "https://www.cashfree.com/docs/api-reference/integration-troubleshooting/payments-ts"
_GPAY_ERRORS: Final = "https://www.cashfree.com/docs/static/gpay-payment-errors"
_GUIDE: Final = "https://github.com/cashfree/agent-skills/blob/main/src/templates"
_PAY_GUIDE: Final = f"{_GUIDE}/pg/api-reference.md"
_REFUND_GUIDE: Final = f"{_GUIDE}/pg/refunds-reference.md"
_MISTAKES: Final = f"{_GUIDE}/common-mistakes.md"

_CHARGE: Final = frozenset({RefusedCall.CHARGE})
_REFUND: Final = frozenset({RefusedCall.REFUND})
_CAPTURE: Final = frozenset({RefusedCall.CAPTURE})


def _charge(code: str, meaning: str, source: str = _ERRORS, *, misconfigured: bool = False) -> Refusal:
    return Refusal(code=code, calls=_CHARGE, meaning=meaning, source=source, misconfigured=misconfigured)


def _refund(code: str, meaning: str, source: str = _ERRORS, *, claims_done: bool = False) -> Refusal:
    return Refusal(code=code, calls=_REFUND, meaning=meaning, source=source, claims_done=claims_done)


REFUSALS: Final = RefusalTable(
    (
        Refusal(
            code=FEATURE_NOT_ENABLED,
            calls=frozenset(RefusedCall),
            meaning="the account does not have this feature",
            source=_ERRORS,
            misconfigured=True,
        ),
        _charge(
            "s2s_enabled_not_approved",
            "server-to-server payments are not approved for the account",
            _TROUBLESHOOTING,
            misconfigured=True,
        ),
        _charge("card_submission_disabled", "the account may not submit cards", misconfigured=True),
        _charge("payment_gateway_unsupported", "the payment gateway is not supported", misconfigured=True),
        _charge("version_invalid", "the API version is not supported"),
        _charge("version_missing", "the API version is missing", _PAY_GUIDE),
        # The order.
        _charge("order_amount_invalid", "the amount is below or above the limits"),
        _charge("order_expiry_time_invalid", "the expiry is malformed or in the past"),
        _charge("customer_id_missing", "the customer's id is missing", _MISTAKES),
        _charge("customer_phone_missing", "the telephone number is missing", _MISTAKES),
        _charge("customer_phone_invalid", "the telephone number is malformed"),
        _charge("customer_email_invalid", "the e-mail address is malformed"),
        # Its payment.
        _charge("payment_method_unsupported", "the payment method is not accepted for this order"),
        _charge("payment_method_invalid", "the payment method is not known"),
        _charge("payment_amount_invalid", "the amount is malformed"),
        _charge("card_unsupported", "the type of card is not supported"),
        _charge("card_number_invalid", "the card number is malformed"),
        _charge("card_cvv_missing", "the card needs its verification value", _PAY_GUIDE),
        _charge("card_cvv_invalid", "the verification value is malformed", _GPAY_ERRORS),
        _charge("card_invalid", "the card's details are malformed", _GPAY_ERRORS),
        _charge("channel_missing", "the channel is missing", _PAY_GUIDE),
        _charge("phone_invalid", "the telephone number is malformed", _PAY_GUIDE),
        _charge("surcharge_invalid", "the surcharge is not allowed"),
        _charge("authorize_only_invalid", "an authorization is not allowed for this payment"),
        _charge("request_invalid", "the card cannot pay in this currency", _PAY_GUIDE),
        _charge("instrument_not_found", "the customer has no saved card with this id"),
        _charge("payment_instrument_not_found", "the saved card is not known"),
        _charge("card_alias_not_found", "the saved card is not known"),
        _charge("card_not_found", "the saved card is not known"),
        # Refunds, captures and voids.
        _refund("refund_amount_invalid", "the amount is malformed or more than is left to refund"),
        _refund("refund_note_invalid", "the note is malformed", _REFUND_GUIDE),
        _refund("refund_speed_invalid", "the speed is not known", _REFUND_GUIDE),
        _refund("refund_unsupported", "payments of this type cannot be refunded"),
        _refund("refund_invalid", "the refund does not meet the conditions"),
        _refund("order_id_not_paid", "the order has no payment that could be refunded"),
        _refund("order_id_voided", "the authorization was released"),
        _refund("order_not_found", "the account has no such order", _REFUND_GUIDE),
        _refund(
            "refund_not_allowed", "older than six months, or everything is refunded", _REFUND_GUIDE, claims_done=True
        ),
        _refund("refund_post_failed", "among others, more than is left to refund", claims_done=True),
        Refusal(code="order_id_voided", calls=_CAPTURE, meaning="the authorization was released", source=_ERRORS),
    )
)
"""`refund_post_failed` is documented as a system error; the sandbox answers it for more than is left to refund. So it
counts only where the list of refunds shows that nothing is left.
"""
