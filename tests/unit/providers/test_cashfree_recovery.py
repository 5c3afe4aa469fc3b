"""Payments and refunds at Cashfree from acceptance to rest, on a clock that the tests move."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from payflowx.domain.payments.dispute import DisputeState
from payflowx.domain.payments.operation import Operation, Origin
from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.payments.ports import Job
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState, DeclineKind, OperationStatus, PaymentStatus
from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from sandbox.cashfree import CashfreeSimulator
from sandbox.http_types import Request
from tests.support.faulty_transport import FaultyTransport
from tests.support.memory import FixedRules
from tests.support.providers import ProviderWorld
from tests.support.world import fallback

AMOUNT = 49_900
PAYER = Customer(id="cust_A1b2C3d4", name="Payer Example", email="payer@example.com", phone="+919876543210")
HEADERS = {"x-client-id": "id", "x-client-secret": "secret", "x-api-version": "2025-01-01"}
RESTING = {PaymentStatus.SUCCESS, PaymentStatus.FAILED, PaymentStatus.IN_REVIEW, PaymentStatus.CANCELLED}

Answer = Callable[[HttpRequest], HttpResponse | None]


def error(status: int, code: str, kind: str = "invalid_request_error", **headers: str) -> HttpResponse:
    said = {"message": f"{code} : the reason", "code": code, "type": kind}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status=status, headers=named, body=json.dumps(said).encode())


@dataclass
class Line(FaultyTransport):
    """`instead` may answer a request to Cashfree in its place; `after` replaces the answer to an executed one."""

    instead: Answer = lambda _request: None
    after: Answer = lambda _request: None

    def send(self, request: HttpRequest, endpoint: str) -> Any:
        if not endpoint.startswith("https://cashfree/"):
            return super().send(request, endpoint)
        answer = self.instead(request)
        if answer is not None:
            self.requests.append(("cashfree", request))
            return answer
        executed = super().send(request, endpoint)
        return self.after(request) or executed


@dataclass
class CashfreeWorld(ProviderWorld):
    line: Line = field(init=False)
    due: list[tuple[int, Job]] = field(default_factory=list)
    """The messages by the time of their delivery."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.line = Line(self.clock, simulators=self.http.simulators)
        self.providers = type(self.providers)(
            allowed=tuple(self.http.simulators),
            http=lambda: self.line,
            secrets=lambda: self.platform.secrets,
            clock_ms=self.clock.now_ms,
            observe=lambda *_args: None,
        )

    @property
    def cashfree(self) -> CashfreeSimulator:
        found = self.http.simulators["cashfree"]
        assert isinstance(found, CashfreeSimulator)
        return found

    def ask(self, method: str, path: str, body: str = "") -> Any:
        """The merchant's people at Cashfree, in its dashboard."""
        headers = {**HEADERS, "content-type": "application/json"}
        asked = Request(method=method, path=path, query={}, headers=headers, body=body.encode())
        reply = self.cashfree.handle(asked, self.clock.now_ms() / 1000)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def sent(self, method: str, ending: str) -> list[HttpRequest]:
        """The requests to Cashfree whose path ends so."""
        found = (request for name, request in self.line.requests if name == "cashfree")
        return [request for request in found if request.method == method and request.path.endswith(ending)]

    def hear(self) -> None:
        """Deliver Cashfree's webhooks that are due, and what they cause."""
        for webhook in self.cashfree.webhooks_due(self.clock.now_ms() / 1000):
            self.receive("cashfree", webhook.body, webhook.headers)
        self.deliver_provider_events(most=500)

    def next(self, until_ms: int) -> bool:
        """Deliver the next message at its time; False if none is due until then."""
        while self.jobs.sent:
            job, delay_seconds = self.jobs.sent.pop(0)
            self.due.append((self.clock.now_ms() + delay_seconds * 1000, job))
        if not self.due or min(at_ms for at_ms, _ in self.due) > until_ms:
            return False
        at_ms, job = min(self.due, key=lambda due: due[0])
        self.due.remove((at_ms, job))
        self.clock.at_ms = max(self.clock.at_ms, at_ms)
        self.process(job, self.deadline)
        return True

    def run(self, seconds: float, seen: Callable[[], object] = lambda: None) -> None:
        """Deliver every message at its time for this long, without webhooks."""
        until_ms = self.clock.now_ms() + int(seconds * 1000)
        while self.next(until_ms):
            seen()
        self.clock.at_ms = until_ms

    def seconds_until(self, is_so: Callable[[], bool], most_seconds: int = 3_600) -> float:
        """The time until it is so; messages are delivered at their time."""
        started_ms = self.clock.now_ms()
        while not is_so():
            assert self.next(started_ms + most_seconds * 1000), "nothing will happen in time"
        return (self.clock.now_ms() - started_ms) / 1000

    def seconds_to_rest(self, payment: Payment) -> float:
        return self.seconds_until(lambda: self.now(payment).status in RESTING)


