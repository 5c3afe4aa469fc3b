"""A capture, void or refund: the attempt machinery of a payment, with an id, a lease and a due time of its own."""

from dataclasses import dataclass

from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.payment import FREE_LEASE, LastError, Lease
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Money that moves on a charge that exists. Every stored change raises `version` by one.

    Its amount is reserved on the payment from the moment it is accepted, and given back only when it is proven that
    no money moved.
    """

    merchant_id: str
    transaction_id: str
    operation_id: str
    kind: OperationKind
    fingerprint: str
    amount: int
    currency: str
    charge_attempt: int
    """The number of the payment's attempt that holds the charge: the operation goes there and nowhere else."""
    created_at_ms: int
    updated_at_ms: int
    send_deadline_ms: int
    """After this time it is not sent any more; what was sent is still cleared up."""
    status: OperationStatus = OperationStatus.PENDING
    version: int = 1
    lease: Lease = FREE_LEASE
    attempts: tuple[Attempt, ...] = ()
    last_error: LastError | None = None
    ready_at_ms: int = 0
    due_at_ms: int | None = None
    drives: int = 0

    @property
    def last_attempt(self) -> Attempt | None:
        """The newest attempt, the only one that can be open."""
        return self.attempts[-1] if self.attempts else None

    def attempt(self, number: int) -> Attempt:
        """The attempt with this number, counted from 1."""
        return self.attempts[number - 1]
