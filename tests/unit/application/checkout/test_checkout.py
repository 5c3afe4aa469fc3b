"""A payer who is present: one object at a time, whatever the payer, the provider and the line do."""

import re
from dataclasses import replace

import pytest

from payflowx.application.checkout.page import Chosen, Contact, Obstacle, Page
from payflowx.application.merchants.erase_personal_data import ErasePersonalData
from payflowx.application.payments.create_payment import NewPayment
from payflowx.application.payments.new_checkout import NewCheckout
from payflowx.application.reviews.close_review import CloseReview, ReviewEntry
from payflowx.domain.checkout.view import Screen
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.change import Context
from payflowx.domain.payments.checkout import Choice, Presentation
from payflowx.domain.payments.hosted import MAX_FAILED_TRIES, ExtraCharge, FailedTries
from payflowx.domain.payments.named_charge import NamedCharge
from payflowx.domain.payments.outcome import (
    Accepted,
    Authorized,
    ConfirmedCancelled,
    Declined,
    Mismatch,
    NotSent,
    Rejected,
    Succeeded,
    Unknown,
)
from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.payments.review import ReviewDecision, ReviewVerdict, close_review
from payflowx.domain.payments.review_reasons import ReviewReason
from payflowx.domain.payments.state_machine import erase, request_cancel, send_to_review
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.identifiers import derive_provider_key
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, DeclineKind, PaymentStatus
from tests.support.world import new_payment
from tests.unit.application.checkout.conftest import PAGES, Shop, opened

S = PaymentStatus
A = AttemptState


def states(shop: Shop, payment: Payment) -> list[AttemptState]:
    return [attempt.state for attempt in shop.world.now(payment).attempts]


class TestAccept:
    def test_a_checkout_waits_for_its_payer_and_calls_nobody(self, shop: Shop) -> None:
        payment = shop.sell(checkout=NewCheckout(lifetime_seconds=3600))
        assert payment.status is S.REQUIRES_ACTION
        assert payment.attempts == ()
        assert payment.checkout is not None
        assert payment.due_at_ms == payment.ready_at_ms == payment.checkout.expires_at_ms
        assert payment.charge_deadline_ms == payment.created_at_ms + 3_600_000
        assert (payment.checkout.address or "").startswith(f"{PAGES}/")
        assert shop.world.jobs.sent == []

    def test_a_repeated_request_gets_the_same_address(self, shop: Shop) -> None:
        first, again = shop.sell(), shop.sell()
        assert (first.checkout, first.transaction_id) == (again.checkout, again.transaction_id)

    def test_a_wake_without_a_choice_begins_nothing(self, shop: Shop) -> None:
        payment = shop.sell()
        for _ in range(3):
            shop.world.outcome_writer.wake(payment, 0)
        assert shop.settle(payment) == payment

    def test_a_checkout_that_no_page_can_meet_is_refused_and_nothing_is_written(self, shop: Shop) -> None:
        for methods in (("wallet",), ("netbanking",)):
            shop.world.set_merchant(disabled=frozenset({"gamma"}))
            with pytest.raises(Refusal) as refused:
                shop.sell(checkout=NewCheckout(methods=methods))
            assert refused.value.code == "no_provider_available"

    def test_an_expiry_that_no_page_can_meet_is_refused(self, shop: Shop) -> None:
        shop.world.set_merchant(disabled=frozenset({"gamma"}))
        with pytest.raises(Refusal, match="expiresInSeconds of at least 720"):
            shop.sell(checkout=NewCheckout(lifetime_seconds=700))

    def test_a_deployment_without_a_checkout_says_so(self, shop: Shop) -> None:
        create = replace(shop.create, checkout_opener=None)
        with pytest.raises(Refusal) as refused:
            create(replace(_request(), checkout=NewCheckout()))
        assert refused.value.code == "checkout_unavailable"


