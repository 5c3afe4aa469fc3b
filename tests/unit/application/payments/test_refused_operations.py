"""A capture, void or refund that the provider refused: when it ends, and when it must wait."""

from dataclasses import replace

import pytest

from payflowx.application.merchants.erase_personal_data import ErasePersonalData
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.operation_state_machine import expedite_operation
from payflowx.domain.payments.outcome import Accepted, NotFound, Rejected, Unknown
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.recovery_plan import operation_recovery_step_for
from payflowx.domain.payments.refund_list import ProviderRefund, RefundState
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import MINUTE_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, OperationStatus
from tests.support.balance import operations_of
from tests.support.world import World
from tests.unit.application.payments.test_operations import TIMEOUT, charged, held, money, provider

CAPTURE, VOID, REFUND = OperationKind
LAG_MS = 10 * MINUTE_MS
REFUSED = Rejected(code="not_enough_balance", message="Your account does not have enough balance.")
DONE_BEFORE = Rejected(code="charge_already_refunded", message="Fully refunded.", claims_done=True)
INQUIRIES_IN_TEN_MINUTES = 6
"""After 5, 15 and 45 seconds, two and five minutes, besides the one right after the refusal."""
ABSENT, CUT_OFF = NotFound(complete=True), Unknown(code="list_incomplete")


@pytest.fixture
def world() -> World:
    world = World()
    provider(world).able = replace(provider(world).able, visibility_lag_ms=LAG_MS)
    return world


def refund(
    world: World, *moves: Rejected | Unknown, inquiries: list[object], amount: int = 60
) -> tuple[Payment, Operation]:
    payment = charged(world)
    provider(world).moves = list(moves)
    provider(world).operation_inquiries = list(inquiries)  # type: ignore[arg-type]
    operation = world.request(REFUND, payment, amount).operation
    world.work()
    return payment, world.operation_now(operation)


