"""Paths that a run of many seeds must have walked: a simulator that never gets somewhere proves nothing there."""

from collections.abc import Mapping
from typing import Final

from simulation.faults import ALL_KINDS, EPISODES

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
    "own capture at razorpay",
    *(
        f"{provider}: UNKNOWN became {state}"
        for provider in ("stripe", "razorpay", "cashfree", "payu")
        for state in ("SUCCEEDED", "DECLINED", "FENCED")
    ),
    "cancellation beside no attempt",
    "cancellation beside UNKNOWN",
    "cancellation beside ACCEPTED",
    "cancellation beside REQUIRES_ACTION",
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
    "replayed: a wake-up",
    "replayed: an event of a provider",
    "replayed: a delivery",
    "replayed: a reconciliation",
    "replayed: twice",
    # A restore of the tables, and what a worker does after it.
    "tables restored",
    "warned: storage unavailable",
    # Captures, voids and refunds, and how those were cleared up that nobody knew the end of.
    "capture: PENDING became SUCCEEDED",
    "capture: PENDING became FAILED",
    "capture: PENDING became IN_REVIEW",
    "capture: IN_REVIEW became FAILED",
    "capture attempt: UNKNOWN became SUCCEEDED",
    "capture attempt: UNKNOWN became FENCED",
    "capture attempt: NOT_SENT became STARTED",
    "capture: a further attempt",
    "capture of a part",
    "void: PENDING became SUCCEEDED",
    "void attempt: UNKNOWN became SUCCEEDED",
    "refund: PENDING became SUCCEEDED",
    "refund: PENDING became FAILED",
    "refund: PENDING became IN_REVIEW",
    "refund: SUCCEEDED became IN_REVIEW",
    "refund: IN_REVIEW became FAILED",
    "refund: IN_REVIEW became SUCCEEDED",
    "refund attempt: UNKNOWN became SUCCEEDED",
    "refund attempt: UNKNOWN became ACCEPTED",
    "refund attempt: ACCEPTED became SUCCEEDED",
    "refund attempt: NOT_SENT became STARTED",
    "refund attempt: STARTED became DECLINED",
    "refund attempt: STARTED became MISMATCH",
    "refund: a further attempt",
    "refund of a part",
    "several refunds of one payment",
    "refused: amount_exceeded",
    "refused: idempotency_key_reused",
    "refused: invalid_state",
    "refused: outcome_unknown",
    # Orders with several payments.
    "refused: order_not_free",
    "order: counted became released",
    "order: released became contending",
    "order: contending became counted",
    "order: contending became charged_twice",
    "order: charged_twice became released",
    "changed by orders",
    "command: set_orders, done",
    # Payers who are present: pages, objects, tries, ends.
    "page: show, 200",
    "page: show, no answer",
    "page: choose, 303",
    "page: choose, no answer",
    "page: close, 303",
    "page: close, no answer",
    "page: return, 200",
    "page: return, no answer",
    "changed by payer",
    "object at stripe: opened",
    "object at stripe: ended, untried",
    "object at stripe: ended, tried",
    "object at razorpay: opened",
    "object at razorpay: ended, untried",
    "object at razorpay: ended, tried",
    "object at cashfree: opened",
    "object at cashfree: ended, untried",
    "object at cashfree: ended, tried",
    "object at payu: opened",
    "object at payu: ended, untried",
    "object at payu: ended, tried",
    "object at mock: ended, tried",
    "object at cashfree_mock: ended, tried",
    "object at razorpay_mock: opened",
    "checkout, page: paid",
    "checkout, page: held",
    "checkout, page: failed",
    "checkout, page: cancelled",
    "checkout, direct: paid",
    "checkout, direct: failed",
    "checkout: paid at stripe",
    "checkout: paid at razorpay",
    "checkout: paid at cashfree",
    "checkout: paid at payu",
    "checkout: paid at mock",
    "checkout: paid at cashfree_mock",
    "checkout: failed without an attempt",
    "checkout: paid after a failed try in the same object",
    "checkout: paid twice inside an object",
    "checkout: another object after a closing",
    "checkout: an object that was never given out",
    "checkout: an object of another amount",
    "checkout: a try that may still be charged holds the next object",
    "checkout: the payer closes the object",
    "checkout: coming back hastens an inquiry",
    "checkout: charged after its end",
    "checkout: erased",
    "checkout of an order",
    "payer: pays what is closed",
    # Provider events: true ones, lies, and what they change.
    "provider event: true, answered 200",
    "provider event: of another merchant, answered 200",
    "provider event: of another merchant, answered 401",
    "provider event: signed with another key, answered 401",
    "changed by webhook",
    "an event about a closed attempt is inquired about",
    "an event holds the next attempt",
    # Lists.
    "a list of payments",
    "a list of operations",
    # Deliveries.
    "delivery: DELIVERED",
    "delivery: SKIPPED",
    "delivery tried again",
    "delivery redirected",
    "delivery: FAILED",
    "endpoint disabled",
    # Money moved elsewhere, and reports.
    "dashboard: refund",
    "dashboard: capture",
    "dashboard: void",
    "refund made at the provider",
    "changed by provider",
    "command: reconcile, done",
    "report line: omitted",
    "report line: repeated",
    "report line: other amount",
    "report line: claimed a success",
    "report line: not yet listed",
    # Operators.
    "command: close_review, done",
    "command: close_operation_review, done",
    "verdict by the books",
    "verdict against the books",
    "command: erase_personal_data, done",
    "command: erase_personal_data, refused",
    "command: rotate_credentials, done",
    "command: finish_credentials_rotation, done",
    "command: rotate_key, done",
    "command: replay_dead_letters, done",
    # Disputes.
    "dispute at stripe: recorded",
    "dispute at razorpay: recorded",
    "dispute at cashfree: recorded",
    "dispute at payu: recorded",
    "dispute: OPEN became UNDER_REVIEW",
    "dispute: UNDER_REVIEW became OPEN",
    "dispute: OPEN became LOST",
    "dispute: OPEN became WON",
    "dispute: OPEN became CLOSED",
    "dispute: UNDER_REVIEW became LOST",
    "dispute: UNDER_REVIEW became WON",
    "dispute: WON became OPEN",
    "dispute: first told as it ended",
    "dispute: an end told again",
    "dispute: its beginning told late",
    "dispute: its deadline told late",
    "dispute: recorded before its charge",
    "dispute: recorded after an erasure",
    "dispute: a second one of a payment",
    "dispute: of a part",
    "dispute: of more than the charge",
    "dispute: of another amount than before",
    "refund refused for a dispute",
    "refund beside an open dispute",
    "a list of open disputes",
    "a list of open disputes: a further page",
    "a deadline of a dispute is near",
    # Another release.
    "metric: DueItemsFailed",
    "items of a newer release",
    "a newer release is rolled back",
    "strike: deployment",
    # API keys that end, and requests that bear them.
    "API key: refused after its revocation",
    "API key: refused after its rotation",
    "API key: refused after its expiry",
    "API key: let in for the minute after its end",
    "API key: refused, and accepted with another one",
    "API key: a request and its repetition bear two keys",
    # Changes that two people decide.
    "proposal of a closing: DONE",
    "proposal of a closing: WITHDRAWN",
    "proposal of a closing: REFUSED",
    "proposal of a closing: OPEN",
    "proposal of limits: DONE",
    "proposal of limits: WITHDRAWN",
    "proposal: approved again",
    "proposal: approved by two people",
    "approval: same_person",
    "approval: proposal_expired",
    "approval: proposal_closed",
    "approval: invalid_state",
    "approval: proof_needed",
    "approval: unavailable",
    "decided alone within the limit",
    "decided by two",
)
"""Only asked for where many seeds run: a handful need not get everywhere."""

MIN_SEEDS: Final = 250

RARELY_HAPPENS: Final = (
    "void: a further attempt",
    "approval: conflict",
    "proposal: refused, and may have been made",
    "proposal: done after it was refused",
)
"""These happen in about one of some hundred seeds, so only a long run must show them."""

MIN_SEEDS_FOR_RARE_PATHS: Final = 2_500


def must_happen(seeds: int) -> tuple[str, ...]:
    """The paths that so many seeds must walk."""
    if seeds < MIN_SEEDS:
        return ()
    return MUST_HAPPEN if seeds < MIN_SEEDS_FOR_RARE_PATHS else (*MUST_HAPPEN, *RARELY_HAPPENS)


def never_struck(seeds: int, struck: Mapping[str, int]) -> tuple[str, ...]:
    """The kinds of faults that so many seeds must meet, scenarios among them, and that never struck."""
    if seeds < MIN_SEEDS:
        return ()
    return tuple(kind for kind in (*ALL_KINDS, *EPISODES) if not struck.get(kind))


def never_walked(seeds: int, walked: Mapping[str, int]) -> tuple[str, ...]:
    """The paths that so many seeds must walk, and that none did."""
    return tuple(path for path in must_happen(seeds) if not walked.get(path))
