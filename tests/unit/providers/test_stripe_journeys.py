"""Payments at Stripe from the request to their end, with the answers that Stripe documents, on a manual clock."""

from dataclasses import dataclass, field

import pytest

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Address, Customer, Payment, PaymentMethod
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, Initiator, OperationStatus, PaymentStatus
from sandbox.http_types import Reply, Request, json_reply
from sandbox.ledger import LedgerSimulator
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from sandbox.stripe import StripeSimulator
from tests.support.faulty_transport import HostileWorld, Trouble
from tests.support.memory import FixedRules
from tests.support.world import fallback

CREDENTIALS = Credentials(key_id="id", key_secret="secret")
PAYER = Customer(
    name="Asha Rao",
    address=Address(line1="1 MG Road", city="Bengaluru", state="KA", postal_code="560001", country="IN"),
)
CAPTURE, VOID, REFUND = OperationKind
CREATE = ("POST", "/v1/payment_intents")


class ScriptedStripe(StripeSimulator):
    """Answers some calls as told, before the simulator sees them; they have no effect."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(), CREDENTIALS, public_url="https://stripe")
        self.scripted: dict[tuple[str, str], list[Reply]] = {}

    def handle(self, request: Request, now: float) -> Reply:
        replies = self.scripted.get((request.method, request.path), [])
        if not replies:
            return super().handle(request, now)
        return replies.pop(0) if len(replies) > 1 else replies[0]


class _WithoutIntent(ScriptedStripe):
    """Executes a charge and answers with the given error in place of its own."""

    def __init__(self, error: Reply | None) -> None:
        super().__init__()
        self.error = error

    def handle(self, request: Request, now: float) -> Reply:
        reply = super().handle(request, now)
        ours = (request.method, request.path) == CREATE and "idempotency-key" in request.headers
        return self.error if ours and self.error is not None and reply.status == 402 else reply

    def pay_elsewhere(self, number: int, now: float) -> None:
        """A payment of the same account that has nothing to do with us."""
        body = f"amount={1000 + number}&currency=usd&payment_method_types[]=card".encode()
        headers = {"authorization": "Bearer secret", "content-type": "application/x-www-form-urlencoded"}
        request = Request(method="POST", path="/v1/payment_intents", query={}, headers=headers, body=body)
        assert super().handle(request, now).status == 200


@dataclass
class Shop:
    """A merchant whose route is Stripe, then a mock that always works."""

    simulator: LedgerSimulator = field(default_factory=ScriptedStripe)
    then: tuple[str, ...] = ("mock",)
    world: HostileWorld = field(default_factory=HostileWorld)

    def __post_init__(self) -> None:
        self.world.http.simulators["stripe"] = self.simulator
        self.world.use(FixedRules(fallback("stripe", *self.then)))
        self.started_ms = self.world.clock.now_ms()

    @property
    def seconds(self) -> float:
        """Since the shop opened."""
        return (self.world.clock.now_ms() - self.started_ms) / SECOND_MS

    def calls(self, method: str = "POST") -> list[str]:
        """The paths that were called at Stripe."""
        return [r.path for name, r in self.world.http.requests if name == "stripe" and r.method == method]

    def pay(self, token: str = "tok_success", **changes: object) -> Payment:
        values: dict[str, object] = {"amount": 5000, "currency": "USD", **changes}
        payment = self.world.accept(
            f"key-{len(self.world.http.requests)}-{token}",
            payment_method=PaymentMethod(type="card", token=token),
            **values,
        )
        self.world.work()
        return self.world.now(payment)

    def later(self, seconds: float, *, step: int = 60) -> None:
        """Everything that is due within this time has been done."""
        until_ms = self.world.clock.now_ms() + int(seconds * SECOND_MS)
        while self.world.clock.now_ms() < until_ms:
            self.world.work_until_idle()
            left = -(-(until_ms - self.world.clock.now_ms()) // SECOND_MS)
            self.world.clock.advance(max(0, min(step, left)))
            self.world.sweep(self.world.deadline)
        self.world.work_until_idle()

    def deliver_webhooks(self) -> None:
        for webhook in self.simulator.webhooks_due(self.world.clock.now_ms() / 1000):
            self.world.receive("stripe", webhook.body, webhook.headers)
        self.world.deliver_provider_events()

    def in_the_dashboard(self, path: str, **form: object) -> None:
        """A person acts at Stripe: a request with the account's key and no key of ours."""
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        headers = {"authorization": "Bearer secret", "content-type": "application/x-www-form-urlencoded"}
        request = Request(method="POST", path=path, query={}, headers=headers, body=body)
        assert self.simulator.handle(request, self.world.clock.now_ms() / 1000).status == 200

    def of(self, payment: Payment) -> Payment:
        return self.world.now(payment)

    def refund(self, payment: Payment, amount: int | None = None) -> Operation:
        operation = self.world.request(REFUND, self.of(payment), amount).operation
        self.world.work()
        return self.world.operation_now(operation)


