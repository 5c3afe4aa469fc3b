"""A slow account's work goes to the slow lane; a failing account gets no new payments; nothing else changes."""

from dataclasses import replace
from typing import Any

import pytest

from payflowx.adapters.dynamodb.merchants.account_health import PARTITION_PREFIX
from payflowx.adapters.sqs.messages import JOBS
from payflowx.application.operators.set_provider_status import ListUnwellAccounts
from payflowx.domain.payments.outcome import Declined, NotSent, Outcome, Rejected, Unknown
from payflowx.domain.payments.payment import Lease, Payment, PaymentMethod
from payflowx.domain.payments.ports import Job
from payflowx.domain.providers.health import AccountName
from payflowx.domain.routing.routing import is_probe
from payflowx.domain.shared.backoff import WAKES_TO_LONGEST_WAIT
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.statuses import AttemptState, DeclineKind, PaymentStatus
from payflowx.wiring.payments import WorkerWiring
from tests.support.platform import ENVIRONMENT, TestQueue
from tests.support.tables import CONFIGURATION
from tests.support.world import MERCHANT, World, fallback
from tests.unit.application.payments.test_after_restore import restore

TIMED_OUT = Unknown(code="read_timeout")
ALPHA = AccountName(merchant_id=MERCHANT, provider="alpha", account_id="main")


@pytest.fixture
def world() -> World:
    return World()


def slow_jobs(world: World) -> list[tuple[Job, int]]:
    return TestQueue(world.sqs, ENVIRONMENT["SLOWJOBS_QUEUE_URL"], JOBS).sent


def fail_calls(world: World, outcome: Outcome = TIMED_OUT, *, count: int = 5, took_seconds: float = 12) -> None:
    """The worker sees so many calls to alpha with this outcome."""
    for _ in range(count):
        world.wired(WorkerWiring).health.observe(ALPHA, outcome, int(took_seconds * 1_000))
        world.clock.advance(1)


def process(world: World) -> None:
    """One message, as the fast lane does it."""
    job, delay_seconds = world.jobs.sent.pop(0)
    world.clock.advance(delay_seconds)
    world.process(job, world.deadline)


def accept(world: World, name: str = "order", *, probes: bool = False) -> Payment:
    """A payment that is no probe, or one that is."""
    for number in range(10_000):
        key = f"{name}-{number}"
        made = World().accept(key)
        if is_probe(made.transaction_id) is probes:
            return world.accept(key)
    raise AssertionError("no such key")