@pytest.fixture
def world() -> CashfreeWorld:
    world = CashfreeWorld()
    world.use(FixedRules(fallback("cashfree", "mock")))
    return world


def pay(world: CashfreeWorld, token: str = "tok_requires_action", key: str = "order-1", kind: str = "card") -> Payment:
    return world.accept(
        key,
        amount=AMOUNT,
        currency="INR",
        payment_method=PaymentMethod(type=kind, token=token),
        customer=PAYER,
        return_url="https://shop.example/return",
    )


def approve(world: CashfreeWorld, payment: Payment) -> None:
    action = world.now(payment).attempts[-1].next_action
    assert action is not None
    path = action.url.removeprefix("https://cashfree")
    asked = Request(method="GET", path=path, query={}, headers={}, body=b"")
    assert world.cashfree.handle(asked, world.clock.now_ms() / 1000).status == 200


def at_create(status: int, **headers: str) -> Answer:
    refused = error(status, "internal_error", "api_error", **headers)
    return lambda request: refused if (request.method, request.path) == ("POST", "/orders") else None


def at_pay(answer: HttpResponse) -> Answer:
    return lambda request: answer if request.path == "/orders/sessions" else None


class TestThePayersLink:
    def test_survives_every_inquiry_until_its_deadline_and_then_the_order_is_closed(self, world: CashfreeWorld) -> None:
        """Before: REQUIRES_ACTION became PENDING, without its link and its deadline, after 5 seconds."""
        payment = pay(world)
        world.run(0)
        started_ms, shown = world.clock.now_ms(), world.now(payment).attempts[0].next_action
        assert shown is not None
        statuses: list[tuple[PaymentStatus, object]] = []

        def note() -> None:
            seen = world.now(payment)
            statuses.append((seen.status, seen.attempts[0].next_action))

        world.run(29 * 60, note)
        assert len(world.sent("GET", "/payments")) == 4
        assert set(map(str, statuses)) == {str((PaymentStatus.REQUIRES_ACTION, shown))}
        world.seconds_to_rest(payment)
        ended = world.now(payment)
        assert world.clock.now_ms() - started_ms == 30 * 60 * 1000
        assert (ended.status, ended.attempts[0].state) == (PaymentStatus.FAILED, AttemptState.FENCED)
        assert ended.last_error is not None
        assert ended.last_error.code == "action_expired"
        assert world.ask("GET", f"/pg/orders/{ended.attempts[0].provider_key}")["order_status"] == "TERMINATED"

    @pytest.mark.parametrize("minutes", [0, 1, 25, 29])
    def test_a_payer_who_approves_late_has_paid(self, world: CashfreeWorld, minutes: int) -> None:
        payment = pay(world)
        world.run(0)
        world.run(minutes * 60)
        approve(world, payment)
        world.seconds_to_rest(payment)
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert len(world.http.charged()) == 1

    def test_a_lost_answer_is_cleared_up_in_minutes_because_nobody_has_the_link(self, world: CashfreeWorld) -> None:
        lost = HttpResponse(status=502, headers={}, body=b"<html>")
        world.line.after = at_pay(lost)
        payment = pay(world)
        states = [AttemptState.FENCED, AttemptState.REQUIRES_ACTION]
        assert world.seconds_until(lambda: [a.state for a in world.now(payment).attempts] == states) <= 5 * 60


