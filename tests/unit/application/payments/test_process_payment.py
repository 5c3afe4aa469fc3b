"""A payment's way through claim, call and outcome: every row of the outcome table."""

import pytest

from payflowx.domain.payments.outcome import (
    Accepted,
    ActionRequired,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NextAction,
    NotFound,
    NotSent,
    Progress,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import PaymentMethod
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.statuses import AttemptState, DeclineKind, PaymentStatus
from tests.support.world import World, fallback

SOFT = Declined(kind=DeclineKind.SOFT, code="issuer_unavailable")
HARD = Declined(kind=DeclineKind.HARD, code="stolen_card")
FUNDS = Declined(kind=DeclineKind.FUNDS, code="insufficient_funds")
TIMEOUT = Unknown(code="read_timeout")
REDIRECT = ActionRequired(reference="act-1", action=NextAction(kind="redirect", url="https://bank.test/3ds"))


@pytest.fixture
def world() -> World:
    return World()


def states(world: World, payment: object) -> list[tuple[str, AttemptState]]:
    return [(a.provider, a.state) for a in world.now(payment).attempts]  # type: ignore[arg-type]


def test_a_payment_that_goes_well_is_charged_once_with_its_stored_key(world: World) -> None:
    payment = world.accept()
    world.work()
    done = world.now(payment)
    assert (done.status, done.charged_attempt, done.refundable) == (PaymentStatus.SUCCESS, 1, 1999)
    assert done.due_at_ms is None
    assert not done.lease.owner
    (kind, charge), *rest = world.providers.get("alpha").sent
    assert (kind, charge.provider_key) == ("charge", f"pfx-{payment.transaction_id[4:]}-1")
    assert rest == []
    assert world.jobs.sent == []


def test_the_attempt_is_stored_before_the_call(world: World) -> None:
    payment = world.accept()
    provider = world.providers.get("alpha")
    seen: list[AttemptState] = []

    def look(charge: object, account: object) -> Unknown:
        seen.extend(a.state for a in world.now(payment).attempts)
        return TIMEOUT

    provider.charge = look  # type: ignore[method-assign, assignment]
    world.work()
    assert seen == [AttemptState.STARTED]


def test_a_repeated_message_does_nothing(world: World) -> None:
    payment = world.accept()
    job, _ = world.jobs.sent[0]
    world.work()
    world.process(job, world.deadline)
    world.wake(payment)
    assert world.providers.get("alpha").asked("charge") == 1


def test_two_workers_at_once_make_one_charge(world: World) -> None:
    payment = world.accept()
    job, _ = world.jobs.sent[0]
    provider = world.providers.get("alpha")
    plain = provider.charge

    def interrupted(charge: object, account: object) -> object:
        world.process(job, world.deadline)  # the same message, delivered to another worker meanwhile
        world.wake(payment)
        return plain(charge, account)  # type: ignore[arg-type]

    provider.charge = interrupted  # type: ignore[method-assign, assignment]
    world.work()
    assert provider.asked("charge") == 1
    assert world.now(payment).status is PaymentStatus.SUCCESS


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (NotSent(code="connection_refused"), AttemptState.NOT_SENT),
        (Rejected(code="rate_limited"), AttemptState.REJECTED),
        (Rejected(code="unauthorized", misconfigured=True), AttemptState.REJECTED),
        (SOFT, AttemptState.DECLINED),
    ],
)
def test_what_proves_no_charge_fails_over_at_once(world: World, answer: object, state: AttemptState) -> None:
    world.providers.get("alpha").charges = [answer]  # type: ignore[list-item]
    payment = world.accept()
    world.work()
    assert [delay for _, delay in world.jobs.sent] == [0]
    world.work()
    assert states(world, payment) == [("alpha", state), ("beta", AttemptState.SUCCEEDED)]
    assert world.now(payment).retry_count == 1
    keys = {a.provider_key for a in world.now(payment).attempts}
    assert len(keys) == 2