class TestTheBreaker:
    def test_new_payments_leave_an_account_that_fails_and_say_why(self, world: World) -> None:
        fail_calls(world)
        payment = accept(world)
        assert [candidate.provider for candidate in payment.route.candidates] == ["beta", "gamma"]
        assert "passed over: calls of alpha fail or time out" in payment.route.reasons
        world.work()
        assert world.now(payment).attempts[0].provider == "beta"

    def test_a_probe_keeps_it(self, world: World) -> None:
        fail_calls(world)
        payment = accept(world, probes=True)
        assert payment.route.candidates[0].provider == "alpha"
        assert "a probe: calls of alpha fail or time out" in payment.route.reasons

    def test_probes_are_fewer_than_two_percent(self) -> None:
        share = sum(is_probe(f"pay_{number:016d}") for number in range(20_000)) / 20_000
        assert 0.01 < share <= 0.02

    def test_a_route_is_never_emptied(self, world: World) -> None:
        world.rules.document = fallback("alpha")
        fail_calls(world)
        payment = accept(world)
        assert [candidate.provider for candidate in payment.route.candidates] == ["alpha"]
        assert any(reason.startswith("kept, as no other provider") for reason in payment.route.reasons)
        process(world)
        assert world.now(payment).attempts == ()
        assert [job.transaction_id for job, _ in slow_jobs(world)] == [payment.transaction_id]

    def test_other_providers_that_cannot_take_the_payment_do_not_count(self, world: World) -> None:
        fail_calls(world)
        payment = world.accept(payment_method=PaymentMethod(type="card", tokens={"alpha": "tok_success"}))
        assert [candidate.provider for candidate in payment.route.candidates] == ["alpha"]

    def test_an_accepted_payment_keeps_its_route(self, world: World) -> None:
        payment = world.accept()
        fail_calls(world)
        world.work()
        assert world.now(payment).route == payment.route
        assert world.now(payment).attempts[0].provider == "alpha"

    def test_an_unknown_outcome_is_resolved_where_it_is(self, world: World) -> None:
        alpha = world.providers.get("alpha")
        alpha.charges, alpha.inquiries = [TIMED_OUT], []
        payment = world.accept()
        world.work()
        fail_calls(world)
        world.work_until_idle(most=3) if len(world.jobs.sent) > 3 else world.work()
        found = world.now(payment)
        assert {attempt.provider for attempt in found.attempts} == {"alpha"}
        assert found.status is not PaymentStatus.FAILED

    @pytest.mark.parametrize(
        "answer",
        [
            Declined(kind=DeclineKind.SOFT, code="do_not_honor"),
            Rejected(code="rate_limited"),
            Rejected(code="unauthorized", misconfigured=True),
            NotSent(code="not_enough_time"),
            NotSent(code="credentials_unavailable"),
            NotSent(code="account_removed"),
            Unknown(code="order_already_paid"),
        ],
    )
    def test_an_answer_or_a_reason_of_ours_is_no_failure(self, world: World, answer: Outcome) -> None:
        fail_calls(world, answer, count=50, took_seconds=0.3)
        assert accept(world).route.candidates[0].provider == "alpha"

    @pytest.mark.parametrize("code", ["connection_refused", "connect_timeout", "http_500", "http_503", "too_slow"])
    def test_failures(self, world: World, code: str) -> None:
        fail_calls(world, NotSent(code=code), took_seconds=0.1)
        assert accept(world).route.candidates[0].provider == "beta"

    def test_another_merchants_account_is_not_passed_over(self, world: World) -> None:
        other = replace(ALPHA, merchant_id="bcme")
        for _ in range(5):
            world.wired(WorkerWiring).health.observe(other, TIMED_OUT, 12_000)
            world.clock.advance(1)
        assert accept(world).route.candidates[0].provider == "alpha"

    def test_answers_bring_it_back_within_fifteen_seconds(self, world: World) -> None:
        fail_calls(world)
        fail_calls(world, Declined(kind=DeclineKind.SOFT, code="x"), took_seconds=0.3)
        world.clock.advance(15)
        assert accept(world).route.candidates[0].provider == "alpha"

    def test_who_read_the_state_before_knows_it_fifteen_seconds_later(self, world: World) -> None:
        assert accept(world, "before").route.candidates[0].provider == "alpha"
        fail_calls(world)
        assert accept(world, "meanwhile").route.candidates[0].provider == "alpha"
        world.clock.advance(10)
        assert accept(world, "after").route.candidates[0].provider == "beta"

    def test_another_account_at_the_provider_is_another_one(self, world: World) -> None:
        for _ in range(5):
            world.wired(WorkerWiring).health.observe(replace(ALPHA, account_id="old"), TIMED_OUT, 12_000)
            world.clock.advance(1)
        assert accept(world).route.candidates[0].provider == "alpha"

    def test_operators_see_the_accounts_that_are_not_well_and_no_others(self, world: World) -> None:
        unwell = ListUnwellAccounts(
            merchants_with_accounts=lambda: [MERCHANT],
            health=world.wired(WorkerWiring).account_health,
            clock=world.clock,
        )
        fail_calls(world)
        assert [health.name for health in unwell(None).items] == [ALPHA]
        fail_calls(world, Declined(kind=DeclineKind.SOFT, code="x"), took_seconds=0.3)
        world.clock.advance(15)
        assert unwell(None).items == []

    def test_it_is_counted_and_logged_once(self, world: World) -> None:
        fail_calls(world, count=20)
        assert world.telemetry.total("BreakersOpened") == 1

    def test_a_store_that_is_down_passes_nobody_over_and_stops_nothing(self, world: World) -> None:
        fail_calls(world)
        world.deploy()

        def refuse(method: str, request: Any) -> None:
            if PARTITION_PREFIX in repr(request):
                raise StorageUnavailableError("down")

        world.dynamodb.before = refuse
        payment = accept(world)
        assert payment.route.candidates[0].provider == "alpha"
        world.providers.get("alpha").charges = [TIMED_OUT]
        process(world)
        assert world.now(payment).attempts[0].state is AttemptState.UNKNOWN

    def test_a_well_account_costs_no_write(self, world: World) -> None:
        writes = world.requests_of("update_item", PARTITION_PREFIX)
        for number in range(5):
            world.accept(f"order-{number}")
        world.work_until_idle()
        assert writes == []

    def test_an_account_that_is_well_again_costs_no_write(self, world: World) -> None:
        fail_calls(world)
        answered = Declined(kind=DeclineKind.SOFT, code="x")
        fail_calls(world, answered, count=60, took_seconds=0.3)
        writes = world.requests_of("update_item", PARTITION_PREFIX)
        fail_calls(world, answered, count=60, took_seconds=0.3)
        assert writes == []

    def test_one_failure_costs_writes_for_its_window_only(self, world: World) -> None:
        fail_calls(world, count=1)
        writes = world.requests_of("update_item", PARTITION_PREFIX)
        answered = Declined(kind=DeclineKind.SOFT, code="x")
        fail_calls(world, answered, count=300, took_seconds=0.3)
        assert 1 <= len(writes) <= 30

    def test_a_hundred_failures_in_a_second_are_one_write(self, world: World) -> None:
        writes = world.requests_of("update_item", PARTITION_PREFIX)
        for _ in range(100):
            world.wired(WorkerWiring).health.observe(ALPHA, TIMED_OUT, 12_000)
        assert len(writes) == 1
        world.clock.advance(1)
        world.wired(WorkerWiring).health.observe(ALPHA, TIMED_OUT, 12_000)
        assert len(writes) == 2
        item = world.dynamodb.get_item(
            TableName=CONFIGURATION, Key={"pk": {"S": f"H#{MERCHANT}"}, "sk": {"S": "ACCOUNT#alpha#main"}}
        )["Item"]
        assert item["failed"] == {"N": "101"}

    def test_failures_that_were_kept_back_are_not_told_as_those_of_a_later_time(self, world: World) -> None:
        """Ten calls of a batch fail in one second: one is reported. An hour later the account answers."""
        health = world.wired(WorkerWiring).health
        for _ in range(10):
            health.observe(ALPHA, TIMED_OUT, 12_000)
        world.clock.advance(3_600)
        health.observe(ALPHA, Declined(kind=DeclineKind.SOFT, code="x"), 300)
        world.clock.advance(15)
        assert accept(world).route.candidates[0].provider == "alpha"
        assert world.telemetry.total("BreakersOpened") == 0

    def test_failures_of_two_batches_within_minutes_are_a_streak(self, world: World) -> None:
        health = world.wired(WorkerWiring).health
        for _ in range(10):
            health.observe(ALPHA, TIMED_OUT, 12_000)
        world.clock.advance(120)
        health.observe(ALPHA, TIMED_OUT, 12_000)
        assert world.telemetry.total("BreakersOpened") == 1

    def test_answers_of_an_hour_ago_do_not_hide_that_half_of_the_calls_fail(self, world: World) -> None:
        health = world.wired(WorkerWiring).health
        answered = Declined(kind=DeclineKind.SOFT, code="x")
        for _ in range(1_000):
            health.observe(ALPHA, answered, 300)
        world.clock.advance(3_600)
        for _ in range(8):
            health.observe(ALPHA, TIMED_OUT, 12_000)
            health.observe(ALPHA, answered, 300)
            world.clock.advance(2)
        assert world.telemetry.total("BreakersOpened") == 1

    def test_two_instances_add_up(self, world: World) -> None:
        one, two = WorkerWiring.over(world.platform).health, WorkerWiring.over(world.platform).health
        for instance in (one, two, one, two, one):
            instance.observe(ALPHA, TIMED_OUT, 12_000)
            world.clock.advance(1)
        assert accept(world).route.candidates[0].provider == "beta"