class TestNoOrder:
    """A server error while the order is created: no request that charges has left."""

    @pytest.mark.parametrize("headers", [{}, {"x_idempotency_replayed": "true"}])
    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_after_two_tries_the_next_provider_is_taken(
        self, world: CashfreeWorld, status: int, headers: dict[str, str]
    ) -> None:
        """Before: PENDING for 24 hours and 23 minutes, and 30 requests, while the next provider was not used."""
        world.line.instead = at_create(status, **headers)
        payment = pay(world, "tok_success")
        seconds = world.seconds_to_rest(payment)
        ended = world.now(payment)
        assert ended.status is PaymentStatus.SUCCESS
        assert [(a.provider, a.state) for a in ended.attempts] == [
            ("cashfree", AttemptState.NOT_SENT),
            ("mock", AttemptState.SUCCEEDED),
        ]
        assert len(world.sent("POST", "/orders")) == 2
        assert seconds <= 20

    @pytest.mark.parametrize("replayed", ["false", "true"])
    def test_an_order_that_was_created_all_the_same_is_found_and_paid(
        self, world: CashfreeWorld, replayed: str
    ) -> None:
        """The first answer is a 500 after the effect; the second request is told that the order exists."""
        world.line.after = at_create(500, x_idempotency_replayed=replayed)
        payment = pay(world, "tok_success")
        world.run(0)
        world.line.after = lambda _request: None
        world.seconds_to_rest(payment)
        ended = world.now(payment)
        assert [(a.provider, a.state) for a in ended.attempts] == [("cashfree", AttemptState.SUCCEEDED)]
        assert len(world.http.charged()) == 1

    def test_a_short_outage_of_the_only_provider_costs_no_sale(self, world: CashfreeWorld) -> None:
        """An idempotency key would have kept the first 500 for a day."""
        world.use(FixedRules(fallback("cashfree")))
        world.line.instead = at_create(500)
        payment = pay(world, "tok_success")
        world.run(60)
        assert world.now(payment).status is PaymentStatus.PENDING
        world.line.instead = lambda _request: None
        assert world.seconds_to_rest(payment) <= 120
        assert world.now(payment).status is PaymentStatus.SUCCESS
        assert [a.number for a in world.now(payment).attempts] == [1]


class TestRefusals:
    def test_an_account_without_payments_from_servers_is_left_at_once(self, world: CashfreeWorld) -> None:
        """Before: unknown until the order was closed; at Razorpay six days."""
        world.cashfree.s2s_enabled = False
        payment = pay(world, "tok_success")
        assert world.seconds_to_rest(payment) == 0
        first = world.now(payment).attempts[0]
        assert (first.state, first.code) == (AttemptState.REJECTED, "feature_not_enabled")
        assert first.message == "s2s_enabled is not enabled or approved. Please reach out to [removed]"
        assert world.now(payment).status is PaymentStatus.SUCCESS

    @pytest.mark.parametrize("at", [at_create, at_pay])
    def test_a_dotted_code_is_known(self, world: CashfreeWorld, at: Callable[..., Answer]) -> None:
        """Before: unknown for at least two minutes at the step that pays."""
        refused = error(400, "customer_details.customer_phone_invalid")
        pay_ = at_pay(refused)
        create: Answer = lambda request: refused if (request.method, request.path) == ("POST", "/orders") else None  # noqa: E731
        world.line.instead = pay_ if at is at_pay else create
        payment = pay(world, "tok_success")
        assert world.seconds_to_rest(payment) == 0
        first = world.now(payment).attempts[0]
        assert (first.state, first.code) == (AttemptState.REJECTED, "customer_phone_invalid")
        assert first.message == "customer_details.customer_phone_invalid : the reason"

    def test_a_documented_one_is_sent_once(self, world: CashfreeWorld) -> None:
        world.use(FixedRules(fallback("cashfree")))
        payment = pay(world, "tok_refused")
        assert world.seconds_to_rest(payment) == 0
        ended = world.now(payment)
        assert (ended.status, len(ended.attempts)) == (PaymentStatus.FAILED, 1)
        assert len(world.sent("POST", "/orders/sessions")) == 1

    def test_another_one_is_never_final(self, world: CashfreeWorld) -> None:
        payment = pay(world, "tok_refused_unlisted@cashfree")
        world.run(0)
        assert world.now(payment).attempts[0].state is AttemptState.UNKNOWN
        assert world.seconds_to_rest(payment) <= 5 * 60
        assert world.now(payment).attempts[0].state is AttemptState.FENCED
        assert world.now(payment).status is PaymentStatus.SUCCESS

    def test_an_answer_that_names_a_payment_is_closed_and_read_back_in_seconds(self, world: CashfreeWorld) -> None:
        payments: list[Mapping[str, Any]] = []

        def refused(request: HttpRequest) -> HttpResponse | None:
            if request.path != "/orders/sessions":
                return None
            key = world.now(payment).attempts[0].provider_key
            payments.extend(world.ask("GET", f"/pg/orders/{key}/payments"))
            said = {"message": "m", "code": "order_inactive", "type": "invalid_request_error"}
            body = json.dumps({**said, "cf_payment_id": payments[-1]["cf_payment_id"]})
            return HttpResponse(status=400, headers={}, body=body.encode())

        world.line.after = refused
        payment = pay(world, "tok_requires_action@cashfree")
        assert world.seconds_to_rest(payment) <= 5
        first = world.now(payment).attempts[0]
        assert (first.state, first.code, first.reference) == (
            AttemptState.DECLINED,
            "order_inactive",
            payments[0]["cf_payment_id"],
        )
        assert world.ask("GET", f"/pg/orders/{first.provider_key}")["order_status"] == "TERMINATED"

    def test_a_payment_named_by_a_refusal_and_absent_from_the_list_is_not_believed_closed(
        self, world: CashfreeWorld
    ) -> None:
        said = {"message": "m", "code": "card_unsupported", "type": "invalid_request_error", "cf_payment_id": 12345}
        world.line.instead = at_pay(HttpResponse(status=400, headers={}, body=json.dumps(said).encode()))
        payment = pay(world, "tok_success")
        world.run(60)
        assert [a.state for a in world.now(payment).attempts] == [AttemptState.UNKNOWN]


