"""The conformance suite's harness for any provider: a paid payment, its operations, and the provider's ledger."""

from dataclasses import dataclass

from payflowx.application.payments.operation_request import operation_request_of
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.providers.ports import Account
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.statuses import FINAL_OPERATION_STATUSES, CaptureMode, OperationStatus, PaymentStatus
from payflowx.providers.http_provider import HttpProvider
from sandbox.ledger import LedgerSimulator, Webhook
from sandbox.store import Record
from tests.support.faulty_transport import HostileWorld
from tests.support.memory import FixedRules
from tests.support.world import fallback

AMOUNT = 49_900
DAY_SECONDS = 86_400
PAYER = Customer(id="cust_A1b2C3d4E5f6G7", name="Payer Example", email="payer@example.com", phone="+919876543210")
MOVED = "done"
MOVING = "pending"
_SETTLED = {PaymentStatus.SUCCESS, PaymentStatus.AUTHORIZED}
_AT_REST = {*FINAL_OPERATION_STATUSES, OperationStatus.IN_REVIEW}


def sweep_interval_seconds(waited_ms: int) -> int:
    """A minute on the first two days, then an hour: "pending" may last for weeks."""
    return 60 if waited_ms < 2 * DAY_SECONDS * 1000 else 3_600


@dataclass
class ProviderHarness:
    """One payment at one provider, which is the only one in the route."""

    provider: str

    def __post_init__(self) -> None:
        self.world = HostileWorld()
        self.world.use(FixedRules(fallback(self.provider)))
        simulator = self.world.http.simulators[self.provider]
        assert isinstance(simulator, LedgerSimulator), "its simulator keeps no books of captures, voids and refunds"
        self.simulator = simulator
        http_provider = self.world.providers.get(self.provider)
        assert isinstance(http_provider, HttpProvider)
        self.http_provider = http_provider

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.world.clock.now_ms() / 1000

    @property
    def account(self) -> Account:
        return next(account for account in self.world.accounts if account.provider == self.provider)

    def pay(self, token: str = "tok_success", capture: CaptureMode = CaptureMode.AUTOMATIC) -> Payment:
        """Accept a payment and send its first request."""
        able = self.http_provider.capabilities
        known = ("INR", "USD", *sorted(able.currencies or ()))
        payment = self.world.accept(
            "conformance",
            amount=AMOUNT,
            currency=next(code for code in known if not able.currencies or code in able.currencies),
            capture=capture,
            payment_method=PaymentMethod(type=min(able.payment_method_types), token=token),
            customer=PAYER,
            return_url="https://shop.example/return",
        )
        self.world.work()
        return self.world.now(payment)

    def paid_for(self, kind: OperationKind, token: str = "tok_success") -> Payment:
        """A payment that allows this kind of operation: captured for a refund, authorized for the others."""
        mode = CaptureMode.AUTOMATIC if kind is OperationKind.REFUND else CaptureMode.MANUAL
        payment = self.pay(token, mode)
        for _ in range(60):
            if self.world.now(payment).status in _SETTLED:
                break
            self.world.work_until_idle()
            self.world.clock.advance(60)
            self.world.sweep(self.world.deadline)
        payment = self.world.now(payment)
        assert payment.status in _SETTLED, f"it is {payment.status}"
        self.world.jobs.sent.clear()
        self.world.line.count = 0
        return payment

    def request(self, kind: OperationKind, payment: Payment, amount: int | None = None, key: str = "op") -> Operation:
        return self.world.request(kind, self.world.now(payment), amount, key=key).operation

    def settle(self, operation: Operation, *, beside: int = 0) -> Operation:
        """Process messages and sweeps until the operation rests; check each step against the ledger.

        `beside`: the number of other operations of the same kind and amount.
        """
        able = self.http_provider.capabilities
        horizons_ms = (able.inquiry_horizon_ms, able.pending_horizon_ms, *able.operation_window_ms.values())
        started_ms = self.world.clock.now_ms()
        until_ms = started_ms + max(horizons_ms) + 2 * DAY_SECONDS * 1000
        while self.world.clock.now_ms() < until_ms:
            while self.world.jobs.sent:
                self.world.work()
                self.check(operation, beside=beside)
            if self.world.operation_now(operation).status in _AT_REST:
                break
            self.world.clock.advance(sweep_interval_seconds(self.world.clock.now_ms() - started_ms))
            self.world.sweep(self.world.deadline)
        ended = self.check(operation, beside=beside)
        assert ended.status in _AT_REST, f"it is still {ended.status}"
        return ended

    def check(self, operation: Operation, *, beside: int = 0) -> Operation:
        """Invariants at every moment: money moved at most once, and the status agrees with the ledger."""
        now = self.world.operation_now(operation)
        payment = self.world.payments.get(operation.merchant_id, operation.transaction_id)
        assert payment is not None
        done, all_ = self.moved(now.kind), self.moved(now.kind, MOVED, MOVING)
        same = [entry for entry in all_ if entry["amount"] == now.amount]
        assert sum(attempt.is_open for attempt in now.attempts) <= 1
        if now.status is OperationStatus.SUCCEEDED:
            moved = [e["currency"] for e in done if e["amount"] == now.amount]
            assert moved, f"it SUCCEEDED, but the provider has {all_}"
            assert set(moved) == {now.currency}
        if now.status is OperationStatus.FAILED:
            assert len(same) <= beside, f"it FAILED, but the provider has {same}"
        assert len(same) <= 1 + beside, f"it moved {len(same)} times"
        assert self.refunded() <= AMOUNT
        assert payment.refunded <= payment.captured <= payment.amount
        return now

    def operation_request(self, operation: Operation) -> OperationRequest:
        """The request of the operation's last attempt."""
        now = self.world.operation_now(operation)
        payment = self.world.payments.get(now.merchant_id, now.transaction_id)
        assert payment is not None
        assert now.last_attempt is not None
        return operation_request_of(payment, now, now.last_attempt)

    # -- the provider's ledger

    def moved(self, kind: OperationKind, *states: str) -> list[Record]:
        """Captures, voids or refunds in the provider's ledger; by default those that are done."""
        wanted = states or (MOVED,)
        entries = self.simulator.ledger(self.now)
        return [e for e in entries if e.get("kind") == kind.value and e["status"] in wanted]

    def refunded(self) -> int:
        """The sum of refunds that are done or pending."""
        return sum(entry["amount"] for entry in self.moved(OperationKind.REFUND, MOVED, MOVING))

    # -- webhooks

    def webhooks_due(self) -> list[Webhook]:
        """The webhooks that the provider would post now for the first time."""
        return self.simulator.webhooks_due(self.now)