class TestTheSlowLane:
    def make_slow(self, world: World) -> None:
        """Answers after six seconds: slow, and not failing."""
        fail_calls(world, Declined(kind=DeclineKind.SOFT, code="x"), count=3, took_seconds=6)

    def test_a_first_job_is_handed_over_without_a_read_or_a_claim(self, world: World) -> None:
        self.make_slow(world)
        payment = world.accept()
        before, reads = world.now(payment), world.requests_of("get_item")
        process(world)
        assert reads == []
        assert world.now(payment) == before
        ((job, delay_seconds),) = slow_jobs(world)
        assert (job.slow, job.version, delay_seconds) == (True, 1, 0)
        world.process(job, world.deadline)
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_a_job_that_only_names_a_payment_too(self, world: World) -> None:
        payment = world.accept()
        self.make_slow(world)
        world.jobs.sent = [(Job(merchant_id=MERCHANT, transaction_id=payment.transaction_id), 0)]
        process(world)
        assert world.now(payment) == payment
        assert len(slow_jobs(world)) == 1

    def test_work_on_another_account_stays(self, world: World) -> None:
        self.make_slow(world)
        world.rules.document = fallback("beta")
        payment = world.accept()
        process(world)
        assert slow_jobs(world) == []
        assert world.now(payment).attempts[0].provider == "beta"

    def test_the_resolve_of_an_unknown_is_done_there_at_the_same_provider(self, world: World) -> None:
        world.providers.get("alpha").charges = [TIMED_OUT]
        payment = world.accept()
        process(world)
        self.make_slow(world)
        process(world)
        ((job, _),) = slow_jobs(world)
        world.process(job, world.deadline)
        assert {attempt.provider for attempt in world.now(payment).attempts} == {"alpha"}

    def test_reads_of_refunds_go_there_if_any_account_is_slow(self, world: World) -> None:
        self.make_slow(world)
        job = Job(merchant_id=MERCHANT, transaction_id="pay_aaaaaaaaaaaaaaaa", read_refunds=True)
        world.process(job, world.deadline)
        assert [each.read_refunds for each, _ in slow_jobs(world)] == [True]

    def test_searches_after_a_restore_go_there_if_any_account_is_slow(self, world: World) -> None:
        """They ask every provider of the route, and one of them hangs."""
        payment = world.accept()
        restore(world)
        self.make_slow(world)
        process(world)
        assert world.now(payment) == payment
        assert [job.transaction_id for job, _ in slow_jobs(world)] == [payment.transaction_id]
        assert world.providers.get("alpha").sent == []

    def test_a_slow_lane_that_is_late_gets_no_more_and_the_payment_stays_due(self, world: World) -> None:
        self.make_slow(world)
        payment = world.accept()
        filler = (Job(merchant_id=MERCHANT, transaction_id="pay_x", slow=True), 0)
        TestQueue(world.sqs, ENVIRONMENT["SLOWJOBS_QUEUE_URL"], JOBS).sent = [filler] * 1_000
        process(world)
        assert len(slow_jobs(world)) == 1_000
        assert world.now(payment) == payment
        assert payment.due_at_ms is not None

    def test_wake_ups_that_a_late_slow_lane_suppresses_lead_to_no_review(self, world: World) -> None:
        """A lane that is late for four days: the sweeper wakes the payment each hour, and no worker takes it."""
        world.providers.get("alpha").charges = [TIMED_OUT]
        payment = world.accept()
        process(world)
        world.jobs.sent.clear()
        filler = (Job(merchant_id=MERCHANT, transaction_id="pay_x", slow=True), 0)
        TestQueue(world.sqs, ENVIRONMENT["SLOWJOBS_QUEUE_URL"], JOBS).sent = [filler] * 1_000
        for _ in range(100):
            self.make_slow(world)
            world.sweep(world.deadline)
            while world.jobs.sent:
                process(world)
            world.clock.advance(3_600)
        found = world.now(payment)
        assert (found.status, len(slow_jobs(world))) == (PaymentStatus.PENDING, 1_000)
        assert found.due_at_ms is not None

    def test_a_wake_up_that_is_taken_back_releases_an_expired_lease(self, world: World) -> None:
        """Its holder may only have stood still, and must write nothing beside this change."""
        world.providers.get("alpha").charges = [TIMED_OUT]
        payment = world.accept()
        process(world)
        filler = (Job(merchant_id=MERCHANT, transaction_id="pay_x", slow=True), 0)
        TestQueue(world.sqs, ENVIRONMENT["SLOWJOBS_QUEUE_URL"], JOBS).sent = [filler] * 1_000
        world.clock.advance(3_600)
        self.make_slow(world)
        unknown = world.now(payment)
        held = Lease(owner="gone", epoch=unknown.lease.epoch + 1, expires_at_ms=world.clock.now_ms() - 1)
        world.store(replace(unknown, lease=held, drives=WAKES_TO_LONGEST_WAIT + 5))
        world.process(Job(merchant_id=MERCHANT, transaction_id=payment.transaction_id), world.deadline)
        found = world.now(payment)
        assert found.drives == WAKES_TO_LONGEST_WAIT + 4
        assert found.lease == Lease(epoch=held.epoch + 1)

    def test_a_slow_lane_that_takes_no_messages_makes_the_message_return(self, world: World) -> None:
        self.make_slow(world)
        world.accept()
        world.sqs.queues[ENVIRONMENT["SLOWJOBS_QUEUE_URL"]].broken = True
        with pytest.raises(StorageUnavailableError):
            process(world)

    def test_prompt_calls_bring_it_back(self, world: World) -> None:
        self.make_slow(world)
        world.clock.advance(61)
        world.accept()
        process(world)
        assert slow_jobs(world) == []