class TestDeclines:
    @pytest.mark.parametrize(
        ("reason", "kind", "fails_over"),
        [
            ("auth_declined", DeclineKind.SOFT, True),
            ("bank_processing_failure", DeclineKind.SOFT, True),
            ("gateway_error", DeclineKind.SOFT, True),
            ("insufficient_balance", DeclineKind.FUNDS, False),
            ("card_stolen", DeclineKind.HARD, False),
        ],
    )
    def test_the_reason_decides_whether_the_next_provider_is_taken(
        self, world: CashfreeWorld, monkeypatch: pytest.MonkeyPatch, reason: str, kind: DeclineKind, *, fails_over: bool
    ) -> None:
        from sandbox import cashfree
        from sandbox.behaviours import Effect

        said = ("TRANSACTION_DECLINED", "said by the bank", reason, "bank")
        monkeypatch.setitem(cashfree._FAILURES, Effect.SOFT_DECLINE, said)
        payment = pay(world, "tok_soft_decline@cashfree")
        world.seconds_to_rest(payment)
        ended = world.now(payment)
        assert (ended.attempts[0].state, ended.attempts[0].decline_kind) == (AttemptState.DECLINED, kind)
        assert ended.status is (PaymentStatus.SUCCESS if fails_over else PaymentStatus.FAILED)
        key = ended.attempts[0].provider_key
        assert world.ask("GET", f"/pg/orders/{key}")["order_status"] == "TERMINATED"


class TestReads:
    """Cashfree's limit is 100 lists of payments a minute for an account."""

    def test_a_webhook_in_time_costs_no_read(self, world: CashfreeWorld) -> None:
        """Before: 14 payments a minute used up the limit. Cashfree's webhooks say nothing of `is_captured`."""
        payments = [pay(world, key=f"order-{n}", kind="upi") for n in range(100)]
        world.run(0)
        world.clock.advance(45)
        for payment in payments:
            reference = world.now(payment).attempts[0].reference
            asked = Request(method="GET", path=f"/actions/{reference}", query={}, headers={}, body=b"")
            assert world.cashfree.handle(asked, world.clock.now_ms() / 1000).status == 200
        world.hear()
        assert {world.now(payment).status for payment in payments} == {PaymentStatus.SUCCESS}
        assert world.sent("GET", "/payments") == []

    def test_a_lost_webhook_is_made_up_for_after_a_minute(self, world: CashfreeWorld) -> None:
        payment = pay(world)
        world.run(0)
        approve(world, payment)
        assert world.seconds_to_rest(payment) == 60
        assert len(world.sent("GET", "/payments")) == 1

    def test_a_webhook_that_proves_nothing_brings_the_read_forward(self, world: CashfreeWorld) -> None:
        payment = pay(world)
        world.run(0)
        world.clock.advance(10)
        approve(world, payment)
        world.hear()
        assert world.seconds_to_rest(payment) == 0
        assert len(world.sent("GET", "/payments")) == 1

    def test_a_requested_cancellation_waits_for_no_webhook(self, world: CashfreeWorld) -> None:
        payment = pay(world)
        world.run(0)
        world.cancel(payment.merchant_id, payment.transaction_id)
        assert world.seconds_to_rest(payment) <= 1
        assert world.now(payment).status is PaymentStatus.CANCELLED


