"""Razorpay's documented answers through the production wiring: what becomes of a payment or refund, and how soon.

All times are of the manual clock.
"""

from typing import Any

import pytest

from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import DAY_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, OperationStatus, PaymentStatus
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult
from sandbox.http_types import Request
from tests.support.faulty_transport import FaultyTransport, HostileWorld, page
from tests.support.memory import FixedRules
from tests.support.world import fallback

PAYER = Customer(id="cust_A1b2C3d4E5f6G7", name="Payer Example", email="payer@example.com", phone="+919876543210")


class BrokenPath(FaultyTransport):
    """Answers every request to this path with a 502."""

    broken: str = ""

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        if self.broken and request.path.endswith(self.broken):
            self.requests.append(("broken", request))
            return page(502)
        return super().send(request, endpoint)


@pytest.fixture
def world() -> HostileWorld:
    """Routes to Razorpay, then to Cashfree."""
    world = HostileWorld()
    world.line = BrokenPath(world.clock, simulators=world.http.simulators)
    world.line.simulators = world.http.simulators
    world.http = world.line
    world.use(FixedRules(fallback("razorpay", "cashfree")))
    return world


def pay(world: HostileWorld, token: str = "tok_success", kind: str = "card", **changes: Any) -> Payment:
    values = {"amount": 49_900, "currency": "INR", "customer": PAYER, "return_url": None, **changes}
    return world.accept("order-1", payment_method=PaymentMethod(type=kind, token=f"{token}@razorpay"), **values)


def simulator(world: HostileWorld) -> Any:
    return world.http.simulators["razorpay"]


def until_rest(world: HostileWorld, payment: Payment, most_ms: int = 10 * DAY_MS) -> tuple[Payment, int]:
    """Work until the payment ends; the payment, and the milliseconds that it took."""
    began_ms = world.clock.now_ms()
    while world.clock.now_ms() - began_ms < most_ms:
        now = world.now(payment)
        if now.status in {PaymentStatus.SUCCESS, PaymentStatus.FAILED, PaymentStatus.IN_REVIEW}:
            return now, world.clock.now_ms() - began_ms
        if world.jobs.sent:
            world.work()
        else:
            world.clock.advance(30)
            world.sweep(world.deadline)
    return world.now(payment), world.clock.now_ms() - began_ms


def settled(world: HostileWorld, operation: Operation, most_ms: int = 10 * DAY_MS) -> tuple[Operation, int]:
    began_ms = world.clock.now_ms()
    while world.clock.now_ms() - began_ms < most_ms:
        now = world.operation_now(operation)
        if now.status is not OperationStatus.PENDING:
            return now, world.clock.now_ms() - began_ms
        if world.jobs.sent:
            world.work()
        else:
            world.clock.advance(30)
            world.sweep(world.deadline)
    return world.operation_now(operation), world.clock.now_ms() - began_ms


def at_dashboard(world: HostileWorld, path: str, body: bytes = b"{}") -> None:
    """A person who is logged in there does something."""
    asked = Request(method="POST", path=path, query={}, headers={"content-type": "application/json"}, body=body)
    assert simulator(world).answer(asked, world.clock.now_ms() / 1000).status == 200


def deliver(world: HostileWorld, *kinds: str) -> None:
    for webhook in simulator(world).webhooks_due(world.clock.now_ms() / 1000):
        if webhook.type in kinds:
            world.receive("razorpay", webhook.body, webhook.headers)
    world.deliver_provider_events()