class TestASlowProvider:
    """It hangs for everyone, and no account has three slow calls."""

    def hang(self, world: World, *, others_are_prompt: bool = True) -> None:
        """A call at each of three merchants' accounts at alpha; none of them is the merchant of the tests."""
        health = world.wired(WorkerWiring).health
        if others_are_prompt:
            health.observe(replace(ALPHA, provider="beta"), Declined(kind=DeclineKind.SOFT, code="x"), 300)
        for number in range(3):
            health.observe(replace(ALPHA, merchant_id=f"merchant-{number}"), TIMED_OUT, 12_000)

    def test_new_payments_of_every_account_are_handed_over_and_keep_their_route(self, world: World) -> None:
        self.hang(world)
        payment = accept(world)
        process(world)
        assert world.now(payment) == payment
        assert payment.route.candidates[0].provider == "alpha"
        ((job, _),) = slow_jobs(world)
        world.process(job, world.deadline)
        assert [attempt.provider for attempt in world.now(payment).attempts] == ["alpha"]

    def test_work_at_another_provider_stays(self, world: World) -> None:
        self.hang(world)
        world.rules.document = fallback("beta")
        world.accept()
        process(world)
        assert slow_jobs(world) == []

    def test_an_unknown_is_resolved_there_at_the_same_provider(self, world: World) -> None:
        world.providers.get("alpha").charges = [TIMED_OUT]
        payment = world.accept()
        process(world)
        self.hang(world)
        process(world)
        ((job, _),) = slow_jobs(world)
        world.process(job, world.deadline)
        assert {attempt.provider for attempt in world.now(payment).attempts} == {"alpha"}

    def test_if_everything_is_slow_no_provider_is(self, world: World) -> None:
        """The network was slow, not a provider: nobody would be helped by another lane."""
        self.hang(world, others_are_prompt=False)
        world.accept()
        process(world)
        assert slow_jobs(world) == []

    def test_it_ends_after_a_minute(self, world: World) -> None:
        self.hang(world)
        world.clock.advance(60)
        world.accept()
        process(world)
        assert slow_jobs(world) == []

    def test_a_restore_or_refunds_ask_only_the_merchants_own_providers(self, world: World) -> None:
        health = world.wired(WorkerWiring).health
        self.hang(world)
        assert health.has_slow_account(MERCHANT, {"alpha", "beta"})
        assert not health.has_slow_account(MERCHANT, {"beta"})
        job = Job(merchant_id=MERCHANT, transaction_id="pay_aaaaaaaaaaaaaaaa", read_refunds=True)
        world.process(job, world.deadline)
        assert [each.read_refunds for each, _ in slow_jobs(world)] == [True]

    def test_it_is_logged_once_and_nothing_is_stored_about_it(self, world: World) -> None:
        self.hang(world)
        writes = world.requests_of("update_item", PARTITION_PREFIX)
        world.clock.advance(1)
        self.hang(world)
        assert len(writes) == 3  # the accounts' own states
        warned = [line for line in world.telemetry.lines if "calls of a provider are slow" in str(line)]
        assert len(warned) == 1

    def test_the_time_is_read_in_the_order_in_which_calls_are_counted(self, world: World) -> None:
        """Calls end together in ten threads. A time that is older than the window's would begin a new window."""
        health = world.wired(WorkerWiring).health
        in_order: list[bool] = []

        class Clock:
            def now_ms(self) -> int:
                in_order.append(health._lock.locked())
                return world.clock.now_ms()

        health.clock = Clock()  # type: ignore[assignment]  # only this of it is used
        health.observe(ALPHA, TIMED_OUT, 12_000)
        assert in_order[:2] == [True, True], "the provider's calls, then the account's"


def test_every_word_of_a_job_survives_its_message() -> None:
    job = Job(merchant_id=MERCHANT, transaction_id="pay_a", slow=True)
    assert JOBS.decode(JOBS.encode(job, None)) == job
    assert "slow" not in JOBS.encode(replace(job, slow=False), None)
