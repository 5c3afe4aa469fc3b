"""The only table of allowed state changes, for workers, sweeper, operators and webhooks."""

from collections.abc import Mapping
from typing import Final

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.shared.errors import TransitionError
from payflowx.domain.shared.statuses import AttemptState as A
from payflowx.domain.shared.statuses import OperationStatus as O
from payflowx.domain.shared.statuses import PaymentStatus as P

PAYMENT_TRANSITIONS: Final[Mapping[P, frozenset[P]]] = {
    P.PENDING: frozenset({P.SUCCESS, P.FAILED, P.REQUIRES_ACTION, P.AUTHORIZED, P.CANCELLED, P.IN_REVIEW}),
    # Back to PENDING: the payer approved and the provider now processes the request.
    P.REQUIRES_ACTION: frozenset({P.SUCCESS, P.FAILED, P.AUTHORIZED, P.CANCELLED, P.IN_REVIEW, P.PENDING}),
    P.AUTHORIZED: frozenset({P.SUCCESS, P.CANCELLED, P.IN_REVIEW}),
    # Left only by a verified outcome or by an operator with recorded evidence.
    P.IN_REVIEW: frozenset({P.SUCCESS, P.FAILED, P.AUTHORIZED, P.CANCELLED}),
    # A final status changes only when a provider proves a charge that was not known before.
    P.FAILED: frozenset({P.SUCCESS, P.IN_REVIEW}),
    P.SUCCESS: frozenset({P.IN_REVIEW}),
    P.CANCELLED: frozenset({P.IN_REVIEW}),
}

_ANSWERED: Final = frozenset(
    {A.SUCCEEDED, A.AUTHORIZED, A.REQUIRES_ACTION, A.ACCEPTED, A.DECLINED, A.MISMATCH, A.FENCED}
)
_LATE: Final = frozenset({A.SUCCEEDED, A.MISMATCH})

ATTEMPT_TRANSITIONS: Final[Mapping[A, frozenset[A]]] = {
    A.STARTED: _ANSWERED | {A.NOT_SENT, A.REJECTED, A.UNKNOWN},
    # NOT_SENT and REJECTED only as long as no request that charges can have left; else verification keeps it UNKNOWN.
    A.UNKNOWN: _ANSWERED | {A.NOT_SENT, A.REJECTED},
    # Back to UNKNOWN only once our own capture may have left; else verification keeps the known state.
    A.ACCEPTED: (_ANSWERED - {A.ACCEPTED}) | {A.UNKNOWN},
    A.REQUIRES_ACTION: (_ANSWERED - {A.REQUIRES_ACTION}) | {A.UNKNOWN},
    A.AUTHORIZED: frozenset({A.SUCCEEDED, A.MISMATCH, A.FENCED}),
    A.DECLINED: _LATE,
    # Opened again under the same key by the claim of a worker that then sends: nothing had left before.
    A.NOT_SENT: _LATE | {A.STARTED},
    A.REJECTED: _LATE,
    A.FENCED: _LATE,
    A.MISMATCH: frozenset(),
    A.SUCCEEDED: frozenset(),
}


_SENDING: Final = frozenset({A.STARTED, A.UNKNOWN})
"""The states from which a request that moves money may leave: the stored attempt says that it may have left."""

REVIEW_TRANSITIONS: Final[Mapping[A, frozenset[A]]] = {
    # Changes by an operator's evidence, only on a payment in review. An unchanged state needs no row.
    A.STARTED: frozenset({A.SUCCEEDED, A.FENCED}),
    A.UNKNOWN: frozenset({A.SUCCEEDED, A.FENCED}),
    A.ACCEPTED: frozenset({A.SUCCEEDED, A.FENCED}),
    A.REQUIRES_ACTION: frozenset({A.SUCCEEDED, A.FENCED}),
    A.AUTHORIZED: frozenset({A.SUCCEEDED, A.FENCED}),
    A.DECLINED: frozenset({A.SUCCEEDED}),
    A.NOT_SENT: frozenset({A.SUCCEEDED}),
    A.REJECTED: frozenset({A.SUCCEEDED}),
    A.FENCED: frozenset({A.SUCCEEDED}),
    # The provider's charge has another reference than ours; an operator can verify that it is this payment's.
    A.MISMATCH: frozenset({A.SUCCEEDED}),
    A.SUCCEEDED: frozenset(),
}


OPERATION_TRANSITIONS: Final[Mapping[O, frozenset[O]]] = {
    O.PENDING: frozenset({O.SUCCEEDED, O.FAILED, O.IN_REVIEW}),
    O.IN_REVIEW: frozenset({O.SUCCEEDED, O.FAILED}),
    # A bank returned a refund, or executed one that it had refused: manual review.
    O.SUCCEEDED: frozenset({O.IN_REVIEW}),
    O.FAILED: frozenset({O.IN_REVIEW}),
}


def check_payment_transition(before: P, after: P) -> None:
    """Raise `TransitionError` unless the payment may change so; an unchanged status is allowed."""
    if before is not after and after not in PAYMENT_TRANSITIONS[before]:
        raise TransitionError(f"a payment cannot go from {before} to {after}")


def check_attempt_transition(before: A, after: A) -> None:
    """Raise `TransitionError` unless the attempt may change so; an unchanged state is allowed."""
    if before is not after and after not in ATTEMPT_TRANSITIONS[before]:
        raise TransitionError(f"an attempt cannot go from {before} to {after}")


def check_may_send(state: A) -> None:
    """Raise `TransitionError` unless a request that moves money may leave for an attempt with this stored state."""
    if state not in _SENDING:
        raise TransitionError(f"nothing is sent for an attempt that is {state}")


def check_may_capture(attempt: Attempt) -> None:
    """Raise `TransitionError` unless a capture of ours may leave for an attempt as it is stored."""
    if not attempt.is_open or attempt.capture_sent_at_ms is None:
        raise TransitionError(f"nothing is captured for an attempt that is {attempt.state} without that fact")


def check_review_transition(before: A, after: A) -> None:
    """Raise `TransitionError` unless an operator's evidence may change the attempt so.

    An unchanged state is allowed.
    """
    if before is not after and after not in REVIEW_TRANSITIONS[before]:
        raise TransitionError(f"evidence cannot change an attempt from {before} to {after}")


def check_operation_transition(before: O, after: O) -> None:
    """Raise `TransitionError` unless the operation may change so; an unchanged status is allowed."""
    if before is not after and after not in OPERATION_TRANSITIONS[before]:
        raise TransitionError(f"an operation cannot go from {before} to {after}")