def states(payment: Payment) -> list[tuple[str, AttemptState, str | None]]:
    return [(a.provider, a.state, a.code) for a in payment.attempts]


class TestIndia:
    def test_a_refusal_that_leaves_an_intent_is_a_decline_at_once_and_the_next_provider_takes_it(self) -> None:
        shop = Shop(StripeSimulator(MemoryStore(), CREDENTIALS, public_url="https://stripe", country="IN"))
        payment = shop.pay()
        (attempt,) = payment.attempts
        assert (attempt.state, attempt.code) == (AttemptState.DECLINED, "invalid_request_error")
        assert (attempt.message or "").startswith("As per Indian regulations")
        assert shop.seconds < 1
        shop.later(10, step=1)
        assert shop.of(payment).status is PaymentStatus.SUCCESS
        assert shop.calls() == ["/v1/payment_intents", f"/v1/payment_intents/{attempt.reference}/cancel"]
        assert [entry["gateway"] for entry in shop.world.http.charged()] == ["mock"]

    def test_with_description_name_and_address_it_is_paid(self) -> None:
        shop = Shop(StripeSimulator(MemoryStore(), CREDENTIALS, public_url="https://stripe", country="IN"))
        payment = shop.pay(description="Two tickets", customer=PAYER)
        assert payment.status is PaymentStatus.SUCCESS
        assert [entry["gateway"] for entry in shop.world.http.charged()] == ["stripe"]


class TestRefusals:
    def test_a_payment_method_that_was_used_before_goes_to_the_next_provider_at_once(self) -> None:
        shop = Shop()
        assert shop.pay("pm_once_1").status is PaymentStatus.SUCCESS
        payment = shop.pay("pm_once_1")
        assert states(payment) == [("stripe", AttemptState.REJECTED, "payment_method_consumed")]
        assert "may not be used again" in (payment.attempts[0].message or "")
        assert len(shop.calls()) == 2

    @pytest.mark.parametrize(
        ("token", "amount", "code"),
        [
            ("tok_success", 10, "amount_too_small"),
            ("pm_doesnotexist", 5000, "resource_missing"),
            ("tok_refused", 5000, "payment_method_unexpected_state"),
        ],
    )
    def test_what_cannot_pass_is_sent_once_and_says_why(self, token: str, amount: int, code: str) -> None:
        shop = Shop(then=())
        payment = shop.pay(token, amount=amount)
        assert (payment.status, states(payment)) == (
            PaymentStatus.FAILED,
            [("stripe", AttemptState.REJECTED, code)],
        )
        assert payment.attempts[0].message
        assert shop.calls() == ["/v1/payment_intents"]
        assert shop.seconds < 1

    def test_the_next_provider_is_tried_at_once(self) -> None:
        shop = Shop()
        payment = shop.pay("tok_refused@stripe")
        shop.later(5, step=1)
        assert [(p, s) for p, s, _ in states(shop.of(payment))] == [
            ("stripe", AttemptState.REJECTED),
            ("mock", AttemptState.SUCCEEDED),
        ]
        assert shop.seconds < 6

    def test_a_refusal_that_is_not_documented_is_never_final(self) -> None:
        shop = Shop()
        payment = shop.pay("tok_refused_unlisted")
        shop.later(1800)
        payment = shop.of(payment)
        assert states(payment) == [("stripe", AttemptState.UNKNOWN, "not_possible")]
        assert payment.attempts[0].message == "Not possible."

    def test_a_stored_refusal_that_is_not_documented_goes_to_review_once_a_charge_must_be_visible(self) -> None:
        shop = Shop()
        payment = shop.pay("tok_refused_unlisted")
        shop.later(2 * HOUR_MS / SECOND_MS)
        assert shop.of(payment).status is PaymentStatus.IN_REVIEW
        assert len(shop.calls()) == 2
        assert shop.world.http.charged() == []