def later(world: World, operation: Operation, seconds: int) -> Operation:
    """What is due within this time has been done."""
    until_ms = world.clock.now_ms() + seconds * SECOND_MS
    while world.clock.now_ms() < until_ms:
        world.work_until_idle()
        world.clock.advance(min(60, max(1, (until_ms - world.clock.now_ms()) // SECOND_MS)))
        world.sweep(world.deadline)
    world.work_until_idle()
    return world.operation_now(operation)


class TestTheFirstSend:
    def test_one_complete_read_without_ours_ends_it_at_once(self, world: World) -> None:
        payment, operation = refund(world, REFUSED, inquiries=[ABSENT])
        assert operation.status is OperationStatus.FAILED
        assert operation.last_error is not None
        assert (operation.last_error.code, operation.last_error.provider_code) == ("refused", "not_enough_balance")
        assert operation.attempts[0].message == "Your account does not have enough balance."
        assert money(world.now(payment)) == {"captured": 100, "refundable": 100}
        assert (provider(world).moves_of("move"), provider(world).moves_of("inquire")) == (1, 1)

    @pytest.mark.parametrize("read", [ABSENT, CUT_OFF])
    def test_one_for_the_accounts_settings_is_told_once_whatever_the_read_says(
        self, world: World, read: NotFound | Unknown
    ) -> None:
        refund(world, replace(REFUSED, misconfigured=True), inquiries=[read])
        assert world.telemetry.total(Metric.PROVIDER_MISCONFIGURED) == 1

    def test_one_for_another_reason_is_not(self, world: World) -> None:
        refund(world, REFUSED, inquiries=[ABSENT])
        assert world.telemetry.total(Metric.PROVIDER_MISCONFIGURED) == 0

    @pytest.mark.parametrize("kind", [CAPTURE, VOID])
    def test_so_do_a_capture_and_a_void(self, world: World, kind: OperationKind) -> None:
        payment = held(world)
        provider(world).moves, provider(world).operation_inquiries = [REFUSED], [ABSENT]
        operation = world.request(kind, payment, 60 if kind is CAPTURE else None).operation
        world.work()
        assert world.operation_now(operation).status is OperationStatus.FAILED
        assert money(world.now(payment)) == {"capturable": 100}

    def test_it_stays_on_watch_until_the_provider_must_show_what_it_did(self, world: World) -> None:
        _, operation = refund(world, REFUSED, inquiries=[ABSENT, ABSENT])
        assert operation.due_at_ms is not None
        resting = later(world, operation, LAG_MS // SECOND_MS + 120)
        assert (resting.status, resting.due_at_ms) == (OperationStatus.FAILED, None)
        assert provider(world).moves_of("inquire") == 2

    def test_a_success_that_appears_on_watch_requires_review_and_is_booked(self, world: World) -> None:
        payment, operation = refund(world, REFUSED, inquiries=[ABSENT, "moved"])
        now = later(world, operation, LAG_MS // SECOND_MS + 120)
        assert now.status is OperationStatus.IN_REVIEW
        assert money(world.now(payment)) == {"captured": 100, "refundable": 40, "refunded": 60}

    def test_a_read_that_finds_ours_decides_instead(self, world: World) -> None:
        _, operation = refund(world, REFUSED, inquiries=["moved"])
        assert operation.status is OperationStatus.SUCCEEDED

    @pytest.mark.parametrize("read", [CUT_OFF, NotFound(), Unknown(code="http_500")])
    def test_a_read_that_is_not_complete_ends_nothing(self, world: World, read: object) -> None:
        payment, operation = refund(world, REFUSED, inquiries=[read])
        assert (operation.status, operation.attempts[0].state) == (OperationStatus.PENDING, AttemptState.UNKNOWN)
        assert money(world.now(payment)) == {"captured": 100, "refundable": 40}

    def test_a_later_complete_read_ends_it_and_nothing_is_sent_again(self, world: World) -> None:
        payment, operation = refund(world, REFUSED, inquiries=[CUT_OFF, CUT_OFF, ABSENT])
        now = later(world, operation, 300)
        assert now.status is OperationStatus.FAILED
        assert provider(world).moves_of("move") == 1
        assert money(world.now(payment)) == {"captured": 100, "refundable": 100}


class TestASendAgain:
    def test_it_ends_with_a_second_complete_read_after_the_visibility_lag_and_not_before(self, world: World) -> None:
        payment, operation = refund(world, TIMEOUT, REFUSED, inquiries=[NotFound(), *[ABSENT] * 50])
        while (refused := world.operation_now(operation).attempts[0].refused_send) is None:
            world.work()
        while world.operation_now(operation).status is OperationStatus.PENDING:
            assert money(world.now(payment)) == {"captured": 100, "refundable": 40}
            later(world, operation, 60)
        now = world.operation_now(operation)
        assert (now.status, now.attempts[0].code) == (OperationStatus.FAILED, "not_enough_balance")
        assert now.updated_at_ms >= refused.at_ms + LAG_MS
        assert money(world.now(payment)) == {"captured": 100, "refundable": 100}
        assert provider(world).moves_of("move") == 2

    @pytest.mark.parametrize("may_pass_later", [False, True])
    def test_one_for_the_accounts_settings_is_told_once(self, world: World, may_pass_later: bool) -> None:
        refusal = replace(REFUSED, misconfigured=True, code="unauthorized" if may_pass_later else REFUSED.code)
        assert refusal.may_pass_later is may_pass_later
        _, operation = refund(world, TIMEOUT, refusal, inquiries=[NotFound(), *[ABSENT] * 50])
        while provider(world).moves_of("move") < 2:
            later(world, operation, 1)
        assert world.telemetry.total(Metric.PROVIDER_MISCONFIGURED) == 1

    def test_incomplete_reads_do_not_count(self, world: World) -> None:
        _, operation = refund(world, TIMEOUT, REFUSED, inquiries=[NotFound(), *[CUT_OFF] * 50])
        assert later(world, operation, LAG_MS // SECOND_MS + 300).status is OperationStatus.PENDING

    def test_the_first_complete_read_may_be_late_but_a_second_one_follows(self, world: World) -> None:
        inquiries: list[object] = [NotFound(), *[CUT_OFF] * 3, ABSENT, ABSENT]
        _, operation = refund(world, TIMEOUT, REFUSED, inquiries=inquiries)
        now = later(world, operation, 4 * LAG_MS // SECOND_MS)
        assert now.status is OperationStatus.FAILED
        assert provider(world).operation_inquiries == []

    def test_an_accepted_one_goes_on(self, world: World) -> None:
        _, operation = refund(
            world, TIMEOUT, REFUSED, inquiries=[NotFound(), ABSENT, Accepted(reference="re_1"), "moved"]
        )
        assert later(world, operation, 3_600).status is OperationStatus.SUCCEEDED


class TestWhatTheProviderSaysWasDoneBefore:
    def list_refunds(self, world: World, *refunds: ProviderRefund) -> None:
        provider(world).refunds = list(refunds)

    def test_the_list_must_show_where_the_whole_amount_went(self, world: World) -> None:
        self.list_refunds(world, elsewhere(100))
        payment, operation = refund(world, DONE_BEFORE, inquiries=[])
        assert operation.status is OperationStatus.FAILED
        world.work_until_idle()
        assert money(world.now(payment)) == {"captured": 100, "refunded": 100}
        assert [o.amount for o in operations_of(world, payment) if o.origin is Origin.PROVIDER] == [100]

    @pytest.mark.parametrize("amount", [0, 40, 99])
    def test_a_list_that_does_not_add_up_proves_nothing(self, world: World, amount: int) -> None:
        self.list_refunds(world, *([elsewhere(amount)] if amount else []))
        _, operation = refund(world, DONE_BEFORE, inquiries=[NotFound()] * 50)
        assert operation.status is OperationStatus.PENDING

    def test_a_refund_that_failed_moved_nothing(self, world: World) -> None:
        self.list_refunds(world, replace(elsewhere(100), state=RefundState.FAILED))
        _, operation = refund(world, DONE_BEFORE, inquiries=[])
        assert operation.status is OperationStatus.PENDING

    def test_ours_in_the_list_is_read(self, world: World) -> None:
        payment = charged(world)
        operation = world.request(REFUND, payment, 100).operation
        key = derive_provider_key(operation.operation_id, 1)
        provider(world).moves, provider(world).operation_inquiries = [DONE_BEFORE], ["moved"]
        self.list_refunds(world, replace(elsewhere(100), provider_key=key))
        world.work()
        assert world.operation_now(operation).status is OperationStatus.SUCCEEDED

    def test_without_a_list_it_is_never_believed(self, world: World) -> None:
        _, operation = refund(world, DONE_BEFORE, inquiries=[ABSENT] * 50)
        assert later(world, operation, 600).status is OperationStatus.PENDING

    def test_the_refusal_for_another_reason_books_what_the_list_shows(self, world: World) -> None:
        self.list_refunds(world, elsewhere(70))
        payment, operation = refund(world, REFUSED, inquiries=[])
        assert operation.status is OperationStatus.FAILED
        world.work_until_idle()
        assert money(world.now(payment)) == {"captured": 100, "refundable": 30, "refunded": 70}


class TestRefundsOfOthersBesideIt:
    """A refund without a key waits for ours, and ours for its proof: neither may hurry the other."""

    def test_they_are_not_read_again_and_again_while_ours_is_undecided(self, world: World) -> None:
        provider(world).refunds = [elsewhere(40)]
        _, operation = refund(world, TIMEOUT, REFUSED, inquiries=[NotFound()] * 9, amount=50)
        while world.operation_now(operation).status is OperationStatus.PENDING:
            world.work()
        assert provider(world).asked("refunds") <= INQUIRIES_IN_TEN_MINUTES

    def test_they_are_booked_once_ours_is_decided(self, world: World) -> None:
        provider(world).refunds = [elsewhere(40)]
        payment, operation = refund(world, TIMEOUT, REFUSED, inquiries=[NotFound()] * 9, amount=50)
        ended = later(world, operation, 2 * LAG_MS // SECOND_MS)
        assert ended.status is OperationStatus.FAILED
        assert money(world.now(payment)) == {"captured": 100, "refundable": 60, "refunded": 40}

    def test_one_that_the_read_after_the_refusal_lacked_is_found_with_the_last_inquiry_about_ours(
        self, world: World
    ) -> None:
        provider(world).refunds = [elsewhere(70)]
        payment, operation = refund(world, REFUSED, inquiries=[ABSENT])
        provider(world).refunds = []
        world.jobs.sent.insert(0, world.jobs.sent.pop())  # the read comes first, the last inquiry waits for the lag
        world.work()
        assert world.jobs.sent, "the last inquiry is still to come"
        assert money(world.now(payment)) == {"captured": 100, "refundable": 100}
        provider(world).refunds = [elsewhere(70)]
        asked = provider(world).asked("refunds")
        resting = later(world, operation, 2 * LAG_MS // SECOND_MS)
        assert (resting.status, resting.due_at_ms) == (OperationStatus.FAILED, None)
        assert money(world.now(payment)) == {"captured": 100, "refundable": 30, "refunded": 70}
        assert provider(world).asked("refunds") == asked + 1

    def test_an_inquiry_that_an_event_brings_forward_reads_no_list(self, world: World) -> None:
        """Whoever sends useless webhooks must not keep the provider busy: the last inquiry alone reads the list."""
        provider(world).refunds = []
        _, operation = refund(world, REFUSED, inquiries=[ABSENT, ABSENT])
        asked = provider(world).asked("refunds")
        world.jobs.sent.clear()
        stored = world.operation_now(operation)
        world.operations.reschedule(stored, expedite_operation(stored, world.clock.now_ms()))
        world.outcome_writer.wake(stored, 0)
        world.work()
        assert provider(world).moves_of("inquire") == 1
        assert not any(job.read_refunds for job, _ in world.jobs.sent)
        assert provider(world).asked("refunds") == asked


def elsewhere(amount: int) -> ProviderRefund:
    return ProviderRefund(
        reference="re_dash", provider_key=None, amount=amount, currency="USD", state=RefundState.SUCCEEDED
    )


def test_the_refusal_is_stored_with_the_attempt(world: World) -> None:
    _, operation = refund(world, REFUSED, inquiries=[CUT_OFF])
    attempt = world.operation_now(operation).attempts[0]
    stored = attempt.refused_send
    assert stored is not None
    assert (attempt.code, stored.is_first_send, stored.complete_reads) == ("not_enough_balance", True, 0)


def test_after_an_erasure_the_sentence_of_a_refusal_is_not_stored(world: World) -> None:
    """The refusal of a re-send changes no state: its write has no event, and is erased all the same."""
    payment = charged(world)
    erase = ErasePersonalData(
        payments=world.payments,
        operations=world.operations,
        outcome_writer=world.outcome_writer,
        clock=world.clock,
        policy=world.policy,
    )
    assert erase(payment.merchant_id, payment.transaction_id, OperatorAction(who="ada", why="T-1"))
    provider(world).moves = [TIMEOUT, replace(REFUSED, message="The bank of Jane Doe refused.")]
    provider(world).operation_inquiries = [NotFound(), *[CUT_OFF] * 50]
    operation = world.request(REFUND, payment, 60).operation
    while provider(world).moves_of("move") < 2:
        later(world, operation, 1)
    assert world.operation_now(operation).attempts[0].refused_send is not None
    assert "Jane" not in repr(world.items_of(payment))


@pytest.mark.parametrize(("before_deadline_ms", "resend"), [(1, True), (0, False), (-1, False)])
def test_nothing_is_sent_again_at_the_deadline(world: World, before_deadline_ms: int, *, resend: bool) -> None:
    _, operation = refund(world, TIMEOUT, inquiries=[NotFound()])
    now_ms = operation.attempts[0].started_at_ms + MINUTE_MS
    late = replace(operation, send_deadline_ms=now_ms + before_deadline_ms)
    step = operation_recovery_step_for(
        late, late.attempts[0], provider(world).capabilities, same_request=True, now_ms=now_ms
    )
    assert step.resend is resend
