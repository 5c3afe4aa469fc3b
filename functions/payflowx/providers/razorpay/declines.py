"""Razorpay's reasons of declines by kind, each group with the page that describes them. Pure.

Razorpay says that decisions must follow `reason`, and that one `code` has many of them.
"""

from dataclasses import dataclass
from typing import Final

from payflowx.domain.shared.statuses import DeclineKind

_REASONS: Final = "https://razorpay.com/docs/errors/payments/list/"
_MANDATES: Final = "https://razorpay.com/docs/api/payments/recurring-payments/upi/create-subsequent-payments/"

CONTRADICTING: Final = frozenset({"duplicate_request", "duplicate_rrn_found", "order_already_paid"})
"""These reasons say that another payment took the money: a failed payment with one of them proves nothing."""
UNDECIDED: Final = CONTRADICTING | {
    "collect_request_pending",
    "deemed_transaction",
    "payment_pending",
    "payment_pending_approval",
}
"""These reasons contradict the status `failed`: the money may be on its way, or was taken before."""
UNTIL_READ: Final = frozenset(
    {"invalid_response_from_gateway", "payment_timed_out", "psp_timeout", "request_timed_out", "server_error"}
)
"""Not conclusive in the answer to a payment; conclusive on a payment that was read as `failed`."""


@dataclass(frozen=True, slots=True)
class DeclineReasons:
    """Reasons of one kind. `source`: the page on which Razorpay says what they mean and what the payer can do."""

    kind: DeclineKind
    source: str
    reasons: frozenset[str]


DECLINES: Final = (
    DeclineReasons(
        DeclineKind.SOFT,  # a technical fault, an outage, or something that the payer can correct
        _REASONS,
        frozenset(
            {
                "authentication_failed",
                "authorisation_declined_by_psp",
                "bank_cutoff_in_progress",
                "bank_not_available",
                "bank_technical_error",
                "card_declined",
                "debit_declined",
                "gateway_technical_error",
                "incorrect_atm_pin",
                "incorrect_otp",
                "incorrect_pin",
                "issuer_technical_error",
                "otp_expired",
                "payment_cancelled",
                "payment_collect_request_expired",
                "payment_declined",
                "payment_declined_due_to_high_traffic",
                "payment_failed",
                "payment_session_expired",
                "psp_app_not_available",
                "psp_app_not_supported",
                "psp_not_available",
                "upi_app_technical_error",
                "vpa_resolution_failed",
            }
        )
        | (UNTIL_READ - {"psp_timeout"}),
    ),
    DeclineReasons(
        DeclineKind.SOFT,
        _MANDATES,
        frozenset(
            {
                "banks_hsm_is_down_remitter",
                "credit_to_beneficiary_failed",
                "invalid_transaction_beneficiary",
                "issuer_dispatch_failed",
                "merchant_error_payee_psp",
                "no_original_request_found",
                "null_ack_processing_failure",
                "psp_bank_not_available",
                "psp_timeout",
                "remitter_dispatch_failed",
                "response_not_received_within_tat",
                "seqnum_mismatch_payer_psp",
                "unable_to_process_beneficiary_bank",
            }
        ),
    ),
    DeclineReasons(
        DeclineKind.FUNDS,
        _REASONS,
        frozenset(
            {
                "credit_limit_exceeded",
                "funds_blocked_by_mandate",
                "insufficient_funds",
                "mcc_amount_limit_exceeded",
                "transaction_daily_count_exceeded",
                "transaction_daily_limit_exceeded",
                "transaction_frequency_limit_exceeded",
                "transaction_limit_exceeded",
            }
        ),
    ),
    DeclineReasons(
        DeclineKind.FUNDS,
        _MANDATES,
        frozenset(
            {
                "adequate_funds_not_available_blocked",
                "limit_exceeded_remitting_bank",
                "per_transaction_limit_exceeded",
            }
        ),
    ),
    DeclineReasons(
        DeclineKind.HARD,  # the instrument, the payer or the amount is refused for good
        _REASONS,
        frozenset(
            {
                "bank_account_invalid",
                "card_expired",
                "card_not_enrolled",
                "card_number_invalid",
                "card_type_invalid",
                "compliance_violation",
                "credit_limit_expired",
                "credit_limit_inactive",
                "credit_limit_not_approved",
                "credit_not_permitted",
                "debit_instrument_blocked",
                "debit_instrument_inactive",
                "incorrect_card_details",
                "incorrect_card_expiry_date",
                "incorrect_cardholder_name",
                "incorrect_cvv",
                "international_transaction_not_allowed",
                "invalid_device",
                "invalid_vpa",
                "otp_attempts_exceeded",
                "payment_amount_tampered",
                "payment_risk_check_failed",
                "pin_attempts_exceeded",
                "pin_not_set",
                "transaction_on_vpa_restricted",
                "user_not_eligible",
                "verification_failed",
            }
        ),
    ),
    DeclineReasons(
        DeclineKind.HARD,
        _MANDATES,
        frozenset(
            {
                "invalid_token",
                "mandate_cancelled",
                "mandate_expired",
                "mandate_not_active",
                "mandate_paused",
                "nature_of_debit_not_allowed",
                "number_of_pin_tries_exceeded",
                "payer_account_has_changed",
                "payment_stopped_by_court_order",
                "remitter_account_dormant",
                "suspected_fraud_decline",
                "transaction_not_allowed",
                "transaction_not_permitted_cardholder",
            }
        ),
    ),
)

_KINDS: Final = {reason: group.kind for group in DECLINES for reason in group.reasons}


def kind_of(reason: str) -> DeclineKind | None:
    """Return the kind of a documented decline; None for any other reason."""
    return _KINDS.get(reason)
