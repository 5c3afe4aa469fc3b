"""The use cases over memory: what a test of the rules needs, wired once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payflowx.application.inbound_webhooks.match_event import MatchEvent
from payflowx.application.inbound_webhooks.process_provider_event import ProcessProviderEvent
from payflowx.application.inbound_webhooks.receive_webhook import ReceiveWebhook
from payflowx.application.operators.verify_audit_log import VerifyAuditLog
from payflowx.application.payments.cancel_payment import Cancellation, CancelPayment, NewCancellation
from payflowx.application.payments.create_payment import CreatePayment, NewPayment
from payflowx.application.payments.outcome_writer import OutcomeWriter
from payflowx.application.payments.process_job import ProcessJob
from payflowx.application.payments.record_provider_refunds import RecordProviderRefunds
from payflowx.application.payments.request_operation import NewOperation, OperationAcceptance, RequestOperation
from payflowx.application.payments.resolve_attempt import ResolveAttempt
from payflowx.application.payments.send_charge import SendCharge
from payflowx.application.payments.work_items import WorkItems
from payflowx.application.recovery.sweep import SweepDueItems
from payflowx.application.recovery.wake_attempts import WakeAttempts
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment, PaymentMethod
from payflowx.domain.payments.ports import DueKind, Job
from payflowx.domain.payments.retry import RetryPolicy
from payflowx.domain.providers.events import Webhook
from payflowx.domain.providers.ports import Account
from payflowx.domain.routing.routing import Conditions, RoutingDocument, Rule, Share
from payflowx.domain.shared.limits import HOUR_MS, MINUTE_MS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import CaptureMode
from tests.support.memory import (
    CountingRandomness,
    FixedRules,
    FixedSecrets,
    ManualClock,
    ManualDeadline,
    MemoryDeliveries,
    MemoryJobs,
    MemoryMerchants,
    MemoryOperations,
    MemoryPayments,
    MemoryProviderEvents,
    OneByOne,
    RecordingTelemetry,
)
from tests.support.scripted import ScriptedProvider, ScriptedProviders

MERCHANT = "acme"

RESENDABLE = Capabilities(
    provider="alpha",
    simulated=True,
    capture_modes=frozenset(CaptureMode),
    operation_window_ms=dict.fromkeys(OperationKind, 24 * HOUR_MS),
    idempotency_window_ms=24 * HOUR_MS,
    can_cancel_and_confirm=False,
    inquiry_horizon_ms=HOUR_MS,
)
CANCELLABLE = Capabilities(
    provider="beta",
    simulated=True,
    can_cancel_and_confirm=True,
    visibility_lag_ms=10 * SECOND_MS,
    inquiry_horizon_ms=HOUR_MS,
    action_lifetime_ms=15 * MINUTE_MS,
)
READABLE = Capabilities(provider="gamma", simulated=True, inquiry_horizon_ms=10 * MINUTE_MS)


def _providers() -> ScriptedProviders:
    return ScriptedProviders(
        {able.provider: ScriptedProvider(able.provider, able) for able in (RESENDABLE, CANCELLABLE, READABLE)}
    )


def fallback(*providers: str) -> RoutingDocument:
    """A document with one rule."""
    rule = Rule(name="all", when=Conditions(), shares=(Share(percent=100, providers=providers),))
    return RoutingDocument(version="test", rules=(rule,))


@dataclass
class World:
    """Everything, with the leaves in reach of the test."""

    providers: ScriptedProviders = field(default_factory=_providers)
    payments: MemoryPayments = field(default_factory=MemoryPayments)
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    deliveries: MemoryDeliveries = field(default_factory=MemoryDeliveries)
    clock: ManualClock = field(default_factory=ManualClock)
    deadline: ManualDeadline = field(default_factory=ManualDeadline)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    randomness: CountingRandomness = field(default_factory=CountingRandomness)
    merchants: MemoryMerchants = field(default_factory=MemoryMerchants)
    provider_events: MemoryProviderEvents = field(default_factory=MemoryProviderEvents)
    secrets: FixedSecrets = field(default_factory=FixedSecrets)
    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(max_retries=3, charge_deadline_ms=24 * HOUR_MS))
    rules: FixedRules = field(default_factory=lambda: FixedRules(fallback("alpha", "beta", "gamma")))

    def __post_init__(self) -> None:
        self._operations = MemoryOperations(self.payments)
        self.set_merchant()

    def set_merchant(self, *, disabled: frozenset[str] = frozenset()) -> None:
        """The merchant with an account at each provider."""
        accounts = tuple(
            Account(
                provider=name,
                account_id="main",
                endpoint="https://gateway.test",
                secret_arn=f"arn:{name}",
                webhook_token=f"token-of-{name}",
            )
            for name in self.providers.providers
        )
        self.merchants.merchants[MERCHANT] = Merchant(
            merchant_id=MERCHANT, name="Acme", accounts=accounts, disabled=disabled
        )

    # -- use cases

    @property
    def outcome_writer(self) -> OutcomeWriter:
        return OutcomeWriter(items=self.items, jobs=self.jobs, deliveries=self.deliveries, telemetry=self.telemetry)

    def accept(self, key: str = "order-1", **changes: object) -> Payment:
        """POST /payments."""
        return self.create(new_payment(key, **changes)).payment

    @property
    def create(self) -> CreatePayment:
        return CreatePayment(
            payments=self.payments,
            jobs=self.jobs,
            merchants=self.merchants,
            rules=self.rules,
            providers=self.providers,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    @property
    def items(self) -> WorkItems:
        return WorkItems(payments=self.payments, operations=self.operations)

    @property
    def record_provider_refunds(self) -> RecordProviderRefunds:
        return RecordProviderRefunds(
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    @property
    def process(self) -> ProcessJob:
        send_charge = SendCharge(payments=self.payments)
        return ProcessJob(
            items=self.items,
            merchants=self.merchants,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            send_charge=send_charge,
            resolve_attempt=ResolveAttempt(send_charge=send_charge),
            record_provider_refunds=self.record_provider_refunds,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    def cancel(self, merchant_id: str, transaction_id: str, key: str | None = None) -> Cancellation:
        """POST /payments/{id}/cancel."""
        use_case = CancelPayment(
            payments=self.payments,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            operations=self.operations,
            request_operation=self.request_operation,
            clock=self.clock,
            policy=self.policy,
        )
        return use_case(
            NewCancellation(
                merchant_id=merchant_id,
                transaction_id=transaction_id,
                idempotency_key=key,
                path=f"/payments/{transaction_id}/cancel",
                fingerprint=f"print-cancel-{transaction_id}",
            )
        )

    @property
    def operations(self) -> MemoryOperations:
        return self._operations

    @property
    def request_operation(self) -> RequestOperation:
        return RequestOperation(
            payments=self.payments,
            operations=self.operations,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            jobs=self.jobs,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=self.policy,
            pause=lambda _tries: None,
        )

    @property
    def process_provider_event(self) -> ProcessProviderEvent:
        return ProcessProviderEvent(
            find=MatchEvent(payments=self.payments, operations=self.operations, references=self.payments),
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            provider_events=self.provider_events,
            outcome_writer=self.outcome_writer,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=self.policy,
        )

    def receive(self, provider: str, body: bytes, headers: Mapping[str, str], token: str | None = None) -> None:
        """POST /webhooks/{provider}/{accountToken}."""
        use_case = ReceiveWebhook(
            accounts=self.merchants,
            providers=self.providers,
            secrets=self.secrets,
            provider_events=self.provider_events,
            clock=self.clock,
            telemetry=self.telemetry,
        )
        lower = {name.lower(): value for name, value in headers.items()}
        use_case(
            provider,
            token or f"token-of-{provider}",
            Webhook(headers=lower, body=body, received_at_ms=self.clock.now_ms()),
        )

    def deliver_provider_events(self, *, most: int = 50) -> None:
        """Apply what was taken in, in order, each after its delay."""
        for _ in range(most):
            if not self.provider_events.sent:
                return
            inbound, delay_seconds = self.provider_events.sent.pop(0)
            self.clock.advance(delay_seconds)
            self.process_provider_event(inbound)
        raise AssertionError("webhooks do not end")

    @property
    def sweep(self) -> SweepDueItems:
        attempts = WakeAttempts(
            due_items=self.payments,
            items=self.items,
            jobs=self.jobs,
            outcome_writer=self.outcome_writer,
            telemetry=self.telemetry,
            policy=self.policy,
        )
        return SweepDueItems(
            due_items=self.payments,
            wakers={DueKind.PAYMENT: attempts, DueKind.OPERATION: attempts},
            concurrency=OneByOne(),
            clock=self.clock,
            telemetry=self.telemetry,
        )

    # -- driving

    def work(self, *, turns: int = 1) -> None:
        """Deliver the next messages, in order, after their delays."""
        for _ in range(turns):
            job, delay_seconds = self.jobs.sent.pop(0)
            self.clock.advance(delay_seconds)
            self.process(job, self.deadline)

    def work_until_idle(self, *, most: int = 50) -> int:
        """Deliver messages until none is left; how many there were."""
        for turn in range(most):
            if not self.jobs.sent:
                return turn
            self.work()
        raise AssertionError("messages do not end")

    def now(self, payment: Payment) -> Payment:
        """The payment as stored, its audit log checked."""
        stored = self.payments.get(payment.merchant_id, payment.transaction_id)
        assert stored is not None
        assert VerifyAuditLog(payments=self.payments)(stored.merchant_id, stored.transaction_id).is_intact
        return stored

    def request(
        self, kind: OperationKind, payment: Payment, amount: int | None = None, key: str = "op-1", **changes: object
    ) -> OperationAcceptance:
        """POST /payments/{id}/capture, /refunds, or a void."""
        values: dict[str, object] = {
            "merchant_id": payment.merchant_id,
            "transaction_id": payment.transaction_id,
            "kind": kind,
            "amount": amount,
            "idempotency_key": key,
            "path": f"/payments/{payment.transaction_id}/{kind}s",
            "fingerprint": f"print-{payment.transaction_id}-{kind}-{amount}",
            **changes,
        }
        return self.request_operation(NewOperation(**values))  # type: ignore[arg-type]

    def operation_now(self, operation: Operation) -> Operation:
        """The operation as stored."""
        found = self.operations.get(operation.merchant_id, operation.transaction_id, operation.operation_id)
        assert found is not None
        return found

    def wake(self, payment: Payment) -> None:
        """A message without hints, as the sweeper sends it."""
        job = Job(merchant_id=payment.merchant_id, transaction_id=payment.transaction_id)
        self.process(job, self.deadline)


def new_payment(key: str = "order-1", **changes: object) -> NewPayment:
    """A valid request; the fingerprint follows the amount."""
    values: dict[str, object] = {
        "merchant_id": MERCHANT,
        "idempotency_key": key,
        "amount": 1999,
        "currency": "USD",
        "capture": CaptureMode.AUTOMATIC,
        "payment_method": PaymentMethod(type="card", token="tok_success"),
        **changes,
    }
    values.setdefault("fingerprint", f"print-{values['amount']}")
    return NewPayment(**values)  # type: ignore[arg-type]
