"""What a claim that opens an attempt again relies on, of the store of payments and of the store of operations."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.domain.payments.not_sent import reopened
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_state_machine import apply_operation_outcome
from payflowx.domain.payments.outcome import NotSent, Unknown
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.ports import Created, Stored, VersionConflict
from payflowx.domain.payments.state_machine import apply_outcome
from payflowx.domain.payments.work_item import id_of
from payflowx.domain.shared.limits import LEASE_MS
from payflowx.domain.shared.statuses import AttemptState
from tests.contract import test_operations_port as of_operations
from tests.contract import test_payments_port as of_payments
from tests.contract.test_operations_port import operations, payment, payments  # noqa: F401 - fixtures
from tests.support.memory import NOW_MS
from tests.support.world import MERCHANT, World

LATER_MS = NOW_MS + 60_000


def lease(epoch: int) -> Lease:
    return Lease(owner="again", epoch=epoch, expires_at_ms=LATER_MS + LEASE_MS)


class TestPayments:
    def not_sent(self, store: Any, answer: NotSent | Unknown = NotSent(code="connection_refused")) -> Payment:  # noqa: B008
        world = World(database=store.client)
        claimed = of_payments.claim(store, world.accept()).item
        change = apply_outcome(claimed, claimed.attempts[0], answer, of_operations.context("worker"))
        assert change is not None
        written = store.commit(change)
        assert isinstance(written, Stored)
        return written.item

    def claim(self, store: Any, found: Payment, *, version: int | None = None, key: str | None = None) -> Any:
        epoch = found.lease.epoch + 1
        stored = replace(
            found.attempts[0], state=AttemptState.NOT_SENT, provider_key=key or found.attempts[0].provider_key
        )
        return store.claim(
            id_of(found),
            version=found.version if version is None else version,
            lease=lease(epoch),
            now_ms=LATER_MS,
            layout=found.layout,
            reopen=reopened(stored, epoch=epoch, now_ms=LATER_MS),
        )

    def test_the_attempt_is_started_again_in_the_write_that_takes_the_lease(self, payments: Any) -> None:  # noqa: F811
        found = self.not_sent(payments)
        result = self.claim(payments, found)
        assert isinstance(result, Stored)
        (attempt,) = result.item.attempts
        assert (attempt.state, attempt.epoch, attempt.started_at_ms) == (AttemptState.STARTED, 2, LATER_MS)
        assert attempt.provider_key == found.attempts[0].provider_key
        assert result.item.lease == lease(2)
        assert result.item.not_sent_since_ms == found.not_sent_since_ms == NOW_MS
        assert payments.get(MERCHANT, found.transaction_id) == result.item

    def test_only_one_of_two_workers_opens_it(self, payments: Any) -> None:  # noqa: F811
        found = self.not_sent(payments)
        self.claim(payments, found)
        assert isinstance(self.claim(payments, found), VersionConflict | Stored)
        other = replace(found, lease=replace(found.lease, epoch=7))
        assert isinstance(self.claim(payments, other), VersionConflict)

    def test_an_attempt_that_may_have_been_sent_is_not_opened(self, payments: Any) -> None:  # noqa: F811
        found = self.not_sent(payments, Unknown(code="read_timeout"))
        assert isinstance(self.claim(payments, found), VersionConflict)
        assert payments.get(MERCHANT, found.transaction_id) == found

    def test_another_key_is_not_put_in_its_place(self, payments: Any) -> None:  # noqa: F811
        found = self.not_sent(payments)
        assert isinstance(self.claim(payments, found, key="pfx-another-1"), VersionConflict)

    def test_a_later_version_is_not_overwritten(self, payments: Any) -> None:  # noqa: F811
        found = self.not_sent(payments)
        assert isinstance(self.claim(payments, found, version=found.version - 1), VersionConflict)


class TestOperations:
    def not_sent(
        self,
        payments: Any,  # noqa: F811
        operations: Any,  # noqa: F811
        payment: Payment,  # noqa: F811
        answer: NotSent | Unknown,
    ) -> Operation:
        accepted = of_operations.accept(payments, operations, payment)
        assert isinstance(accepted, Created)
        claimed = of_operations.claim(operations, accepted.item).item
        paid = payments.get(MERCHANT, payment.transaction_id)
        change = apply_operation_outcome(paid, claimed, claimed.attempts[0], answer, of_operations.context("worker"))
        assert change is not None
        assert isinstance(payments.commit(change), Stored)
        found = operations.get(MERCHANT, payment.transaction_id, claimed.operation_id)
        assert isinstance(found, Operation)
        return found

    def claim(self, operations: Any, found: Operation, *, key: str | None = None) -> Any:  # noqa: F811
        epoch = found.lease.epoch + 1
        stored = replace(
            found.attempts[0], state=AttemptState.NOT_SENT, provider_key=key or found.attempts[0].provider_key
        )
        again = reopened(stored, epoch=epoch, now_ms=LATER_MS)
        return operations.claim(id_of(found), version=found.version, lease=lease(epoch), now_ms=LATER_MS, reopen=again)

    def test_the_attempt_is_started_again_in_the_write_that_takes_the_lease(
        self,
        payments: Any,  # noqa: F811
        operations: Any,  # noqa: F811
        payment: Payment,  # noqa: F811
    ) -> None:
        found = self.not_sent(payments, operations, payment, NotSent(code="connection_refused"))
        result = self.claim(operations, found)
        assert isinstance(result, Stored)
        (attempt,) = result.item.attempts
        assert (attempt.state, attempt.epoch, attempt.started_at_ms) == (AttemptState.STARTED, 2, LATER_MS)
        assert result.item.not_sent_since_ms == NOW_MS
        assert operations.get(MERCHANT, payment.transaction_id, found.operation_id) == result.item

    @pytest.mark.parametrize(
        ("answer", "key"), [(Unknown(code="read_timeout"), None), (NotSent(code="refused"), "pfx-another-1")]
    )
    def test_nothing_else_is_opened(
        self,
        payments: Any,  # noqa: F811
        operations: Any,  # noqa: F811
        payment: Payment,  # noqa: F811
        answer: NotSent | Unknown,
        key: str | None,
    ) -> None:
        found = self.not_sent(payments, operations, payment, answer)
        assert isinstance(self.claim(operations, found, key=key), VersionConflict)
        assert operations.get(MERCHANT, payment.transaction_id, found.operation_id) == found
