"""Paths that a run of many seeds must have walked: a simulator that never gets somewhere proves nothing there."""

from typing import Final

MUST_HAPPEN: Final = (
    # How an attempt that nobody knew the end of was cleared up, at each kind of provider.
    "mock: UNKNOWN became SUCCEEDED",
    "mock: UNKNOWN became DECLINED",
    "mock: UNKNOWN became ACCEPTED",
    "mock: UNKNOWN became REQUIRES_ACTION",
    "mock: STARTED became UNKNOWN",
    "mock: REQUIRES_ACTION became FENCED",
    "mock: REQUIRES_ACTION became SUCCEEDED",
    "mock: ACCEPTED became SUCCEEDED",
    "mock: ACCEPTED became DECLINED",
    "razorpay_mock: UNKNOWN became SUCCEEDED",
    "razorpay_mock: UNKNOWN became DECLINED",
    "razorpay_mock: DECLINED became SUCCEEDED",
    "cashfree_mock: UNKNOWN became SUCCEEDED",
    "cashfree_mock: UNKNOWN became FENCED",
    "gateway recognized a repeated key",
    "gateway refused a charge that came after its fence",
    # Each fail-over that the table allows.
    "next provider after NOT_SENT",
    "next provider after REJECTED",
    "next provider after DECLINED",
    "next provider after FENCED",
    "same provider after NOT_SENT",
    "same provider after REJECTED",
    "not sent: request_changed",
    "not sent: account_removed",
    "erased",
    # The providers' own adapters, against their simulators.
    "stripe was asked to do something",
    "razorpay was asked to do something",
    "cashfree was asked to do something",
    "payu was asked to do something",
    # Ends that are not the usual ones.
    "FAILED became SUCCESS",
    "IN_REVIEW became SUCCESS",
    "metric: LateSuccesses",
    "metric: Mismatches",
    "metric: PaymentsInReview",
    # Workers in each other's way, and messages.
    "warned: a newer worker took over",
    "function timeout",
    "message without work: another worker holds the lease",
    "message without work: the next step is not due yet",
    "message without work: no work is left",
    "message moved to the dead letters",
    "dead letter replayed",
    "warned: storage unavailable",
)
"""Only asked for where many seeds run: a handful need not get everywhere."""

MIN_SEEDS: Final = 250