class TestANewOrder:
    @pytest.mark.parametrize("lag_seconds", [1, 5, 42])
    def test_one_that_cannot_be_paid_yet_is_asked_again(self, world: CashfreeWorld, lag_seconds: int) -> None:
        """Before: a 404 was unknown, the order was closed after two minutes and the sale was lost."""
        world.use(FixedRules(fallback("cashfree")))
        world.cashfree.session_lag_seconds = lag_seconds
        payment = pay(world, "tok_success")
        assert world.seconds_to_rest(payment) <= 3 * lag_seconds + 65
        ended = world.now(payment)
        assert [(a.number, a.state) for a in ended.attempts] == [(1, AttemptState.SUCCEEDED)]
        assert len(world.sent("POST", "/orders")) == 1
        assert len(world.http.charged()) == 1

    def test_another_provider_of_the_route_comes_first(self, world: CashfreeWorld) -> None:
        world.cashfree.session_lag_seconds = 42
        payment = pay(world, "tok_success")
        assert world.seconds_to_rest(payment) == 0
        assert [a.provider for a in world.now(payment).attempts] == ["cashfree", "mock"]


def paid(world: CashfreeWorld) -> Payment:
    payment = pay(world, "tok_success")
    world.seconds_to_rest(payment)
    world.hear()
    world.run(0)
    assert world.now(payment).status is PaymentStatus.SUCCESS
    return world.now(payment)


def refund(world: CashfreeWorld, payment: Payment, amount: int, key: str = "refund-1") -> Operation:
    return world.request(OperationKind.REFUND, world.now(payment), amount, key=key).operation


def settle(world: CashfreeWorld, operation: Operation, most_seconds: int) -> float:
    """The time until the refund has ended."""
    ended = lambda: world.operation_now(operation).status is not OperationStatus.PENDING  # noqa: E731
    return world.seconds_until(ended, most_seconds)


def in_dashboard(world: CashfreeWorld, payment: Payment, refund_id: str, amount: int) -> None:
    key = world.now(payment).attempts[0].provider_key
    body = f'{{"refund_id":"{refund_id}","refund_amount":{amount / 100:.2f}}}'
    world.ask("POST", f"/pg/orders/{key}/refunds", body)


class TestRefunds:
    def test_a_documented_refusal_ends_it_at_once_with_the_providers_sentence(self, world: CashfreeWorld) -> None:
        """Before: PENDING for days, then a manual review, and the amount stayed reserved."""
        payment = paid(world)
        world.cashfree.next_operation("refund_refused")
        operation = refund(world, payment, 20_000)
        assert settle(world, operation, 60) == 0
        ended = world.operation_now(operation)
        assert ended.status is OperationStatus.FAILED
        assert ended.last_error is not None
        assert (ended.attempts[0].code, ended.attempts[0].message) == ("feature_not_enabled", "not enabled")
        assert world.now(payment).refundable == AMOUNT
        again = refund(world, payment, 20_000, "refund-2")
        settle(world, again, 120)
        assert world.operation_now(again).status is OperationStatus.SUCCEEDED

    def test_another_refusal_is_never_final(self, world: CashfreeWorld) -> None:
        payment = paid(world)
        world.line.instead = lambda request: (
            error(400, "refund_id_invalid") if request.method == "POST" and request.path.endswith("/refunds") else None
        )
        operation = refund(world, payment, 20_000)
        world.run(3_600)
        assert world.operation_now(operation).status is OperationStatus.PENDING
        assert world.now(payment).refundable == AMOUNT - 20_000

    def test_a_server_error_is_not_kept_for_the_next_try(self, world: CashfreeWorld) -> None:
        """With an idempotency key, Cashfree would answer every further request with the first 500."""
        payment = paid(world)
        world.cashfree.next_operation("tok_500_before_charge")
        operation = refund(world, payment, 20_000)
        assert settle(world, operation, 120) <= 65
        assert world.operation_now(operation).status is OperationStatus.SUCCEEDED
        assert sum(entry["amount"] for entry in world.cashfree.ledger(world.clock.now_ms() / 1000)[1:]) == 20_000

    def test_one_that_is_pending_waits_for_its_webhook_first(self, world: CashfreeWorld) -> None:
        payment = paid(world)
        world.cashfree.next_operation("tok_async_success")
        operation = refund(world, payment, 20_000)
        world.run(0)
        assert world.operation_now(operation).attempts[0].state is AttemptState.ACCEPTED
        before = len(world.sent("GET", "/refunds"))
        world.clock.advance(5)
        world.hear()
        assert world.operation_now(operation).status is OperationStatus.SUCCEEDED
        assert len(world.sent("GET", "/refunds")) == before

    def test_one_whose_webhook_is_lost_is_read_after_a_minute(self, world: CashfreeWorld) -> None:
        payment = paid(world)
        world.cashfree.next_operation("tok_async_success")
        assert settle(world, refund(world, payment, 20_000), 120) == 60


