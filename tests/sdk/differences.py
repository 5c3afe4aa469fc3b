"""Where our requests differ from an SDK's on purpose, and what an SDK cannot send at all. The tests allow nothing else.

An entry that no longer differs fails as well: what is listed here is so.
"""

from typing import Final, NamedTuple


class OnPurpose(NamedTuple):
    """All of these places differ, in each of these requests."""

    provider: str
    requests: tuple[str, ...]
    places: tuple[str, ...]
    reason: str


DIFFERENCES: Final = (
    OnPurpose(
        "stripe",
        ("charge/charge", "a held charge", "a charge by the merchant", "a session"),
        ("body.payment_method_types[]", "body.payment_method_types[0]"),
        "Two spellings of a list with one item. Stripe documents ours.",
    ),
    OnPurpose(
        "stripe",
        ("report", "a held charge, read", "a session, read"),
        ("query.expand[]", "query.expand[0]"),
        "Two spellings of a list with one item. Stripe documents ours.",
    ),
    OnPurpose(
        "stripe",
        ("charge/charge", "a held charge", "a charge by the merchant"),
        ("body.confirm",),
        "The SDK writes Python's True. Stripe documents true.",
    ),
    OnPurpose(
        "stripe",
        ("a held charge",),
        ("body.error_on_requires_action",),
        "The SDK writes Python's True. Stripe documents true.",
    ),
    OnPurpose(
        "stripe",
        ("a charge by the merchant",),
        ("body.off_session",),
        "The SDK writes Python's True. Stripe documents true.",
    ),
    OnPurpose(
        "stripe",
        ("cancel/cancel",),
        ("header.idempotency-key",),
        "The SDK makes a key up. A cancel has none: Stripe would repeat a stored refusal when a cancel could succeed.",
    ),
    OnPurpose("stripe", ("a session, expired",), ("header.idempotency-key",), "Same."),
    OnPurpose(
        "stripe",
        ("a session",),
        (
            *("body.adaptive_pricing[enabled]", "body.after_expiration[recovery][enabled]"),
            *("body.allow_promotion_codes", "body.automatic_tax[enabled]", "body.invoice_creation[enabled]"),
            *("body.line_items[0][adjustable_quantity][enabled]", "body.phone_number_collection[enabled]"),
            "body.tax_id_collection[enabled]",
        ),
        "The SDK writes Python's False. Stripe documents false.",
    ),
    OnPurpose(
        "cashfree",
        (
            *("charge/order", "charge/read_order", "charge/pay", "inquiry/payments"),
            *("cancel/void", "cancel/terminate", "cancel/order", "cancel/payments"),
            *("capture/capture", "capture inquiry/payments", "void/void", "void inquiry/payments"),
            *("refund/refund", "refund inquiry/refunds", "report", "an order in yen", "a UPI payment"),
            "a hosted order",
        ),
        ("header.accept",),
        "Cashfree answers in JSON only, and its contract names no such header.",
    ),
    OnPurpose(
        "cashfree",
        ("charge/order",),
        ("body.order_meta.payment_methods", "body.order_meta.upi_app_priority"),
        "The SDK sends null for what is not chosen. What is not sent is not chosen either.",
    ),
    OnPurpose(
        "cashfree",
        ("a hosted order",),
        ("body.order_meta.upi_app_priority",),
        "Same.",
    ),
    OnPurpose(
        "payu",
        ("void/void", "refund/refund"),
        ("body.var3", "body.amount"),
        "PayU documents the amount as var3, and its other SDKs send var3. Otherwise a refund names no amount.",
    ),
)

NOT_IN_THE_SDK: Final = {
    "payu": {
        "charge/debit": "si_transaction",
        "capture/capture": "capture_transaction",
        "capture inquiry/actions": "check_action_status",
        "void inquiry/actions": "check_action_status",
        "refund inquiry/actions": "check_action_status",
        "report": "get_transaction_info",
    },
}
"""Requests without a call in the SDK: the command of each. Their hashes are compared all the same."""


def listed(provider: str, request: str) -> set[str]:
    """The places in which this request may, and must, differ."""
    entries = [entry for entry in DIFFERENCES if entry.provider == provider and request in entry.requests]
    return {place for entry in entries for place in entry.places}
