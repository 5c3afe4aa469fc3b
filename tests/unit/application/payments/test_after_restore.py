"""Payments and operations after a restore of the tables: nothing is sent before the providers were asked."""

from dataclasses import replace
from itertools import pairwise

import pytest

from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.merchants.configuration import restore_window_to_item
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.events import chain_faults
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    Declined,
    NotFound,
    NotSent,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.payments.restored import raise_numbers
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, DeclineKind, OperationStatus, PaymentStatus
from tests.support.scripted import ScriptedProvider, moved
from tests.support.tables import CONFIGURATION
from tests.support.world import World, fallback


@pytest.fixture
def world() -> World:
    found = World()
    for name in ("alpha", "beta"):
        prove_absence(found, name)
    found.set_merchant(accounts=[account for account in found.accounts if account.provider != "gamma"])
    found.rules.document = fallback("alpha", "beta")
    return found


def prove_absence(world: World, name: str) -> None:
    provider = world.providers.get(name)
    provider.able = replace(provider.able, absence_is_proof=True)


def restore(world: World, *, minutes_lost: int = 10, opened: bool = True, orders_known: bool = False) -> RestoreWindow:
    """Record a window that ended a moment ago, and open."""
    now_ms = world.clock.now_ms()
    window = RestoreWindow(
        restored_to_ms=now_ms - minutes_lost * MINUTE_MS,
        stopped_at_ms=now_ms,
        recorded_at_ms=now_ms,
        opened_at_ms=now_ms if opened else None,
        orders_known=orders_known,
    )
    world.dynamodb.put_item(TableName=CONFIGURATION, Item=to_attributes(restore_window_to_item(window)))
    world.deploy()
    return window


def alpha(world: World) -> ScriptedProvider:
    found: ScriptedProvider = world.providers.get("alpha")
    return found


def charges(world: World, name: str = "alpha") -> list[str]:
    """The keys of the requests that charge."""
    return [request.provider_key for what, request in world.providers.get(name).sent if what == "charge"]


def inquiries(world: World, name: str = "alpha") -> set[str]:
    return {request.provider_key for what, request in world.providers.get(name).sent if what == "inquire"}


def work_for_long(world: World, turns: int = 30) -> None:
    for _ in range(turns):
        if world.jobs.sent:
            world.work()
        else:
            world.clock.advance(600)
            world.sweep(world.deadline)


def key_of(payment: Payment, number: int = 1) -> str:
    return f"pfx-{payment.transaction_id[4:]}-{number}"


def charged(payment: Payment, number: int = 1) -> Succeeded:
    return Succeeded(
        reference="ch_before",
        amount=payment.amount,
        currency=payment.currency,
        merchant_reference=key_of(payment, number),
    )


def held(payment: Payment, number: int = 1) -> Authorized:
    return Authorized(
        reference=f"ch_{number}",
        amount=payment.amount,
        currency=payment.currency,
        merchant_reference=key_of(payment, number),
    )