class TestARefusalOfTheRequestItself:
    REFUSED = Rejected(code="amount_too_small", message="The amount must be at least 50 cents.")

    def test_the_next_provider_is_asked_at_once(self, world: World) -> None:
        world.providers.get("alpha").charges = [self.REFUSED]
        payment = world.accept()
        world.work()
        assert [delay for _, delay in world.jobs.sent] == [0]
        world.work()
        assert states(world, payment) == [("alpha", AttemptState.REJECTED), ("beta", AttemptState.SUCCEEDED)]

    def test_no_provider_is_asked_twice(self, world: World) -> None:
        for name in ("alpha", "beta", "gamma"):
            world.providers.get(name).charges = [self.REFUSED] * 9
        payment = world.accept()
        world.work_until_idle()
        now = world.now(payment)
        assert [state for _, state in states(world, payment)] == [AttemptState.REJECTED] * 3
        assert (now.status, now.last_error.code if now.last_error else None) == (PaymentStatus.FAILED, "rejected")
        assert now.attempts[-1].message == "The amount must be at least 50 cents."
        assert now.updated_at_ms - now.created_at_ms < 60_000


def test_a_misconfigured_account_is_counted(world: World) -> None:
    world.providers.get("alpha").charges = [Rejected(code="unauthorized", misconfigured=True)]
    world.accept()
    world.work()
    assert world.telemetry.total("ProviderMisconfigured") == 1


@pytest.mark.parametrize(("answer", "code"), [(HARD, "hard_decline"), (FUNDS, "insufficient_funds")])
def test_a_decline_that_must_not_be_repeated_ends_the_payment(world: World, answer: Declined, code: str) -> None:
    world.providers.get("alpha").charges = [answer]
    payment = world.accept()
    world.work()
    failed = world.now(payment)
    assert (failed.status, failed.last_error.code) == (PaymentStatus.FAILED, code)  # type: ignore[union-attr]
    assert failed.last_error.provider_code == answer.code  # type: ignore[union-attr]
    assert (world.jobs.sent, failed.due_at_ms) == ([], None)


def test_a_provider_that_declined_is_not_asked_again(world: World) -> None:
    world.rules.document = fallback("alpha")
    world.providers.get("alpha").charges = [SOFT]
    payment = world.accept()
    world.work()
    assert world.now(payment).status is PaymentStatus.FAILED


def test_retries_back_off_and_end(world: World) -> None:
    world.rules.document = fallback("alpha", "beta")
    for name in ("alpha", "beta"):
        world.providers.get(name).charges = [Rejected(code="rate_limited", retry_after_seconds=7)] * 9
    payment = world.accept()
    world.work(turns=2)
    _, delay = world.jobs.sent[0]
    assert delay >= 7
    world.work_until_idle()
    failed = world.now(payment)
    assert [a.provider for a in failed.attempts] == ["alpha", "beta", "alpha", "beta"]
    assert (failed.status, failed.retry_count) == (PaymentStatus.FAILED, 3)
    assert "All allowed attempts" in failed.last_error.message  # type: ignore[union-attr]


def test_a_message_before_its_time_changes_nothing(world: World) -> None:
    world.rules.document = fallback("alpha")
    world.providers.get("alpha").charges = [NotSent(code="connection_refused")]
    payment = world.accept()
    world.work()
    world.wake(payment)
    assert len(world.now(payment).attempts) == 1


def test_a_disabled_provider_is_passed_over_by_a_further_attempt(world: World) -> None:
    world.providers.get("alpha").charges = [NotSent(code="connection_refused")]
    payment = world.accept()
    world.work()
    world.set_merchant(disabled=frozenset({"beta"}))
    world.work()
    assert states(world, payment)[1][0] == "gamma"


def test_a_provider_that_is_disabled_while_the_job_waits_gets_no_attempt(world: World) -> None:
    """An operator disables it during a backlog: what waits in the queue goes to the next one, too."""
    payment = world.accept()
    world.set_merchant(disabled=frozenset({"alpha"}))
    world.work()
    assert [provider for provider, _ in states(world, payment)] == ["beta"]
    assert world.providers.get("alpha").asked("charge") == 0