class TestPaying:
    def test_choose_pay_and_see_the_receipt(self, shop: Shop) -> None:
        payment = shop.sell()
        view = shop.view(payment)
        assert view.screen is Screen.CHOOSE
        assert [offer.method for offer in view.offers] == ["card", "upi", "netbanking"]
        assert view.offers[0].ways == ("alpha", "beta", "gamma")
        payment = shop.choose(payment)
        assert payment.status is S.REQUIRES_ACTION
        assert shop.screen(payment) is Screen.OPEN
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 61)
        assert (payment.status, payment.captured, payment.charged_attempt) == (S.SUCCESS, payment.amount, 1)
        assert shop.screen(payment) is Screen.PAID

    def test_the_object_is_created_with_what_was_stored_before(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(checkout=NewCheckout(lifetime_seconds=900)), "upi")
        ((_, request),) = shop.at("alpha").sent
        assert request.hosted is not None
        assert request.hosted.method == "upi"
        assert request.hosted.expires_at_ms == payment.charge_deadline_ms // SECOND_MS * SECOND_MS
        assert request.hosted.return_url.endswith("/return")
        assert payment.attempts[0].deadline_ms == request.hosted.expires_at_ms

    def test_an_object_lives_no_longer_than_its_provider_allows(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        hosted = payment.attempts[0].hosted
        assert hosted is not None
        assert hosted.expires_at_ms <= shop.world.clock.now_ms() + 3_600_000

    def test_only_the_request_whose_choice_was_stored_waits_and_gets_the_address(self, shop: Shop) -> None:
        payment = shop.sell()
        chosen = shop.page(wait_seconds=4).choose(shop.token(payment), "card", Contact())
        assert isinstance(chosen, Chosen)
        assert chosen.action is not None
        assert chosen.action.url.startswith("https://bank.example/")
        assert shop.page(wait_seconds=4).choose(shop.token(payment), "card", Contact()) is Obstacle.ALREADY_CHOSEN

    def test_manual_capture_is_authorized(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(capture=CaptureMode.MANUAL))
        shop.at("alpha").inquiries.append(_authorized(payment))
        payment = shop.wait(payment, 61)
        assert (payment.status, payment.capturable) == (S.AUTHORIZED, payment.amount)

    @pytest.mark.parametrize(
        ("after_seconds", "code"), [(3_600, "authorization_released"), (7 * 86_400, "authorization_expired")]
    )
    def test_an_authorization_that_ends_at_the_provider_says_why(
        self, shop: Shop, after_seconds: int, code: str
    ) -> None:
        """Nobody cancelled it: merchants read the reason, as of a payment without a page."""
        payment = shop.choose(shop.sell(capture=CaptureMode.MANUAL))
        held = replace(_authorized(payment), lapses_at_ms=shop.world.clock.now_ms() + 5 * 86_400_000)
        shop.at("alpha").inquiries.extend([held, ConfirmedCancelled()])
        payment = shop.wait(payment, 61)
        assert payment.status is S.AUTHORIZED
        shop.world.clock.advance(after_seconds)
        shop.world.process_provider_event(shop.event(payment, reference="auth-1"))
        payment = shop.settle(payment)
        assert payment.status is S.CANCELLED
        assert payment.last_error is not None
        assert payment.last_error.code == code

    def test_an_authorization_that_is_voided_for_the_payer_is_no_release_by_others(self, shop: Shop) -> None:
        """The payer had asked for another way, and paid all the same: an inquiry closes the object."""
        payment = shop.choose(shop.sell(capture=CaptureMode.MANUAL))
        shop.at("alpha").inquiries.append(_authorized(payment))
        payment = shop.wait(payment, 61)
        assert payment.checkout is not None
        shop.world.store(replace(payment, checkout=replace(payment.checkout, closing=1)))
        shop.at("alpha").inquiries.append(ConfirmedCancelled())
        shop.world.process_provider_event(shop.event(payment, reference="auth-1"))
        payment = shop.settle(payment)
        assert (payment.status, payment.last_error) == (S.CANCELLED, None)

    def test_a_cancelled_authorization_has_no_error_of_its_own(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(capture=CaptureMode.MANUAL))
        shop.at("alpha").inquiries.append(_authorized(payment))
        payment = shop.wait(payment, 61)
        context = Context(now_ms=shop.world.clock.now_ms(), actor="api", policy=shop.world.policy)
        assert shop.world.outcome_writer.commit(request_cancel(payment, context)) is not None
        payment = shop.settle(payment)
        assert (payment.status, payment.last_error) == (S.CANCELLED, None)

    def test_direct_gives_the_address_of_the_provider(self, shop: Shop) -> None:
        payment = shop.settle(shop.sell(checkout=NewCheckout(presentation=Presentation.DIRECT)))
        action = payment.attempts[0].next_action
        assert action is not None
        assert action.url.startswith("https://bank.example/")


class TestOneObjectAtATime:
    def test_a_second_choice_while_one_is_open_changes_nothing(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        assert shop.page().choose(shop.token(payment), "upi", Contact()) is Obstacle.ALREADY_CHOSEN
        assert shop.settle(payment) == payment

    def test_two_tabs_at_once_make_one_attempt(self, shop: Shop) -> None:
        payment = shop.sell()
        other = shop.page()
        shop.world.before_next(
            "transact_write_items", lambda: other.choose(shop.token(payment), "upi", Contact()), "method_chosen"
        )
        shop.page().choose(shop.token(payment), "card", Contact())
        payment = shop.settle(payment)
        assert len(payment.attempts) == 1

    def test_closing_is_proven_before_another_is_opened(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        assert shop.page().close(shop.token(payment)) is True
        payment = shop.settle(payment)
        assert states(shop, payment) == [A.FENCED]
        assert (payment.status, shop.screen(payment)) == (S.REQUIRES_ACTION, Screen.CHOOSE)
        payment = shop.choose(payment, "upi")
        assert states(shop, payment) == [A.FENCED, A.REQUIRES_ACTION]

    def test_a_closing_without_proof_keeps_the_door_and_is_tried_again(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        shop.at("alpha").cancellations += [Unknown(code="timeout"), Unknown(code="timeout")]
        shop.page().close(shop.token(payment))
        payment = shop.settle(payment)
        assert shop.screen(payment) is Screen.CLOSING
        payment = shop.wait(payment, 120)
        payment = shop.wait(payment, 120)
        assert shop.screen(payment) is Screen.CHOOSE

    def test_paid_in_the_second_of_the_closing_is_a_success(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        shop.at("alpha").cancellations.append("charged")
        shop.page().close(shop.token(payment))
        payment = shop.settle(payment)
        assert (payment.status, states(shop, payment)) == (S.SUCCESS, [A.SUCCEEDED])

    def test_where_a_closing_proves_nothing_the_payer_cannot_ask_for_one(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(), "netbanking")
        view = shop.view(payment)
        assert view.door is not None
        assert not view.door.is_closable
        assert shop.page().close(shop.token(payment)) is Obstacle.NOT_CLOSABLE

    def test_an_object_that_ended_without_proof_blocks_until_the_provider_cannot_charge_any_more(
        self, shop: Shop
    ) -> None:
        payment = shop.choose(shop.sell(), "netbanking")
        decline = Declined(kind=DeclineKind.SOFT, code="expired", reopens_for_seconds=3600)
        shop.at("gamma").inquiries.append(decline)
        payment = shop.wait(payment, 61)
        assert (payment.status, shop.screen(payment)) == (S.REQUIRES_ACTION, Screen.BLOCKED)
        assert shop.page().choose(shop.token(payment), "card", Contact()) is Obstacle.ALREADY_CHOSEN
        shop.at("gamma").inquiries += [decline] * 50
        for _ in range(30):
            payment = shop.wait(payment, 600)
            if shop.screen(payment) is not Screen.BLOCKED:
                break
        assert shop.screen(payment) is Screen.CHOOSE
        assert shop.world.clock.now_ms() >= (payment.attempts[0].settled_at_ms or 0) + 3_600_000

    def test_a_decline_inside_of_any_kind_ends_no_checkout(self, shop: Shop) -> None:
        payment = shop.sell()
        for number, kind in enumerate((DeclineKind.HARD, DeclineKind.FUNDS, DeclineKind.SOFT), start=1):
            payment = shop.choose(payment)
            shop.at("alpha").inquiries.append(Declined(kind=kind, code="x"))
            payment = shop.wait(payment, 61)
            assert (payment.status, len(payment.attempts)) == (S.REQUIRES_ACTION, number)
        assert shop.screen(payment) is Screen.CHOOSE


class TestFailedTries:
    def test_a_failed_try_is_an_error_and_no_end(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        attempt = payment.attempts[0]
        tried = replace(
            opened(shop.at("alpha").sent[-1][1]),
            failed_tries=FailedTries(count=2, code="no_funds", message="No funds."),
        )
        shop.at("alpha").inquiries.append(tried)
        payment = shop.wait(payment, 61)
        assert (payment.status, payment.attempts[0].state) == (S.REQUIRES_ACTION, A.REQUIRES_ACTION)
        assert payment.attempts[0].next_action == attempt.next_action
        assert payment.last_error is not None
        assert (payment.last_error.code, payment.last_error.provider_code) == ("try_failed", "no_funds")
        assert shop.view(payment).failed_tries == 2
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 181)
        assert (payment.status, payment.last_error) == (S.SUCCESS, None)

    def test_too_many_failed_tries_close_the_object(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        tried = replace(
            opened(shop.at("alpha").sent[-1][1]), failed_tries=FailedTries(count=MAX_FAILED_TRIES, code="stolen_card")
        )
        shop.at("alpha").inquiries += [tried, tried]
        payment = shop.wait(payment, 61)
        payment = shop.wait(payment, 181)
        assert states(shop, payment) == [A.FENCED]


class TestLostAndRefused:
    def test_a_refused_object_takes_the_next_way_before_the_payer_notices(self, shop: Shop) -> None:
        shop.at("alpha").charges.append(Rejected(code="not_enabled"))
        payment = shop.choose(shop.sell())
        assert states(shop, payment) == [A.REJECTED, A.REQUIRES_ACTION]
        assert payment.attempts[1].provider == "beta"
        assert shop.screen(payment) is Screen.OPEN

    def test_a_way_that_was_switched_off_since_the_choice_is_passed_over(self, shop: Shop) -> None:
        shop.at("alpha").charges.append(Rejected(code="not_enabled"))
        payment = shop.choose(shop.sell())
        assert payment.checkout is not None
        choice = Choice(number=1, method="card", ways=("alpha", "beta", "gamma"), return_url="https://pay.example/back")
        chosen = replace(payment.checkout, choice=choice)
        after = chosen.after_unused(payment.attempts[0], frozenset({"beta"}))
        assert after.choice == replace(choice, number=2, ways=("gamma",))
        assert chosen.after_unused(payment.attempts[0], frozenset({"beta", "gamma"})).choice is None

    @pytest.mark.parametrize("presentation", Presentation)
    def test_a_provider_that_is_switched_off_before_the_attempt_begins_gets_none(
        self, shop: Shop, presentation: Presentation
    ) -> None:
        """Nothing new begins there: the choice goes on with its next way, under the same number."""
        payment = shop.sell(checkout=NewCheckout(presentation=presentation))
        if presentation is Presentation.PAGE:
            shop.page().choose(shop.token(payment), "card", Contact())
        shop.world.set_merchant(disabled=frozenset({"alpha"}))
        shop.settle(payment)
        now = shop.world.now(payment)
        assert [(a.number, a.provider, a.state) for a in now.attempts] == [(1, "beta", A.REQUIRES_ACTION)]
        assert shop.at("alpha").sent == []
        (passed,) = [e for e in shop.world.events_of(payment) if e.type == "checkout.way_passed_over"]
        assert passed.facts["providers"] == "alpha"

    @pytest.mark.parametrize("presentation", Presentation)
    def test_where_every_way_is_switched_off_the_payer_chooses_again(
        self, shop: Shop, presentation: Presentation
    ) -> None:
        payment = shop.sell(checkout=NewCheckout(presentation=presentation))
        if presentation is Presentation.PAGE:
            shop.page().choose(shop.token(payment), "card", Contact())
        shop.world.set_merchant(disabled=frozenset({"alpha", "beta", "gamma"}))
        shop.settle(payment)
        now = shop.world.now(payment)
        assert now.checkout is not None
        assert (now.status, now.attempts, now.checkout.choice) == (S.REQUIRES_ACTION, (), None)
        assert now.due_at_ms is not None
        assert now.due_at_ms >= now.checkout.expires_at_ms
        shop.world.set_merchant(disabled=frozenset())
        assert states(shop, shop.choose(now)) == [A.REQUIRES_ACTION]

    def test_an_attempt_that_began_before_its_provider_was_switched_off_goes_on(self, shop: Shop) -> None:
        shop.at("alpha").charges.append(Unknown(code="timeout"))
        payment = shop.sell()
        shop.page().choose(shop.token(payment), "card", Contact())
        shop.world.work()
        shop.world.set_merchant(disabled=frozenset({"alpha"}))
        shop.settle(payment)
        assert [(a.provider, a.state) for a in shop.world.now(payment).attempts] == [("alpha", A.REQUIRES_ACTION)]

    def test_an_answer_that_is_lost_once_is_asked_for_again_with_the_same_bytes(self, shop: Shop) -> None:
        shop.at("alpha").charges.append(Unknown(code="timeout"))
        payment = shop.choose(shop.sell())
        first, second = (request for what, request in shop.at("alpha").sent if what == "charge")
        assert (first.provider_key, first.hosted) == (second.provider_key, second.hosted)
        assert states(shop, payment) == [A.REQUIRES_ACTION]

    def test_an_answer_that_is_lost_twice_takes_the_next_way(self, shop: Shop) -> None:
        shop.at("alpha").charges += [Unknown(code="timeout"), Unknown(code="timeout")]
        payment = shop.choose(shop.sell())
        assert states(shop, payment) == [A.NOT_SENT, A.REQUIRES_ACTION]

    def test_without_a_further_way_the_payer_chooses_again(self, shop: Shop) -> None:
        shop.at("alpha").charges.append(NotSent(code="no_connection"))
        payment = shop.choose(shop.sell(), "upi")
        assert states(shop, payment) == [A.NOT_SENT]
        assert shop.screen(payment) is Screen.CHOOSE

    def test_a_way_whose_answer_may_never_have_come_is_never_unknown_for_long(self, shop: Shop) -> None:
        for name in ("alpha", "beta", "gamma"):
            shop.at(name).charges += [Unknown(code="reset"), Unknown(code="reset")]
        payment = shop.choose(shop.sell())
        assert states(shop, payment) == [A.NOT_SENT] * 3
        assert (payment.status, shop.screen(payment)) == (S.REQUIRES_ACTION, Screen.CHOOSE)

    def test_a_charge_that_differs_goes_to_review(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        shop.at("alpha").inquiries.append(Mismatch(code="amount_differs"))
        payment = shop.wait(payment, 61)
        assert (payment.status, shop.screen(payment)) == (S.IN_REVIEW, Screen.PROCESSING)

    def test_the_bank_answers_later(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        shop.at("alpha").inquiries += [Accepted(reference=None)] * 2
        payment = shop.wait(payment, 61)
        assert (payment.status, shop.screen(payment)) == (S.PENDING, Screen.PROCESSING)
        payment = shop.wait(payment, 61)  # it failed at the bank: the object is still open
        assert (payment.status, shop.screen(payment)) == (S.REQUIRES_ACTION, Screen.OPEN)


class TestLimits:
    def test_three_starts_a_minute(self, shop: Shop) -> None:
        payment = shop.sell()
        for _ in range(3):
            payment = shop.choose(payment)
            shop.page().close(shop.token(payment))
            payment = shop.settle(payment)
        assert shop.page().choose(shop.token(payment), "card", Contact()) is Obstacle.TOO_MANY_STARTS
        shop.world.clock.advance(61)
        assert isinstance(shop.page().choose(shop.token(payment), "card", Contact()), Chosen)

    def test_eight_attempts_end_it(self, shop: Shop) -> None:
        payment = shop.sell()
        for _ in range(8):
            shop.world.clock.advance(61)
            payment = shop.choose(payment)
            shop.page().close(shop.token(payment))
            payment = shop.settle(payment)
        assert (payment.status, len(payment.attempts)) == (S.FAILED, 8)
        assert payment.last_error is not None
        assert payment.last_error.code == "checkout_attempts_used"

    def test_coming_back_expedites_at_most_every_fifteen_seconds(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        back = shop.way_back(payment)
        for _ in range(5):
            page = shop.page().come_back(back)
            assert isinstance(page, Page)
            shop.settle(payment)
        assert shop.at("alpha").asked("inquire") == 1
        shop.world.clock.advance(16)
        shop.page().come_back(back)
        shop.settle(payment)
        assert shop.at("alpha").asked("inquire") == 2


class TestTheEnd:
    def test_nobody_chooses(self, shop: Shop) -> None:
        payment = shop.wait(shop.sell(), 86_401)
        assert payment.status is S.FAILED
        assert payment.last_error is not None
        assert payment.last_error.code == "checkout_expired"
        assert shop.screen(payment) is Screen.EXPIRED

    def test_the_open_object_is_closed_by_proof_before_the_payment_ends(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(checkout=NewCheckout(lifetime_seconds=900)))
        shop.at("alpha").cancellations.append(Unknown(code="timeout"))
        payment = shop.wait(payment, 905)
        assert payment.status is S.REQUIRES_ACTION
        payment = shop.wait(payment, 600)
        assert (payment.status, states(shop, payment)) == (S.FAILED, [A.FENCED])

    def test_paid_in_the_last_second(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(checkout=NewCheckout(lifetime_seconds=900)))
        shop.at("alpha").is_paid = True
        assert shop.wait(payment, 905).status is S.SUCCESS

    def test_an_object_that_may_still_be_charged_is_watched_beyond_the_end(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(checkout=NewCheckout(lifetime_seconds=900)), "netbanking")
        decline = Declined(kind=DeclineKind.SOFT, code="expired", reopens_for_seconds=86_400)
        shop.at("gamma").inquiries += [decline, decline]
        payment = shop.wait(payment, 905)
        assert (payment.status, payment.due_at_ms is not None) == (S.FAILED, True)
        shop.at("gamma").is_paid = True
        payment = shop.wait(payment, 7200)
        assert (payment.status, payment.captured) == (S.SUCCESS, payment.amount)

    def test_cancelling_without_an_open_object_is_immediate(self, shop: Shop) -> None:
        payment = shop.sell()
        cancelled = shop.world.cancel(payment.merchant_id, payment.transaction_id).payment
        assert cancelled.status is S.CANCELLED
        assert shop.screen(payment) is Screen.CANCELLED

    def test_a_payment_that_is_to_be_cancelled_takes_no_choice(self, shop: Shop) -> None:
        """Another payment of its order was charged: a worker ends this one."""
        payment = shop.sell()
        shop.world.store(replace(payment, cancel_requested=True))
        assert shop.screen(payment) is Screen.PROCESSING
        assert shop.page().choose(shop.token(payment), "card", Contact()) is Obstacle.ALREADY_CHOSEN

    def test_cancelling_closes_the_open_object_first(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        assert shop.world.cancel(payment.merchant_id, payment.transaction_id).payment.status is S.REQUIRES_ACTION
        assert shop.settle(payment).status is S.CANCELLED

    def test_a_cancelled_checkout_whose_object_may_still_be_charged_is_watched(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(), "netbanking")
        shop.at("gamma").inquiries.append(Declined(kind=DeclineKind.SOFT, code="left", reopens_for_seconds=86_400))
        payment = shop.wait(payment, 61)
        cancelled = shop.world.cancel(payment.merchant_id, payment.transaction_id).payment
        assert (cancelled.status, cancelled.due_at_ms is not None) == (S.CANCELLED, True)
        shop.at("gamma").is_paid = True
        payment = shop.wait(payment, 7200)
        assert payment.status is S.IN_REVIEW  # charged after a cancellation


class TestAddresses:
    @pytest.mark.parametrize("change", ["", "x", "shorter", "case", "padded", "other"])
    def test_an_unknown_or_changed_token_leads_nowhere(self, shop: Shop, change: str) -> None:
        payment = shop.sell()
        token = shop.token(payment)
        changed = {
            "": "",
            "x": "x",
            "shorter": token[:-1],
            "case": token.swapcase(),
            "padded": f"{token}=",
            "other": f"{token[:-2]}{'AA' if token[-2:] != 'AA' else 'BB'}",
        }[change]
        page = shop.page()
        assert page.show(changed) is None
        assert page.choose(changed, "card", Contact()) is None
        assert page.close(changed) is None
        assert page.come_back(changed) is None

    def test_each_token_has_its_purpose_only(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        back = shop.way_back(payment)
        assert shop.page().show(back) is None
        assert shop.page().choose(back, "card", Contact()) is None
        assert shop.page().close(back) is None
        assert shop.page().come_back(shop.token(payment)) is None

    def test_a_token_ends_a_day_after_the_checkout(self, shop: Shop) -> None:
        payment = shop.sell()
        shop.world.clock.advance(2 * DAY_MS / SECOND_MS - 1)
        assert shop.page().show(shop.token(payment)) is not None
        shop.world.clock.advance(2)
        assert shop.page().show(shop.token(payment)) is None

    def test_a_rotated_secret_keeps_the_addresses_of_before(self, shop: Shop) -> None:
        payment = shop.sell()
        keys = ["new", "secret-of-tokens"]
        shop.tokens = replace(shop.tokens, keys=lambda: keys)
        assert shop.page().show(shop.token(payment)) is not None
        keys.pop()
        assert shop.page().show(shop.token(payment)) is None

    def test_after_erasure_nothing_leads_to_the_page_or_the_provider(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(customer=Customer(email="payer@example.com")))
        token = shop.token(payment)
        change = erase(payment, shop.page()._context())
        shop.world.outcome_writer.commit(change)
        stored = shop.world.now(payment)
        assert token not in repr(shop.world.items_of(payment))
        assert "bank.example" not in repr(shop.world.items_of(payment))
        page = shop.page().show(token)
        assert page is not None
        assert (page.view.screen, stored.checkout and stored.checkout.address) == (Screen.GONE, None)


class TestErasure:
    def erase(self, shop: Shop, payment: Payment) -> bool:
        of = (payment.merchant_id, payment.transaction_id)
        use_case = ErasePersonalData(
            payments=shop.world.payments,
            operations=shop.world.operations,
            outcome_writer=shop.world.outcome_writer,
            clock=shop.world.clock,
            policy=shop.world.policy,
        )
        return use_case(*of, OperatorAction(who="ada", why="asked for"))

    def test_a_paid_checkout_is_erased_before_its_last_read_which_still_finds_a_further_charge(
        self, shop: Shop
    ) -> None:
        payment = shop.choose(shop.sell(customer=Customer(email="payer@example.com")))
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 61)
        assert payment.due_at_ms is not None
        assert self.erase(shop, payment)
        assert "payer@example.com" not in repr(shop.world.items_of(payment))
        found = TestPaidTwice().extra(shop, payment)
        shop.at("alpha").inquiries.append(found)
        payment = shop.wait(payment, 86_400 + 3_700)
        assert [charge.reference for charge in payment.extra_charges] == ["pi_2"]
        assert (payment.erased, payment.customer) == (True, None)

    def test_an_open_checkout_is_not_erased(self, shop: Shop) -> None:
        for payment in (shop.sell("key-1"), shop.choose(shop.sell("key-2"))):
            with pytest.raises(Refusal) as refused:
                self.erase(shop, payment)
            assert refused.value.code == "invalid_state"


class TestPaidTwice:
    """Two tabs of the provider's page, or a bank that answers late: the payer pays a second time inside one object."""

    def extra(self, shop: Shop, payment: Payment, reference: str = "pi_2") -> Succeeded:
        attempt = shop.world.now(payment).attempts[0]
        found = ExtraCharge(reference=reference, amount=payment.amount, currency=payment.currency)
        return Succeeded(
            reference=f"ref-{attempt.provider_key}",
            amount=payment.amount,
            currency=payment.currency,
            merchant_reference=attempt.provider_key,
            extra_charges=(found,),
        )

    def test_found_with_the_success(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        shop.at("alpha").inquiries.append(self.extra(shop, payment))
        payment = shop.wait(payment, 61)
        assert (payment.status, payment.captured) == (S.SUCCESS, payment.amount)
        assert [charge.reference for charge in payment.extra_charges] == ["pi_2"]
        assert shop.world.telemetry.total("ObjectsChargedTwice") == 1

    def test_found_by_the_last_read_after_the_expiry(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(checkout=NewCheckout(lifetime_seconds=900)))
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 61)
        assert payment.status is S.SUCCESS
        hosted = payment.attempts[0].hosted
        assert hosted is not None
        assert payment.due_at_ms is not None
        assert payment.due_at_ms >= hosted.expires_at_ms + HOUR_MS
        shop.at("alpha").inquiries.append(self.extra(shop, payment))
        payment = shop.wait(payment, 900 + 3_700)
        assert [charge.reference for charge in payment.extra_charges] == ["pi_2"]
        assert (payment.status, payment.due_at_ms) == (S.SUCCESS, None)
        assert payment.refundable == payment.amount

    def in_review(self, shop: Shop, payment: Payment) -> Payment:
        """Nothing that was sent for it is stored."""
        context = Context(now_ms=shop.world.clock.now_ms(), actor="worker", policy=shop.world.policy)
        change = send_to_review(payment, ReviewReason.DRIVES_EXHAUSTED, context)
        shop.world.outcome_writer.commit(change)
        return shop.world.now(payment)

    def test_found_inside_an_object_whose_request_was_forgotten(self, shop: Shop) -> None:
        """A person found the first charge. The payer pays again later, before the page ends."""
        sold = shop.sell(checkout=NewCheckout(lifetime_seconds=900))
        self.in_review(shop, sold)
        close = CloseReview(
            payments=shop.world.payments,
            operations=shop.world.operations,
            outcome_writer=shop.world.outcome_writer,
            merchant_directory=shop.world.merchant_directory,
            able=shop.world.providers.capabilities(),
            clock=shop.world.clock,
            policy=shop.world.policy,
        )
        key = derive_provider_key(sold.transaction_id, 1)
        entry = ReviewEntry(
            verdict=ReviewVerdict.CHARGED,
            evidence="the dashboard",
            reference=f"ref-{key}",
            amount=sold.amount,
            provider="alpha",
        )
        payment = close(sold.merchant_id, sold.transaction_id, entry, OperatorAction(who="ada", why="T-1"))
        assert (payment.status, payment.attempts[0].provider_key) == (S.SUCCESS, key)
        shop.at("alpha").inquiries.append(self.extra(shop, payment))
        payment = shop.wait(payment, 900 + 3_700)
        assert [charge.reference for charge in payment.extra_charges] == ["pi_2"]
        assert (payment.status, payment.due_at_ms) == (S.SUCCESS, None)

    def test_an_event_of_a_second_charge_of_a_forgotten_object_has_it_read(self, shop: Shop) -> None:
        sold = shop.sell()
        charge = NamedCharge(provider="alpha", account_id="main", hosted=shop.at("alpha").able.hosted)
        key = derive_provider_key(sold.transaction_id, 1)
        decision = ReviewDecision(
            verdict=ReviewVerdict.CHARGED, reference=f"ref-{key}", amount=sold.amount, charge=charge
        )
        context = Context(now_ms=shop.world.clock.now_ms(), actor="operator", policy=shop.world.policy)
        shop.world.outcome_writer.commit(close_review(self.in_review(shop, sold), decision, context))
        payment = shop.world.now(sold)
        shop.at("alpha").inquiries.append(self.extra(shop, payment))
        shop.world.process_provider_event(shop.event(payment, reference="pi_2"))
        assert [charge.reference for charge in shop.settle(payment).extra_charges] == ["pi_2"]

    def test_the_last_read_finds_nothing_and_is_the_last(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell(checkout=NewCheckout(lifetime_seconds=900)))
        shop.at("alpha").is_paid = True
        payment = shop.wait(shop.wait(payment, 61), 900 + 3_700)
        assert (payment.extra_charges, payment.due_at_ms) == ((), None)

    def test_told_by_an_event_of_another_charge(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 61)
        shop.at("alpha").inquiries.append(self.extra(shop, payment))
        for _ in range(2):
            shop.world.process_provider_event(shop.event(payment, reference="pi_2"))
        payment = shop.settle(payment)
        assert [charge.reference for charge in payment.extra_charges] == ["pi_2"]
        assert payment.due_at_ms is not None, "the last read stays"
        announced = [event.event_type for event in shop.world.merchant_events_of(payment)]
        assert announced.count("payment.charged_twice") == 1

    def test_an_event_of_the_known_charge_or_object_asks_nobody(self, shop: Shop) -> None:
        payment = shop.choose(shop.sell())
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 61)
        asked = shop.at("alpha").asked("inquire")
        for reference in (payment.attempts[0].reference, payment.attempts[0].progress["hosted_object"], None):
            shop.world.process_provider_event(shop.event(payment, reference=reference))
        shop.settle(payment)
        assert shop.at("alpha").asked("inquire") == asked

    def test_where_the_provider_gives_one_back_only_a_read_says_which_charge_is_the_payment_s(self, shop: Shop) -> None:
        alpha = shop.at("alpha")
        assert alpha.able.hosted is not None
        alpha.able = replace(alpha.able, hosted=replace(alpha.able.hosted, returns_extra_charges=True))
        payment = shop.choose(shop.sell())
        both = self.extra(shop, payment)
        alpha.inquiries.append(both)
        given_back = replace(both, reference="pi_2", extra_charges=())
        shop.world.process_provider_event(shop.event(payment, reference="pi_2", outcome=given_back))
        payment = shop.settle(payment)
        assert payment.status is S.SUCCESS
        assert payment.attempts[0].reference == both.reference
        assert [charge.reference for charge in payment.extra_charges] == ["pi_2"]

    @pytest.mark.parametrize("names_both", [False, True])
    def test_a_proof_of_another_charge_has_the_object_read(self, shop: Shop, *, names_both: bool) -> None:
        payment = shop.choose(shop.sell())
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 61)
        both = self.extra(shop, payment)
        proof = both if names_both else replace(both, reference="pi_2", extra_charges=())
        shop.world.process_provider_event(shop.event(payment, reference="pi_2", outcome=proof))
        assert shop.world.now(payment).extra_charges == ()
        shop.at("alpha").inquiries.append(self.extra(shop, payment))
        payment = shop.settle(payment)
        assert [(charge.reference, charge.amount) for charge in payment.extra_charges] == [("pi_2", payment.amount)]

    @pytest.mark.parametrize("is_told_by_an_event", [False, True])
    @pytest.mark.parametrize("days", [3, 29])
    def test_a_read_of_a_paid_object_that_nobody_answers_is_tried_for_a_month(
        self, shop: Shop, *, is_told_by_an_event: bool, days: int
    ) -> None:
        """The last read, or the read that an event after it asks for, is all that shows a further charge."""
        payment = shop.choose(shop.sell())
        alpha = shop.at("alpha")
        alpha.is_paid = True
        payment = shop.wait(payment, 61)
        both = self.extra(shop, payment)
        day_seconds = 86_400
        if is_told_by_an_event:
            payment = shop.wait(payment, 2 * day_seconds)
            assert payment.due_at_ms is None
            proof = replace(both, reference="pi_2", extra_charges=())
            shop.world.process_provider_event(shop.event(payment, reference="pi_2", outcome=proof))
        alpha.inquiries = [Unknown(code="read_timeout")] * 100
        payment = shop.wait(shop.world.now(payment), 61)
        for _ in range(24 * days):
            payment = shop.wait(payment, day_seconds / 24)
        assert payment.extra_charges == ()
        alpha.inquiries = [both]
        payment = shop.wait(payment, day_seconds + 61)
        assert [charge.reference for charge in payment.extra_charges] == ["pi_2"]
        assert payment.due_at_ms is None

    @pytest.mark.parametrize("named", ["a-hold-that-was-not-captured", None])
    def test_a_proof_of_the_charge_that_a_person_named_otherwise_is_no_further_one(
        self, shop: Shop, named: str | None
    ) -> None:
        """The signed event is about the payment's only charge, which is booked under another reference."""
        payment = shop.choose(shop.sell())
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 61)
        only = replace(self.extra(shop, payment), extra_charges=())
        attempt = replace(payment.attempts[0], reference=named)
        shop.world.store(replace(payment, attempts=(attempt,)))
        asked = shop.at("alpha").asked("inquire")
        shop.at("alpha").inquiries.append(only)
        shop.world.process_provider_event(shop.event(payment, reference=only.reference, outcome=only))
        payment = shop.settle(payment)
        assert payment.extra_charges == ()
        assert shop.at("alpha").asked("inquire") == asked + 1

    @pytest.mark.parametrize("named", ["a-hold-that-was-not-captured", None])
    @pytest.mark.parametrize("is_paid_twice", [False, True])
    def test_a_charge_that_a_person_named_otherwise_is_no_further_one(
        self, shop: Shop, named: str | None, *, is_paid_twice: bool
    ) -> None:
        """The attempt was booked under a reference that the read of the object does not show."""
        payment = shop.choose(shop.sell())
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 61)
        attempt = replace(payment.attempts[0], reference=named)
        shop.world.store(replace(payment, attempts=(attempt,)))
        read = self.extra(shop, payment)
        shop.at("alpha").inquiries.append(read if is_paid_twice else replace(read, extra_charges=()))
        payment = shop.wait(shop.world.now(payment), 86_400 + 3_700)
        assert [charge.reference for charge in payment.extra_charges] == (["pi_2"] if is_paid_twice else [])
        assert payment.due_at_ms is None

    @pytest.mark.parametrize("late_seconds", [-60, 0, 30, 3_600])
    def test_a_proof_of_one_charge_is_no_read_of_the_object(self, shop: Shop, late_seconds: int) -> None:
        """The event arrives about when the last read is due. Only that read shows the charges without an event."""
        payment = shop.choose(shop.sell())
        shop.at("alpha").is_paid = True
        payment = shop.wait(payment, 61)
        last_read_at_ms = payment.attempts[0].final_read_at_ms
        assert last_read_at_ms is not None
        shop.world.clock.advance((last_read_at_ms - shop.world.clock.now_ms()) // 1000 + late_seconds)
        both = self.extra(shop, payment)
        proof = replace(both, reference="pi_3", extra_charges=())
        shop.world.process_provider_event(shop.event(payment, reference="pi_3", outcome=proof))
        third = ExtraCharge(reference="pi_3", amount=payment.amount, currency=payment.currency)
        shop.at("alpha").inquiries.append(replace(both, extra_charges=(*both.extra_charges, third)))
        payment = shop.wait(payment, 3_700)
        assert [charge.reference for charge in payment.extra_charges] == ["pi_2", "pi_3"]
        assert payment.due_at_ms is None


class TestContact:
    def test_what_a_page_needs_is_asked_for_and_completes_the_customer(self, shop: Shop) -> None:
        alpha = shop.at("alpha")
        assert alpha.able.hosted is not None
        alpha.able = replace(alpha.able, hosted=replace(alpha.able.hosted, needs=frozenset({"customer.email"})))
        payment = shop.sell(customer=Customer(name="Jane"))
        assert shop.view(payment).offers[0].missing == ("customer.email",)
        assert shop.page().choose(shop.token(payment), "card", Contact()) is Obstacle.DATA_MISSING
        payment = shop.choose(payment, "card", email="payer@example.com", name="Other")
        assert payment.customer == Customer(name="Jane", email="payer@example.com")
        assert alpha.sent[0][1].customer == payment.customer

    def test_a_value_that_the_provider_does_not_take_is_asked_for_and_replaced(self, shop: Shop) -> None:
        alpha = shop.at("alpha")
        assert alpha.able.hosted is not None
        needed, forms = (
            frozenset({"customer.name", "customer.email"}),
            {"customer.email": re.compile(r"[a-z]+@[a-z.]+")},
        )
        alpha.able = replace(alpha.able, hosted=replace(alpha.able.hosted, needs=needed, forms=forms))
        payment = shop.sell(customer=Customer(name="Jane", email="1@b.example"))
        assert shop.view(payment).offers[0].missing == ("customer.email",)
        for typed in (Contact(), Contact(email="2@b.example")):
            assert shop.page().choose(shop.token(payment), "card", typed) is Obstacle.DATA_MISSING
        assert shop.world.now(payment).customer == payment.customer
        payment = shop.choose(payment, "card", email="a@b.example", name="Other")
        assert payment.customer == Customer(name="Jane", email="a@b.example")

    def test_a_further_way_that_does_not_take_a_value_is_left_out(self, shop: Shop) -> None:
        beta = shop.at("beta")
        assert beta.able.hosted is not None
        forms = {"customer.phone": re.compile(r"\+91[0-9]+")}
        hosted = replace(beta.able.hosted, needs=frozenset({"customer.phone"}), forms=forms)
        beta.able = replace(beta.able, hosted=hosted)
        for key, phone, ways in (
            ("order-1", "+441234567890", ("alpha", "gamma")),
            ("order-2", "+919812345678", ("alpha", "beta", "gamma")),
        ):
            (card, *_) = shop.view(shop.sell(key, customer=Customer(phone=phone))).offers
            assert card.ways == ways

    def test_a_further_way_that_needs_more_is_left_out_and_nobody_is_asked_for_it(self, shop: Shop) -> None:
        beta = shop.at("beta")
        assert beta.able.hosted is not None
        beta.able = replace(beta.able, hosted=replace(beta.able.hosted, needs=frozenset({"customer.phone"})))
        (card, *_) = shop.view(shop.sell()).offers
        assert (card.ways, card.missing) == (("alpha", "gamma"), ())
        (card, *_) = shop.view(shop.sell("order-2", customer=Customer(phone="+441234567890"))).offers
        assert card.ways == ("alpha", "beta", "gamma")

    def test_an_unknown_method_is_an_obstacle(self, shop: Shop) -> None:
        payment = shop.sell(checkout=NewCheckout(methods=("card",)))
        for method in ("upi", "wallet", "", "card\x00", "CARD"):
            assert shop.page().choose(shop.token(payment), method, Contact()) is Obstacle.METHOD_UNKNOWN


class TestAnEventAboutAClosedObject:
    """Its inquiry comes first, and the payment's own next step keeps its time."""

    def closed(self, shop: Shop) -> Payment:
        payment = shop.choose(shop.sell())
        assert shop.page().close(shop.token(payment)) is True
        payment = shop.settle(payment)
        assert states(shop, payment) == [A.FENCED]
        return payment

    def chosen(self, shop: Shop) -> Payment:
        payment = self.closed(shop)
        assert isinstance(shop.page().choose(shop.token(payment), "card", Contact()), Chosen)
        return payment

    def test_the_choice_made_meanwhile_begins_once_it_is_answered(self, shop: Shop) -> None:
        payment = self.chosen(shop)
        shop.at("alpha").inquiries = [ConfirmedCancelled()]
        shop.world.process_provider_event(shop.event(payment, reference=None))
        payment = shop.settle(payment)
        assert states(shop, payment) == [A.FENCED, A.REQUIRES_ACTION]
        assert shop.screen(payment) is Screen.OPEN

    def test_the_choice_waits_as_long_as_it_is_not_answered(self, shop: Shop) -> None:
        payment = self.chosen(shop)
        shop.at("alpha").inquiries = [Unknown(code="timeout"), ConfirmedCancelled()]
        shop.world.process_provider_event(shop.event(payment, reference=None))
        payment = shop.settle(payment)
        assert states(shop, payment) == [A.FENCED]
        assert payment.due_at_ms is not None
        assert payment.due_at_ms <= shop.world.clock.now_ms() + 3 * MINUTE_MS
        payment = shop.wait(payment, 61)
        assert states(shop, payment) == [A.FENCED, A.REQUIRES_ACTION]

    def test_a_lost_message_delays_the_choice_by_minutes(self, shop: Shop) -> None:
        payment = self.chosen(shop)
        shop.at("alpha").inquiries = [ConfirmedCancelled()]
        shop.world.process_provider_event(shop.event(payment, reference=None))
        shop.world.jobs.sent.clear()
        shop.world.outcome_writer.wake(payment, 0)
        shop.world.work()
        payment = shop.world.now(payment)
        assert states(shop, payment) == [A.FENCED]
        assert payment.due_at_ms is not None
        assert payment.due_at_ms <= shop.world.clock.now_ms() + 3 * MINUTE_MS

    def test_a_cancellation_that_a_worker_carries_out_is_not_forgotten(self, shop: Shop) -> None:
        payment = self.closed(shop)
        context = Context(now_ms=shop.world.clock.now_ms(), actor="api", policy=shop.world.policy)
        assert shop.world.outcome_writer.commit(request_cancel(payment, context)) is not None
        shop.at("alpha").inquiries = [ConfirmedCancelled()]
        shop.world.process_provider_event(shop.event(payment, reference=None))
        assert shop.settle(payment).status is S.CANCELLED

    def test_without_a_choice_it_waits_for_the_payer_until_it_expires(self, shop: Shop) -> None:
        payment = self.closed(shop)
        shop.at("alpha").inquiries = [ConfirmedCancelled()]
        shop.world.process_provider_event(shop.event(payment, reference=None))
        payment = shop.settle(payment)
        assert payment.checkout is not None
        assert payment.due_at_ms == payment.checkout.expires_at_ms


def _request() -> NewPayment:
    return new_payment(payment_method=PaymentMethod(type="checkout"))


def _authorized(payment: Payment) -> Authorized:
    return Authorized(
        reference="auth-1",
        amount=payment.amount,
        currency=payment.currency,
        merchant_reference=payment.attempts[0].provider_key,
    )