class TestTheDashboard:
    def test_a_refund_made_there_lowers_what_is_refundable(self, world: CashfreeWorld) -> None:
        """Before: not seen until the reconciliation of the next day, which required a manual review."""
        payment = paid(world)
        in_dashboard(world, payment, "dashboard-1", 40_000)
        world.hear()
        world.run(0)
        now = world.now(payment)
        assert (now.status, now.refunded, now.refundable) == (PaymentStatus.SUCCESS, 40_000, 9_900)
        (found,) = world.operations.of_payment(payment.merchant_id, payment.transaction_id)
        assert (found.origin, found.status, found.amount) == (Origin.PROVIDER, OperationStatus.SUCCEEDED, 40_000)

    @pytest.mark.parametrize("ours_first", [True, False])
    def test_one_beside_ours_is_booked_once_in_any_order(self, world: CashfreeWorld, *, ours_first: bool) -> None:
        payment = paid(world)
        if ours_first:
            refund(world, payment, 10_000)
        in_dashboard(world, payment, "dashboard-1", 20_000)
        if not ours_first:
            refund(world, payment, 10_000)
        world.hear()
        world.run(600)
        world.hear()
        world.hear()
        world.run(0)
        assert world.now(payment).refunded == 30_000
        assert len(world.operations.of_payment(payment.merchant_id, payment.transaction_id)) == 2

    def test_a_full_refund_there_refuses_ours_with_a_true_sentence(self, world: CashfreeWorld) -> None:
        payment = paid(world)
        in_dashboard(world, payment, "dashboard-1", AMOUNT)
        operation = refund(world, payment, 20_000)
        assert settle(world, operation, 60) <= 60
        ended = world.operation_now(operation)
        assert (ended.status, ended.attempts[0].code) == (OperationStatus.FAILED, "refund_amount_invalid")
        world.run(600)
        assert (world.now(payment).refunded, world.now(payment).refundable) == (AMOUNT, 0)

    def test_a_second_payment_that_cashfree_returned_is_none_of_ours(self, world: CashfreeWorld) -> None:
        payment = pay(world)
        world.run(0)
        attempt = world.now(payment).attempts[0]
        session = attempt.progress["payment_session_id"]
        body = {"payment_session_id": session, "payment_method": {"upi": {"channel": "link"}}}
        second = world.ask("POST", "/pg/orders/sessions", json.dumps(body))["cf_payment_id"]
        approve(world, payment)
        asked = Request(method="GET", path=f"/actions/{second}", query={}, headers={}, body=b"")
        world.cashfree.handle(asked, world.clock.now_ms() / 1000)
        world.hear()
        world.run(600)
        now = world.now(payment)
        assert (now.status, now.refunded, now.refundable) == (PaymentStatus.SUCCESS, 0, AMOUNT)


class TestDisputes:
    def test_one_is_recorded_on_its_payment(self, world: CashfreeWorld) -> None:
        """Before: a webhook that named nothing, and the merchant missed the deadline."""
        payment = paid(world)
        attempt = world.now(payment).attempts[0]
        for status, state in (("DISPUTE_CREATED", DisputeState.OPEN), ("DISPUTE_MERCHANT_LOST", DisputeState.LOST)):
            dispute = {
                "dispute_id": "433475258",
                "dispute_status": status,
                "dispute_amount": 499,
                "updated_at": "2023-06-15T21:49:48+05:30",
                "respond_by": "2023-06-18T23:59:59+05:30",
                "reason_description": "Duplicate Processing",
            }
            order = {
                "order_id": attempt.provider_key,
                "cf_payment_id": int(attempt.reference or 0),
                "payment_currency": "INR",
            }
            said = {"type": "DISPUTE_UPDATED", "data": {"dispute": dispute, "order_details": order}}
            body = json.dumps(said).encode()
            for _ in range(2):
                world.receive("cashfree", body, world.cashfree.sign(body, world.clock.now_ms() / 1000))
                world.deliver_provider_events()
            now = world.now(payment)
            assert [(found.reference, found.state, found.amount) for found in now.disputes] == [
                ("433475258", state, AMOUNT)
            ]
            assert (now.status, now.refundable) == (PaymentStatus.SUCCESS, AMOUNT)
