"""The refusals that Razorpay documents as made before execution.

Each `source` is the page that names the refusal and its cause: a wrong request, or a feature that the account lacks. No
payment, capture or refund exists then; an answer that names one is not believed.
"""

from typing import Final

from payflowx.providers.refusals import Refusal, RefusalTable, RefusedCall

_COMMON: Final = "https://razorpay.com/docs/errors/common/"
_STRUCTURE: Final = "https://razorpay.com/docs/errors/"
_REASONS: Final = "https://razorpay.com/docs/errors/payments/list/"
_RECURRING: Final = "https://razorpay.com/docs/api/payments/recurring-payments/cards/create-subsequent-payments/"
_REFUND: Final = "https://razorpay.com/docs/api/refunds/create-normal/"
_REFUND_ERRORS: Final = "https://razorpay.com/docs/payments/refunds/errors/"
_CAPTURE: Final = "https://razorpay.com/docs/api/payments/capture/"

_CHARGES: Final = frozenset({RefusedCall.CHARGE})
_CAPTURES: Final = frozenset({RefusedCall.CAPTURE})
_REFUNDS: Final = frozenset({RefusedCall.REFUND})
_ALL: Final = frozenset({RefusedCall.CHARGE, RefusedCall.CAPTURE, RefusedCall.REFUND})


def _reason(code: str, meaning: str, *, misconfigured: bool = False) -> Refusal:
    return Refusal(code=code, calls=_CHARGES, meaning=meaning, source=_REASONS, misconfigured=misconfigured)


REFUSALS: Final = RefusalTable(
    (
        Refusal(
            code="url_not_found",
            calls=_ALL,
            meaning="the feature behind this address, such as server-to-server, is not enabled for the account",
            source=_COMMON,
            misconfigured=True,
        ),
        Refusal(
            code="field_refused",
            calls=_CHARGES,
            meaning="the error has no reason, and names the parameter of the request that caused it",
            source=_STRUCTURE,
        ),
        # -- reasons of payments: the request is wrong
        _reason("amount_less_than_minimum_amount", "the amount is below the minimum"),
        _reason("input_validation_failed", "a wrong request or a wrong value in it"),
        _reason("invalid_amount", "the amount is not valid"),
        _reason("invalid_currency", "the currency is not supported"),
        _reason("invalid_email", "the payer's e-mail address is not valid"),
        _reason("invalid_mobile_number", "the payer's telephone number is not valid"),
        _reason("invalid_order_id", "the order is missing or not valid"),
        _reason("invalid_request", "the form of the request is not valid"),
        _reason("order_amount_mismatch", "the order has another amount"),
        _reason("order_payment_method_mismatch", "the order allows another method only"),
        # -- reasons of payments: the account lacks something
        _reason("bank_not_enabled", "the bank is not enabled for the account", misconfigured=True),
        _reason("card_network_not_enabled", "the card's network is not enabled", misconfigured=True),
        _reason("live_mode_not_enabled", "live mode is not enabled", misconfigured=True),
        _reason("merchant_not_activated", "the account is not activated", misconfigured=True),
        _reason("payment_method_not_enabled", "the method is not enabled", misconfigured=True),
        _reason("recurring_payment_not_enabled", "recurring payments are not enabled", misconfigured=True),
        _reason("upi_intent_not_enabled", "UPI intent is not enabled", misconfigured=True),
        # -- debits of a mandate
        Refusal(
            code="pre_debit_notification_not_sent",
            calls=_CHARGES,
            meaning="the debit needs a notification before it, and none was sent",
            source=_RECURRING,
        ),
        Refusal(
            code="BAD_REQUEST_MANDATE_PROMISED_DEBIT_DATE_NOT_HONOURED",
            calls=_CHARGES,
            meaning="the debit was tried before the date of its notification",
            source=_RECURRING,
        ),
        # -- captures and refunds, told apart by their texts
        Refusal(
            code="capture_amount_differs",
            calls=_CAPTURES,
            meaning="a capture takes the authorized amount only",
            source=_CAPTURE,
        ),
        Refusal(
            code="capture_currency_differs",
            calls=_CAPTURES,
            meaning="a capture takes the authorized currency only",
            source=_CAPTURE,
        ),
        Refusal(
            code="amount_below_minimum",
            calls=_REFUNDS,
            meaning="less than one rupee cannot be refunded",
            source=_REFUND,
        ),
        Refusal(
            code="balance_too_low",
            calls=_REFUNDS,
            meaning="the account's balance is lower than the refund",
            source=_REFUND,
        ),
        Refusal(code="refund_exceeds_captured", calls=_REFUNDS, meaning="more than was captured", source=_REFUND),
        Refusal(
            code="partial_refund_unsupported",
            calls=_REFUNDS,
            meaning="payments by this method are refunded as a whole only",
            source=_REFUND,
        ),
        Refusal(
            code="refund_unsupported",
            calls=_REFUNDS,
            meaning="payments by this method cannot be refunded",
            source=_REFUND,
        ),
        Refusal(
            code="refunds_disabled",
            calls=_REFUNDS,
            meaning="the account may not refund, or not payments by this method",
            source=_REFUND,
            misconfigured=True,
        ),
        Refusal(
            code="payment_disputed",
            calls=_REFUNDS,
            meaning="the payer's bank investigates a dispute about the payment",
            source=_REFUND,
        ),
        Refusal(code="extra_field", calls=_ALL, meaning="the request has a field too many", source=_REFUND),
        Refusal(
            code="payment_too_old",
            calls=_REFUNDS,
            meaning="banks take back no refund for payments of more than six months ago",
            source=_REFUND_ERRORS,
        ),
        Refusal(
            code="refund_limit_crossed",
            calls=_REFUNDS,
            meaning="the account's limit of refunds is crossed",
            source=_REASONS,
        ),
        Refusal(
            code="fully_refunded",
            calls=_REFUNDS,
            meaning="the whole payment was refunded before",
            source=_REFUND,
            claims_done=True,
        ),
        Refusal(
            code="not_captured",
            calls=_REFUNDS,
            meaning="the payment is not captured any more, perhaps because it was refunded before",
            source=_REFUND,
            claims_done=True,
        ),
    )
)