class TestUnknown:
    """Nobody knows whether it was charged: never elsewhere, never FAILED by a clock."""

    def test_an_inquiry_that_finds_the_charge_ends_it(self, world: World) -> None:
        provider = world.providers.get("alpha")
        provider.charges, provider.inquiries = [TIMEOUT], ["charged"]
        payment = world.accept()
        world.work()
        unsure = world.now(payment)
        assert (unsure.status, states(world, payment)) == (
            PaymentStatus.PENDING,
            [("alpha", AttemptState.UNKNOWN)],
        )
        assert world.jobs.sent[0][1] == 5
        world.work()
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert provider.asked("charge") == 1

    def test_inside_the_window_the_same_request_is_sent_again(self, world: World) -> None:
        provider = world.providers.get("alpha")
        provider.charges = [TIMEOUT, "charged"]
        payment = world.accept()
        world.work(turns=2)
        keys = [charge.provider_key for kind, charge in provider.sent if kind == "charge"]
        assert len(keys) == 2
        assert len(set(keys)) == 1
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert len(world.now(payment).attempts) == 1

    def test_a_changed_request_is_never_sent_again(self, world: World) -> None:
        provider = world.providers.get("alpha")
        provider.charges = [TIMEOUT]
        payment = world.accept()
        world.work()
        provider.hash_salt = "new version"
        world.work(turns=3)
        assert provider.asked("charge") == 1
        assert world.now(payment).attempts[0].state is AttemptState.UNKNOWN

    @pytest.mark.parametrize("refusal", [NotSent(code="connection_refused"), Rejected(code="rate_limited")])
    def test_a_refused_resend_says_nothing_about_the_first_send(self, world: World, refusal: object) -> None:
        provider = world.providers.get("alpha")
        provider.charges = [TIMEOUT, refusal]  # type: ignore[list-item]
        payment = world.accept()
        world.work(turns=2)
        assert states(world, payment) == [("alpha", AttemptState.UNKNOWN)]

    def test_after_the_window_it_is_only_read(self, world: World) -> None:
        provider = world.providers.get("alpha")
        provider.charges = [TIMEOUT]
        payment = world.accept()
        world.work()
        world.clock.advance(23.6 * 3600)
        world.wake(payment)
        assert provider.asked("charge") == 1

    def test_a_confirmed_cancellation_proves_no_charge_and_the_next_provider_is_asked(self, world: World) -> None:
        world.rules.document = fallback("beta", "gamma")
        provider = world.providers.get("beta")
        provider.charges, provider.cancellations = [TIMEOUT], [ConfirmedCancelled(reference="order-9")]
        payment = world.accept()
        world.work(turns=2)
        assert provider.asked("fence") == 0  # patience first: the charge may still show up
        world.work()
        assert states(world, payment) == [("beta", AttemptState.FENCED)]
        world.work()
        assert states(world, payment)[1] == ("gamma", AttemptState.SUCCEEDED)

    def test_a_confirmed_cancellation_that_finds_the_charge_ends_it(self, world: World) -> None:
        world.rules.document = fallback("beta")
        provider = world.providers.get("beta")
        provider.charges, provider.cancellations = [TIMEOUT], ["charged"]
        payment = world.accept()
        world.work(turns=3)
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_no_number_of_not_found_closes_it(self, world: World) -> None:
        world.rules.document = fallback("gamma", "alpha")
        provider = world.providers.get("gamma")
        provider.charges = [TIMEOUT]
        payment = world.accept()
        for _ in range(30):
            if not world.jobs.sent:
                break
            world.work()
        review = world.now(payment)
        assert review.status is PaymentStatus.IN_REVIEW
        assert states(world, payment) == [("gamma", AttemptState.UNKNOWN)]
        assert review.due_at_ms == world.clock.now_ms() + DAY_MS
        assert world.clock.now_ms() - review.created_at_ms < 11 * MINUTE_MS  # gamma's horizon is ten minutes
        assert world.providers.get("alpha").sent == []
        assert world.telemetry.total("PaymentsInReview") == 1

    def test_a_review_is_closed_by_a_verified_read(self, world: World) -> None:
        world.rules.document = fallback("gamma")
        provider = world.providers.get("gamma")
        provider.charges = [TIMEOUT]
        payment = world.accept()
        while world.jobs.sent:
            world.work()
        provider.inquiries = [NotFound(), "charged"]
        for _ in range(2):
            world.clock.advance(DAY_MS / SECOND_MS)
            world.wake(payment)
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_a_worker_that_died_leaves_an_attempt_to_resolve(self, world: World) -> None:
        provider = world.providers.get("alpha")
        payment = world.accept()
        job, _ = world.jobs.sent[0]

        def die(charge: object, account: object) -> object:
            raise KeyboardInterrupt  # what is left when a process is killed right here

        provider.charge = die  # type: ignore[method-assign, assignment]
        with pytest.raises(KeyboardInterrupt):
            world.process(job, world.deadline)
        del provider.charge  # type: ignore[attr-defined]
        provider.charges = []
        world.jobs.sent.clear()
        world.wake(payment)
        assert states(world, payment) == [("alpha", AttemptState.STARTED)]  # the lease is still live
        world.clock.advance(91)  # the time of its acceptance was late enough, and the claim left it
        assert world.sweep(world.deadline).woken == 1
        provider.inquiries = ["charged"]
        world.work()
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert provider.asked("charge") == 0