class TestCharges:
    def test_an_order_that_cannot_be_created_goes_to_the_next_provider(self, world: HostileWorld) -> None:
        """A 502 to creating an order kept a payment PENDING for 24 h 23 min."""
        assert isinstance(world.line, BrokenPath)
        world.line.broken = "/v1/orders"
        payment = pay(world)
        now, took_ms = until_rest(world, payment)
        assert now.status is PaymentStatus.SUCCESS
        assert [(a.provider, a.state.value) for a in now.attempts] == [
            ("razorpay", "NOT_SENT"),
            ("cashfree", "SUCCEEDED"),
        ]
        assert sum(name == "broken" for name, _ in world.line.requests) == 2
        assert took_ms < MINUTE_MS

    @pytest.mark.parametrize("kind", ["card", "upi"])
    def test_server_to_server_that_is_not_enabled(self, world: HostileWorld, kind: str) -> None:
        """It was UNKNOWN for six days, then in review."""
        simulator(world).server_to_server = False
        payment = pay(world, kind=kind)
        world.work()
        now = world.now(payment)
        assert (now.attempts[0].state, now.attempts[0].code) == (AttemptState.REJECTED, "url_not_found")
        assert now.attempts[0].message == "The requested URL was not found on the server."
        assert world.telemetry.total("ProviderMisconfigured") == 1
        world.work()
        assert [attempt.provider for attempt in world.now(payment).attempts] == ["razorpay", "cashfree"]

    def test_a_permanent_refusal_is_sent_once(self, world: HostileWorld) -> None:
        """It was sent four times, with an order each."""
        world.use(FixedRules(fallback("razorpay")))
        payment = pay(world, "tok_refused")
        now, took_ms = until_rest(world, payment)
        assert now.status is PaymentStatus.FAILED
        assert [attempt.code for attempt in now.attempts] == ["recurring_payment_not_enabled"]
        assert now.attempts[0].message == "Recurring payments are not enabled."
        assert len(world.http.requests) == 2
        assert took_ms < MINUTE_MS

    def test_a_refusal_that_no_page_describes_is_not_final(self, world: HostileWorld) -> None:
        """Read, then left: nothing that may still be authorized is captured."""
        payment = pay(world, "tok_refused_unlisted")
        world.work()
        assert world.now(payment).attempts[0].state is AttemptState.UNKNOWN
        now, took_ms = until_rest(world, payment)
        assert now.attempts[0].state is AttemptState.FENCED
        assert MINUTE_MS <= took_ms < 10 * MINUTE_MS

    def test_without_the_payers_address_razorpay_is_passed_over(self, world: HostileWorld) -> None:
        payment = pay(world, customer=Customer(id=PAYER.id, name=PAYER.name, phone=PAYER.phone))
        assert [candidate.provider for candidate in payment.route.candidates] == ["cashfree"]
        world.use(FixedRules(fallback("razorpay")))
        with pytest.raises(Refusal) as raised:
            world.accept(
                "order-2", amount=100, currency="INR", payment_method=PaymentMethod(type="card", token="tok_success")
            )
        assert (raised.value.code, raised.value.field) == ("field_missing", "customer.email")

    def test_a_token_without_its_customer_is_not_sent(self, world: HostileWorld) -> None:
        payment = pay(world, customer=Customer(id="shop-7", email=PAYER.email, phone=PAYER.phone))
        world.work()
        assert [attempt.code for attempt in world.now(payment).attempts] == ["customer_id_missing"]
        assert world.http.requests == []

    def test_a_late_authorization_is_given_back_and_the_payment_stays_failed(self, world: HostileWorld) -> None:
        """Told FAILED after 10 minutes, it was captured 23,885 s later: the order itself asked for that."""
        world.use(FixedRules(fallback("razorpay")))
        payment = pay(world, "tok_reopened_decline")
        now, took_ms = until_rest(world, payment)
        assert (now.status, took_ms < MINUTE_MS) == (PaymentStatus.FAILED, True)
        world.clock.advance(7 * DAY_MS // SECOND_MS)
        deliver(world, "payment.authorized", "payment.failed")
        world.work_until_idle()
        world.sweep(world.deadline)
        world.work_until_idle()
        assert world.now(payment).status is PaymentStatus.FAILED
        assert world.http.charged() == []


class TestRefunds:
    @pytest.fixture
    def paid(self, world: HostileWorld) -> Payment:
        now, _ = until_rest(world, pay(world))
        assert now.status is PaymentStatus.SUCCESS
        world.jobs.sent.clear()
        return now

    @pytest.mark.parametrize("turn", ["refund_refused", "tok_insufficient_funds"])
    def test_not_enough_balance_fails_at_once_and_gives_the_amount_back(
        self, world: HostileWorld, paid: Payment, turn: str
    ) -> None:
        """It was PENDING for 144 hours, then in review, with the amount reserved."""
        simulator(world).next_operation(turn)
        operation = world.request(OperationKind.REFUND, paid, 10_000).operation
        ended, took_ms = settled(world, operation)
        assert ended.status is OperationStatus.FAILED
        assert took_ms < MINUTE_MS
        assert ended.attempts[0].code == "balance_too_low"
        assert ended.attempts[0].message.startswith("Your account does not have enough balance")
        now = world.now(paid)
        assert (now.refundable, now.reserved) == (49_900, 0)

    def test_fully_refunded_in_the_dashboard_before(self, world: HostileWorld, paid: Payment) -> None:
        """It was PENDING for six days, with a sentence that said that there was no answer."""
        reference = paid.attempts[0].reference
        at_dashboard(world, f"/v1/payments/{reference}/refund")
        operation = world.request(OperationKind.REFUND, paid).operation
        ended, took_ms = settled(world, operation)
        assert (ended.status, took_ms < MINUTE_MS) == (OperationStatus.FAILED, True)
        assert ended.attempts[0].message == "The payment has been fully refunded already"
        world.work_until_idle()
        now = world.now(paid)
        assert (now.refunded, now.refundable, now.reserved) == (49_900, 0, 0)

    def test_a_refund_of_more_than_the_dashboard_left(self, world: HostileWorld, paid: Payment) -> None:
        reference = paid.attempts[0].reference
        at_dashboard(world, f"/v1/payments/{reference}/refund", b'{"amount":40000}')
        operation = world.request(OperationKind.REFUND, paid, 20_000).operation
        ended, took_ms = settled(world, operation)
        assert (ended.status, took_ms < MINUTE_MS) == (OperationStatus.FAILED, True)
        assert ended.attempts[0].code == "refund_exceeds_captured"

    def test_a_refund_of_the_dashboard_is_shown_within_a_minute(self, world: HostileWorld, paid: Payment) -> None:
        deliver(world)  # those of the charge
        reference = paid.attempts[0].reference
        at_dashboard(world, f"/v1/payments/{reference}/refund", b'{"amount":40000}')
        for webhook in simulator(world).webhooks_due(world.clock.now_ms() / 1000):
            world.receive("razorpay", webhook.body, webhook.headers)
        inbound, delay_seconds = world.provider_events.sent.pop(0)
        assert delay_seconds == 0
        world.process_provider_event(inbound)
        world.work_until_idle()
        now = world.now(paid)
        assert (now.refunded, now.refundable) == (40_000, 9_900)
        assert now.announced == paid.announced + 1

    def test_a_list_that_was_cut_off_proves_nothing(self, world: HostileWorld, paid: Payment) -> None:
        simulator(world).next_operation("refund_refused")
        honest = world.line.send
        cut_off = HttpResponse(status=200, headers={}, body=b'{"entity":"collection","count":3,"items":[]}')
        world.line.send = lambda request, endpoint: (  # type: ignore[method-assign]
            cut_off if "/refunds?" in request.path else honest(request, endpoint)
        )
        operation = world.request(OperationKind.REFUND, paid, 10_000).operation
        ended, _ = settled(world, operation, most_ms=DAY_MS)
        assert ended.status is OperationStatus.PENDING


class TestCapturesOfTheDashboard:
    def test_a_merchants_authorization_that_was_captured_there(self, world: HostileWorld) -> None:
        payment = pay(world, capture=CaptureMode.MANUAL)
        world.work(turns=2)
        authorized = world.now(payment)
        assert authorized.status is PaymentStatus.AUTHORIZED
        at_dashboard(
            world, f"/v1/payments/{authorized.attempts[0].reference}/capture", b'{"amount":49900,"currency":"INR"}'
        )
        deliver(world, "payment.captured")
        world.work_until_idle()
        now = world.now(payment)
        assert (now.status, now.captured, now.capturable) == (PaymentStatus.SUCCESS, 49_900, 0)

    def test_captured_and_refunded_there_before_we_read_it(self, world: HostileWorld) -> None:
        """The charge is booked, and then its refund."""
        payment = pay(world, kind="upi")
        world.work()
        now_seconds = world.clock.now_ms() / 1000
        (record,) = simulator(world).everything(now_seconds)
        simulator(world).handle(Request(method="GET", path=f"/actions/{record['id']}"), now_seconds)
        at_dashboard(world, f"/v1/payments/{record['id']}/capture", b'{"amount":49900,"currency":"INR"}')
        at_dashboard(world, f"/v1/payments/{record['id']}/refund")
        now, _ = until_rest(world, payment)
        assert now.status is PaymentStatus.SUCCESS
        deliver(world, "refund.created", "refund.processed")
        world.work_until_idle()
        now = world.now(payment)
        assert (now.captured, now.refunded, now.refundable) == (49_900, 49_900, 0)