class TestPayments:
    def test_nothing_known_at_any_provider_is_sent_as_ever(self, world: World) -> None:
        restore(world)
        payment = world.accept()
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert charges(world) == [key_of(payment)]
        assert {key_of(payment, number) for number in range(1, 7)} <= inquiries(world)

    def test_a_charge_of_the_forgotten_time_is_found_and_not_sent(self, world: World) -> None:
        restore(world)
        payment = world.accept()
        alpha(world).inquiries = [charged(payment)] * 2
        world.work_until_idle()
        found = world.now(payment)
        assert (found.status, found.captured) == (PaymentStatus.SUCCESS, payment.amount)
        assert charges(world) == []

    @pytest.mark.parametrize("compact", [True, False])
    def test_an_attempt_that_is_stored_as_not_sent_may_have_been_sent_later(self, compact: bool) -> None:
        world = World(compact=compact)
        prove_absence(world, "alpha")
        world.set_merchant(accounts=[account for account in world.accounts if account.provider == "alpha"])
        world.rules.document = fallback("alpha")
        payment = world.accept()
        alpha(world).charges = [NotSent(code="connection_refused")]
        world.work()
        assert world.now(payment).attempts[0].state is AttemptState.NOT_SENT
        restore(world)
        alpha(world).inquiries = [charged(payment)] * 2
        sent = len(charges(world))
        work_for_long(world)
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert len(charges(world)) == sent

    def test_a_charge_at_another_provider_under_a_later_key_goes_to_review(self, world: World) -> None:
        restore(world)
        payment = world.accept()
        world.providers.get("beta").inquiries = [NotFound(), charged(payment, 2)]
        work_for_long(world)
        assert world.now(payment).status is PaymentStatus.IN_REVIEW
        assert charges(world) == []
        assert charges(world, "beta") == []

    def test_a_provider_without_proof_sends_it_to_review(self, world: World) -> None:
        world.rules.document = fallback("gamma")
        world.set_merchant(accounts=[account for account in world.accounts if account.provider == "gamma"])
        restore(world)
        payment = world.accept()
        work_for_long(world)
        assert world.now(payment).status is PaymentStatus.IN_REVIEW
        assert charges(world, "gamma") == []

    def test_a_provider_that_does_not_answer_is_asked_again(self, world: World) -> None:
        restore(world)
        payment = world.accept()
        alpha(world).inquiries = [Unknown(code="read_timeout")]
        world.work()
        assert (world.now(payment).status, world.now(payment).attempts) == (PaymentStatus.PENDING, ())
        work_for_long(world)
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_a_provider_that_does_not_answer_is_asked_again_where_the_deadline_is_over(self, world: World) -> None:
        """The restore took place a day after the payment was accepted: its first search is not its last one."""
        payment = world.accept()
        world.clock.advance(DAY_MS / SECOND_MS + 60)
        restore(world, minutes_lost=25 * 60)
        world.providers.get("beta").inquiries = [Unknown(code="read_timeout")] * 3 + [charged(payment)] * 2
        work_for_long(world)
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert [attempt.provider for attempt in world.now(payment).attempts] == ["beta"]

    def test_a_provider_that_never_answers_is_asked_ever_more_seldom_and_once_more_a_day_after_the_restore(
        self, world: World
    ) -> None:
        window = restore(world)
        payment = world.accept()
        alpha(world).inquiries = [Unknown(code="read_timeout")] * 1000
        world.jobs.sent.clear()
        asked_ms = []
        while not world.now(payment).attempts:
            asked_ms.append(world.now(payment).ready_at_ms)
            world.clock.at_ms = asked_ms[-1]
            world.wake(payment)
        waits = [(after - before) // MINUTE_MS for before, after in pairwise(asked_ms)]
        assert waits[:6] == [5, 5, 5, 7, 11, 16]
        assert (waits[12], max(waits), len(waits)) == (60, 60, 31)
        assert asked_ms[-1] - window.recorded_at_ms == DAY_MS

    def test_a_day_after_the_opening_payments_are_sent_at_once(self, world: World) -> None:
        restore(world)
        world.clock.advance(DAY_MS // SECOND_MS + 1)
        payment = world.accept()
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert inquiries(world) == set()

    def test_a_cancellation_waits_for_the_search(self, world: World) -> None:
        restore(world)
        payment = world.accept()
        alpha(world).inquiries = [charged(payment)] * 2
        world.cancel(payment.merchant_id, payment.transaction_id)
        assert world.now(payment).status is PaymentStatus.PENDING
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_an_order_that_looks_free_is_not_charged(self, world: World) -> None:
        restore(world)
        payment = world.accept(order_id="order-7")
        work_for_long(world)
        assert world.now(payment).status is PaymentStatus.IN_REVIEW
        assert charges(world) == []

    def test_an_order_that_is_known_to_be_free_is_charged(self, world: World) -> None:
        restore(world, orders_known=True)
        payment = world.accept(order_id="order-7")
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_an_open_attempt_is_never_sent_again(self, world: World) -> None:
        payment = world.accept()
        alpha(world).charges = [Unknown(code="read_timeout")]
        world.work()
        restore(world, minutes_lost=1)
        work_for_long(world)
        assert world.now(payment).status is PaymentStatus.IN_REVIEW
        assert charges(world) == [key_of(payment)]

    @pytest.mark.parametrize("kind", list(DeclineKind))
    @pytest.mark.parametrize("cancelled", [False, True])
    def test_what_follows_an_open_attempt_is_searched_for_before_anything_is_sent_or_ends(
        self, kind: DeclineKind, monkeypatch: pytest.MonkeyPatch, *, cancelled: bool
    ) -> None:
        """The first attempt was not sent when the copy was made. It was sent in the time that the copy lacks."""
        world = World()
        world.set_merchant(accounts=[account for account in world.accounts if account.provider != "beta"])
        world.rules.document = fallback("gamma", "alpha")
        prove_absence(world, "alpha")
        payment = world.accept()
        world.providers.get("gamma").charges = [NotSent(code="connection_refused")]
        alpha(world).charges = [Unknown(code="read_timeout")]
        while len(world.now(payment).attempts) < 2:
            world.work()
        assert [a.state for a in world.now(payment).attempts] == [AttemptState.NOT_SENT, AttemptState.UNKNOWN]
        sent = (charges(world), charges(world, "gamma"))
        restore(world)
        if cancelled:
            alpha(world).able = replace(alpha(world).able, can_cancel_and_confirm=True)
            world.cancel(payment.merchant_id, payment.transaction_id)
        decline = Declined(kind=kind, code="do_not_honor")
        monkeypatch.setattr(
            ScriptedProvider,
            "inquire",
            lambda provider, request, _account: decline if request.provider_key == key_of(payment, 2) else NotFound(),
        )
        work_for_long(world, turns=60)
        assert (charges(world), charges(world, "gamma")) == sent
        assert world.now(payment).status is PaymentStatus.IN_REVIEW

    @pytest.mark.parametrize("ending", ["cancelled", "rerouted", "too late"])
    def test_what_followed_a_forgotten_decline_is_searched_for_before_the_payment_ends(
        self, world: World, ending: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In the time that the copy lacks, the first attempt was declined and the second one charged."""
        if ending == "rerouted":
            world.rules.document = fallback("alpha")
        restore(world)
        payment = world.accept()
        if ending == "cancelled":
            world.cancel(payment.merchant_id, payment.transaction_id)
        if ending == "too late":
            world.clock.advance(DAY_MS // SECOND_MS + 60)
        decline, second = Declined(kind=DeclineKind.SOFT, code="do_not_honor"), charged(payment, 2)
        known = {("alpha", key_of(payment)): decline, ("beta", key_of(payment, 2)): second}
        monkeypatch.setattr(
            ScriptedProvider,
            "inquire",
            lambda provider, request, _account: known.get((provider.name, request.provider_key), NotFound()),
        )
        work_for_long(world)
        assert (charges(world), charges(world, "beta")) == ([], [])
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_a_decline_of_the_forgotten_time_is_followed_by_the_next_attempt(self, world: World) -> None:
        restore(world)
        payment = world.accept()
        declined = Declined(kind=DeclineKind.SOFT, code="do_not_honor")
        alpha(world).inquiries = [declined, declined]
        world.work_until_idle()
        found = world.now(payment)
        assert [attempt.provider for attempt in found.attempts] == ["alpha", "beta"]
        assert found.status is PaymentStatus.SUCCESS
        assert charges(world) == []

    @pytest.mark.parametrize("kind", [DeclineKind.HARD, DeclineKind.FUNDS])
    def test_a_decline_of_the_forgotten_time_that_ends_a_payment_ends_it_after_the_search(
        self, world: World, kind: DeclineKind, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        restore(world)
        payment = world.accept()
        known = {(key_of(payment), "alpha"): Declined(kind=kind, code="do_not_honor")}
        monkeypatch.setattr(
            ScriptedProvider,
            "inquire",
            lambda provider, request, _account: known.get((request.provider_key, provider.name), NotFound()),
        )
        work_for_long(world, turns=60)
        assert world.now(payment).status is PaymentStatus.FAILED
        assert charges(world) + charges(world, "beta") == []

    @pytest.mark.parametrize("kind", list(DeclineKind))
    @pytest.mark.parametrize("late", [False, True])
    def test_a_decline_of_the_forgotten_time_ends_nothing_before_its_followers_were_searched_for(
        self, world: World, kind: DeclineKind, monkeypatch: pytest.MonkeyPatch, *, late: bool
    ) -> None:
        """The search finds the first key that was used. The next one may have been used, and charged, as well."""
        world.set_merchant(accounts=[account for account in world.accounts if account.provider == "alpha"])
        world.rules.document = fallback("alpha")
        payment = world.accept()
        restore(world)
        known = {key_of(payment): Declined(kind=kind, code="expired"), key_of(payment, 2): charged(payment, 2)}
        monkeypatch.setattr(
            ScriptedProvider,
            "inquire",
            lambda provider, request, _account: known.get(request.provider_key, NotFound()),
        )
        if late:
            world.clock.advance((payment.charge_deadline_ms - world.clock.now_ms()) // SECOND_MS + 1)
        work_for_long(world, turns=60)
        found = world.now(payment)
        assert (found.status, found.captured) == (PaymentStatus.SUCCESS, payment.amount)
        assert charges(world) == []


class TestALateAuthorization:
    """In the time that the copy lacks, the first attempt was left and a later one charged. Then the first was held."""

    @pytest.fixture
    def payment(self, world: World) -> Payment:
        beta = world.providers.get("beta")
        beta.able = replace(beta.able, capture_modes=frozenset(CaptureMode))
        restore(world)
        return world.accept(capture=CaptureMode.MANUAL)

    def know(self, monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, int, Payment, Outcome | None]) -> None:
        """Let each provider answer for these keys; None: it does not answer."""
        known = {(name, key_of(payment, number)): outcome for name, number, payment, outcome in answers}
        unanswered = Unknown(code="read_timeout")
        monkeypatch.setattr(
            ScriptedProvider,
            "inquire",
            lambda provider, request, _account: (
                known.get((provider.name, request.provider_key), NotFound()) or unanswered
            ),
        )

    @pytest.mark.parametrize("number", [2, 3, 6])
    @pytest.mark.parametrize("name", ["alpha", "beta"])
    def test_is_not_offered_for_capture_where_a_later_key_is_known(
        self, world: World, payment: Payment, name: str, number: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = held(payment, number)
        self.know(monkeypatch, ("alpha", 1, payment, held(payment)), (name, number, payment, later))
        work_for_long(world, turns=60)
        found = world.now(payment)
        assert (found.status, found.capturable) == (PaymentStatus.IN_REVIEW, 0)
        assert found.attempts[0].code == "later_attempt_found"
        assert charges(world) + charges(world, "beta") == []

    def test_that_the_search_found_as_an_open_attempt_is_not_offered_either(
        self, world: World, payment: Payment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.know(monkeypatch, ("alpha", 1, payment, Accepted(reference="ch_before")))
        world.work()
        assert world.now(payment).attempts[0].state is AttemptState.ACCEPTED
        self.know(monkeypatch, ("alpha", 1, payment, held(payment)), ("beta", 2, payment, charged(payment, 2)))
        work_for_long(world, turns=60)
        found = world.now(payment)
        assert (found.status, found.capturable) == (PaymentStatus.IN_REVIEW, 0)

    @pytest.mark.parametrize("later", ["held", "charged", None])
    def test_that_we_capture_ourselves_is_not_captured_either(
        self, world: World, later: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A payment with automatic capture, at a provider whose authorizations wait for our capture."""
        alpha(world).captures_by_us = True
        restore(world)
        payment = world.accept()
        second = {"held": held(payment, 2), "charged": charged(payment, 2), None: NotFound()}[later]
        self.know(monkeypatch, ("alpha", 1, payment, held(payment)), ("beta", 2, payment, second))
        work_for_long(world, turns=60)
        ends = PaymentStatus.IN_REVIEW if later else PaymentStatus.SUCCESS
        assert (world.now(payment).status, alpha(world).asked("complete")) == (ends, 0 if later else 1)

    def test_waits_for_a_provider_that_does_not_answer(
        self, world: World, payment: Payment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.know(monkeypatch, ("alpha", 1, payment, held(payment)), ("beta", 2, payment, None))
        work_for_long(world, turns=3)
        assert (world.now(payment).status, world.now(payment).capturable) == (PaymentStatus.PENDING, 0)
        self.know(monkeypatch, ("alpha", 1, payment, held(payment)))
        work_for_long(world, turns=60)
        assert (world.now(payment).status, world.now(payment).capturable) == (PaymentStatus.AUTHORIZED, payment.amount)

    def test_is_offered_where_no_later_key_is_known(
        self, world: World, payment: Payment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.know(monkeypatch, ("alpha", 1, payment, held(payment)))
        world.work_until_idle()
        assert (world.now(payment).status, world.now(payment).capturable) == (PaymentStatus.AUTHORIZED, payment.amount)


class TestOperations:
    def paid(self, world: World) -> Payment:
        payment = world.accept()
        world.work_until_idle()
        return world.now(payment)

    def test_a_refund_of_the_forgotten_time_is_found_and_not_sent(self, world: World) -> None:
        payment = self.paid(world)
        restore(world)
        refund = world.request(OperationKind.REFUND, payment, 100).operation
        found = Succeeded(
            reference="re_before",
            amount=100,
            currency=payment.currency,
            merchant_reference=f"pfx-{refund.operation_id[4:]}-1",
        )
        alpha(world).operation_inquiries = [found, found]
        world.work_until_idle()
        stored = world.operations.get(payment.merchant_id, payment.transaction_id, refund.operation_id)
        assert stored is not None
        assert stored.status is OperationStatus.SUCCEEDED
        assert [what for what, _ in alpha(world).moved if what == "move"] == []

    def test_a_refund_whose_open_attempt_had_no_effect_is_searched_for_before_it_ends(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = self.paid(world)
        refund = world.request(OperationKind.REFUND, payment, 100).operation
        alpha(world).moves = [Unknown(code="read_timeout")]
        world.work()
        restore(world)
        alpha(world).able = replace(alpha(world).able, absence_is_proof=False)
        refused, first = Declined(code="not_refundable"), f"pfx-{refund.operation_id[4:]}-1"
        monkeypatch.setattr(
            ScriptedProvider,
            "inquire_operation",
            lambda provider, request, _account: refused if request.provider_key == first else NotFound(),
        )
        work_for_long(world, turns=60)
        stored = world.operations.get(payment.merchant_id, payment.transaction_id, refund.operation_id)
        assert stored is not None
        assert stored.attempts[0].state is AttemptState.DECLINED
        assert stored.status is OperationStatus.IN_REVIEW
        assert [what for what, _ in alpha(world).moved].count("move") == 1

    def test_a_refusal_of_the_forgotten_time_ends_no_refund_before_its_followers_were_searched_for(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = self.paid(world)
        restore(world)
        refund = world.request(OperationKind.REFUND, payment, 100).operation
        first, second = (f"pfx-{refund.operation_id[4:]}-{number}" for number in (1, 2))
        made = Succeeded(reference="re_2", amount=100, currency=payment.currency, merchant_reference=second)
        known = {first: Declined(code="not_refundable"), second: made}
        monkeypatch.setattr(
            ScriptedProvider,
            "inquire_operation",
            lambda provider, request, _account: known.get(request.provider_key, NotFound()),
        )
        work_for_long(world, turns=60)
        stored = world.operations.get(payment.merchant_id, payment.transaction_id, refund.operation_id)
        assert stored is not None
        assert stored.status is OperationStatus.SUCCEEDED
        assert [what for what, _ in alpha(world).moved if what == "move"] == []


def reading_from_the_charge(
    world: World, kind: OperationKind, answer: Outcome | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let alpha answer every inquiry from the charge's state, whatever the key; None: it moved, under the asked key."""
    alpha(world).able = replace(alpha(world).able, operations_read_from_charge=frozenset({kind}))
    monkeypatch.setattr(
        ScriptedProvider, "inquire_operation", lambda _provider, request, _account: answer or moved(request)
    )


class TestWhatTheChargeShows:
    """A capture or void that is read from the charge looks the same under every key."""

    @pytest.fixture(params=[OperationKind.CAPTURE, OperationKind.VOID])
    def kind(self, request: pytest.FixtureRequest) -> OperationKind:
        kind: OperationKind = request.param
        return kind

    def held(self, world: World) -> Payment:
        payment = world.accept(capture=CaptureMode.MANUAL)
        world.work_until_idle()
        return world.now(payment)

    def stored(self, world: World, operation: Operation) -> Operation:
        work_for_long(world, turns=60)
        return world.operation_now(operation)

    def test_a_charge_that_refuses_every_key_is_no_attempt(
        self, world: World, kind: OperationKind, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = self.held(world)
        restore(world)
        operation = world.request(kind, payment).operation
        reading_from_the_charge(world, kind, Declined(code="charge_ended"), monkeypatch)
        alpha(world).moves = [Rejected(code="charge_ended")]
        stored = self.stored(world, operation)
        assert stored.status is OperationStatus.FAILED
        assert [attempt.number for attempt in stored.attempts] == [1], "the one that was sent"
        assert "sent_before_restore" not in stored.attempts[0].progress
        assert alpha(world).moves_of("move") == 1

    def test_a_charge_that_moved_is_one_attempt(
        self, world: World, kind: OperationKind, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = self.held(world)
        restore(world)
        operation = world.request(kind, payment).operation
        reading_from_the_charge(world, kind, None, monkeypatch)
        stored = self.stored(world, operation)
        assert (stored.status, len(stored.attempts)) == (OperationStatus.SUCCEEDED, 1)
        assert alpha(world).moves_of("move") == 0

    @pytest.mark.parametrize(
        ("answer", "status"),
        [(None, OperationStatus.SUCCEEDED), (Declined(code="charge_ended"), OperationStatus.FAILED)],
    )
    def test_what_the_charge_shows_is_the_open_attempts(
        self,
        world: World,
        kind: OperationKind,
        answer: Outcome | None,
        status: OperationStatus,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        payment = self.held(world)
        operation = world.request(kind, payment).operation
        alpha(world).moves = [Unknown(code="read_timeout")]
        world.work()
        restore(world)
        reading_from_the_charge(world, kind, answer, monkeypatch)
        stored = self.stored(world, operation)
        assert (stored.status, len(stored.attempts)) == (status, 1)
        assert alpha(world).moves_of("move") == 1


class TestNumbers:
    def test_events_go_on_above_those_that_were_used(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        before = world.now(payment)
        window = restore(world)
        context = Context(now_ms=world.clock.now_ms(), actor="operator", policy=world.policy)
        change = raise_numbers(before, window, context, used_seq=9, used_number=5)
        assert world.outcome_writer.commit(change) is not None
        events = world.events_of(payment)
        assert [event.seq for event in events] == [1, 2, 10]
        assert [event.event_type for event in world.merchant_events_of(payment)] == ["payment.succeeded"]
        raised = world.now(payment)
        assert raised.announced == 5, "the next merchant event is the sixth"
        assert chain_faults(events) == []

    def test_a_gap_without_a_restore_is_a_fault(self, world: World) -> None:
        payment = world.accept()
        world.work_until_idle()
        first, second = world.events_of(payment)
        forged = replace(second, seq=4)
        assert chain_faults([first, replace(forged, hash=replace(forged, hash="").compute_hash())])