class TestSteps:
    """A charge of several requests."""

    @pytest.fixture
    def world(self) -> World:
        world = World()
        world.rules.document = fallback("gamma", "alpha")
        world.providers.get("gamma").steps = ("order_id",)
        return world

    def test_each_result_is_stored_before_the_next_request(self, world: World) -> None:
        provider = world.providers.get("gamma")
        provider.charges = [Progress(facts={"order_id": "o-1"}), "charged"]
        payment = world.accept()
        world.work()
        assert [dict(charge.progress) for _, charge in provider.sent] == [{}, {"order_id": "o-1"}]
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_a_lost_answer_before_the_charging_request_goes_on(self, world: World) -> None:
        provider = world.providers.get("gamma")
        provider.charges = [TIMEOUT, Progress(facts={"order_id": "o-2"}), "charged"]
        payment = world.accept()
        world.work(turns=2)
        assert provider.asked("inquire") == 0
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert len(world.now(payment).attempts) == 1

    def test_two_lost_answers_before_the_charging_request_prove_that_nothing_was_charged(self, world: World) -> None:
        world.providers.get("gamma").charges = [TIMEOUT, TIMEOUT]
        payment = world.accept()
        started_ms = world.clock.now_ms()
        world.work_until_idle()
        assert states(world, payment) == [("gamma", AttemptState.NOT_SENT), ("alpha", AttemptState.SUCCEEDED)]
        assert world.clock.now_ms() - started_ms < 10 * SECOND_MS

    def test_answers_lost_for_ever_before_the_charging_request_end_within_the_hour(self, world: World) -> None:
        world.rules.document = fallback("gamma")
        gamma = world.providers.get("gamma")
        gamma.charges = [TIMEOUT] * 500
        payment = world.accept()
        started_ms = world.clock.now_ms()
        world.work_until_idle(most=100)
        assert world.now(payment).status is PaymentStatus.FAILED
        assert HOUR_MS <= world.clock.now_ms() - started_ms < HOUR_MS + MINUTE_MS
        assert gamma.asked("charge") < 60
        assert len({charge.provider_key for _, charge in gamma.sent}) == 1

    @pytest.mark.parametrize("refusal", [NotSent(code="connection_refused"), Rejected(code="rate_limited")])
    def test_a_refusal_before_the_charging_request_closes_what_was_unknown(
        self, world: World, refusal: NotSent | Rejected
    ) -> None:
        world.providers.get("gamma").charges = [TIMEOUT, refusal]
        payment = world.accept()
        world.work_until_idle()
        assert [name for name, _ in states(world, payment)] == ["gamma", "alpha"]
        assert world.now(payment).status is PaymentStatus.SUCCESS

    @pytest.mark.parametrize("answer", [TIMEOUT, NotSent(code="connection_refused"), Rejected(code="rate_limited")])
    def test_once_the_charging_request_may_have_left_no_refusal_closes_it(
        self, world: World, answer: Unknown | NotSent | Rejected
    ) -> None:
        gamma = world.providers.get("gamma")
        gamma.charges = [TIMEOUT, Progress(facts={"order_id": "o-4"}), TIMEOUT, answer, answer]
        payment = world.accept()
        world.work(turns=5)
        assert states(world, payment) == [("gamma", AttemptState.UNKNOWN)]

    def test_a_lost_answer_of_the_charging_request_is_only_read(self, world: World) -> None:
        provider = world.providers.get("gamma")
        provider.charges = [Progress(facts={"order_id": "o-3"}), TIMEOUT]
        world.accept()
        world.work(turns=4)
        assert provider.asked("charge") == 2

    def test_a_worker_that_lost_its_lease_sends_nothing_more(self, world: World) -> None:
        provider = world.providers.get("gamma")
        payment = world.accept()
        job, _ = world.jobs.sent.pop(0)

        def stall(charge: object, account: object) -> Progress:
            del provider.charge  # type: ignore[attr-defined]
            provider.charges = [Progress(facts={"order_id": "new"}), "charged"]
            world.clock.advance(100)
            world.wake(payment)  # a newer worker goes on with the attempt
            return Progress(facts={"order_id": "stale"})

        provider.charge = stall  # type: ignore[method-assign, assignment]
        world.process(job, world.deadline)
        assert [charge.progress.get("order_id") for kind, charge in provider.sent] == [None, "new"]
        assert world.now(payment).status is PaymentStatus.SUCCESS