class TestDeclinesThatNameNoIntent:
    def test_the_intent_is_found_among_many_and_cancelled_in_seconds(self) -> None:
        """A 402 with neither code nor intent; 110 other payments begin within the same seconds."""
        simulator = _WithoutIntent(json_reply(402, {"error": {"type": "card_error", "message": "Declined."}}))
        shop = Shop(simulator)
        payment = shop.pay("tok_soft_decline@stripe")
        assert states(payment) == [("stripe", AttemptState.UNKNOWN, "decline_without_reason")]
        for number in range(110):
            simulator.pay_elsewhere(number, shop.world.clock.now_ms() / 1000)
        shop.later(6, step=1)
        assert states(shop.of(payment))[0] == ("stripe", AttemptState.DECLINED, "issuer_not_available")
        shop.later(10, step=1)
        assert shop.of(payment).status is PaymentStatus.SUCCESS
        assert shop.calls().count("/v1/payment_intents") == 1

    def test_a_charge_whose_answer_was_lost_is_found_among_many(self) -> None:
        simulator = _WithoutIntent(None)
        shop = Shop(simulator)
        shop.world.line.troubles = {1: Trouble.ANSWER_LOST}
        payment = shop.pay()
        for number in range(110):
            simulator.pay_elsewhere(number, shop.started_ms / SECOND_MS + 5)
        shop.later(6, step=1)
        assert shop.of(payment).status is PaymentStatus.SUCCESS
        assert len(shop.calls()) == 1


class TestStoredErrors:
    def script(self, shop: Shop, *headers: dict[str, str]) -> None:
        replies = [
            Reply(status=500, headers=each, body=b'{"error": {"type": "api_error", "message": "m"}}')
            for each in headers
        ]
        assert isinstance(shop.simulator, ScriptedStripe)
        shop.simulator.scripted = {CREATE: replies}

    def test_after_a_replayed_500_nothing_is_sent_again(self) -> None:
        shop = Shop()
        self.script(shop, {}, {"idempotent-replayed": "true"})
        payment = shop.pay()
        shop.later(1800)
        assert shop.of(payment).attempts[0].state is AttemptState.UNKNOWN
        assert len(shop.calls()) == 2
        shop.later(HOUR_MS / SECOND_MS)
        assert shop.of(payment).status is PaymentStatus.IN_REVIEW
        assert shop.seconds < 2 * HOUR_MS / SECOND_MS
        assert len(shop.calls()) == 2
        assert len(shop.calls("GET")) < 30

    def test_nor_after_a_first_one_that_says_so(self) -> None:
        shop = Shop()
        self.script(shop, {"stripe-should-retry": "false"})
        payment = shop.pay()
        shop.later(2 * HOUR_MS / SECOND_MS)
        assert shop.of(payment).status is PaymentStatus.IN_REVIEW
        assert len(shop.calls()) == 1

    def test_a_charge_behind_a_stored_500_is_found(self) -> None:
        shop = Shop()
        payment = shop.pay("tok_500_after_charge")
        shop.later(6, step=1)
        assert shop.of(payment).status is PaymentStatus.SUCCESS
        assert len(shop.calls()) == 1


class TestRefunds:
    def test_a_refused_refund_fails_at_once_with_the_sentence(self) -> None:
        shop = Shop()
        payment = shop.pay()
        shop.simulator.next_operation("refund_refused")
        operation = shop.refund(payment, 2000)
        assert operation.status is OperationStatus.FAILED
        assert operation.attempts[0].code == "insufficient_balance_for_refund"
        assert operation.attempts[0].message == "Insufficient funds in your Stripe balance to refund this amount."
        after = shop.of(payment)
        assert (after.refundable, after.reserved, after.refunded) == (5000, 0, 0)
        assert shop.seconds < 60

    @pytest.mark.parametrize(
        ("there", "here", "code"),
        [(5000, None, "charge_already_refunded"), (4000, 2000, "parameter_refused")],
    )
    def test_after_a_refund_in_the_dashboard_ours_fails_with_a_true_sentence(
        self, there: int, here: int | None, code: str
    ) -> None:
        shop = Shop()
        payment = shop.pay()
        shop.in_the_dashboard("/v1/refunds", payment_intent=payment.attempts[0].reference, amount=there)
        operation = shop.refund(payment, here)
        shop.later(60, step=5)
        operation = shop.world.operation_now(operation)
        assert (operation.status, operation.attempts[0].code) == (OperationStatus.FAILED, code)
        assert operation.attempts[0].message
        assert operation.last_error is not None
        assert "answer" not in operation.last_error.message.lower()
        after = shop.of(payment)
        assert (after.refunded, after.refundable, after.reserved) == (there, 5000 - there, 0)

    def test_a_refund_in_the_dashboard_is_booked_by_its_webhook(self) -> None:
        shop = Shop()
        payment = shop.pay()
        shop.deliver_webhooks()
        shop.in_the_dashboard("/v1/refunds", payment_intent=payment.attempts[0].reference, amount=4000)
        shop.deliver_webhooks()
        shop.later(60, step=5)
        after = shop.of(payment)
        assert (after.refunded, after.refundable) == (4000, 1000)


class TestAuthorizations:
    def held(self, shop: Shop, **changes: object) -> Payment:
        payment = shop.pay(capture=CaptureMode.MANUAL, **changes)
        assert payment.status is PaymentStatus.AUTHORIZED
        return payment

    def test_it_lasts_until_capture_before(self) -> None:
        shop = Shop()
        payment = self.held(shop)
        shop.later(4 * DAY_MS / SECOND_MS + 3600, step=600)
        held = shop.of(payment)
        assert held.status is PaymentStatus.AUTHORIZED
        deadline_ms = held.attempts[0].deadline_ms or 0
        assert deadline_ms - shop.started_ms in range(7 * DAY_MS - 1000, 7 * DAY_MS + 1000)
        operation = shop.world.request(CAPTURE, held).operation
        shop.later(10, step=1)
        assert shop.world.operation_now(operation).status is OperationStatus.SUCCEEDED

    def test_a_webhook_tells_it_at_once(self) -> None:
        shop = Shop()
        payment = self.held(shop, initiator=Initiator.MERCHANT)
        shop.deliver_webhooks()
        shop.later(10, step=1)
        deadline_ms = shop.of(payment).attempts[0].deadline_ms or 0
        held_ms = 4 * DAY_MS + 18 * HOUR_MS
        assert deadline_ms - shop.started_ms in range(held_ms - 1000, held_ms + 1000)

    def test_an_expired_one_says_so(self) -> None:
        shop = Shop()
        payment = self.held(shop)
        shop.later(7 * DAY_MS / SECOND_MS - 60, step=3600)
        assert shop.of(payment).status is PaymentStatus.AUTHORIZED
        shop.later(7200, step=60)
        ended = shop.of(payment)
        assert (ended.status, ended.capturable) == (PaymentStatus.CANCELLED, 0)
        assert ended.last_error is not None
        assert ended.last_error.code == "authorization_expired"
        assert "expired" in ended.last_error.message

    def test_one_that_was_released_in_the_dashboard_says_so(self) -> None:
        shop = Shop()
        payment = self.held(shop)
        shop.in_the_dashboard(f"/v1/payment_intents/{payment.attempts[0].reference}/cancel")
        shop.deliver_webhooks()
        shop.later(60, step=5)
        ended = shop.of(payment)
        assert (ended.status, ended.capturable) == (PaymentStatus.CANCELLED, 0)
        assert ended.last_error is not None
        assert ended.last_error.code == "authorization_released"
        assert "released at the provider" in ended.last_error.message

    def test_a_part_that_was_captured_in_the_dashboard_is_what_was_taken(self) -> None:
        shop = Shop()
        payment = self.held(shop)
        path = f"/v1/payment_intents/{payment.attempts[0].reference}/capture"
        shop.in_the_dashboard(path, amount_to_capture=2000)
        shop.deliver_webhooks()
        shop.later(60, step=5)
        ended = shop.of(payment)
        assert (ended.status, ended.captured, ended.capturable, ended.refundable) == (
            PaymentStatus.SUCCESS,
            2000,
            0,
            2000,
        )