class TestOthers:
    def test_an_approval_is_waited_for_and_found(self, world: World) -> None:
        provider = world.providers.get("beta")
        world.rules.document = fallback("beta")
        provider.charges, provider.inquiries = [REDIRECT], [REDIRECT, "charged"]
        payment = world.accept()
        world.work()
        assert world.now(payment).status is PaymentStatus.REQUIRES_ACTION
        world.work(turns=2)
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_an_approval_that_never_comes_ends_by_a_confirmed_cancellation_and_without_failover(
        self, world: World
    ) -> None:
        provider = world.providers.get("beta")
        world.rules.document = fallback("beta", "alpha")
        provider.charges, provider.inquiries = [REDIRECT], [REDIRECT] * 50
        payment = world.accept()
        started = world.clock.now_ms()
        for _ in range(20):
            if not world.jobs.sent:
                break
            world.work()
        failed = world.now(payment)
        assert (failed.status, failed.attempts[0].state) == (PaymentStatus.FAILED, AttemptState.FENCED)
        assert failed.last_error.code == "action_expired"  # type: ignore[union-attr]
        assert world.clock.now_ms() - started >= 15 * MINUTE_MS
        assert world.providers.get("alpha").sent == []

    def test_an_approval_that_is_cancelled_at_the_provider_in_time_is_a_cancellation(self, world: World) -> None:
        """The payer had time left: a person released it in the provider's dashboard."""
        provider = world.providers.get("beta")
        world.rules.document = fallback("beta", "alpha")
        provider.charges, provider.inquiries = [REDIRECT], [ConfirmedCancelled()]
        payment = world.accept()
        world.work(turns=2)
        cancelled = world.now(payment)
        assert (cancelled.status, cancelled.due_at_ms) == (PaymentStatus.CANCELLED, None)
        assert world.providers.get("alpha").sent == []

    def test_an_accepted_charge_is_asked_for_until_it_is_final(self, world: World) -> None:
        provider = world.providers.get("alpha")
        provider.charges = [Accepted(reference="a-1")]
        provider.inquiries = [Accepted(reference="a-1"), SOFT]
        payment = world.accept()
        world.work(turns=3)
        assert states(world, payment) == [("alpha", AttemptState.DECLINED)]
        assert provider.asked("charge") == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"amount": 2000},
            {"currency": "EUR"},
            {"merchant_reference": "pfx-somebodyelse-1"},
        ],
    )
    def test_a_charge_that_differs_goes_to_review(self, world: World, wrong: dict[str, object]) -> None:
        payment = world.accept()
        answer = {
            "reference": "r",
            "amount": 1999,
            "currency": "USD",
            "merchant_reference": f"pfx-{payment.transaction_id[4:]}-1",
            **wrong,
        }
        world.providers.get("alpha").charges = [Succeeded(**answer)]  # type: ignore[arg-type]
        world.work_until_idle()
        review = world.now(payment)
        assert (review.status, review.charged_attempt) == (PaymentStatus.IN_REVIEW, None)
        assert world.telemetry.total("Mismatches") == 1
        assert world.providers.get("beta").sent == []

    def test_a_reference_that_belongs_to_another_payment_goes_to_review(self, world: World) -> None:
        first, second = world.accept("a"), world.accept("b")
        for payment in (first, second):
            world.providers.get("alpha").charges.append(
                Succeeded(
                    reference="same",
                    amount=1999,
                    currency="USD",
                    merchant_reference=f"pfx-{payment.transaction_id[4:]}-1",
                )
            )
        world.work_until_idle()
        assert world.now(first).status is PaymentStatus.SUCCESS
        assert world.now(second).status is PaymentStatus.IN_REVIEW
        assert world.now(second).attempts[0].code == "reference_taken"

    def test_a_decline_that_may_reopen_fails_without_failover_and_is_watched(self, world: World) -> None:
        reopening = Declined(kind=DeclineKind.SOFT, code="payment_failed", reopens_for_seconds=5 * 86_400)
        provider = world.providers.get("alpha")
        provider.charges, provider.inquiries = [reopening], [reopening, "charged"]
        payment = world.accept()
        world.work()
        failed = world.now(payment)
        assert failed.status is PaymentStatus.FAILED
        assert failed.due_at_ms is not None
        world.work(turns=2)
        late = world.now(payment)
        assert (late.status, late.charged_attempt, late.due_at_ms) == (PaymentStatus.SUCCESS, 1, None)
        assert world.telemetry.total("LateSuccesses") == 1
        assert world.providers.get("beta").sent == []

    def test_a_decline_is_watched_no_longer_than_it_may_reopen(self, world: World) -> None:
        reopening = Declined(kind=DeclineKind.SOFT, code="payment_failed", reopens_for_seconds=600)
        provider = world.providers.get("alpha")
        provider.charges, provider.inquiries = [reopening], [reopening] * 99
        payment = world.accept()
        world.work_until_idle()
        assert world.now(payment).due_at_ms is None
        assert world.now(payment).status is PaymentStatus.FAILED

    def test_a_decline_that_can_be_paid_again_counts_only_after_its_confirmed_cancellation(self, world: World) -> None:
        world.rules.document = fallback("beta", "alpha")
        open_decline = Declined(kind=DeclineKind.SOFT, code="bank", cancel_required=True)
        provider = world.providers.get("beta")
        provider.charges, provider.cancellations = [open_decline], [TIMEOUT, ConfirmedCancelled()]
        provider.inquiries = [open_decline]
        payment = world.accept()
        world.work()
        assert states(world, payment) == [("beta", AttemptState.UNKNOWN)]
        world.work()
        assert states(world, payment) == [("beta", AttemptState.DECLINED)]
        world.work()
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_too_little_time_sends_nothing(self, world: World) -> None:
        world.deadline.left_ms = 14_000
        payment = world.accept()
        world.work()
        assert states(world, payment) == [("alpha", AttemptState.NOT_SENT)]
        assert world.providers.get("alpha").sent == []

    def test_after_the_charge_deadline_nothing_is_sent(self, world: World) -> None:
        payment = world.accept()
        world.clock.advance(25 * HOUR_MS / SECOND_MS)
        world.work()
        failed = world.now(payment)
        assert (failed.status, failed.attempts) == (PaymentStatus.FAILED, ())
        assert failed.last_error is not None
        assert failed.last_error.code == "charge_deadline_passed"
        assert world.providers.get("alpha").sent == []

    def test_an_outcome_that_cannot_be_written_is_resolved_later(self, world: World) -> None:
        payment = world.accept()
        with world.refusing("transact_write_items"), pytest.raises(StorageUnavailableError):
            world.work()
        world.providers.get("alpha").inquiries = ["charged"]
        world.clock.advance(61)
        world.wake(payment)
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert world.providers.get("alpha").asked("charge") == 1

    def test_tokens_go_to_their_provider_only(self, world: World) -> None:
        world.rules.document = fallback("alpha", "beta", "gamma")
        method = PaymentMethod(type="card", tokens={"beta": "tok_b", "gamma": "tok_g"})
        payment = world.accept(payment_method=method)
        world.work()
        assert payment.route.candidates[0].provider == "beta"
        assert world.providers.get("beta").sent[0][1].token == "tok_b"
        assert any("no token for alpha" in reason for reason in payment.route.reasons)

    def test_mismatch_found_by_inquiry_is_recorded(self, world: World) -> None:
        provider = world.providers.get("alpha")
        provider.charges, provider.inquiries = [TIMEOUT], [Mismatch(code="duplicate_charge")]
        payment = world.accept()
        world.work(turns=2)
        assert world.now(payment).status is PaymentStatus.IN_REVIEW
